package loadtest

import (
	"context"
	"encoding/binary"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/rtclient"
	"github.com/symphony-rt/symphony/internal/yjs"
)

// session is one user's connection, whatever the target's protocol. It
// reconnects by itself and brings over what was not stored.
type session interface {
	// edit sends an update; presence an awareness update.
	edit(update []byte, clock uint64)
	presence(update []byte)
	// pending is how many edits may not have been stored.
	pending() int
	drop()
	close()
}

// listener is what a session tells.
type listener interface {
	// update: seq is the room's number, 0 when there is none.
	update(seq uint64, update []byte)
	presenceCame()
	// synced: the connection has everything, now.
	synced(again bool)
	lost(err error)
	rejected(err error)
	acked(n int)
	// vector is the state vector of what was received.
	vector() map[uint64]uint64
}

// dialer opens sessions of one target.
type dialer func(ctx context.Context, url, room string, client uint64, l listener) (session, error)

func newDialer(p *Profile) dialer {
	switch p.Target {
	case TargetYWebSocket, TargetHocuspocus:
		return func(ctx context.Context, url, room string, client uint64, l listener) (session, error) {
			return dialPeer(ctx, p.Target, url, room, p.Token, client, l)
		}
	default:
		return func(ctx context.Context, url, room string, client uint64, l listener) (session, error) {
			return dialSymphony(ctx, p, url, room, client, l)
		}
	}
}

// symphony is a session over internal/rtclient.
type symphony struct {
	client *rtclient.Client
	plain  *ownEdits // nil unless a plain client
}

func dialSymphony(ctx context.Context, p *Profile, url, room string, client uint64, l listener) (session, error) {
	s := &symphony{}
	var welcomed atomic.Bool
	o := rtclient.Options{Room: room, Client: client, MaxPending: 1 << 16}
	o.Events = rtclient.Events{
		OnUpdate:     func(seq uint64, update []byte) { l.update(seq, update) },
		OnAwareness:  func([]byte) { l.presenceCame() },
		OnAck:        func(id, _ uint64) { l.acked(int(id) - 1) },
		OnDisconnect: func(err error) { l.lost(err); s.back(l) },
		OnRejected:   func(_ uint64, err *protocol.Error) { l.rejected(err) },
		OnWelcome:    func(*protocol.Welcome) { l.synced(welcomed.Swap(true)) },
	}
	if p.Token != "" {
		o.Token = func(context.Context) (string, error) { return p.Token, nil }
	}
	if p.Plain {
		s.plain = &ownEdits{client: client, listener: l}
		o.Mode, o.Document = rtclient.Plain, s.plain
	}
	c, err := rtclient.Dial(ctx, url, o)
	if err != nil {
		return nil, err
	}
	s.client = c
	if err := c.WaitSynced(ctx); err != nil {
		_ = c.Close()
		return nil, err
	}
	if p.Plain {
		l.synced(false)
	}
	return s, nil
}

// back tells when a plain client, which is not welcomed, has come back.
func (s *symphony) back(l listener) {
	if s.plain == nil {
		return
	}
	go func() {
		if s.client.WaitSynced(context.Background()) == nil { // it ends with the client
			l.synced(true)
		}
	}()
}

func (s *symphony) edit(update []byte, clock uint64) {
	if s.plain != nil {
		s.plain.add(update, clock)
	}
	_, _ = s.client.Submit(update) // offline, a plain client sends it when it is back
}

func (s *symphony) presence(update []byte) { _ = s.client.SetAwareness(update) }
func (s *symphony) pending() int           { return s.client.Pending() }
func (s *symphony) drop()                  { s.client.Drop() }
func (s *symphony) close()                 { _ = s.client.Close() }

// ownEdits is the document of a client without acknowledgements: its own edits,
// for the server to ask for, and the state vector of what came.
type ownEdits struct {
	client   uint64
	listener listener

	mu     sync.Mutex
	clocks []uint64
	edits  [][]byte
}

func (o *ownEdits) add(update []byte, clock uint64) {
	o.mu.Lock()
	o.clocks, o.edits = append(o.clocks, clock), append(o.edits, update)
	o.mu.Unlock()
}

// after returns the edits from clock on.
func (o *ownEdits) after(clock uint64) [][]byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	for i, c := range o.clocks {
		if c >= clock {
			return o.edits[i:len(o.edits):len(o.edits)]
		}
	}
	return nil
}

// Apply implements rtclient.Document: the listener has it already.
func (o *ownEdits) Apply([]byte) error { return nil }

// StateVector implements rtclient.Document.
func (o *ownEdits) StateVector() []byte { return yjs.EncodeStateVector(o.listener.vector()) }

// Diff implements rtclient.Document.
func (o *ownEdits) Diff(vector []byte) ([]byte, error) {
	clocks, err := yjs.DecodeStateVector(vector)
	if err != nil {
		return nil, err
	}
	edits := o.after(clocks[o.client])
	if len(edits) == 0 {
		return []byte{0, 0}, nil
	}
	return yjs.Merge(edits...)
}

// roomURL is where a peer's room is.
func roomURL(target, base, room string) string {
	if target == TargetYWebSocket {
		return strings.TrimSuffix(base, "/") + "/" + room
	}
	return base
}

// readUint and readBytes read lib0's encoding; ok is false at the end.
func readUint(b []byte) (v uint64, rest []byte, ok bool) {
	v, n := binary.Uvarint(b)
	if n <= 0 {
		return 0, nil, false
	}
	return v, b[n:], true
}

func readBytes(b []byte) (v, rest []byte, ok bool) {
	n, b, ok := readUint(b)
	if !ok || n > uint64(len(b)) {
		return nil, nil, false
	}
	return b[:n], b[n:], true
}

// dialTime bounds one attempt to connect and sync.
const dialTime = 30 * time.Second

func errorKind(err error) string {
	s := err.Error()
	if len(s) > 120 {
		s = s[:120]
	}
	return s
}
