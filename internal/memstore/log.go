package memstore

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sort"

	"github.com/symphony-rt/symphony/internal/room"
)

type log struct{ s *Store }

func (l log) Append(ctx context.Context, id room.ID, floor room.Seq, u room.Update) (room.Seq, error) {
	if len(u.Data) > room.MaxUpdateBytes {
		return 0, fmt.Errorf("memstore: %w: an update of %d bytes", room.ErrTooLarge, len(u.Data))
	}
	if err := l.s.lock(ctx); err != nil {
		return 0, err
	}
	defer l.s.mu.Unlock()
	d := l.s.of(id)
	u.Seq = max(d.last(), floor) + 1
	u.Data = bytes.Clone(u.Data)
	d.log = append(d.log, u)
	return u.Seq, nil
}

// last returns the number of the last entry, 0 when there is none.
func (d *data) last() room.Seq {
	if len(d.log) == 0 {
		return 0
	}
	return d.log[len(d.log)-1].Seq
}

// above returns the index of the first entry after seq.
func (d *data) above(seq room.Seq) int {
	return sort.Search(len(d.log), func(i int) bool { return d.log[i].Seq > seq })
}

func (l log) Read(ctx context.Context, id room.ID, after room.Seq, fn func(room.Update) error) error {
	if err := l.s.lock(ctx); err != nil {
		return err
	}
	// Entries never change once appended, so a copy of the slice is a
	// consistent view; fn runs without the lock.
	d := l.s.of(id)
	entries := slices.Clone(d.log[d.above(after):])
	l.s.mu.Unlock()
	for i, u := range entries {
		if want := after + room.Seq(i) + 1; u.Seq != want {
			if i == 0 {
				return fmt.Errorf("memstore: %w: the log after %d starts at %d", room.ErrTrimmed, after, u.Seq)
			}
			return fmt.Errorf("memstore: %w: entry %d is missing", room.ErrCorrupt, want)
		}
		if err := ctx.Err(); err != nil {
			return fmt.Errorf("memstore: %w: %w", room.ErrUnavailable, err)
		}
		u.Data = bytes.Clone(u.Data)
		if err := fn(u); err != nil {
			return err
		}
	}
	return nil
}

func (l log) Tail(ctx context.Context, id room.ID, floor room.Seq) (room.Seq, error) {
	if err := l.s.lock(ctx); err != nil {
		return 0, err
	}
	defer l.s.mu.Unlock()
	return max(l.s.of(id).last(), floor), nil
}

func (l log) Trim(ctx context.Context, id room.ID, through room.Seq) error {
	if err := l.s.lock(ctx); err != nil {
		return err
	}
	defer l.s.mu.Unlock()
	d := l.s.of(id)
	d.log = slices.Clone(d.log[d.above(through):])
	return nil
}

// Large implements room.Log: there are none.
func (l log) Large(ctx context.Context, _ room.ID, _ func(string) error) error {
	if err := l.s.lock(ctx); err != nil {
		return err
	}
	l.s.mu.Unlock()
	return nil
}
