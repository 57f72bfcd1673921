package room

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/symphony-rt/symphony/internal/yjs"
)

// compact makes the next snapshot of the current one and the entries after it.
//
// Up to the swing of the record nobody knows of the new object, so a crash
// leaves at worst an orphan (orphans.go). After it nobody needs the old object
// and the covered entries but readers that have read the record before; for
// them both stay for the grace (retire.go).
func (p *pass) compact(ctx context.Context, entries []Update) error {
	if len(p.meta.Superseded) >= MaxSuperseded {
		// Nothing is lost: the log keeps what no snapshot covers.
		return fmt.Errorf("%w: %d replaced snapshots wait for their grace", ErrUnavailable, len(p.meta.Superseded))
	}
	inputs := dataOf(entries)
	old, err := p.snapshot(ctx)
	if err != nil {
		return err
	}
	if p.meta.Snapshot.Key != "" {
		inputs = slices.Insert(inputs, 0, old)
	}
	var snapshot []byte
	p.think(func() { snapshot, err = compacted(inputs) })
	if err != nil {
		return err
	}
	last := p.meta.LastCheckpoint
	stored := p.Clock.Now()
	ref, err := p.store(ctx, inputs, entries[len(entries)-1].Seq, snapshot)
	if err != nil {
		return err
	}
	if err := p.swing(ctx, ref, stored); err != nil {
		return err
	}
	if !last.IsZero() && !last.Truncate(orphanInterval).Equal(p.started.Truncate(orphanInterval)) {
		_, err = p.sweepOrphans(ctx)
	}
	return err
}

// think runs what keeps a CPU busy, as many at a time as Options.SweepCPUs says.
func (s *Service) think(f func()) {
	if s.thinking != nil {
		s.thinking <- struct{}{}
		defer func() { <-s.thinking }()
	}
	f()
}

// compacted merges inputs and drops what is deleted in them. They were valid
// when they were stored: ErrCorrupt when one is not.
func compacted(inputs [][]byte) ([]byte, error) {
	update, err := yjs.Merge(inputs...)
	if err == nil {
		update, err = yjs.Compact(update)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return update, nil
}

// store puts a snapshot under a key of its own, reads it back and proves that
// what was read may take the place of its inputs (N3). The key has a nonce: two
// checkpoints at the same sequence number must not share an object, or the
// loser's clean-up would delete the winner's snapshot.
func (p *pass) store(ctx context.Context, inputs [][]byte, seq Seq, snapshot []byte) (SnapshotRef, error) {
	nonce, err := p.newID()
	if err != nil {
		return SnapshotRef{}, err
	}
	ref, err := p.Snapshots.Put(ctx, p.room, seq, nonce, snapshot)
	if err != nil {
		return SnapshotRef{}, err
	}
	back, err := p.Snapshots.Get(ctx, ref)
	if err == nil {
		var verr error
		if p.think(func() { verr = yjs.VerifyCompaction(inputs, back) }); verr != nil {
			err = fmt.Errorf("%w: the snapshot is not the replay: %w", ErrCorrupt, verr)
		}
	}
	if err != nil {
		p.discard(ctx, ref)
		return SnapshotRef{}, err
	}
	p.current, p.currentKey = back, ref.Key
	return ref, nil
}

// swing points the record at ref, stored after `stored`. A writer that marked
// the room meanwhile only makes it try again; another checkpoint makes it lose,
// and its object, which nobody has seen, goes.
func (p *pass) swing(ctx context.Context, ref SnapshotRef, stored time.Time) error {
	was := p.meta.Snapshot
	for range maxSwaps {
		now := p.Clock.Now()
		if now.Sub(stored) > p.grace/2 || len(p.meta.Superseded) >= MaxSuperseded {
			// Too slow: the object may be taken for an orphan any moment.
			p.discard(ctx, ref)
			return fmt.Errorf("%w: the checkpoint took %s", ErrUnavailable, now.Sub(stored))
		}
		next := p.meta
		next.Snapshot, next.LastCheckpoint = ref, now
		next.Superseded = append(slices.Clone(next.Superseded), Superseded{Ref: was, By: ref.Seq, At: now})
		if next.State != Dirty {
			next.State, next.StateAt = Dirty, now // there was something new after all
		}
		err := p.swap(ctx, next)
		if err == nil {
			return nil
		}
		if !errors.Is(err, ErrConflict) {
			return err // it may have been stored: the object must stay
		}
		meta, err := p.Metas.Get(ctx, p.room)
		if err != nil {
			return err
		}
		p.meta = meta
		switch meta.Snapshot {
		case ref:
			return nil // stored after all: an answer was lost and the store asked twice
		case was:
			continue
		}
		p.discard(ctx, ref)
		return fmt.Errorf("%w: another checkpoint of %q was faster", ErrConflict, p.room)
	}
	p.discard(ctx, ref)
	return fmt.Errorf("%w: %w %d times in a row", ErrUnavailable, ErrConflict, maxSwaps)
}

// discard deletes an object that no record points to. If it fails, the search
// for orphans finds it.
func (p *pass) discard(ctx context.Context, ref SnapshotRef) {
	p.current, p.currentKey = nil, ""
	if err := p.Snapshots.Delete(ctx, ref); err != nil {
		p.logger.Info("an unused snapshot is left for the search for orphans", "room", p.room, "key", ref.Key, "error", err)
	}
}
