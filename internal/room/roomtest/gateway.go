package roomtest

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"sync"

	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/room"
)

// Gateway is a room.Sender for tests: connections with an inbox each. A post to
// one that is not open fails with room.ErrGone, as API Gateway's 410. It panics
// on a frame that is no message of a server.
type Gateway struct {
	mu      sync.Mutex
	open    map[room.ConnectionID]bool
	inbox   map[room.ConnectionID][]protocol.Message
	closed  []room.ConnectionID
	failing map[room.ConnectionID]error
	posts   int
}

// NewGateway returns a gateway without connections.
func NewGateway() *Gateway {
	return &Gateway{
		open: map[room.ConnectionID]bool{}, inbox: map[room.ConnectionID][]protocol.Message{}, failing: map[room.ConnectionID]error{},
	}
}

// Post implements room.Sender.
func (g *Gateway) Post(ctx context.Context, to []room.ConnectionID, frame []byte) []room.Failure {
	g.mu.Lock()
	defer g.mu.Unlock()
	m, err := protocol.DecodeServerFrame(bytes.Clone(frame))
	if err != nil && len(frame) <= protocol.MaxPost {
		panic(err)
	}
	var failures []room.Failure
	for _, conn := range to {
		g.posts++
		switch {
		case ctx.Err() != nil:
			failures = append(failures, room.Failure{Connection: conn, Err: fmt.Errorf("%w: %w", room.ErrUnavailable, ctx.Err())})
		case !g.open[conn]:
			failures = append(failures, room.Failure{Connection: conn, Err: room.ErrGone})
		case len(frame) > protocol.MaxPost:
			failures = append(failures, room.Failure{Connection: conn, Err: fmt.Errorf("%w: %d characters", room.ErrTooLarge, len(frame))})
		case g.failing[conn] != nil:
			failures = append(failures, room.Failure{Connection: conn, Err: g.failing[conn]})
		default:
			g.inbox[conn] = append(g.inbox[conn], m)
		}
	}
	return failures
}

// Disconnect implements room.Sender.
func (g *Gateway) Disconnect(ctx context.Context, conn room.ConnectionID) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("%w: %w", room.ErrUnavailable, err)
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.open[conn] {
		g.open[conn] = false
		g.closed = append(g.closed, conn)
	}
	return nil
}

// Open opens a connection: its $connect has returned.
func (g *Gateway) Open(conn room.ConnectionID) { g.set(conn, true) }

// Close closes a connection from the client's side.
func (g *Gateway) Close(conn room.ConnectionID) { g.set(conn, false) }

func (g *Gateway) set(conn room.ConnectionID, open bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.open[conn] = open
}

// Fail makes posts to an open connection fail with err; nil lets them through.
func (g *Gateway) Fail(conn room.ConnectionID, err error) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.failing[conn] = err
}

// IsOpen says whether the connection is open.
func (g *Gateway) IsOpen(conn room.ConnectionID) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.open[conn]
}

// Closed returns the connections the server has closed, in order.
func (g *Gateway) Closed() []room.ConnectionID {
	g.mu.Lock()
	defer g.mu.Unlock()
	return slices.Clone(g.closed)
}

// Posts returns how many frames were posted or tried, counted per receiver.
func (g *Gateway) Posts() int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.posts
}

// Take returns what has arrived at a connection, and forgets it.
func (g *Gateway) Take(conn room.ConnectionID) []protocol.Message {
	g.mu.Lock()
	defer g.mu.Unlock()
	got := g.inbox[conn]
	delete(g.inbox, conn)
	return got
}
