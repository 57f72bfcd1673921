package room

import (
	"context"
	"time"
)

// orphanInterval is how often a room that is never quiet is searched for
// orphans; a quiet one is when it becomes clean. A listing costs as much as a
// put, so not every pass makes one.
const orphanInterval = time.Hour

// sweepOrphans deletes the room's objects that nothing names and that are older
// than the grace: snapshots of checkpoints that died between storing an object
// and pointing to it, and the bytes of large updates whose append died before
// its entry. It returns how many are too young to tell; a checkpoint points to
// its object within half a grace or not at all (swing), an append within
// AppendTime, which is less.
func (p *pass) sweepOrphans(ctx context.Context) (young int, err error) {
	now := p.Clock.Now()
	orphans, err := p.orphans(ctx, p.room)
	if err != nil {
		return 0, err
	}
	for _, o := range orphans {
		if now.Sub(o.Stored) <= p.grace {
			young++
			continue
		}
		if err := p.Snapshots.Delete(ctx, o.Ref()); err != nil {
			return young, err
		}
		p.logger.Info("deleted an object that nothing refers to", "room", p.room, "kind", o.Kind, "key", o.Key)
	}
	return young, nil
}

// Orphans returns the room's snapshots and large updates that nothing refers
// to. Those younger than the grace may be about to be referred to; checkpoints
// delete the others in time.
func (s *Service) Orphans(ctx context.Context, room ID) ([]Object, error) {
	if err := room.Validate(); err != nil {
		return nil, err
	}
	return s.orphans(ctx, room)
}

// orphans lists objects first and reads what names them then: what was read
// before may not know of an object that was named since.
func (s *Service) orphans(ctx context.Context, room ID) ([]Object, error) {
	objects, err := s.list(ctx, room, ObjectSnapshot, ObjectUpdate)
	if err != nil || len(objects) == 0 {
		return nil, err
	}
	meta, err := s.Metas.Get(ctx, room)
	if err != nil {
		return nil, err
	}
	named, updates := map[string]bool{}, false
	for _, o := range objects {
		named[o.Key] = o.Kind == ObjectSnapshot && meta.names(o.Key)
		updates = updates || o.Kind == ObjectUpdate
	}
	if updates {
		err := s.Log.Large(ctx, room, func(key string) error { named[key] = true; return nil })
		if err != nil {
			return nil, err
		}
	}
	var orphans []Object
	for _, o := range objects {
		if !named[o.Key] {
			orphans = append(orphans, o)
		}
	}
	return orphans, nil
}

// list returns the room's objects of these kinds.
func (s *Service) list(ctx context.Context, room ID, kinds ...ObjectKind) ([]Object, error) {
	var objects []Object
	for _, kind := range kinds {
		err := s.Snapshots.List(ctx, room, kind, func(o Object) error {
			objects = append(objects, o)
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return objects, nil
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
