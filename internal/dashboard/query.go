package dashboard

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/symphony-rt/symphony/internal/directory"
	"github.com/symphony-rt/symphony/internal/room"
)

// The columns rooms are sorted by.
const (
	ColumnName       = "name"
	ColumnActive     = "active"
	ColumnUsers      = "users"
	ColumnLastActive = "lastActive"
	ColumnCreated    = "created"
	ColumnSize       = "size"
	ColumnLog        = "log"
	ColumnVersions   = "versions"
)

const (
	// maxPage bounds what one answer has; defaultPage is what it has unasked.
	maxPage     = 200
	defaultPage = 50
	// freshOrder is how long an order is used although rooms have changed: the
	// page asks again every two seconds, and several pages may be open.
	freshOrder = time.Second
)

// ErrQuery: a query that makes no sense, and why.
var ErrQuery = errors.New("dashboard: query")

// Query asks for one page of the table of rooms.
type Query struct {
	// Text is what the name contains, whatever its case.
	Text string
	// ActiveOnly leaves out rooms with nobody in them.
	ActiveOnly bool
	Sort       string
	Descending bool
	// Page counts from 0.
	Page, Size int
}

// RoomRow is one room of the table. Sizes are in bytes.
type RoomRow struct {
	Room       room.ID   `json:"room"`
	Active     bool      `json:"active"`
	Users      int       `json:"users"`
	LastActive time.Time `json:"lastActive"`
	Created    time.Time `json:"created"`
	Size       int64     `json:"size"`
	LogEntries int64     `json:"logEntries"`
	LogBytes   int64     `json:"logBytes"`
	Versions   uint64    `json:"versions"`
	Bytes      int64     `json:"bytes"`
}

func rowOf(e directory.Entry, now time.Time) RoomRow {
	n := e.Connections(now)
	return RoomRow{
		Room: e.Room, Active: n > 0, Users: n, LastActive: e.LastActive, Created: e.Created, Size: e.Size(),
		LogEntries: e.LogEntries, LogBytes: e.LogBytes, Versions: e.Updates, Bytes: e.Bytes,
	}
}

// RoomPage is one page, and how many rooms there are and match.
type RoomPage struct {
	Rows    []RoomRow `json:"rows"`
	Total   int       `json:"total"`
	Matched int       `json:"matched"`
	Page    int       `json:"page"`
	Size    int       `json:"size"`
	Version uint64    `json:"version"`
}

type order struct {
	column     string
	descending bool
}

// sorted is the rows in an order, by number.
type sorted struct {
	rows    []int32
	version uint64
	at      time.Time
}

func fold(s string) string { return strings.ToLower(s) }

// Rooms returns the page that q asks for; a page past the end is the last one.
func (c *Catalog) Rooms(q Query, now time.Time) (RoomPage, error) {
	if q.Sort == "" {
		q.Sort, q.Descending = ColumnLastActive, true
	}
	if compare[q.Sort] == nil {
		return RoomPage{}, fmt.Errorf("%w: there is no column %q", ErrQuery, q.Sort)
	}
	if q.Size == 0 {
		q.Size = defaultPage
	}
	if q.Size < 1 || q.Size > maxPage || q.Page < 0 {
		return RoomPage{}, fmt.Errorf("%w: a page of %d rooms, number %d", ErrQuery, q.Size, q.Page)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	rows := c.inOrder(order{q.Sort, q.Descending}, now)
	page := RoomPage{Total: len(c.rows), Size: q.Size, Version: c.version, Rows: []RoomRow{}}
	text := fold(strings.TrimSpace(q.Text))
	matched := rows
	if text != "" || q.ActiveOnly {
		matched = nil
		for _, i := range rows {
			r := &c.rows[i]
			if (text == "" || strings.Contains(r.folded, text)) && (!q.ActiveOnly || r.entry.Active(now)) {
				matched = append(matched, i)
			}
		}
	}
	page.Matched = len(matched)
	page.Page = min(q.Page, max(0, (len(matched)-1)/q.Size))
	from := page.Page * q.Size
	for _, i := range matched[from:min(from+q.Size, len(matched))] {
		page.Rows = append(page.Rows, rowOf(c.rows[i].entry, now))
	}
	return page, nil
}

// inOrder returns the rows' numbers in order. What was sorted a moment ago is
// nearly in order, so sorting it again is quick.
func (c *Catalog) inOrder(o order, now time.Time) []int32 {
	s := c.orders[o]
	if s != nil && (s.version == c.version && o.column != ColumnUsers && o.column != ColumnActive || now.Sub(s.at) < freshOrder) && len(s.rows) == len(c.rows) {
		return s.rows
	}
	if s == nil {
		s = &sorted{}
		c.orders[o] = s
	}
	for i := len(s.rows); i < len(c.rows); i++ {
		s.rows = append(s.rows, int32(i))
	}
	by := compare[o.column]
	users := func(i int32) int { return 0 }
	if o.column == ColumnUsers || o.column == ColumnActive {
		counted := make(map[int32]int, len(c.busy))
		for id := range c.busy {
			i := c.at[id]
			counted[int32(i)] = c.rows[i].entry.Connections(now)
		}
		users = func(i int32) int { return counted[i] }
	}
	slices.SortFunc(s.rows, func(i, k int32) int {
		a, b := &c.rows[i].entry, &c.rows[k].entry
		n := by(a, b, users(i), users(k))
		if o.descending {
			n = -n
		}
		return cmp.Or(n, cmp.Compare(a.Room, b.Room))
	})
	s.version, s.at = c.version, now
	return s.rows
}

// compare orders two rooms by a column; m and n are their users now.
var compare = map[string]func(a, b *directory.Entry, m, n int) int{
	ColumnName:       func(a, b *directory.Entry, _, _ int) int { return cmp.Compare(a.Room, b.Room) },
	ColumnActive:     func(_, _ *directory.Entry, m, n int) int { return cmp.Compare(min(m, 1), min(n, 1)) },
	ColumnUsers:      func(_, _ *directory.Entry, m, n int) int { return cmp.Compare(m, n) },
	ColumnLastActive: func(a, b *directory.Entry, _, _ int) int { return a.LastActive.Compare(b.LastActive) },
	ColumnCreated:    func(a, b *directory.Entry, _, _ int) int { return a.Created.Compare(b.Created) },
	ColumnSize:       func(a, b *directory.Entry, _, _ int) int { return cmp.Compare(a.Size(), b.Size()) },
	ColumnLog:        func(a, b *directory.Entry, _, _ int) int { return cmp.Compare(a.LogEntries, b.LogEntries) },
	ColumnVersions:   func(a, b *directory.Entry, _, _ int) int { return cmp.Compare(a.Updates, b.Updates) },
}
