package room

import (
	"context"
	"time"
)

// orphanInterval is how often a room that is never quiet is searched for
// orphans; a quiet one is when it becomes clean. A listing costs as much as a
// put, so not every pass makes one.
const orphanInterval = time.Hour

// sweepOrphans deletes the room's snapshots that its record does not name and
// that are older than the grace: left by checkpoints that died between storing
// an object and pointing to it. It returns how many are too young to tell; a
// checkpoint points to its object within half a grace or not at all (swing).
func (p *pass) sweepOrphans(ctx context.Context) (young int, err error) {
	now := p.Clock.Now()
	var old []SnapshotRef
	err = p.Snapshots.List(ctx, p.room, func(ref SnapshotRef, stored time.Time) error {
		switch {
		case p.meta.names(ref.Key):
		case now.Sub(stored) <= p.grace:
			young++
		default:
			old = append(old, ref)
		}
		return nil
	})
	if err != nil || len(old) == 0 {
		return young, err
	}
	// The record is read after the listing: one that was read before may not
	// know of a snapshot that was pointed to since.
	meta, err := p.Metas.Get(ctx, p.room)
	if err != nil {
		return young, err
	}
	for _, ref := range old {
		if meta.names(ref.Key) {
			continue
		}
		if err := p.Snapshots.Delete(ctx, ref); err != nil {
			return young, err
		}
		p.logger.Info("deleted a snapshot that nobody points to", "room", p.room, "key", ref.Key)
	}
	return young, nil
}

// names says whether the record points to the object.
func (m Meta) names(key string) bool {
	if m.Snapshot.Key == key {
		return true
	}
	for _, s := range m.Superseded {
		if s.Ref.Key == key {
			return true
		}
	}
	return false
}
