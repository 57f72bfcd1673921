package room

import (
	"context"
	"errors"
	"fmt"
)

// maxSwaps bounds how often a conditional write of a room's record is tried.
// Each lost one means that somebody else's went through, and a record changes a
// few times per checkpoint interval; ten in a row are a storm to back off from.
const maxSwaps = 10

// create fills in the record of a room that has none.
func (s *Service) create(m *Meta) error {
	if m.Version != 0 {
		return nil
	}
	epoch, err := s.newID()
	if err != nil {
		return err
	}
	m.Epoch = epoch
	m.Created = s.Clock.Now()
	m.StateAt = m.Created
	return nil
}

// change applies fn to the room's record by compare-and-swap and returns the
// record as stored. fn says whether there is anything to change; it runs again
// on the newer record when another writer was faster, and must not write
// through the record's slices and maps.
func (s *Service) change(ctx context.Context, room ID, fn func(m *Meta) bool) (Meta, error) {
	m, err := s.Metas.Get(ctx, room)
	if err != nil {
		return Meta{}, err
	}
	return s.changeFrom(ctx, room, m, fn)
}

// changeFrom is change for a caller that has just read the record.
func (s *Service) changeFrom(ctx context.Context, room ID, m Meta, fn func(m *Meta) bool) (Meta, error) {
	for range maxSwaps {
		next := m
		if !fn(&next) {
			return m, nil
		}
		if err := s.create(&next); err != nil {
			return Meta{}, err
		}
		err := s.Metas.Swap(ctx, room, next)
		if err == nil {
			next.Version++
			return next, nil
		}
		if !errors.Is(err, ErrConflict) {
			return Meta{}, err
		}
		if m, err = s.Metas.Get(ctx, room); err != nil {
			return Meta{}, err
		}
	}
	return Meta{}, fmt.Errorf("%w: %w %d times in a row", ErrUnavailable, ErrConflict, maxSwaps)
}

// markDirty makes sure, before an update is appended, that the checkpoint will
// visit the room. A writer that finds the room Cleaning marks it again. One
// that read Dirty just before a checkpoint turned it to Cleaning has appended
// within the grace, and the room does not become Clean sooner than that
// (settle in checkpoint.go).
func (s *Service) markDirty(ctx context.Context, v *visit) error {
	now := s.Clock.Now()
	m, err := s.changeFrom(ctx, v.Room, v.Meta, func(m *Meta) bool {
		if m.Version != 0 && m.State == Dirty {
			return false
		}
		m.State, m.StateAt = Dirty, now
		return true
	})
	if err != nil {
		return err
	}
	v.Meta = m
	return v.checkDenied() // the record may be newer than at the admission
}

// ensureRecord gives a room its record, and with it its epoch, before a
// Symphony client is told the epoch it may resume with.
func (s *Service) ensureRecord(ctx context.Context, v *visit) error {
	m, err := s.changeFrom(ctx, v.Room, v.Meta, func(m *Meta) bool { return m.Version == 0 })
	if err != nil {
		return err
	}
	v.Meta = m
	return v.checkDenied()
}
