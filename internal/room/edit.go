package room

import (
	"context"
	"fmt"

	"github.com/symphony-rt/symphony/internal/yjs"
)

// edit stores one update and hands it to the other members. It returns once
// the update is durable, with its number. upload is the id under which the
// same bytes can be fetched, or "".
//
// The order is what guarantees 1 and 2 rest on:
//
//  1. The bytes are validated and the sender's right is checked: what is
//     refused was not written (8).
//  2. The room is marked dirty, so that a checkpoint will visit it whatever
//     happens next.
//  3. The update is appended. It is durable when Append returns, and only then
//     is its number known, so it cannot be acknowledged any sooner (1).
//  4. Then, not before, the members are listed and posted to. Who joins
//     registers first and reads the log then (join.go, sync.go, hello.go). If
//     this listing misses a joiner, the joiner registered after it, so it reads
//     the log after the append, and finds the update there. If it does not, the
//     update is posted to it. Both may happen; updates are idempotent (2, 7).
//  5. From the append on nothing may fail the edit: the update is stored and
//     would be there whether or not its sender was told so.
func (s *Service) edit(ctx context.Context, v *visit, update []byte, upload string) (Seq, error) {
	if err := v.checkWrite(); err != nil {
		return 0, err
	}
	if err := validate(update); err != nil {
		return 0, err
	}
	if err := s.markDirty(ctx, v); err != nil {
		return 0, err
	}
	u := Update{Data: update, Author: v.user.ID, Connection: v.Member.Connection, At: s.Clock.Now()}
	seq, err := s.append(ctx, v, u)
	if err != nil {
		return 0, err
	}
	u.Seq = seq
	s.broadcast(ctx, v, u, upload)
	return seq, nil
}

// appendTries is how often an append is tried. One that failed may have reached
// the store all the same; then the update is in the log and nobody was told.
// Symphony members would see the gap, plain ones would not. Trying again stores
// it twice at worst, which changes nothing (7), and is followed by a broadcast.
const appendTries = 2

// append appends u. The floor is the snapshot's number as of an admission not
// long ago. Had everything up to a newer snapshot been trimmed since, a writer
// might slip into a number that is taken; but trimming waits for the grace, so
// a writer within it cannot (and one whose remembered tail is stale collides
// with an entry that is still there).
func (s *Service) append(ctx context.Context, v *visit, u Update) (Seq, error) {
	for try := 1; ; try++ {
		if err := s.checkFresh(v.admitted); err != nil {
			return 0, err
		}
		seq, err := s.Log.Append(ctx, v.Room, v.Meta.Snapshot.Seq, u)
		if err == nil || isRefusal(err) || try == appendTries || ctx.Err() != nil {
			return seq, err
		}
		s.logger.Warn("an append failed", "room", v.Room, "connection", u.Connection, "try", try, "error", err)
	}
}

// validate reports ErrTooLarge or ErrInvalidUpdate.
func validate(update []byte) error {
	if len(update) > MaxUpdateBytes {
		return fmt.Errorf("%w: an update of %d bytes, at most %d", ErrTooLarge, len(update), MaxUpdateBytes)
	}
	if err := yjs.Validate(update); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalidUpdate, err)
	}
	return nil
}
