package local

import (
	"context"
	"sync"
	"sync/atomic"

	"github.com/symphony-rt/symphony/internal/room"
)

// meter counts the calls of each port: what a deployment pays AWS for. A post
// counts once for each receiver.
type meter struct {
	mu    sync.Mutex
	calls map[string]*atomic.Int64
}

func (m *meter) counter(name string) *atomic.Int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.calls == nil {
		m.calls = map[string]*atomic.Int64{}
	}
	c, ok := m.calls[name]
	if !ok {
		c = &atomic.Int64{}
		m.calls[name] = c
	}
	return c
}

func (m *meter) snapshot() map[string]int64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := make(map[string]int64, len(m.calls))
	for name, c := range m.calls {
		s[name] = c.Load()
	}
	return s
}

// wrap returns ports that count. A nil meter returns them as they are.
func (m *meter) wrap(p room.Ports) room.Ports {
	if m == nil {
		return p
	}
	p.Log = &meteredLog{p.Log, m.counter("log append"), m.counter("log read"), m.counter("log tail"), m.counter("log trim")}
	p.Metas = &meteredMetas{p.Metas, m.counter("meta get"), m.counter("meta swap"), m.counter("meta unclean")}
	p.Members = &meteredMembers{p.Members, m.counter("member add"), m.counter("member update"), m.counter("member remove"),
		m.counter("member list"), m.counter("member admit")}
	p.Snapshots = &meteredSnapshots{p.Snapshots, m.counter("snapshot put"), m.counter("snapshot get"), m.counter("snapshot delete"),
		m.counter("snapshot list"), m.counter("snapshot archive")}
	if p.Fanout != nil {
		p.Fanout = &meteredFanout{p.Fanout, m.counter("fan-out")}
	}
	p.Sender = &meteredSender{p.Sender, m.counter("post"), m.counter("disconnect")}
	return p
}

type meteredLog struct {
	room.Log
	append, read, tail, trim *atomic.Int64
}

func (l *meteredLog) Append(ctx context.Context, id room.ID, floor room.Seq, u room.Update) (room.Seq, error) {
	l.append.Add(1)
	return l.Log.Append(ctx, id, floor, u)
}

func (l *meteredLog) Read(ctx context.Context, id room.ID, after room.Seq, fn func(room.Update) error) error {
	l.read.Add(1)
	return l.Log.Read(ctx, id, after, fn)
}

func (l *meteredLog) Tail(ctx context.Context, id room.ID, floor room.Seq) (room.Seq, error) {
	l.tail.Add(1)
	return l.Log.Tail(ctx, id, floor)
}

func (l *meteredLog) Trim(ctx context.Context, id room.ID, through room.Seq) error {
	l.trim.Add(1)
	return l.Log.Trim(ctx, id, through)
}

type meteredMetas struct {
	room.Metas
	get, swap, unclean *atomic.Int64
}

func (m *meteredMetas) Get(ctx context.Context, id room.ID) (room.Meta, error) {
	m.get.Add(1)
	return m.Metas.Get(ctx, id)
}

func (m *meteredMetas) Swap(ctx context.Context, id room.ID, meta room.Meta) error {
	m.swap.Add(1)
	return m.Metas.Swap(ctx, id, meta)
}

func (m *meteredMetas) Unclean(ctx context.Context, fn func(room.ID) error) error {
	m.unclean.Add(1)
	return m.Metas.Unclean(ctx, fn)
}

type meteredMembers struct {
	room.Members
	add, update, remove, list, admit *atomic.Int64
}

func (m *meteredMembers) Add(ctx context.Context, id room.ID, member room.Member) error {
	m.add.Add(1)
	return m.Members.Add(ctx, id, member)
}

func (m *meteredMembers) Update(ctx context.Context, id room.ID, member room.Member) error {
	m.update.Add(1)
	return m.Members.Update(ctx, id, member)
}

func (m *meteredMembers) Remove(ctx context.Context, id room.ID, c room.ConnectionID) (room.Admission, error) {
	m.remove.Add(1)
	return m.Members.Remove(ctx, id, c)
}

func (m *meteredMembers) List(ctx context.Context, id room.ID) ([]room.Member, error) {
	m.list.Add(1)
	return m.Members.List(ctx, id)
}

func (m *meteredMembers) Admit(ctx context.Context, id room.ID, c room.ConnectionID) (room.Admission, error) {
	m.admit.Add(1)
	return m.Members.Admit(ctx, id, c)
}

type meteredSnapshots struct {
	room.Snapshots
	put, get, delete, list, archive *atomic.Int64
}

func (s *meteredSnapshots) Put(ctx context.Context, id room.ID, seq room.Seq, nonce string, data []byte) (room.SnapshotRef, error) {
	s.put.Add(1)
	return s.Snapshots.Put(ctx, id, seq, nonce, data)
}

func (s *meteredSnapshots) Get(ctx context.Context, ref room.SnapshotRef) ([]byte, error) {
	s.get.Add(1)
	return s.Snapshots.Get(ctx, ref)
}

func (s *meteredSnapshots) Delete(ctx context.Context, ref room.SnapshotRef) error {
	s.delete.Add(1)
	return s.Snapshots.Delete(ctx, ref)
}

func (s *meteredSnapshots) List(ctx context.Context, id room.ID, kind room.ObjectKind, fn func(room.Object) error) error {
	s.list.Add(1)
	return s.Snapshots.List(ctx, id, kind, fn)
}

func (s *meteredSnapshots) Open(ctx context.Context, key string) ([]byte, error) {
	s.get.Add(1)
	return s.Snapshots.Open(ctx, key)
}

func (s *meteredSnapshots) Archive(ctx context.Context, id room.ID, from, to room.Seq, data []byte) (room.SnapshotRef, error) {
	s.archive.Add(1)
	return s.Snapshots.Archive(ctx, id, from, to, data)
}

type meteredFanout struct {
	room.Fanout
	dispatch *atomic.Int64
}

func (f *meteredFanout) Dispatch(ctx context.Context, deliveries []room.Delivery) []error {
	f.dispatch.Add(int64(len(deliveries)))
	return f.Fanout.Dispatch(ctx, deliveries)
}

type meteredSender struct {
	room.Sender
	post, disconnect *atomic.Int64
}

func (s *meteredSender) Post(ctx context.Context, to []room.ConnectionID, frame []byte) []room.Failure {
	s.post.Add(int64(len(to)))
	return s.Sender.Post(ctx, to, frame)
}

func (s *meteredSender) Disconnect(ctx context.Context, c room.ConnectionID) error {
	s.disconnect.Add(1)
	return s.Sender.Disconnect(ctx, c)
}
