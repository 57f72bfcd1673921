package room

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// pass is one checkpoint of one room.
type pass struct {
	*Service
	room ID
	// meta is the record as this pass read or wrote it last.
	meta Meta
	// started is a time before the record was read.
	started time.Time
	// current is the bytes of meta.Snapshot once they were read and checked.
	current []byte
	// currentKey is the key current was read from.
	currentKey string
	// oldest is when the oldest entry this pass covered was stored; zero when
	// there was nothing new.
	oldest time.Time
}

// Checkpoint brings a room's snapshot up to its log, lets go what is covered
// and no longer in use, and marks the room clean when there was nothing to do
// for a grace period. It may be called at any time, any number of times at once
// and after any crash: every step leaves the room whole (guarantees 6 and 7).
//
//   - retire: what older checkpoints replaced goes, one grace after them.
//   - compact: old snapshot plus log becomes the new snapshot: stored under a
//     new key, read back, proved, and only then pointed to.
//   - settle: a room with nothing new turns from Dirty to Cleaning to Clean.
//
// When another checkpoint (or a writer) was faster, the pass ends without an
// error: the other one did the work, or the next pass will.
func (s *Service) Checkpoint(ctx context.Context, room ID) error {
	_, err := s.checkpoint(ctx, room)
	return err
}

// checkpoint also returns how long the oldest entry it covered had waited.
func (s *Service) checkpoint(ctx context.Context, room ID) (lag time.Duration, err error) {
	p := &pass{Service: s, room: room, started: s.Clock.Now()}
	if err := s.checkpointPass(ctx, p); err != nil || p.oldest.IsZero() {
		return 0, err
	}
	return max(0, s.Clock.Now().Sub(p.oldest)), nil
}

func (s *Service) checkpointPass(ctx context.Context, p *pass) error {
	room := p.room
	var err error
	if p.meta, err = s.Metas.Get(ctx, room); err != nil {
		return err
	}
	if p.meta.Version == 0 {
		return nil
	}
	if err = p.run(ctx); errors.Is(err, ErrConflict) && !errors.Is(err, ErrUnavailable) {
		s.logger.Debug("another writer changed the room during its checkpoint", "room", room)
		return nil
	}
	if err != nil {
		return fmt.Errorf("checkpoint of room %q: %w", room, err)
	}
	return nil
}

func (p *pass) run(ctx context.Context) error {
	if err := p.retire(ctx); err != nil {
		return err
	}
	entries, err := p.readLog(ctx, p.room, p.meta.Snapshot.Seq, 0)
	if errors.Is(err, ErrTrimmed) || errors.Is(err, ErrCorrupt) {
		return p.explain(ctx, err)
	}
	if err != nil {
		return err
	}
	if len(entries) == 0 {
		return p.settle(ctx)
	}
	p.oldest = entries[0].At
	return p.compact(ctx, entries)
}

// explain says why stored data was not as the record has it: ErrConflict when
// the record has moved on, so that another checkpoint explains it, else err as
// damage.
func (p *pass) explain(ctx context.Context, err error) error {
	now, gerr := p.Metas.Get(ctx, p.room)
	if gerr != nil {
		return errors.Join(err, gerr)
	}
	if now.Snapshot != p.meta.Snapshot || now.Trimmed != p.meta.Trimmed {
		return fmt.Errorf("%w: %w", ErrConflict, err)
	}
	return fmt.Errorf("%w: %w", ErrCorrupt, err)
}

// swap stores next if the record is still the one this pass knows.
func (p *pass) swap(ctx context.Context, next Meta) error {
	next.Version = p.meta.Version
	if err := p.Metas.Swap(ctx, p.room, next); err != nil {
		return err
	}
	next.Version++
	p.meta = next
	return nil
}

// snapshot returns the current snapshot's bytes, read and checked once a pass;
// nil when the room has none yet.
func (p *pass) snapshot(ctx context.Context) ([]byte, error) {
	ref := p.meta.Snapshot
	if ref.Key == "" || ref.Key == p.currentKey {
		return p.current, nil
	}
	b, err := p.Snapshots.Get(ctx, ref)
	if errors.Is(err, ErrNotFound) || errors.Is(err, ErrCorrupt) {
		return nil, p.explain(ctx, err)
	}
	if err != nil {
		return nil, err
	}
	p.current, p.currentKey = b, ref.Key
	return b, nil
}

// settle moves a room with nothing new towards Clean.
//
// A writer reads the record, then appends. It leaves a record alone that says
// Dirty. So a pass that finds nothing new must not turn Dirty into Clean: the
// writer that read Dirty just before may append just after, and nothing would
// visit the room again. Dirty turns to Cleaning, which a writer changes back;
// one that read Dirty has appended or given up within the grace (checkFresh); and a
// pass that then still finds nothing, having read the log after the record, has
// seen everything there is. Its swap fails if a writer has come since.
func (p *pass) settle(ctx context.Context) error {
	now := p.Clock.Now()
	next := p.meta
	next.StateAt = now
	switch {
	case p.meta.State == Dirty:
		next.State = Cleaning
		return p.swap(ctx, next)
	case p.meta.State == Cleaning && len(p.meta.Superseded) == 0 && now.Sub(p.meta.StateAt) > p.grace:
		young, err := p.sweepOrphans(ctx)
		if err != nil || young > 0 {
			return err // younger ones may still be pointed to: look again
		}
		next.State = Clean
		return p.swap(ctx, next)
	}
	return nil
}
