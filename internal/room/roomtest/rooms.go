package roomtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/faultstore"
	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/yjs"
)

// RunRooms runs whole rooms on a store: a room.Service on handles that have
// all ports but Uploads.
func RunRooms(t *testing.T, h Harness) {
	t.Run("a joiner misses nothing, whatever the schedule (G2, P22)", func(t *testing.T) { RunInterleavings(t, h) })
	t.Run("checkpoints with concurrent appends (G6, P28)", func(t *testing.T) { checkpointsUnderLoad(t, open(t, h)) })
	t.Run("an acknowledged update outlives a crash (G1, P23, N1)", func(t *testing.T) { acknowledgedAndCrashed(t, open(t, h)) })
	t.Run("a writer that comes back after everything was trimmed (G6)", func(t *testing.T) { trimmedAndReopened(t, open(t, h)) })
	t.Run("duplicate delivery (G7)", func(t *testing.T) { duplicates(t, open(t, h)) })
	t.Run("an erased room does not come back", func(t *testing.T) { erased(t, open(t, h)) })
	t.Run("a damaged room can be erased", func(t *testing.T) { erasedDamaged(t, open(t, h)) })
}

// rig is one room on a store, with connections of its own names, so that any
// number of rigs can share the store.
type rig struct {
	store   *store
	gateway *Gateway
	room    room.ID
	name    string
	// clock is the Services' own: the store's stands still, so that rooms which
	// share a store do not age each other.
	clock *Clock
	// mutate changes the ports of a process; nil leaves them.
	mutate func(room.Ports) room.Ports
}

var rigs atomic.Int64

func newRig(s *store) *rig {
	name := fmt.Sprintf("rig%d-", rigs.Add(1))
	return &rig{store: s, gateway: NewGateway(), room: room.ID(name + "room/#1"), name: name, clock: &Clock{now: s.clock.Now()}}
}

// process returns a Service on handle p, through an injector with the gate.
func (r *rig) process(p Ports, gate faultstore.Gate) *room.Service {
	injector := faultstore.New()
	injector.SetGate(gate)
	ports := injector.Ports(room.Ports{
		Log: p.Log, Metas: p.Metas, Members: p.Members, Snapshots: p.Snapshots, Sender: r.gateway, Clock: r.clock,
	})
	if r.mutate != nil {
		ports = r.mutate(ports)
	}
	service, err := room.NewService(ports, room.Options{})
	if err != nil {
		panic(err)
	}
	return service
}

// origin is a writer on the connection conn.
func (r *rig) origin(conn string) room.Origin {
	return room.Origin{
		Connection: room.ConnectionID(r.name + conn), Room: r.room, User: room.User{ID: conn},
		Access: room.AccessWrite, ConnectedAt: r.clock.Now(),
	}
}

func (r *rig) join(ctx context.Context, s *room.Service, from room.Origin) error {
	return s.Join(ctx, from.Room, room.Member{
		Connection: from.Connection, User: from.User, Access: from.Access, ConnectedAt: from.ConnectedAt,
	})
}

// enter joins and opens a connection.
func (r *rig) enter(ctx context.Context, s *room.Service, from room.Origin) error {
	err := r.join(ctx, s, from)
	if err == nil {
		r.gateway.Open(from.Connection)
	}
	return err
}

// ask sends a message and decodes the answer.
func ask[T protocol.Message](ctx context.Context, s *room.Service, from room.Origin, m protocol.Message) (answer T, err error) {
	reply, err := s.Receive(ctx, from, protocol.EncodeFrameString(m))
	if err != nil {
		return answer, err
	}
	got, err := protocol.DecodeServerFrame(reply)
	if err != nil {
		return answer, err
	}
	answer, ok := got.(T)
	if !ok {
		return answer, fmt.Errorf("answered with %T", got)
	}
	return answer, nil
}

// submit stores an update and returns its number.
func submit(ctx context.Context, s *room.Service, from room.Origin, update []byte) (room.Seq, error) {
	ack, err := ask[*protocol.Ack](ctx, s, from, &protocol.Submit{ID: 1, Update: update})
	if err != nil {
		return 0, err
	}
	return room.Seq(ack.Seq), nil
}

// document returns the room's document as a newcomer gets it.
func (r *rig) document(ctx context.Context, p Ports) ([]byte, room.Seq, error) {
	s := r.process(p, nil)
	reader := r.origin("reader")
	if err := r.enter(ctx, s, reader); err != nil {
		return nil, 0, err
	}
	welcome, err := ask[*protocol.Welcome](ctx, s, reader, &protocol.Hello{Version: protocol.Version, Client: 1})
	if err != nil {
		return nil, 0, err
	}
	got := [][]byte{}
	for _, m := range r.gateway.Take(reader.Connection) {
		if piece, ok := m.(*protocol.Range); ok {
			got = append(got, piece.Update)
		}
	}
	if len(welcome.Update) > 0 {
		got = append(got, welcome.Update)
	}
	doc, err := yjs.Merge(got...)
	return doc, room.Seq(welcome.Through), errors.Join(err, s.Leave(ctx, r.room, reader.Connection))
}

// holds reports an error unless doc has every one of updates.
func holds(doc []byte, updates ...[]byte) error {
	for i, u := range updates {
		ok, err := yjs.Contains(doc, u)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("update %d of %d is missing", i+1, len(updates))
		}
	}
	return nil
}

// checkpointsUnderLoad: several processes edit a room while others checkpoint
// it, again and again, with time passing.
func checkpointsUnderLoad(t *testing.T, s *store) {
	ctx, r := t.Context(), newRig(s)
	handles := []Ports{s.Ports, s.another()}
	const writers, each = 4, 25
	updates := make([][][]byte, writers)
	var left atomic.Int32
	left.Store(writers)
	err := inParallel(writers+2, func(i int) error {
		p := handles[i%len(handles)]
		service := r.process(p, nil)
		if i >= writers { // a checkpointer
			for left.Load() > 0 {
				// A swap lost ten times in a row to writers is a pass for nothing.
				if err := service.Checkpoint(ctx, r.room); err != nil && !errors.Is(err, room.ErrUnavailable) {
					return err
				}
			}
			return nil
		}
		defer left.Add(-1)
		from := r.origin(fmt.Sprint("writer", i))
		if err := r.enter(ctx, service, from); err != nil {
			return err
		}
		text := &Author{Client: uint64(i + 10)}
		for range each {
			u := text.Insert("x")
			if _, err := submit(ctx, service, from, u); err != nil {
				return err
			}
			updates[i] = append(updates[i], u)
		}
		return nil
	})
	require.NoError(t, err)
	check := func() {
		t.Helper()
		doc, through, err := r.document(ctx, s.Ports)
		require.NoError(t, err)
		require.EqualValues(t, writers*each, through)
		for i := range updates {
			require.NoError(t, holds(doc, updates[i]...), "writer %d", i)
		}
	}
	check()
	service := r.process(s.Ports, nil)
	for passes := 0; getMeta(t, s.Ports, r.room).State != room.Clean; passes++ {
		require.Less(t, passes, 10, "becomes clean")
		r.clock.Advance(room.DefaultGrace + time.Millisecond)
		require.NoError(t, service.Checkpoint(ctx, r.room))
		check()
	}
	require.EqualValues(t, writers*each, getMeta(t, s.Ports, r.room).Trimmed)
	wantLog(t, s.Ports, r.room, writers*each)
	s.crash()
	check()
}

// acknowledgedAndCrashed: kill -9 at any time, nothing acknowledged is lost.
func acknowledgedAndCrashed(t *testing.T, s *store) {
	ctx, r := t.Context(), newRig(s)
	text := &Author{Client: 7}
	var acknowledged [][]byte
	for round := range 6 {
		service := r.process(s.Ports, nil)
		from := r.origin(fmt.Sprint("writer", round))
		require.NoError(t, r.enter(ctx, service, from))
		for range 5 {
			u := text.Insert("x")
			_, err := submit(ctx, service, from, u)
			require.NoError(t, err)
			acknowledged = append(acknowledged, u)
		}
		if round%2 == 1 {
			require.NoError(t, service.Checkpoint(ctx, r.room))
			r.clock.Advance(room.DefaultGrace + time.Millisecond)
		}
		s.crash()
		doc, through, err := r.document(ctx, s.Ports)
		require.NoError(t, err)
		require.NoError(t, holds(doc, acknowledged...))
		require.EqualValues(t, len(acknowledged), through)
	}
	require.NotZero(t, getMeta(t, s.Ports, r.room).Trimmed, "some of it lies in archive and snapshot only")
}

// trimmedAndReopened: nothing is left of the log, and a fresh process, which
// remembers no tail, goes on behind it.
func trimmedAndReopened(t *testing.T, s *store) {
	ctx, r := t.Context(), newRig(s)
	stale := r.process(s.another(), nil)
	from := r.origin("writer")
	require.NoError(t, r.enter(ctx, stale, from))
	text := &Author{Client: 7}
	want := room.Seq(0)
	write := func(service *room.Service) {
		t.Helper()
		want++
		seq, err := submit(ctx, service, from, text.Insert("x"))
		require.NoError(t, err)
		require.Equal(t, want, seq)
	}
	trim := func() {
		t.Helper()
		service := r.process(s.Ports, nil)
		for range 2 {
			require.NoError(t, service.Checkpoint(ctx, r.room))
			r.clock.Advance(room.DefaultGrace + time.Millisecond)
		}
		require.Equal(t, want, getMeta(t, s.Ports, r.room).Trimmed)
	}
	write(stale)
	write(stale)
	write(r.process(s.Ports, nil))
	trim()
	write(stale) // remembers 2 as the tail
	write(r.process(s.Ports, nil))
	trim()
	if !s.harness.Several {
		s.reopen()
		stale = r.process(s.Ports, nil)
	}
	write(stale)
	_, through, err := r.document(ctx, s.Ports)
	require.NoError(t, err)
	require.Equal(t, want, through)
}

// duplicates: the same update submitted and checkpointed again and again.
func duplicates(t *testing.T, s *store) {
	ctx, r := t.Context(), newRig(s)
	service := r.process(s.Ports, nil)
	from := r.origin("writer")
	require.NoError(t, r.enter(ctx, service, from))
	text := &Author{Client: 7}
	all := [][]byte{text.Insert("abc"), text.Remove(1), text.Insert("d")}
	once, err := yjs.Merge(all...)
	require.NoError(t, err)
	once, err = yjs.Compact(once)
	require.NoError(t, err)
	for round := range 3 {
		for _, u := range slices.Backward(all) {
			_, err := submit(ctx, service, from, u)
			require.NoError(t, err)
		}
		require.NoError(t, service.Checkpoint(ctx, r.room))
		require.NoError(t, service.Checkpoint(ctx, r.room))
		doc, _, err := r.document(ctx, s.Ports)
		require.NoError(t, err)
		doc, err = yjs.Compact(doc)
		require.NoError(t, err)
		same, err := yjs.Equal(once, doc)
		require.NoError(t, err)
		require.True(t, same, "round %d", round)
	}
}

// inboxOf sorts what a joiner got: updates, and the numbers of broadcasts.
func inboxOf(messages []protocol.Message) (updates [][]byte, seqs map[room.Seq]bool) {
	seqs = map[room.Seq]bool{}
	for _, m := range messages {
		switch m := m.(type) {
		case *protocol.SyncUpdate:
			updates = append(updates, m.Update)
		case *protocol.Broadcast:
			updates = append(updates, m.Update)
			seqs[room.Seq(m.Seq)] = true
		case *protocol.Range:
			updates = append(updates, m.Update)
		}
	}
	return updates, seqs
}

// gapless demands that seqs has every number after `after` through `through`.
func gapless(seqs map[room.Seq]bool, after, through room.Seq) error {
	for seq := after + 1; seq <= through; seq++ {
		if !seqs[seq] {
			return fmt.Errorf("number %d is missing after %d: got %v", seq, after, slices.Sorted(maps.Keys(seqs)))
		}
	}
	return nil
}
