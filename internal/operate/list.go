package operate

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/symphony-rt/symphony/internal/directory"
)

// Sort is a column rooms can be sorted by.
type Sort string

// The columns.
const (
	SortName       Sort = "name"
	SortUsers      Sort = "users"
	SortLastActive Sort = "active"
	SortSize       Sort = "size"
	SortUpdates    Sort = "updates"
	SortLog        Sort = "log"
	SortCreated    Sort = "created"
)

// Sorts are all columns.
func Sorts() []Sort {
	return []Sort{SortName, SortUsers, SortLastActive, SortSize, SortUpdates, SortLog, SortCreated}
}

// MaxPage is the most rooms one page has: what a terminal or a table can show
// at once, and a message that stays under a megabyte.
const MaxPage = 1000

// Query says which rooms to list.
type Query struct {
	// Search is a part of the name, in any case; "" for all.
	Search string `json:"search,omitempty"`
	// ActiveOnly leaves out the rooms nobody is in.
	ActiveOnly bool `json:"activeOnly,omitempty"`
	// Sort is SortLastActive when empty. Names go from
	// A to Z and everything else from the largest or latest on; Reverse turns that round.
	Sort    Sort `json:"sort,omitempty"`
	Reverse bool `json:"reverse,omitempty"`
	// Offset rooms are skipped; Limit is at most MaxPage, which 0 means too.
	Offset int `json:"offset,omitempty"`
	Limit  int `json:"limit,omitempty"`
}

// Page is a part of the rooms that match a query.
type Page struct {
	Rooms []Summary `json:"rooms"`
	// Matching rooms there are; Total and Active count without the search.
	Matching    int `json:"matching"`
	Total       int `json:"total"`
	Active      int `json:"active"`
	Connections int `json:"connections"`
}

// Select makes a page of directory entries.
func Select(entries []directory.Entry, q Query, now time.Time) (Page, error) {
	less, err := order(q.Sort)
	if err != nil {
		return Page{}, err
	}
	p := Page{Rooms: []Summary{}}
	search := strings.ToLower(q.Search)
	var found []Summary
	for _, e := range entries {
		if e.Gone() && !e.Active(now) {
			continue // deleted, and nobody has come back
		}
		p.Total++
		s := summary(e, now)
		p.Connections += s.Connections
		if s.Active {
			p.Active++
		}
		if q.ActiveOnly && !s.Active || search != "" && !strings.Contains(strings.ToLower(string(s.Room)), search) {
			continue
		}
		found = append(found, s)
	}
	p.Matching = len(found)
	slices.SortFunc(found, func(a, b Summary) int {
		c := less(a, b)
		if q.Reverse {
			c = -c
		}
		return cmp.Or(c, cmp.Compare(a.Room, b.Room))
	})
	limit := q.Limit
	if limit <= 0 || limit > MaxPage {
		limit = MaxPage
	}
	from := min(max(q.Offset, 0), len(found))
	p.Rooms = append(p.Rooms, found[from:min(from+limit, len(found))]...)
	return p, nil
}

func order(s Sort) (func(a, b Summary) int, error) {
	switch s {
	case SortName:
		return func(a, b Summary) int { return cmp.Compare(a.Room, b.Room) }, nil
	case SortUsers:
		return func(a, b Summary) int { return cmp.Compare(b.Connections, a.Connections) }, nil
	case SortLastActive, "":
		return func(a, b Summary) int { return b.LastActive.Compare(a.LastActive) }, nil
	case SortSize:
		return func(a, b Summary) int { return cmp.Compare(b.Size, a.Size) }, nil
	case SortUpdates:
		return func(a, b Summary) int { return cmp.Compare(b.Updates, a.Updates) }, nil
	case SortLog:
		return func(a, b Summary) int { return cmp.Compare(b.LogBytes, a.LogBytes) }, nil
	case SortCreated:
		return func(a, b Summary) int { return b.Created.Compare(a.Created) }, nil
	}
	return nil, fmt.Errorf("rooms cannot be sorted by %q: one of %v", s, Sorts())
}

func summary(e directory.Entry, now time.Time) Summary {
	return Summary{
		Room: e.Room, Active: e.Active(now), Connections: e.Connections(now), Updates: e.Updates, Bytes: e.Bytes,
		LogBytes: e.LogBytes, SnapshotBytes: e.SnapshotBytes, Size: e.Size(), Created: e.Created, LastActive: e.LastActive,
	}
}
