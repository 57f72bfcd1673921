package room_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/faultstore"
	"github.com/symphony-rt/symphony/internal/memstore"
	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/room/roomtest"
)

const lobby room.ID = "lobby"

// world is a store, a gateway and a Service on both, whose every call goes
// through an injector.
type world struct {
	t       testing.TB
	clock   *roomtest.Clock
	store   *memstore.Store
	gateway *roomtest.Gateway
	faults  *faultstore.Injector
	service *room.Service
	log     *bytes.Buffer
}

func newWorld(t testing.TB) *world {
	clock := roomtest.NewClock()
	w := &world{t: t, clock: clock, store: memstore.New(clock), gateway: roomtest.NewGateway(), log: &bytes.Buffer{}}
	w.faults, w.service = w.process(1)
	return w
}

// process returns one more Service on the same store and gateway, as another
// function instance would be, with an injector of its own.
func (w *world) process(seed uint64) (*faultstore.Injector, *room.Service) {
	w.t.Helper()
	faults := faultstore.New()
	service, err := room.NewService(faults.Ports(w.ports()), room.Options{
		Random: roomtest.Seeded(seed),
		Logger: slog.New(slog.NewTextHandler(&lockedWriter{w: w.log}, nil)),
	})
	require.NoError(w.t, err)
	return faults, service
}

func (w *world) ports() room.Ports {
	return room.Ports{
		Log: w.store.Log(), Metas: w.store.Metas(), Members: w.store.Members(),
		Snapshots: w.store.Snapshots(),
		Uploads:   w.store.Uploads(), Links: w.store.Uploads(), Sender: w.gateway, Clock: w.clock,
	}
}

type lockedWriter struct {
	mu sync.Mutex
	w  *bytes.Buffer
}

func (l *lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

// join connects conn as a writer and returns who it is.
func (w *world) join(conn room.ConnectionID, user string) room.Origin {
	w.t.Helper()
	return w.joinAs(conn, user, room.AccessWrite)
}

func (w *world) joinAs(conn room.ConnectionID, user string, access room.Access) room.Origin {
	w.t.Helper()
	from := room.Origin{Connection: conn, Room: lobby, User: room.User{ID: user, Name: "the " + user}, Access: access, ConnectedAt: w.clock.Now()}
	require.NoError(w.t, w.service.Join(w.t.Context(), lobby, member(from)))
	w.gateway.Open(conn)
	return from
}

func member(from room.Origin) room.Member {
	return room.Member{Connection: from.Connection, User: from.User, Access: from.Access, ConnectedAt: from.ConnectedAt}
}

// send hands a message to the Service and decodes the answer, nil for none.
func (w *world) send(from room.Origin, m protocol.Message) (protocol.Message, error) {
	w.t.Helper()
	reply, err := w.service.Receive(w.t.Context(), from, protocol.EncodeFrameString(m))
	if reply == nil {
		return nil, err
	}
	answer, derr := protocol.Decode(mustRaw(w.t, reply))
	require.NoError(w.t, derr)
	return answer, err
}

func mustRaw(t testing.TB, frame []byte) []byte {
	t.Helper()
	m, err := protocol.DecodeFrame(bytes.Clone(frame))
	require.NoError(t, err)
	return protocol.Encode(m)
}

// ask is send for a message that must be answered.
func ask[T protocol.Message](w *world, from room.Origin, m protocol.Message) T {
	w.t.Helper()
	answer, err := w.send(from, m)
	require.NoError(w.t, err)
	typed, ok := answer.(T)
	require.True(w.t, ok, "answered with %T", answer)
	return typed
}

// hello makes from a Symphony client with nothing.
func (w *world) hello(from room.Origin, client uint64) *protocol.Welcome {
	w.t.Helper()
	return ask[*protocol.Welcome](w, from, &protocol.Hello{Version: protocol.Version, Client: client})
}

// inbox returns the messages of one type that conn got, dropping all others.
func inbox[T protocol.Message](w *world, conn room.ConnectionID) []T {
	var got []T
	for _, m := range w.gateway.Take(conn) {
		if m, ok := m.(T); ok {
			got = append(got, m)
		}
	}
	return got
}

// entries returns the room's log after `after`.
func (w *world) entries(after room.Seq) []room.Update {
	w.t.Helper()
	var list []room.Update
	require.NoError(w.t, w.store.Log().Read(context.Background(), lobby, after, func(u room.Update) error {
		list = append(list, u)
		return nil
	}))
	return list
}

func (w *world) meta() room.Meta {
	w.t.Helper()
	m, err := w.store.Metas().Get(context.Background(), lobby)
	require.NoError(w.t, err)
	return m
}

func (w *world) members() []room.ConnectionID {
	w.t.Helper()
	list, err := w.store.Members().List(context.Background(), lobby)
	require.NoError(w.t, err)
	var conns []room.ConnectionID
	for _, m := range list {
		conns = append(conns, m.Connection)
	}
	slices.Sort(conns)
	return conns
}

// objects returns the keys of the room's snapshots.
func (w *world) objects() []string {
	w.t.Helper()
	var keys []string
	require.NoError(w.t, w.store.Snapshots().List(context.Background(), lobby, room.ObjectSnapshot, func(o room.Object) error {
		keys = append(keys, o.Key)
		return nil
	}))
	return keys
}

// document reads the room as a newcomer would, from the stores themselves.
func (w *world) document() []byte {
	w.t.Helper()
	meta := w.meta()
	parts := [][]byte{emptyUpdate}
	if meta.Snapshot.Key != "" {
		snapshot, err := w.store.Snapshots().Get(context.Background(), meta.Snapshot)
		require.NoError(w.t, err)
		parts = append(parts, snapshot)
	}
	for _, u := range w.entries(meta.Snapshot.Seq) {
		parts = append(parts, u.Data)
	}
	return merged(w.t, parts...)
}

// history returns every update ever logged, in order: the archives, then the
// log. It fails unless they are contiguous.
func (w *world) history() []room.Update {
	w.t.Helper()
	var all []room.Update
	require.NoError(w.t, w.store.Snapshots().List(context.Background(), lobby, room.ObjectArchive, func(o room.Object) error {
		data, err := w.store.Snapshots().Open(context.Background(), o.Key)
		require.NoError(w.t, err)
		entries, err := room.DecodeArchive(data)
		require.NoError(w.t, err)
		all = append(all, entries...)
		return nil
	}))
	// What is archived may not be trimmed yet, when a pass died in between.
	require.GreaterOrEqual(w.t, len(all), int(w.meta().Trimmed), "what was trimmed is archived")
	all = append(all, w.entries(room.Seq(len(all)))...)
	for i, u := range all {
		require.EqualValues(w.t, i+1, u.Seq, "the history has no gap")
	}
	return all
}
