package loadtest

import (
	"context"
	"encoding/binary"
	"errors"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/coder/websocket"

	"github.com/symphony-rt/symphony/internal/yjs"
)

// peer is a session of y-websocket or Hocuspocus: y-protocols in binary frames
// (y-protocols: PROTOCOL.md). Hocuspocus puts the document's name before every
// message and wants a token first (@hocuspocus/provider:
// HocuspocusProvider.ts).
type peer struct {
	target, url, token string
	prefix             []byte
	l                  listener
	own                ownEdits
	ctx                context.Context
	cancel             context.CancelFunc
	done               sync.WaitGroup

	mu   sync.Mutex
	conn *websocket.Conn
	// isSynced is set by step 2, and unset when the connection ends.
	isSynced bool
	ever     atomic.Bool
	ready    chan error // the first connection's outcome
	once     sync.Once
}

// The message types of y-protocols, and Hocuspocus's own.
const (
	messageSync      = 0
	messageAwareness = 1
	messageAuth      = 2
	messageSyncReply = 4

	syncStep1  = 0
	syncStep2  = 1
	syncUpdate = 2

	authToken         = 0
	authAuthenticated = 2
)

func dialPeer(ctx context.Context, target, url, room, token string, client uint64, l listener) (session, error) {
	p := &peer{target: target, url: roomURL(target, url, room), token: token, l: l, ready: make(chan error, 1)}
	p.own = ownEdits{client: client, listener: l}
	if target == TargetHocuspocus {
		p.prefix = appendText(nil, room)
	}
	p.ctx, p.cancel = context.WithCancel(context.Background())
	p.done.Add(1)
	go p.run()
	select {
	case err := <-p.ready:
		if err != nil {
			p.close()
			return nil, err
		}
		return p, nil
	case <-ctx.Done():
		p.close()
		return nil, ctx.Err()
	}
}

// Reconnects as y-websocket's provider does, with jitter.
const (
	peerBackoff    = 100 * time.Millisecond
	peerMaxBackoff = 2500 * time.Millisecond
	peerReadLimit  = 64 << 20
)

func (p *peer) run() {
	defer p.done.Done()
	for try := 0; p.ctx.Err() == nil; try++ {
		begun := time.Now()
		err := p.connection()
		p.mu.Lock()
		p.conn, p.isSynced = nil, false
		p.mu.Unlock()
		first := false
		p.once.Do(func() { p.ready <- err; first = true })
		if first || p.ctx.Err() != nil {
			return
		}
		p.l.lost(err)
		if time.Since(begun) > peerMaxBackoff {
			try = 0
		}
		select {
		case <-time.After(time.Duration(rand.Float64() * float64(min(peerMaxBackoff, peerBackoff<<min(try, 10))))):
		case <-p.ctx.Done():
		}
	}
}

// connection opens one connection and reads until it ends.
func (p *peer) connection() error {
	ctx, cancel := context.WithTimeout(p.ctx, dialTime)
	conn, _, err := websocket.Dial(ctx, p.url, &websocket.DialOptions{HTTPClient: peerClient})
	cancel()
	if err != nil {
		return err
	}
	defer conn.CloseNow() //nolint:errcheck // it has ended
	conn.SetReadLimit(peerReadLimit)
	p.mu.Lock()
	p.conn = conn
	p.mu.Unlock()
	if p.target == TargetHocuspocus {
		p.send(appendText([]byte{messageAuth, authToken}, p.token))
	} else {
		p.sendStep1()
	}
	for {
		_, message, err := conn.Read(p.ctx)
		if err != nil {
			return err
		}
		if !p.handle(message) {
			return errPeer
		}
	}
}

var errPeer = errors.New("loadtest: the target sent a message that y-protocols does not have")

func (p *peer) sendStep1() {
	p.send(append([]byte{messageSync, syncStep1}, lengthPrefixed(yjs.EncodeStateVector(p.l.vector()))...))
}

func lengthPrefixed(b []byte) []byte { return append(binary.AppendUvarint(nil, uint64(len(b))), b...) }

// send writes one message to the connection in use, if there is one.
func (p *peer) send(message []byte) {
	p.mu.Lock()
	conn := p.conn
	p.mu.Unlock()
	if conn == nil {
		return
	}
	if len(p.prefix) > 0 {
		message = append(p.prefix[:len(p.prefix):len(p.prefix)], message...)
	}
	// As rtclient does: a deadline for each would cost as much as the write.
	if conn.Write(context.Background(), websocket.MessageBinary, message) != nil {
		_ = conn.CloseNow() // its reader reconnects
	}
}

// handle reports false for what is no message.
func (p *peer) handle(m []byte) bool {
	ok := true
	if len(p.prefix) > 0 {
		if _, m, ok = readBytes(m); !ok {
			return false
		}
	}
	kind, m, ok := readUint(m)
	if !ok {
		return false
	}
	switch kind {
	case messageSync, messageSyncReply:
		return p.sync(m)
	case messageAwareness:
		p.l.presenceCame()
	case messageAuth:
		if kind, _, ok := readUint(m); !ok || kind != authAuthenticated {
			return false
		}
		p.sendStep1()
	}
	return true
}

func (p *peer) sync(m []byte) bool {
	step, m, ok := readUint(m)
	if !ok {
		return false
	}
	body, _, ok := readBytes(m)
	if !ok {
		return false
	}
	switch step {
	case syncStep1:
		clocks, err := yjs.DecodeStateVector(body)
		if err != nil {
			return false
		}
		for _, update := range p.own.after(clocks[p.own.client]) {
			p.sendUpdate(update)
		}
	case syncStep2:
		p.l.update(0, body)
		p.mu.Lock()
		p.isSynced = true
		p.mu.Unlock()
		p.l.synced(p.ever.Swap(true))
		p.once.Do(func() { p.ready <- nil })
	case syncUpdate:
		p.l.update(0, body)
	}
	return true
}

func (p *peer) sendUpdate(update []byte) {
	p.send(append([]byte{messageSync, syncUpdate}, lengthPrefixed(update)...))
}

func (p *peer) edit(update []byte, clock uint64) {
	p.own.add(update, clock)
	p.sendUpdate(update) // offline, it is sent when the server asks
}

func (p *peer) presence(update []byte) {
	p.send(append([]byte{messageAwareness}, lengthPrefixed(update)...))
}

// pending is always 0: y-protocols has no acknowledgements.
func (p *peer) pending() int { return 0 }

func (p *peer) drop() {
	p.mu.Lock()
	conn := p.conn
	p.mu.Unlock()
	if conn != nil {
		_ = conn.CloseNow()
	}
}

func (p *peer) close() {
	p.cancel()
	p.drop()
	p.done.Wait()
}
