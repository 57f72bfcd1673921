package pebblestore

import (
	"context"
	"fmt"
	"hash/maphash"
	"slices"
	"sync"
	"time"

	"github.com/symphony-rt/symphony/internal/layout"
	"github.com/symphony-rt/symphony/internal/room"
)

// Members returns who is connected. They are as durable as everything else,
// although a connection does not outlive the process that holds its socket:
// see ForgetMembers.
func (s *Store) Members() room.Members { return members{s} }

type members struct{ s *Store }

// stripes are locks shared by hash: changes of one connection come one after
// the other.
type stripes [256]sync.Mutex

var stripeSeed = maphash.MakeSeed()

func (l *stripes) of(name string) *sync.Mutex {
	return &l[maphash.String(stripeSeed, name)%uint64(len(l))]
}

// Add implements room.Members.
func (m members) Add(ctx context.Context, id room.ID, member room.Member) error {
	s := m.s
	leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if err := id.Validate(); err != nil {
		return err
	}
	lock := s.members.of(string(member.Connection))
	lock.Lock()
	o := s.newOp()
	if err := s.putMember(o, id, member); err != nil {
		lock.Unlock()
		return err
	}
	return s.commitUnder(ctx, o, lock)
}

// Update implements room.Members.
func (m members) Update(ctx context.Context, id room.ID, member room.Member) error {
	s := m.s
	leave, err := s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	lock := s.members.of(string(member.Connection))
	lock.Lock()
	o := s.newOp()
	_, err = s.member(id, member.Connection)
	if err == nil {
		err = s.putMember(o, id, member)
	}
	if err != nil {
		lock.Unlock()
		return err
	}
	return s.commitUnder(ctx, o, lock)
}

// putMember makes connection a member of room id and of no other.
func (s *Store) putMember(o *op, id room.ID, member room.Member) error {
	if err := s.space.reserve(0); err != nil {
		return err
	}
	was, err := s.roomOf(member.Connection)
	if err != nil {
		return err
	}
	if was != "" && was != id {
		if err := s.dropMember(o, was, member.Connection); err != nil {
			return err
		}
	}
	key := memberKey(id, member.Connection)
	if s.onChange != nil {
		change := room.Change{Room: id, At: s.clock.Now(), Member: room.Images[room.Member]{New: &member}}
		if value, err := s.get(key); err != nil {
			return err
		} else if value != nil {
			old, err := decodeMember(key, value)
			if err != nil {
				return err
			}
			change.Member.Old = &old
		}
		o.changes = append(o.changes, change)
	}
	if err := o.batch.Set(key, sealJSON(key, toMemberRecord(member)), nil); err != nil {
		return unavailable(err)
	}
	index := connectionKey(member.Connection)
	if err := o.batch.Set(index, seal(index, []byte(id)), nil); err != nil {
		return unavailable(err)
	}
	stored := toMemberRecord(member).member() // as a reader will get it after a restart
	return s.note(o, id, member.Connection, &stored)
}

// dropMember takes connection out of room id, if it is there.
func (s *Store) dropMember(o *op, id room.ID, conn room.ConnectionID) error {
	key := memberKey(id, conn)
	if value, err := s.get(key); err != nil {
		return err
	} else if value != nil && s.onChange != nil {
		old, err := decodeMember(key, value)
		if err != nil {
			return err
		}
		o.changes = append(o.changes, room.Change{Room: id, At: s.clock.Now(), Member: room.Images[room.Member]{Old: &old}})
	}
	if err := o.batch.Delete(key, nil); err != nil {
		return unavailable(err)
	}
	if err := o.batch.Delete(connectionKey(conn), nil); err != nil {
		return unavailable(err)
	}
	return s.note(o, id, conn, nil)
}

// commitUnder commits o and unlocks lock once o is settled, which may be after
// ctx has ended.
func (s *Store) commitUnder(ctx context.Context, o *op, lock *sync.Mutex) error {
	s.commits.submit(ctx, o)
	err := s.commits.wait(ctx, o)
	select {
	case <-o.done:
		lock.Unlock()
	default:
		go func() {
			<-o.done
			lock.Unlock()
		}()
	}
	return err
}

// Remove implements room.Members.
func (m members) Remove(ctx context.Context, id room.ID, conn room.ConnectionID) (room.Admission, error) {
	s := m.s
	leave, err := s.enter(ctx)
	if err != nil {
		return room.Admission{}, err
	}
	defer leave()
	lock := s.members.of(string(conn))
	lock.Lock()
	o := s.newOp()
	admission, err := s.admission(id, conn)
	if err == nil {
		err = s.dropMember(o, admission.Room, conn)
	}
	if err != nil {
		lock.Unlock()
		return room.Admission{}, err
	}
	if err := s.commitUnder(ctx, o, lock); err != nil {
		return room.Admission{}, err
	}
	return admission, nil
}

// List implements room.Members. Members past their time are removed on the way.
func (m members) List(ctx context.Context, id room.ID) ([]room.Member, error) {
	s := m.s
	leave, err := s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	if err := id.Validate(); err != nil {
		return nil, err
	}
	list, err := s.membersOf(id)
	if err != nil {
		return nil, err
	}
	now := s.clock.Now()
	return slices.DeleteFunc(list, func(m room.Member) bool {
		old := expired(m, now)
		if old {
			s.expire(id, m.Connection)
		}
		return old
	}), nil
}

func expired(m room.Member, now time.Time) bool {
	return now.Sub(m.ConnectedAt) > room.MemberTTL
}

// expire removes a member past its time, unless somebody is at it already.
func (s *Store) expire(id room.ID, conn room.ConnectionID) {
	lock := s.members.of(string(conn))
	if !lock.TryLock() {
		return
	}
	o := s.newOp()
	member, err := s.member(id, conn)
	if err != nil || !expired(member, s.clock.Now()) || s.dropMember(o, id, conn) != nil {
		lock.Unlock()
		return
	}
	s.commits.submit(context.Background(), o)
	go func() {
		<-o.done
		lock.Unlock()
	}()
}

// Admit implements room.Members.
func (m members) Admit(ctx context.Context, id room.ID, conn room.ConnectionID) (room.Admission, error) {
	s := m.s
	leave, err := s.enter(ctx)
	if err != nil {
		return room.Admission{}, err
	}
	defer leave()
	admission, err := s.admission(id, conn)
	if err == nil && expired(admission.Member, s.clock.Now()) {
		err = fmt.Errorf("%w: %q", room.ErrUnknownConnection, conn)
	}
	if err != nil {
		return room.Admission{}, err
	}
	return admission, nil
}

func (s *Store) admission(id room.ID, conn room.ConnectionID) (room.Admission, error) {
	if id == "" {
		var err error
		if id, err = s.roomOf(conn); err != nil {
			return room.Admission{}, err
		}
		if id == "" {
			return room.Admission{}, fmt.Errorf("%w: %q", room.ErrUnknownConnection, conn)
		}
	}
	st, err := s.roomWithMembers(id)
	if err != nil {
		return room.Admission{}, err
	}
	defer s.rooms.release(st)
	st.mu.Lock()
	defer st.mu.Unlock()
	i := st.members.find(conn)
	if i < 0 {
		return room.Admission{}, fmt.Errorf("%w: %q", room.ErrUnknownConnection, conn)
	}
	return room.Admission{Room: id, Meta: cloneMeta(st.meta), Member: st.members.list[i]}, nil
}

// roomOf returns the room a connection is in, "" when it is in none.
func (s *Store) roomOf(conn room.ConnectionID) (room.ID, error) {
	key := connectionKey(conn)
	value, err := s.get(key)
	if err != nil || value == nil {
		return "", err
	}
	id, err := unseal(key, value)
	return room.ID(id), err
}

func (s *Store) member(id room.ID, conn room.ConnectionID) (room.Member, error) {
	admission, err := s.admission(id, conn)
	return admission.Member, err
}

func decodeMember(key, value []byte) (room.Member, error) {
	var rec memberRecord
	if err := unsealJSON(key, value, &rec); err != nil {
		return room.Member{}, err
	}
	return rec.member(), nil
}

// forgetBatch is how many members ForgetMembers removes in one commit.
const forgetBatch = 1000

// ForgetMembers removes every member of every room and returns how many there
// were. A process that holds all the sockets calls it when it starts: the
// connections it finds died with the process before. One it would leave
// behind would get posts, answered "gone", until MemberTTL.
func (s *Store) ForgetMembers(ctx context.Context) (int, error) {
	leave, err := s.enter(ctx)
	if err != nil {
		return 0, err
	}
	defer leave()
	var conns []room.ConnectionID
	err = s.scan(ctx, []byte(layout.ConnectionPrefix), []byte(afterConnects), func(key, _ []byte) error {
		conn, err := connectionFromKey(key)
		conns = append(conns, conn)
		return err
	})
	if err != nil {
		return 0, err
	}
	for start := 0; start < len(conns); start += forgetBatch {
		o := s.newOp()
		for _, conn := range conns[start:min(start+forgetBatch, len(conns))] {
			id, err := s.roomOf(conn)
			if err != nil {
				return start, err
			}
			if err := s.dropMember(o, id, conn); err != nil {
				return start, err
			}
		}
		s.commits.submit(ctx, o)
		if err := s.commits.wait(ctx, o); err != nil {
			return start, err
		}
	}
	return len(conns), nil
}
