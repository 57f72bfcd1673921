package memstore

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/symphony-rt/symphony/internal/room"
)

type members struct{ s *Store }

func (m members) Add(ctx context.Context, id room.ID, member room.Member) error {
	if err := m.s.lock(ctx); err != nil {
		return err
	}
	defer m.s.mu.Unlock()
	if old, ok := m.s.homes[member.Connection]; ok && old != id {
		delete(m.s.of(old).members, member.Connection)
	}
	m.s.of(id).members[member.Connection] = member
	m.s.homes[member.Connection] = id
	return nil
}

func (m members) Update(ctx context.Context, id room.ID, member room.Member) error {
	if err := m.s.lock(ctx); err != nil {
		return err
	}
	defer m.s.mu.Unlock()
	if _, _, err := m.s.member(id, member.Connection); err != nil {
		return err
	}
	m.s.of(id).members[member.Connection] = member
	return nil
}

func (m members) Remove(ctx context.Context, id room.ID, conn room.ConnectionID) (room.Admission, error) {
	if err := m.s.lock(ctx); err != nil {
		return room.Admission{}, err
	}
	defer m.s.mu.Unlock()
	id, member, err := m.s.member(id, conn)
	if err != nil {
		return room.Admission{}, err
	}
	d := m.s.of(id)
	delete(d.members, conn)
	delete(m.s.homes, conn)
	return room.Admission{Room: id, Meta: copyMeta(d.meta), Member: member}, nil
}

func (m members) List(ctx context.Context, id room.ID) ([]room.Member, error) {
	if err := m.s.lock(ctx); err != nil {
		return nil, err
	}
	defer m.s.mu.Unlock()
	d := m.s.of(id)
	list := make([]room.Member, 0, len(d.members))
	for conn, member := range d.members {
		if m.s.expired(member) {
			delete(d.members, conn)
			delete(m.s.homes, conn)
			continue
		}
		list = append(list, member)
	}
	// The port promises no order; one that stays makes tests repeatable.
	slices.SortFunc(list, func(a, b room.Member) int { return cmp.Compare(a.Connection, b.Connection) })
	return list, nil
}

func (m members) Admit(ctx context.Context, id room.ID, conn room.ConnectionID) (room.Admission, error) {
	if err := m.s.lock(ctx); err != nil {
		return room.Admission{}, err
	}
	defer m.s.mu.Unlock()
	id, member, err := m.s.member(id, conn)
	if err != nil {
		return room.Admission{}, err
	}
	return room.Admission{Room: id, Meta: copyMeta(m.s.of(id).meta), Member: member}, nil
}

func (s *Store) expired(m room.Member) bool {
	return s.clock.Now().Sub(m.ConnectedAt) > room.MemberTTL
}

// member finds a connection in room id, or in whatever room it is when id is
// "". The caller holds the lock.
func (s *Store) member(id room.ID, conn room.ConnectionID) (room.ID, room.Member, error) {
	if id == "" {
		id = s.homes[conn]
	}
	if id != "" {
		if m, ok := s.of(id).members[conn]; ok && !s.expired(m) {
			return id, m, nil
		}
	}
	return "", room.Member{}, fmt.Errorf("memstore: %w: %q in room %q", room.ErrUnknownConnection, conn, id)
}
