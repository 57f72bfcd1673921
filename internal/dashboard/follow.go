package dashboard

import (
	"context"
	"log/slog"
	"time"

	"github.com/symphony-rt/symphony/internal/directory"
	"github.com/symphony-rt/symphony/internal/room"
)

// Listed is a room directory that is kept in a table: *dynamodirectory.Store.
type Listed interface {
	// List calls fn with the rooms that were active, or not, when they last
	// changed.
	List(ctx context.Context, active bool, fn func(directory.Entry) error) error
}

// Pace is how often a directory in a table is read. Reading costs: the active
// rooms are few and change all the time, the others are many and do not.
type Pace struct{ Active, All time.Duration }

// Follow keeps the catalog like the directory until ctx ends, and returns once
// it has been read whole for the first time, or could not be. While wanted is
// not nil and returns false, nothing is read: an open page wants figures, a
// closed one must not cost anything.
func Follow(ctx context.Context, c *Catalog, from Listed, pace Pace, clock room.Clock, wanted func() bool, log *slog.Logger) error {
	c.setLoading(true)
	err := refresh(ctx, c, from, clock, true)
	c.setLoading(false)
	if err != nil {
		return err
	}
	go func() {
		ticker := time.NewTicker(pace.Active)
		defer ticker.Stop()
		read := clock.Now()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
			}
			if wanted != nil && !wanted() {
				continue
			}
			if err := refresh(ctx, c, from, clock, clock.Now().Sub(read) >= pace.All); err != nil {
				if ctx.Err() == nil {
					log.Warn("the room directory was not read", "error", err)
				}
				continue
			}
			if clock.Now().Sub(read) >= pace.All {
				read = clock.Now()
			}
		}
	}()
	return nil
}

func entries(ctx context.Context, from Listed, active bool) (all []directory.Entry, err error) {
	err = from.List(ctx, active, func(e directory.Entry) error { all = append(all, e); return nil })
	return all, err
}

// refresh reads the active rooms, or all: also when one that was active is no
// longer among them, which has become idle. Idle ones are read last, so that a
// room that changes sides meanwhile is in both halves rather than in none.
func refresh(ctx context.Context, c *Catalog, from Listed, clock room.Clock, everything bool) error {
	active, err := entries(ctx, from, true)
	if err != nil {
		return err
	}
	now := clock.Now()
	there := map[room.ID]bool{}
	for _, e := range active {
		there[e.Room] = true
		c.Put(e, now)
	}
	if !everything && c.allAmong(there) {
		return nil
	}
	idle, err := entries(ctx, from, false)
	if err != nil {
		return err
	}
	for _, e := range idle {
		if there[e.Room] { // it was active a moment ago: the later of the two
			if known, ok := c.Get(e.Room); ok && known.LastActive.After(e.LastActive) {
				continue
			}
		}
		there[e.Room] = true
		c.Put(e, now)
	}
	c.keep(there)
	return nil
}

// allAmong says whether every room that the catalog has as busy is in the set.
func (c *Catalog) allAmong(there map[room.ID]bool) bool {
	c.mu.RLock()
	defer c.mu.RUnlock()
	for id := range c.busy {
		if !there[id] {
			return false
		}
	}
	return true
}

// keep removes the rooms that are not in the set.
func (c *Catalog) keep(there map[room.ID]bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for id := range c.at {
		if !there[id] {
			c.remove(id)
		}
	}
}
