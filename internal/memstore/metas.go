package memstore

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/symphony-rt/symphony/internal/room"
)

type metas struct{ s *Store }

func (m metas) Get(ctx context.Context, id room.ID) (room.Meta, error) {
	if err := m.s.lock(ctx); err != nil {
		return room.Meta{}, err
	}
	defer m.s.mu.Unlock()
	return copyMeta(m.s.of(id).meta), nil
}

func (m metas) Swap(ctx context.Context, id room.ID, meta room.Meta) error {
	if err := m.s.lock(ctx); err != nil {
		return err
	}
	defer m.s.mu.Unlock()
	d := m.s.of(id)
	if d.meta.Version != meta.Version {
		return fmt.Errorf("memstore: %w: version %d, not %d", room.ErrConflict, d.meta.Version, meta.Version)
	}
	d.meta = copyMeta(meta)
	d.meta.Version++
	return nil
}

func (m metas) Unclean(ctx context.Context, fn func(room.ID) error) error {
	if err := m.s.lock(ctx); err != nil {
		return err
	}
	var ids []room.ID
	for id, d := range m.s.rooms {
		if d.meta.State != room.Clean {
			ids = append(ids, id)
		}
	}
	m.s.mu.Unlock()
	slices.Sort(ids) // an order that does not change from run to run
	for _, id := range ids {
		if err := fn(id); err != nil {
			return err
		}
	}
	return nil
}

func copyMeta(m room.Meta) room.Meta {
	m.Superseded = slices.Clone(m.Superseded)
	m.Denied = maps.Clone(m.Denied)
	return m
}
