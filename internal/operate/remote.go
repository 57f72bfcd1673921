package operate

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/symphony-rt/symphony/internal/room"
)

// call is a request of any operation; the answer is the operation's result or a
// failure. One path, one shape: both ends are of one version, started together
// or not (the path has the version).
type call struct {
	Op    string  `json:"op"`
	Room  room.ID `json:"room,omitempty"`
	At    Point   `json:"at,omitzero"`
	Query Query   `json:"query,omitzero"`
	Data  []byte  `json:"data,omitempty"`
	Merge bool    `json:"merge,omitempty"`
}

const (
	callPath = "/operate/v1"
	// maxCall is the largest import with its base64, and room to spare.
	maxCall = room.MaxUpdateBytes*4/3 + 1<<20
)

// NewToken returns a secret for Handler that nobody guesses.
func NewToken() string { return rand.Text() }

// Handler serves rooms to whoever has the token. Listen on loopback only. The
// token keeps other users and web pages out; requests that name another host
// than this machine are refused besides (DNS rebinding), as are those of pages.
func Handler(rooms Rooms, token string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("POST "+callPath, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Cache-Control", "no-store")
		w.Header().Set("Content-Type", "application/json")
		if !isLoopback(r.Host) || r.Header.Get("Origin") != "" {
			answer(w, http.StatusForbidden, failure{Text: "only for programs on this machine"})
			return
		}
		if subtle.ConstantTimeCompare([]byte(r.Header.Get("Authorization")), []byte("Bearer "+token)) != 1 {
			answer(w, http.StatusUnauthorized, failure{Text: "not the token of this server"})
			return
		}
		var c call
		if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxCall)).Decode(&c); err != nil {
			answer(w, http.StatusBadRequest, failure{Text: err.Error()})
			return
		}
		result, err := c.run(r.Context(), rooms)
		if err != nil {
			answer(w, http.StatusUnprocessableEntity, failureOf(err))
			return
		}
		answer(w, http.StatusOK, result)
	})
	return mux
}

func isLoopback(hostport string) bool {
	host, _, err := net.SplitHostPort(hostport)
	if err != nil {
		host = hostport
	}
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

func answer(w http.ResponseWriter, status int, v any) {
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(v) // nobody left to tell
}

func (c call) run(ctx context.Context, rooms Rooms) (any, error) {
	switch c.Op {
	case "list":
		return rooms.List(ctx, c.Query)
	case "names":
		return rooms.Names(ctx)
	case "show":
		return rooms.Show(ctx, c.Room)
	case "document":
		return rooms.Document(ctx, c.Room, c.At)
	case "export":
		return rooms.Export(ctx, c.Room, c.At)
	case "import":
		return rooms.Import(ctx, c.Room, c.Data, c.Merge)
	case "restore":
		return rooms.Restore(ctx, c.Room, c.At)
	case "verify":
		return rooms.Verify(ctx, c.Room)
	case "delete":
		return struct{}{}, rooms.Delete(ctx, c.Room)
	}
	return nil, fmt.Errorf("%w: the operation %q", room.ErrUnsupported, c.Op)
}

// Remote is Rooms over a Handler's address.
type Remote struct {
	url, token string
	client     *http.Client
}

var _ Rooms = (*Remote)(nil)

// NewRemote returns the rooms behind a Handler at url (http://127.0.0.1:port).
func NewRemote(url, token string) *Remote {
	// No proxy: what is on this machine is not reached through another.
	return &Remote{url: url, token: token, client: &http.Client{Transport: &http.Transport{IdleConnTimeout: time.Minute}}}
}

func ask[T any](ctx context.Context, r *Remote, c call) (out T, err error) {
	body, err := json.Marshal(c)
	if err != nil {
		return out, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, r.url+callPath, bytes.NewReader(body))
	if err != nil {
		return out, err
	}
	req.Header.Set("Authorization", "Bearer "+r.token)
	res, err := r.client.Do(req)
	if err != nil {
		return out, fmt.Errorf("%w: %w", room.ErrUnavailable, err)
	}
	defer res.Body.Close()
	data, err := io.ReadAll(res.Body)
	if err != nil {
		return out, fmt.Errorf("%w: %w", room.ErrUnavailable, err)
	}
	if res.StatusCode != http.StatusOK {
		var f failure
		if json.Unmarshal(data, &f) != nil || f.Text == "" {
			f.Text = fmt.Sprintf("the local server answers %s", res.Status)
		}
		return out, f
	}
	return out, json.Unmarshal(data, &out)
}

// List implements Rooms.
func (r *Remote) List(ctx context.Context, q Query) (Page, error) {
	return ask[Page](ctx, r, call{Op: "list", Query: q})
}

// Names implements Rooms.
func (r *Remote) Names(ctx context.Context) ([]room.ID, error) {
	return ask[[]room.ID](ctx, r, call{Op: "names"})
}

// Show implements Rooms.
func (r *Remote) Show(ctx context.Context, id room.ID) (Detail, error) {
	return ask[Detail](ctx, r, call{Op: "show", Room: id})
}

// Document implements Rooms.
func (r *Remote) Document(ctx context.Context, id room.ID, at Point) (json.RawMessage, error) {
	return ask[json.RawMessage](ctx, r, call{Op: "document", Room: id, At: at})
}

// Export implements Rooms.
func (r *Remote) Export(ctx context.Context, id room.ID, at Point) (Export, error) {
	return ask[Export](ctx, r, call{Op: "export", Room: id, At: at})
}

// Import implements Rooms.
func (r *Remote) Import(ctx context.Context, id room.ID, update []byte, merge bool) (Written, error) {
	return ask[Written](ctx, r, call{Op: "import", Room: id, Data: update, Merge: merge})
}

// Restore implements Rooms.
func (r *Remote) Restore(ctx context.Context, id room.ID, at Point) (Written, error) {
	return ask[Written](ctx, r, call{Op: "restore", Room: id, At: at})
}

// Verify implements Rooms.
func (r *Remote) Verify(ctx context.Context, id room.ID) (Report, error) {
	return ask[Report](ctx, r, call{Op: "verify", Room: id})
}

// Delete implements Rooms.
func (r *Remote) Delete(ctx context.Context, id room.ID) error {
	_, err := ask[struct{}](ctx, r, call{Op: "delete", Room: id})
	return err
}

// failure is an error on its way: its text, and which of the known errors it is.
type failure struct {
	Text  string   `json:"error"`
	Kinds []string `json:"kinds,omitempty"`
}

// known are the errors that keep their identity.
var known = map[string]error{
	"no-room": ErrNoRoom, "not-empty": ErrNotEmpty, "point": ErrPoint,
	"room-id": room.ErrRoomID, "too-large": room.ErrTooLarge, "invalid-update": room.ErrInvalidUpdate, "denied": room.ErrDenied,
	"unsupported": room.ErrUnsupported, "unavailable": room.ErrUnavailable, "conflict": room.ErrConflict, "trimmed": room.ErrTrimmed,
	"not-found": room.ErrNotFound, "corrupt": room.ErrCorrupt,
}

func failureOf(err error) failure {
	f := failure{Text: err.Error()}
	for name, is := range known {
		if errors.Is(err, is) {
			f.Kinds = append(f.Kinds, name)
		}
	}
	return f
}

// Error implements error.
func (f failure) Error() string { return f.Text }

// Is says whether the error on the other side was target.
func (f failure) Is(target error) bool {
	for _, name := range f.Kinds {
		if known[name] == target {
			return true
		}
	}
	return false
}
