package directory

import (
	"context"
	"errors"
	"fmt"

	"github.com/symphony-rt/symphony/internal/room"
)

// Position is where in its room's stream a change is. Positions are compared
// as text: a later change has a greater one. "" is before all.
type Position string

// Record is a change and its position.
type Record struct {
	At     Position
	Change room.Change
}

// ErrMoved: the entry is no longer at the position it was loaded at.
var ErrMoved = errors.New("directory: the entry has moved on")

// Store keeps the entries, each with the position of the last change in it.
type Store interface {
	// Load returns the room's entry and position, strongly consistent; the
	// zero Entry at "" when there is none.
	Load(ctx context.Context, id room.ID) (Entry, Position, error)
	// Save stores the entry at position to, if it still is at position from,
	// else ErrMoved. room.ErrUnavailable: it may or may not be stored.
	Save(ctx context.Context, e Entry, from, to Position) error
}

// Keeper applies changes to the entries of a Store.
type Keeper struct{ store Store }

// NewKeeper returns the keeper of store's entries.
func NewKeeper(store Store) *Keeper { return &Keeper{store} }

// maxMoves bounds how often an entry may move under a Keeper. A room's changes
// come from one shard of the stream, read by one function at a time; only one
// that was given up and still runs competes.
const maxMoves = 10

// Applied is what a call of Apply did.
type Applied struct {
	// Records are those that were not in the entry before.
	Records []Record
	// Rooms and Active are the change of the number of rooms that there are, and of
	// those that somebody is in: -1, 0 or 1.
	Rooms, Active int64
}

// Apply applies the records of one room, which are in the stream's order.
// Records may be delivered again, from any point on, as often as need be. After
// an error none, some or all are applied, and the same call may be made again.
func (k *Keeper) Apply(ctx context.Context, id room.ID, records []Record) (Applied, error) {
	var applied []Record
	for range maxMoves {
		entry, from, err := k.store.Load(ctx, id)
		if err != nil {
			return Applied{}, err
		}
		before, to := entry, from
		applied = applied[:0]
		for _, r := range records {
			if r.At > to {
				entry, to = entry.Apply(r.Change), r.At
				applied = append(applied, r)
			}
		}
		if len(applied) == 0 {
			return Applied{}, nil
		}
		switch err = k.store.Save(ctx, entry, from, to); {
		case err == nil:
			return Applied{applied, one(entry.noted()) - one(before.noted()), one(entry.occupied()) - one(before.occupied())}, nil
		case !errors.Is(err, ErrMoved):
			return Applied{}, err
		}
	}
	return Applied{}, fmt.Errorf("directory: room %q: %w: moved %d times", id, room.ErrUnavailable, maxMoves)
}

func one(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// occupied and noted are Active and There as of the entry's last change, whatever
// has expired since: so the changes of both add up.
func (e Entry) occupied() bool { return len(e.Joined) > 0 }

func (e Entry) noted() bool { return e.Room != "" && (!e.Gone() || e.occupied()) }
