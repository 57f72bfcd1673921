package pebblestore

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/symphony-rt/symphony/internal/layout"
	"github.com/symphony-rt/symphony/internal/room"
)

// Metas returns the rooms' records.
func (s *Store) Metas() room.Metas { return metas{s} }

type metas struct{ s *Store }

// Get implements room.Metas.
func (m metas) Get(ctx context.Context, id room.ID) (room.Meta, error) {
	leave, err := m.s.enter(ctx)
	if err != nil {
		return room.Meta{}, err
	}
	defer leave()
	return m.s.meta(id)
}

func (s *Store) meta(id room.ID) (room.Meta, error) {
	st, err := s.room(id)
	if err != nil {
		return room.Meta{}, err
	}
	defer s.rooms.release(st)
	st.mu.Lock()
	defer st.mu.Unlock()
	return cloneMeta(st.meta), nil
}

func cloneMeta(m room.Meta) room.Meta {
	m.Superseded = slices.Clone(m.Superseded)
	m.Denied = maps.Clone(m.Denied)
	return m
}

// Swap implements room.Metas. A swap that finds another one under way waits
// for it, so that a loser that reads again sees what it lost to.
func (m metas) Swap(ctx context.Context, id room.ID, next room.Meta) error {
	s := m.s
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
	st.mu.Lock()
	for st.swap != nil {
		under := st.swap
		st.mu.Unlock()
		if err := s.commits.wait(ctx, under); err != nil {
			return err
		}
		st.mu.Lock()
	}
	if st.meta.Version != next.Version {
		stored := st.meta.Version
		st.mu.Unlock()
		return fmt.Errorf("%w: the record of room %q has version %d, not %d", room.ErrConflict, id, stored, next.Version)
	}
	o, err := s.submitSwap(ctx, st, next)
	st.mu.Unlock()
	if err != nil {
		return err
	}
	return s.commits.wait(ctx, o)
}

// submitSwap queues next as the room's record and keeps the index of unclean
// rooms with it. The caller holds st.mu.
func (s *Store) submitSwap(ctx context.Context, st *roomState, next room.Meta) (*op, error) {
	next.Version++
	rec := toMetaRecord(next)
	next, err := rec.meta() // as a reader will get it after a restart
	if err != nil {
		return nil, err
	}
	o := s.newOp()
	key := metaKey(st.id)
	if err := o.batch.Set(key, sealJSON(key, rec), nil); err != nil {
		return nil, unavailable(err)
	}
	if next.State == room.Clean {
		err = o.batch.Delete(dirtyKey(st.id), nil)
	} else {
		err = o.batch.Set(dirtyKey(st.id), nil, nil)
	}
	if err != nil {
		return nil, unavailable(err)
	}
	if s.onChange != nil {
		o.changes = []room.Change{{Room: st.id, At: s.clock.Now(), Meta: metaImages(st.meta, next)}}
	}
	s.rooms.retain(st)
	o.committed = func() {
		st.mu.Lock()
		st.meta, st.swap = next, nil
		st.mu.Unlock()
		s.rooms.release(st)
	}
	st.swap = o
	s.commits.submit(ctx, o)
	return o, nil
}

func metaImages(old, next room.Meta) room.Images[room.Meta] {
	next = cloneMeta(next)
	images := room.Images[room.Meta]{New: &next}
	if old.Version != 0 {
		old = cloneMeta(old)
		images.Old = &old
	}
	return images
}

// Unclean implements room.Metas.
func (m metas) Unclean(ctx context.Context, fn func(id room.ID) error) error {
	leave, err := m.s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	return m.s.scan(ctx, []byte(dirtySpace), after(dirtySpace), func(key, _ []byte) error {
		id, err := layout.UnescapeRoom(string(key[len(dirtySpace):]))
		if err != nil {
			return fmt.Errorf("%w: %w", room.ErrCorrupt, err)
		}
		return fn(id)
	})
}
