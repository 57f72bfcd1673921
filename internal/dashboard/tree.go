package dashboard

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/symphony-rt/symphony/internal/room"
)

// A document is shown as a tree of which the page asks for one node's children
// at a time: a board of ten thousand shapes must not become ten thousand lines
// of page before anybody has opened it.

const (
	// pageChildren is how many children one answer has.
	pageChildren = 100
	// previewRunes is how much of a text stands beside its key, textBytes how
	// much of it one answer has when it is opened.
	previewRunes = 120
	textBytes    = 64 << 10
	// keepTrees and keepTime bound how many documents are kept, and for how long
	// when nobody changes them.
	keepTrees = 4
	keepTime  = time.Minute
)

// errNoNode: the document has nothing there (any more).
var errNoNode = errors.New("dashboard: the document has nothing there")

// child is one line of the tree.
type child struct {
	Key string `json:"key"`
	// Type is object, array, string, number, boolean or null.
	Type string `json:"type"`
	// Size counts children, or a text's characters.
	Size int `json:"size"`
	// Preview is the value, or the beginning of a text.
	Preview string `json:"preview,omitempty"`
}

// node is what one answer says.
type node struct {
	Type     string  `json:"type"`
	Size     int     `json:"size"`
	Offset   int     `json:"offset"`
	Children []child `json:"children"`
	// Text is a text's value from Offset (in bytes) on; Next is where more is,
	// 0 when that is all. For children Next is the next Offset.
	Text string `json:"text,omitempty"`
	Next int    `json:"next,omitempty"`
	// Versions is which version of the room this is.
	Versions uint64 `json:"versions"`
	Bytes    int    `json:"bytes"`
}

// trees keeps the JSON of the documents looked at last.
type trees struct {
	clock room.Clock
	mu    sync.Mutex
	docs  map[room.ID]tree
}

type tree struct {
	raw      []byte
	versions uint64
	at       time.Time
}

func newTrees(clock room.Clock) *trees { return &trees{clock: clock, docs: map[room.ID]tree{}} }

func (t *trees) forget(id room.ID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.docs, id)
}

// get returns the document as of that version or a later one.
func (t *trees) get(ctx context.Context, id room.ID, versions uint64, load func(ctx context.Context, id room.ID) ([]byte, error)) (tree, error) {
	now := t.clock.Now()
	t.mu.Lock()
	d, ok := t.docs[id]
	t.mu.Unlock()
	if ok && d.versions == versions && now.Sub(d.at) < keepTime {
		return d, nil
	}
	raw, err := load(ctx, id)
	if err != nil {
		return tree{}, err
	}
	d = tree{raw, versions, now}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.docs[id] = d
	for len(t.docs) > keepTrees {
		oldest, at := room.ID(""), now
		for other, o := range t.docs {
			if other != id && !o.at.After(at) {
				oldest, at = other, o.at
			}
		}
		delete(t.docs, oldest)
	}
	return d, nil
}

func (s *Server) document(r *http.Request) (any, error) {
	q := r.URL.Query()
	id, err := roomID(q.Get("room"))
	if err != nil {
		return nil, err
	}
	offset, err := number(q.Get("offset"), 0)
	if err != nil || offset < 0 {
		return nil, fmt.Errorf("%w: offset is a number", ErrQuery)
	}
	if s.Rooms == nil {
		return nil, ErrNotHere
	}
	entry, ok := s.Catalog.Get(id)
	if !ok {
		return nil, fmt.Errorf("room %q: %w", id, room.ErrNotFound)
	}
	d, err := s.trees.get(r.Context(), id, entry.Updates, s.Rooms.Document)
	if err != nil {
		return nil, err
	}
	n, err := look(d.raw, q.Get("path"), offset)
	n.Versions, n.Bytes = d.versions, len(d.raw)
	return n, err
}

// look returns the node at a JSON pointer (RFC 6901).
func look(raw []byte, pointer string, offset int) (node, error) {
	value := json.RawMessage(bytes.TrimSpace(raw))
	if pointer != "" {
		for _, part := range strings.Split(strings.TrimPrefix(pointer, "/"), "/") {
			key := strings.NewReplacer("~1", "/", "~0", "~").Replace(part)
			next, found := json.RawMessage(nil), false
			err := each(value, func(k string, v json.RawMessage) bool {
				if k == key {
					next, found = v, true
				}
				return !found
			})
			if err != nil {
				return node{}, err
			}
			if !found {
				return node{}, fmt.Errorf("%w: %s", errNoNode, pointer)
			}
			value = next
		}
	}
	n := node{Type: kindOf(value), Offset: offset, Children: []child{}}
	if n.Type == "string" {
		return n, n.text(value)
	}
	err := each(value, func(k string, v json.RawMessage) bool {
		if n.Size >= offset && len(n.Children) < pageChildren {
			n.Children = append(n.Children, line(k, v))
		}
		n.Size++
		return true
	})
	if end := offset + len(n.Children); end < n.Size {
		n.Next = end
	}
	return n, err
}

func (n *node) text(value json.RawMessage) error {
	var s string
	if err := json.Unmarshal(value, &s); err != nil {
		return err
	}
	n.Size = utf8.RuneCountInString(s)
	from := whole(s, n.Offset)
	to := whole(s, from+textBytes)
	n.Text = s[from:to]
	if to < len(s) {
		n.Next = to
	}
	return nil
}

// whole returns the next place at or before i where a character begins.
func whole(s string, i int) int {
	if i >= len(s) {
		return len(s)
	}
	for i > 0 && !utf8.RuneStart(s[i]) {
		i--
	}
	return i
}

func kindOf(v json.RawMessage) string {
	if len(v) == 0 {
		return "null"
	}
	switch v[0] {
	case '{':
		return "object"
	case '[':
		return "array"
	case '"':
		return "string"
	case 't', 'f':
		return "boolean"
	case 'n':
		return "null"
	default:
		return "number"
	}
}

func line(key string, v json.RawMessage) child {
	c := child{Key: key, Type: kindOf(v)}
	switch c.Type {
	case "object", "array":
		_ = each(v, func(string, json.RawMessage) bool { c.Size++; return true }) // it was parsed a moment ago
	case "string":
		var s string
		_ = json.Unmarshal(v, &s)
		c.Size = utf8.RuneCountInString(s)
		if runes := []rune(s); len(runes) > previewRunes {
			s = string(runes[:previewRunes])
		}
		c.Preview = s
	default:
		c.Preview = string(v)
	}
	return c
}

// each calls fn with the children of an object or an array, in order, until it
// returns false; other values have none.
func each(value json.RawMessage, fn func(key string, v json.RawMessage) bool) error {
	d := json.NewDecoder(bytes.NewReader(value))
	open, err := d.Token()
	if err != nil {
		return fmt.Errorf("dashboard: the document is no JSON: %w", err)
	}
	delim, _ := open.(json.Delim)
	for i := 0; (delim == '{' || delim == '[') && d.More(); i++ {
		key := strconv.Itoa(i)
		if delim == '{' {
			t, err := d.Token()
			if err != nil {
				return fmt.Errorf("dashboard: the document is no JSON: %w", err)
			}
			key, _ = t.(string)
		}
		var v json.RawMessage
		if err := d.Decode(&v); err != nil {
			return fmt.Errorf("dashboard: the document is no JSON: %w", err)
		}
		if !fn(key, v) {
			return nil
		}
	}
	return nil
}
