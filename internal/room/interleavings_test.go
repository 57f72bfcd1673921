package room_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/memstore"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/room/roomtest"
)

// That every schedule keeps guarantee 2 is shown where memstore runs the
// contract suites. Here: the explorer would find it if the order of operations
// were any other. Each mutant is the Service on ports that reorder its calls.

type memoryBackend struct{ store *memstore.Store }

func (b memoryBackend) Open(testing.TB) roomtest.Ports {
	return roomtest.Ports{Log: b.store.Log(), Metas: b.store.Metas(), Members: b.store.Members(), Snapshots: b.store.Snapshots()}
}

var inMemory = roomtest.Harness{
	New:     func(_ testing.TB, clock *roomtest.Clock) roomtest.Backend { return memoryBackend{memstore.New(clock)} },
	Several: true, Schedules: roomtest.AllSchedules,
}

func TestTheExplorerCatchesMutants_G2(t *testing.T) {
	for name, mutate := range map[string]func(room.Ports) room.Ports{
		"the members are listed before the append": func(p room.Ports) room.Ports {
			m := &listsFirst{Members: p.Members, log: p.Log}
			p.Members = m
			p.Log = appendsAfterList{p.Log, m}
			return p
		},
		"the log is read before the registration": func(p room.Ports) room.Ports {
			m := &registersLast{Members: p.Members, metas: p.Metas}
			p.Members = m
			p.Log = readsFirst{p.Log, m}
			return p
		},
	} {
		for _, i := range roomtest.Interleavings[:2] {
			t.Run(name+", "+i.Name, func(t *testing.T) {
				i.Mutate = mutate
				_, err := roomtest.ExploreInterleaving(t, inMemory, i)
				require.Error(t, err)
				require.ErrorContains(t, err, "the joiner:")
				t.Log(err)
			})
		}
	}
}

// The same without any mutant, and in every order there is, those included
// that differ only in steps which do not depend on each other: the reduction
// hides nothing.
func TestEveryOrderOfAJoinAndASend_G2(t *testing.T) {
	for _, i := range roomtest.Interleavings[:2] {
		i.Unreduced = true
		schedules, err := roomtest.ExploreInterleaving(t, inMemory, i)
		require.NoError(t, err)
		t.Logf("%s: %d orders", i.Name, schedules)
		require.Greater(t, schedules, 1000)
	}
}

// listsFirst lists the members before an append, and hands that list out
// after it.
type listsFirst struct {
	room.Members
	log  room.Log
	mu   sync.Mutex
	list []room.Member
	have bool
}

type appendsAfterList struct {
	room.Log
	members *listsFirst
}

func (a appendsAfterList) Append(ctx context.Context, id room.ID, floor room.Seq, u room.Update) (room.Seq, error) {
	list, err := a.members.Members.List(ctx, id)
	if err != nil {
		return 0, err
	}
	a.members.mu.Lock()
	a.members.list, a.members.have = list, true
	a.members.mu.Unlock()
	return a.Log.Append(ctx, id, floor, u)
}

func (l *listsFirst) List(ctx context.Context, id room.ID) ([]room.Member, error) {
	l.mu.Lock()
	list, have := l.list, l.have
	l.have = false
	l.mu.Unlock()
	if have {
		return list, nil
	}
	return l.Members.List(ctx, id)
}

// registersLast admits a connection that is not registered yet, and registers
// it only once the log was read.
type registersLast struct {
	room.Members
	metas   room.Metas
	mu      sync.Mutex
	waiting *room.Member
}

func (r *registersLast) Add(_ context.Context, _ room.ID, m room.Member) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.waiting = &m
	return nil
}

func (r *registersLast) Update(ctx context.Context, id room.ID, m room.Member) error {
	r.mu.Lock()
	if r.waiting != nil && r.waiting.Connection == m.Connection {
		r.waiting = &m
		r.mu.Unlock()
		return nil
	}
	r.mu.Unlock()
	return r.Members.Update(ctx, id, m)
}

func (r *registersLast) Admit(ctx context.Context, id room.ID, conn room.ConnectionID) (room.Admission, error) {
	r.mu.Lock()
	m := r.waiting
	r.mu.Unlock()
	if m == nil || m.Connection != conn {
		return r.Members.Admit(ctx, id, conn)
	}
	meta, err := r.metas.Get(ctx, id)
	return room.Admission{Room: id, Meta: meta, Member: *m}, err
}

func (r *registersLast) register(ctx context.Context, id room.ID) error {
	r.mu.Lock()
	m := r.waiting
	r.waiting = nil
	r.mu.Unlock()
	if m == nil {
		return nil
	}
	return r.Members.Add(ctx, id, *m)
}

type readsFirst struct {
	room.Log
	members *registersLast
}

func (r readsFirst) Read(ctx context.Context, id room.ID, after room.Seq, fn func(room.Update) error) error {
	if err := r.Log.Read(ctx, id, after, fn); err != nil {
		return err
	}
	return r.members.register(ctx, id)
}
