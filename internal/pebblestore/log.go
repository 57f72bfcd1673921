package pebblestore

import (
	"bytes"
	"context"
	"fmt"

	"github.com/symphony-rt/symphony/internal/room"
)

// Log returns the store's update log.
func (s *Store) Log() room.Log { return updateLog{s} }

type updateLog struct{ s *Store }

// Append implements room.Log. The number is taken and the entry queued under
// the room's lock, so entries are committed in the order of their numbers; a
// commit that fails stops the store, so none can follow a hole.
func (l updateLog) Append(ctx context.Context, id room.ID, floor room.Seq, u room.Update) (room.Seq, error) {
	s := l.s
	leave, err := s.enter(ctx)
	if err != nil {
		return 0, err
	}
	defer leave()
	if len(u.Data) > room.MaxUpdateBytes {
		return 0, fmt.Errorf("%w: an update of %d bytes, at most %d", room.ErrTooLarge, len(u.Data), room.MaxUpdateBytes)
	}
	if err := s.space.reserve(len(u.Data)); err != nil {
		return 0, err
	}
	st, err := s.room(id)
	if err != nil {
		return 0, err
	}
	defer s.rooms.release(st)
	o, seq, err := s.submitAppend(ctx, st, floor, u)
	if err != nil {
		return 0, err
	}
	if err := s.commits.wait(ctx, o); err != nil {
		return 0, err
	}
	return seq, nil
}

func (s *Store) submitAppend(ctx context.Context, st *roomState, floor room.Seq, u room.Update) (*op, room.Seq, error) {
	o := s.newOp()
	st.mu.Lock()
	defer st.mu.Unlock()
	seq := max(st.assigned, floor) + 1
	key := updateKey(st.id, seq)
	if err := o.batch.Set(key, encodeUpdate(key, u), nil); err != nil {
		return nil, 0, unavailable(err)
	}
	if s.onChange != nil {
		u.Seq = seq
		o.changes = []room.Change{{Room: st.id, At: s.clock.Now(), Update: room.Images[room.UpdateImage]{New: image(u)}}}
	}
	s.rooms.retain(st)
	o.committed = func() {
		st.mu.Lock()
		st.durable = seq
		st.mu.Unlock()
		s.rooms.release(st)
	}
	st.assigned = seq
	s.commits.submit(ctx, o)
	return o, seq, nil
}

func image(u room.Update) *room.UpdateImage {
	return &room.UpdateImage{Seq: u.Seq, Size: len(u.Data), Author: u.Author, Connection: u.Connection, At: u.At.UTC()}
}

// Read implements room.Log. It reads one consistent view, in which a Trim is
// seen whole or not at all.
func (l updateLog) Read(ctx context.Context, id room.ID, after room.Seq, fn func(u room.Update) error) error {
	s := l.s
	leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	st, err := s.room(id)
	if err != nil {
		return err
	}
	defer s.rooms.release(st)
	through := st.durableTail()
	if after >= through {
		return nil
	}
	want := after + 1
	return s.scan(ctx, updateKey(id, want), append(updateKey(id, through), 0), func(key, value []byte) error {
		seq, err := seqFromKey(key)
		if err != nil {
			return err
		}
		if seq != want {
			if want == after+1 {
				return fmt.Errorf("%w: entries after %d were asked for, the first is %d", room.ErrTrimmed, after, seq)
			}
			return fmt.Errorf("%w: log entry %d is missing, %d follows", room.ErrCorrupt, want, seq)
		}
		u, err := decodeUpdate(key, value)
		if err != nil {
			return err
		}
		u.Seq, u.Data = seq, bytes.Clone(u.Data) // what it was is Pebble's memory
		want++
		return fn(u)
	})
}

// Tail implements room.Log.
func (l updateLog) Tail(ctx context.Context, id room.ID, floor room.Seq) (room.Seq, error) {
	s := l.s
	leave, err := s.enter(ctx)
	if err != nil {
		return 0, err
	}
	defer leave()
	st, err := s.room(id)
	if err != nil {
		return 0, err
	}
	defer s.rooms.release(st)
	return max(st.durableTail(), floor), nil
}

// Trim implements room.Log in one commit: a crash leaves all or none of it.
func (l updateLog) Trim(ctx context.Context, id room.ID, through room.Seq) error {
	s := l.s
	leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	st, err := s.room(id)
	if err != nil {
		return err
	}
	defer s.rooms.release(st)
	lower, upper := updateKey(id, 0), append(updateKey(id, through), 0)
	o := s.newOp()
	if err := o.batch.DeleteRange(lower, upper, nil); err != nil {
		return unavailable(err)
	}
	if s.onChange != nil {
		if o.changes, err = s.trimmedImages(ctx, id, lower, upper); err != nil {
			return err
		}
	}
	s.commits.submit(ctx, o)
	return s.commits.wait(ctx, o)
}

// Large implements room.Log: all bytes are in the log.
func (l updateLog) Large(ctx context.Context, id room.ID, _ func(key string) error) error {
	leave, err := l.s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	return id.Validate()
}

// trimmedImages are the changes a trim will make. Two trims at once may both
// report an entry; the room's checkpoint, which trims, is alone in practice.
func (s *Store) trimmedImages(ctx context.Context, id room.ID, lower, upper []byte) ([]room.Change, error) {
	var changes []room.Change
	now := s.clock.Now()
	err := s.scan(ctx, lower, upper, func(key, value []byte) error {
		seq, err := seqFromKey(key)
		if err != nil {
			return err
		}
		u, err := decodeUpdate(key, value)
		if err != nil {
			return err
		}
		u.Seq = seq
		changes = append(changes, room.Change{Room: id, At: now, Update: room.Images[room.UpdateImage]{Old: image(u)}})
		return nil
	})
	return changes, err
}
