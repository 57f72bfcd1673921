package directory

import (
	"cmp"
	"slices"
	"sync"

	"github.com/symphony-rt/symphony/internal/room"
)

// Memory is a directory for stores that report each change once, in order, and
// in this process: the embedded ones. It forgets with the process; Recount
// brings a room back. It is safe for concurrent use.
type Memory struct {
	mu      sync.Mutex
	entries map[room.ID]Entry
}

// NewMemory returns an empty directory.
func NewMemory() *Memory { return &Memory{entries: map[room.ID]Entry{}} }

// Apply applies one change. Give it to the store as its change feed.
func (m *Memory) Apply(c room.Change) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.entries[c.Room] = m.entries[c.Room].Apply(c)
}

// Put replaces an entry, for example by a recounted one.
func (m *Memory) Put(e Entry) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.entries[e.Room] = e
}

// Get returns a room's entry; false when nothing is known of the room.
func (m *Memory) Get(id room.ID) (Entry, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.entries[id]
	return e, ok
}

// List returns all entries, the last active first.
func (m *Memory) List() []Entry {
	m.mu.Lock()
	list := make([]Entry, 0, len(m.entries))
	for _, e := range m.entries {
		list = append(list, e)
	}
	m.mu.Unlock()
	slices.SortFunc(list, func(a, b Entry) int {
		return cmp.Or(b.LastActive.Compare(a.LastActive), cmp.Compare(a.Room, b.Room))
	})
	return list
}
