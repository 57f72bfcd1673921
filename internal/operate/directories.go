package operate

import (
	"context"

	"github.com/symphony-rt/symphony/internal/directory"
	"github.com/symphony-rt/symphony/internal/room"
)

// InMemory is the directory of an embedded store.
type InMemory struct{ *directory.Memory }

// Entries implements Directory.
func (m InMemory) Entries(context.Context) ([]directory.Entry, error) { return m.List(), nil }

// Entry implements Directory.
func (m InMemory) Entry(_ context.Context, id room.ID) (directory.Entry, bool, error) {
	e, ok := m.Get(id)
	return e, ok, nil
}

// Listed is a directory kept in a table; *dynamodirectory.Store is one.
type Listed interface {
	List(ctx context.Context, active bool, fn func(directory.Entry) error) error
	Load(ctx context.Context, id room.ID) (directory.Entry, directory.Position, error)
}

// InTable is the directory that the stream function keeps.
type InTable struct{ Listed }

// Entries implements Directory. A room that becomes active between the two
// halves of the listing may be in both: it counts once, as it was last.
func (t InTable) Entries(ctx context.Context) ([]directory.Entry, error) {
	var all []directory.Entry
	at := map[room.ID]int{}
	for _, active := range []bool{false, true} {
		err := t.List(ctx, active, func(e directory.Entry) error {
			if i, twice := at[e.Room]; twice {
				all[i] = e
				return nil
			}
			at[e.Room] = len(all)
			all = append(all, e)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return all, nil
}

// Entry implements Directory.
func (t InTable) Entry(ctx context.Context, id room.ID) (directory.Entry, bool, error) {
	e, position, err := t.Load(ctx, id)
	return e, position != "", err
}

// Recounted is the directory of a store that nobody feeds one for: an embedded
// store the CLI has opened itself. Every listing counts all rooms anew.
type Recounted struct {
	// Rooms calls fn with every room the store has something of.
	Rooms   func(ctx context.Context, fn func(room.ID) error) error
	Log     room.Log
	Metas   room.Metas
	Members room.Members
}

// Entries implements Directory.
func (r Recounted) Entries(ctx context.Context) ([]directory.Entry, error) {
	var all []directory.Entry
	err := r.Rooms(ctx, func(id room.ID) error {
		e, err := directory.Recount(ctx, id, r.Log, r.Metas, r.Members)
		all = append(all, e)
		return err
	})
	return all, err
}

// Entry implements Directory.
func (r Recounted) Entry(ctx context.Context, id room.ID) (directory.Entry, bool, error) {
	e, err := directory.Recount(ctx, id, r.Log, r.Metas, r.Members)
	return e, e.Updates > 0 || !e.Created.IsZero(), err
}
