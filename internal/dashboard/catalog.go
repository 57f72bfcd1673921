package dashboard

import (
	"sync"
	"time"

	"github.com/symphony-rt/symphony/internal/directory"
	"github.com/symphony-rt/symphony/internal/room"
)

// Catalog is the room directory in memory, for a table that is searched and
// sorted and for the totals. A hundred thousand rooms take about 40 MB. It is
// safe for concurrent use.
type Catalog struct {
	mu   sync.RWMutex
	rows []row
	at   map[room.ID]int
	// busy are the rooms that have somebody in them, by the directory.
	busy    map[room.ID]struct{}
	updates uint64
	growth  Growth
	version uint64
	history *history
	loading bool
	// orders are the rows in the order of a column, kept while they are fresh.
	orders map[order]*sorted
}

type row struct {
	entry directory.Entry
	// folded is the name in lower case, for the search.
	folded string
}

// NewCatalog returns an empty catalog.
func NewCatalog() *Catalog {
	return &Catalog{at: map[room.ID]int{}, busy: map[room.ID]struct{}{}, history: newHistory(), orders: map[order]*sorted{}}
}

// Put adds or replaces a room's entry, as it is at now.
func (c *Catalog) Put(e directory.Entry, now time.Time) {
	if e.Room == "" {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.put(e, now)
}

func (c *Catalog) put(e directory.Entry, now time.Time) {
	if !e.There(now) {
		c.remove(e.Room) // a deleted room keeps its entry, see room.Service.Erase
		return
	}
	i, known := c.at[e.Room]
	if !known {
		i = len(c.rows)
		c.rows = append(c.rows, row{folded: fold(string(e.Room))})
		c.at[e.Room] = i
	}
	before := &c.rows[i].entry
	if !c.loading {
		c.growth.Edits += max(0, int64(e.Updates)-int64(before.Updates))
		if e.SnapshotBytes != before.SnapshotBytes {
			c.growth.Checkpoints++
		}
	}
	c.updates += e.Updates - before.Updates
	c.rows[i].entry = e
	if e.Active(now) {
		c.busy[e.Room] = struct{}{}
	} else {
		delete(c.busy, e.Room)
	}
	c.history.note(e, now)
	c.version++
}

// Remove takes a room out.
func (c *Catalog) Remove(id room.ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.remove(id)
}

func (c *Catalog) remove(id room.ID) {
	i, known := c.at[id]
	if !known {
		return
	}
	c.updates -= c.rows[i].entry.Updates
	last := len(c.rows) - 1
	c.rows[i] = c.rows[last]
	c.at[c.rows[i].entry.Room] = i
	c.rows[last] = row{}
	c.rows = c.rows[:last]
	delete(c.at, id)
	delete(c.busy, id)
	c.history.forget(id)
	c.version++
	c.orders = map[order]*sorted{} // they point at rows by number
}

// Load is Replace for what was there before anybody looked: it does not count
// as growth.
func (c *Catalog) Load(all []directory.Entry, now time.Time) {
	c.setLoading(true)
	defer c.setLoading(false)
	c.Replace(all, now)
}

func (c *Catalog) setLoading(loading bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.loading = loading
}

// Growth is what happened to the rooms since the catalog was loaded. It only
// grows, also when rooms are deleted.
type Growth struct {
	Edits int64
	// Checkpoints are those that changed a snapshot's size.
	Checkpoints int64
}

// Growth returns what happened so far.
func (c *Catalog) Growth() Growth {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.growth
}

// Replace makes the catalog hold exactly these entries.
func (c *Catalog) Replace(all []directory.Entry, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	there := make(map[room.ID]struct{}, len(all))
	for _, e := range all {
		there[e.Room] = struct{}{}
		c.put(e, now)
	}
	for id := range c.at {
		if _, ok := there[id]; !ok {
			c.remove(id)
		}
	}
}

// Get returns a room's entry.
func (c *Catalog) Get(id room.ID) (directory.Entry, bool) {
	c.mu.RLock()
	defer c.mu.RUnlock()
	i, ok := c.at[id]
	if !ok {
		return directory.Entry{}, false
	}
	return c.rows[i].entry, true
}

// Totals are sums over all rooms.
type Totals struct {
	Rooms, Active, Connections int
	Updates                    uint64
}

// Totals returns the sums at now. Only rooms with somebody in them are looked
// at: a member whose end was never reported stops counting by itself.
func (c *Catalog) Totals(now time.Time) Totals {
	c.mu.RLock()
	defer c.mu.RUnlock()
	t := Totals{Rooms: len(c.rows), Updates: c.updates}
	for id := range c.busy {
		if n := c.rows[c.at[id]].entry.Connections(now); n > 0 {
			t.Active++
			t.Connections += n
		}
	}
	return t
}

// Version changes whenever a room does.
func (c *Catalog) Version() uint64 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.version
}

// Figures returns the totals as figures.
func (t Totals) Figures() Figures {
	return Figures{
		KeyRooms: float64(t.Rooms), KeyActiveRooms: float64(t.Active), KeyConnections: float64(t.Connections), KeyUpdates: float64(t.Updates),
	}
}
