package pebblestore

import (
	"context"
	"slices"

	"github.com/symphony-rt/symphony/internal/room"
)

// Every message asks for its sender's membership and for its room's members, so
// they are kept in memory with the rest of the room's state, as of the last
// durable commit. Only this process writes the folder, and every write of a
// member goes through note.

// indexedMembers is from how many members on a room finds them by a map.
const indexedMembers = 32

// audience is the members of one room.
type audience struct {
	list  []room.Member
	index map[room.ConnectionID]int // nil while list is short
}

func (a *audience) find(conn room.ConnectionID) int {
	if a.index != nil {
		if i, ok := a.index[conn]; ok {
			return i
		}
		return -1
	}
	for i := range a.list {
		if a.list[i].Connection == conn {
			return i
		}
	}
	return -1
}

func (a *audience) set(m room.Member) {
	if i := a.find(m.Connection); i >= 0 {
		a.list[i] = m
		return
	}
	if len(a.list) == cap(a.list) && len(a.list) < indexedMembers {
		// Most rooms are small and there are many: no room for twice as many.
		a.list = append(make([]room.Member, 0, len(a.list)+2), a.list...)
	}
	a.list = append(a.list, m)
	if a.index != nil {
		a.index[m.Connection] = len(a.list) - 1
	} else if len(a.list) > indexedMembers {
		a.index = make(map[room.ConnectionID]int, len(a.list))
		for i := range a.list {
			a.index[a.list[i].Connection] = i
		}
	}
}

func (a *audience) remove(conn room.ConnectionID) {
	i := a.find(conn)
	if i < 0 {
		return
	}
	last := len(a.list) - 1
	if a.list[i] = a.list[last]; a.index != nil {
		a.index[a.list[i].Connection] = i
		delete(a.index, conn)
	}
	a.list[last] = room.Member{}
	if a.list = a.list[:last]; last == 0 {
		*a = audience{}
	}
}

// roomWithMembers is room, with its members read. The caller must release it.
func (s *Store) roomWithMembers(id room.ID) (*roomState, error) {
	st, err := s.room(id)
	if err != nil {
		return nil, err
	}
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.membersLoaded {
		return st, nil
	}
	// No member's write is under way: each holds a state whose members are read.
	var a audience
	lower, upper := membersSpan(id)
	err = s.scan(context.Background(), lower, upper, func(key, value []byte) error {
		member, err := decodeMember(key, value)
		if err == nil {
			a.set(member)
		}
		return err
	})
	if err != nil {
		s.rooms.release(st)
		return nil, err
	}
	st.members, st.membersLoaded = a, true
	return st, nil
}

// note makes o change the room's members in memory once it is committed: m is
// conn's new record, nil when it leaves. Nothing of o may fail after it.
func (s *Store) note(o *op, id room.ID, conn room.ConnectionID, m *room.Member) error {
	st, err := s.roomWithMembers(id)
	if err != nil {
		return err
	}
	before := o.committed
	o.committed = func() {
		if before != nil {
			before()
		}
		st.mu.Lock()
		if m != nil {
			st.members.set(*m)
		} else {
			st.members.remove(conn)
		}
		st.mu.Unlock()
		s.rooms.release(st)
	}
	return nil
}

// membersOf returns a copy of the room's members.
func (s *Store) membersOf(id room.ID) ([]room.Member, error) {
	st, err := s.roomWithMembers(id)
	if err != nil {
		return nil, err
	}
	defer s.rooms.release(st)
	st.mu.Lock()
	defer st.mu.Unlock()
	return slices.Clone(st.members.list), nil
}
