package awsfaults

import (
	"bytes"
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/awstest"
	"github.com/symphony-rt/symphony/internal/dynamostore"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/room/roomtest"
	"github.com/symphony-rt/symphony/internal/yjs"
)

// mortal is a process: its nth request is its last, and has its effect or not.
type mortal struct {
	n      int
	effect bool

	mu     sync.Mutex
	seen   int
	ctx    context.Context
	cancel context.CancelFunc
}

func newMortal(t *testing.T, n int, effect bool) *mortal {
	m := &mortal{n: n, effect: effect}
	m.ctx, m.cancel = context.WithCancel(t.Context())
	t.Cleanup(m.cancel)
	return m
}

// next is awstest.Faults.Next: once dead, nothing gets through and nothing is
// waited for.
func (m *mortal) next(string) awstest.Fault {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.seen++
	switch {
	case m.n == 0 || m.seen < m.n:
		return awstest.Pass
	case m.seen == m.n && m.effect:
		return awstest.Lose
	}
	m.cancel()
	return awstest.Refuse
}

func (m *mortal) requests() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.seen
}

// site is one room on the engines.
type site struct {
	engines
	t     *testing.T
	clock *roomtest.Clock
	room  room.ID
	text  roomtest.Author
	// acknowledged is every update whose append returned.
	acknowledged [][]byte
}

func (e engines) site(t *testing.T, name string) *site {
	return &site{engines: e, t: t, clock: roomtest.NewClock(), room: room.ID(name), text: roomtest.Author{Client: 7}}
}

// service is a process on the site, mortal or not.
func (s *site) service(m *mortal) (*room.Service, roomtest.Ports) {
	s.t.Helper()
	var faults *awstest.Faults
	if m != nil {
		faults = &awstest.Faults{Next: m.next}
	}
	p := s.open(s.clock, faults)
	service, err := room.NewService(room.Ports{
		Log: p.Log, Metas: p.Metas, Members: p.Members, Snapshots: p.Snapshots, Sender: roomtest.NewGateway(), Clock: s.clock,
	}, room.Options{})
	require.NoError(s.t, err)
	return service, p
}

// edit appends an update of n characters in a process of its own.
func (s *site) edit(n int) {
	s.t.Helper()
	_, p := s.service(nil)
	meta, err := p.Metas.Get(s.t.Context(), s.room)
	require.NoError(s.t, err)
	if meta.State != room.Dirty {
		meta.State, meta.StateAt, meta.Epoch, meta.Created = room.Dirty, s.clock.Now(), "e", s.clock.Now()
		require.NoError(s.t, p.Metas.Swap(s.t.Context(), s.room, meta))
	}
	u := s.text.Insert(string(bytes.Repeat([]byte{'x'}, n)))
	_, err = p.Log.Append(s.t.Context(), s.room, meta.Snapshot.Seq, room.Update{Data: u, At: s.clock.Now()})
	require.NoError(s.t, err)
	s.acknowledged = append(s.acknowledged, u)
}

// prepare brings the room to where a checkpoint has everything to do: a new
// snapshot to make, an old one to delete, entries to archive and to trim, a
// large one and the object of an append that died among them.
func (s *site) prepare() {
	s.t.Helper()
	service, _ := s.service(nil)
	s.edit(3)
	require.NoError(s.t, service.Checkpoint(s.t.Context(), s.room))
	s.edit(dynamostore.MaxInline + 1)
	s.clock.Advance(time.Second)
	require.NoError(s.t, service.Checkpoint(s.t.Context(), s.room))
	s.edit(3)
	s.clock.Advance(room.DefaultGrace + time.Second)
}

// check: nothing acknowledged is lost, and later checkpoints clean up.
func (s *site) check() {
	t, ctx := s.t, s.t.Context()
	t.Helper()
	service, p := s.service(nil)
	s.holdsAll(p)
	s.edit(3) // life goes on
	for passes := 0; ; passes++ {
		meta, err := p.Metas.Get(ctx, s.room)
		require.NoError(t, err)
		if meta.State == room.Clean {
			break
		}
		require.Less(t, passes, 10, "becomes clean")
		require.NoError(t, service.Checkpoint(ctx, s.room))
		s.clock.Advance(room.DefaultGrace + time.Second)
		s.holdsAll(p)
	}
	meta, err := p.Metas.Get(ctx, s.room)
	require.NoError(t, err)
	count := map[room.ObjectKind]int{}
	next := room.Seq(1)
	for _, kind := range room.ObjectKinds() {
		require.NoError(t, p.Snapshots.List(ctx, s.room, kind, func(o room.Object) error {
			count[kind]++
			if kind == room.ObjectSnapshot {
				require.Equal(t, meta.Snapshot.Key, o.Key)
			}
			if kind == room.ObjectArchive {
				require.Equal(t, next, o.From, "the archives are contiguous")
				next = o.To + 1
			}
			return nil
		}))
	}
	require.Equal(t, 1, count[room.ObjectSnapshot], "no orphans")
	require.Zero(t, count[room.ObjectUpdate], "no orphans of large updates")
	require.Equal(t, meta.Trimmed+1, next, "what was trimmed is archived")
	require.Equal(t, meta.Snapshot.Seq, meta.Trimmed)
	require.NoError(t, p.Log.Read(ctx, s.room, 0, func(u room.Update) error {
		t.Errorf("entry %d was not trimmed", u.Seq)
		return nil
	}))
}

// holdsAll reads the room as a newcomer does.
func (s *site) holdsAll(p roomtest.Ports) {
	s.t.Helper()
	ctx := s.t.Context()
	meta, err := p.Metas.Get(ctx, s.room)
	require.NoError(s.t, err)
	doc := roomtest.EmptyUpdate
	if meta.Snapshot.Key != "" {
		doc, err = p.Snapshots.Get(ctx, meta.Snapshot)
		require.NoError(s.t, err)
	}
	require.NoError(s.t, p.Log.Read(ctx, s.room, meta.Snapshot.Seq, func(u room.Update) error {
		doc = roomtest.Merged(s.t, doc, u.Data)
		return nil
	}))
	for i, u := range s.acknowledged {
		has, err := yjs.Contains(doc, u)
		require.NoError(s.t, err)
		require.True(s.t, has, "acknowledged update %d is lost", i)
	}
}

// killed runs do in processes that die at each of its requests in turn.
func (e engines) killed(t *testing.T, name string, prepare func(s *site), do func(s *site, ctx context.Context, m *mortal) error) {
	probe := e.site(t, name)
	prepare(probe)
	m := newMortal(t, 0, false)
	require.NoError(t, do(probe, m.ctx, m))
	requests := m.requests()
	t.Logf("%d requests", requests)
	require.NotZero(t, requests)
	for n := 1; n <= requests; n++ {
		for _, effect := range []bool{false, true} {
			t.Run(fmt.Sprintf("at request %d, effect %t", n, effect), func(t *testing.T) {
				t.Parallel()
				s := e.site(t, fmt.Sprintf("%s %d %t", name, n, effect))
				prepare(s)
				m := newMortal(t, n, effect)
				_ = do(s, m.ctx, m)
				s.check()
			})
		}
	}
}

// A checkpoint that compacts, archives, trims and deletes is killed at every
// request it makes to DynamoDB and to S3: no loss, and a later one cleans up.
func TestCheckpointKilledAtEveryRequest_G6_N1(t *testing.T) {
	newEngines(t).killed(t, "checkpoint", (*site).prepare, func(s *site, ctx context.Context, m *mortal) error {
		service, _ := s.service(m)
		return service.Checkpoint(ctx, s.room)
	})
}

// So is one that finds nothing new and calls the room clean.
func TestSettlingKilledAtEveryRequest_G6(t *testing.T) {
	prepare := func(s *site) {
		service, _ := s.service(nil)
		s.edit(3)
		for range 2 {
			require.NoError(s.t, service.Checkpoint(s.t.Context(), s.room))
			s.clock.Advance(room.DefaultGrace + time.Second)
		}
		s.abandon()
	}
	newEngines(t).killed(t, "settling", prepare, func(s *site, ctx context.Context, m *mortal) error {
		service, _ := s.service(m)
		return service.Checkpoint(ctx, s.room)
	})
}

// abandon leaves the object of a large append that died.
func (s *site) abandon() {
	s.t.Helper()
	m := newMortal(s.t, 3, false) // the tail, the object, and then the entry
	_, p := s.service(m)
	_, err := p.Log.Append(m.ctx, s.room, 0, room.Update{Data: make([]byte, dynamostore.MaxInline+1)})
	require.Error(s.t, err)
	found := 0
	_, live := s.service(nil)
	require.NoError(s.t, live.Snapshots.List(s.t.Context(), s.room, room.ObjectUpdate, func(room.Object) error { found++; return nil }))
	require.Equal(s.t, 1, found)
}

// An append of an update that has its bytes in S3 is killed at every request:
// it is in the log or it is not, and never without its bytes (G5).
func TestLargeAppendKilledAtEveryRequest_N1(t *testing.T) {
	newEngines(t).killed(t, "append", func(s *site) { s.edit(3) }, func(s *site, ctx context.Context, m *mortal) error {
		_, p := s.service(m)
		u := s.text.Insert(string(make([]byte, dynamostore.MaxInline)))
		_, err := p.Log.Append(ctx, s.room, 0, room.Update{Data: u, At: s.clock.Now()})
		if err == nil {
			s.acknowledged = append(s.acknowledged, u)
		}
		s.clock.Advance(room.DefaultGrace + time.Second)
		return err
	})
}
