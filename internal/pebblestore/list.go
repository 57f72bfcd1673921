package pebblestore

import (
	"context"
	"strings"

	"github.com/symphony-rt/symphony/internal/layout"
	"github.com/symphony-rt/symphony/internal/room"

	"github.com/cockroachdb/pebble/v2"
)

// Rooms calls fn with every room the store has something of, in the order of
// their keys. It skips from room to room, whatever they hold.
func (s *Store) Rooms(ctx context.Context, fn func(id room.ID) error) error {
	leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	iter, err := s.db.NewIterWithContext(ctx, &pebble.IterOptions{
		LowerBound: []byte(layout.RoomPrefix), UpperBound: after(layout.RoomPrefix),
	})
	if err != nil {
		return failure(err)
	}
	defer iter.Close()
	for ok := iter.First(); ok; {
		if err := ctx.Err(); err != nil {
			return unavailable(err)
		}
		partition, _, _ := strings.Cut(string(iter.Key()), separator)
		id, err := layout.RoomFromPartition(partition)
		if err != nil {
			return err
		}
		if err := fn(id); err != nil {
			return err
		}
		ok = iter.SeekGE([]byte(partition + "\x01"))
	}
	return failure(iter.Error())
}
