package operate

import (
	"context"
	"fmt"

	"github.com/symphony-rt/symphony/internal/room"
)

// archives lists the room's archived stretches of log.
func (d *Direct) archives(context.Context, room.ID) ([]Archive, error) {
	return []Archive{}, nil
}

// restorable is the first number the room's history is kept from.
func restorable(s state, archives []Archive) room.Seq {
	first := s.meta.Trimmed + 1
	for i := len(archives) - 1; i >= 0 && archives[i].To+1 >= first; i-- {
		first = min(first, archives[i].From)
	}
	return first
}

// all returns the whole log, archived and not.
func (d *Direct) all(_ context.Context, id room.ID, s state) ([]room.Update, error) {
	if s.meta.Trimmed > 0 {
		return nil, fmt.Errorf("%w: the log of %q begins after %d", ErrPoint, id, s.meta.Trimmed)
	}
	return s.entries, nil
}
