package gateway

import (
	"context"
	"time"
)

// Post sends data as one text message to a connection. Messages to one
// connection arrive in the order their posts were made. It returns once the
// message is on its way, not when the client has it. ErrTooLarge, ErrLimit,
// ErrGone. data must not change afterwards, so one slice can go to many
// connections.
func (g *Gateway) Post(ctx context.Context, id string, data []byte) error {
	if g.foreign(id) {
		return g.peers.Post(ctx, id, data)
	}
	return g.postHere(id, data)
}

// PostMany posts data to each connection and returns an error or nil for each.
func (g *Gateway) PostMany(ctx context.Context, ids []string, data []byte) []error {
	errs := make([]error, len(ids))
	for i, id := range ids {
		errs[i] = g.Post(ctx, id, data)
	}
	return errs
}

// Close disconnects a client with code 1000, which is all that API Gateway's
// DeleteConnection can do. ErrLimit, ErrGone.
func (g *Gateway) Close(ctx context.Context, id string) error {
	if g.foreign(id) {
		return g.peers.Close(ctx, id)
	}
	return g.closeHere(id)
}

// Connection is what the gateway knows about a connection.
type Connection struct {
	ConnectedAt  time.Time
	LastActiveAt time.Time
	SourceIP     string
	UserAgent    string
}

// Get describes a connection. ErrLimit, ErrGone.
func (g *Gateway) Get(ctx context.Context, id string) (Connection, error) {
	if g.foreign(id) {
		return g.peers.Get(ctx, id)
	}
	return g.getHere(id)
}

// foreign says that another gateway, which this one knows, holds a connection.
func (g *Gateway) foreign(id string) bool {
	if g.peers == nil {
		return false
	}
	number, ok := NumberOf(id)
	if !ok || number == g.config.Number {
		return false
	}
	_, ok = g.peers.Gateways[number]
	return ok
}

func (g *Gateway) postHere(id string, data []byte) error {
	err := g.tryPost(id, data)
	if err != nil {
		g.metrics.postFailures.Add(1)
		return err
	}
	g.metrics.posts.Add(1)
	g.metrics.postBytes.Add(int64(len(data)))
	return nil
}

func (g *Gateway) tryPost(id string, data []byte) error {
	if !g.requests.take() {
		g.metrics.fail(ErrorThrottled)
		return ErrLimit
	}
	if len(data) > g.limits.Message {
		g.metrics.fail(ErrorTooLarge)
		return ErrTooLarge
	}
	c := g.conns.get(id)
	if c == nil {
		g.metrics.fail(ErrorGone)
		return ErrGone
	}
	err := c.send(opText, data)
	switch err {
	case ErrLimit:
		g.metrics.fail(ErrorBufferFull)
	case ErrGone:
		g.metrics.fail(ErrorGone)
	}
	return err
}

// lookUp finds a connection for a request other than a post.
func (g *Gateway) lookUp(id string) (*conn, error) {
	if !g.requests.take() {
		g.metrics.fail(ErrorThrottled)
		return nil, ErrLimit
	}
	c := g.conns.get(id)
	if c == nil || c.isClosing() {
		g.metrics.fail(ErrorGone)
		return nil, ErrGone
	}
	return c, nil
}

func (g *Gateway) closeHere(id string) error {
	c, err := g.lookUp(id)
	if err != nil {
		return err
	}
	c.close(closeNormal, reasonNormal)
	return nil
}

func (g *Gateway) getHere(id string) (Connection, error) {
	c, err := g.lookUp(id)
	if err != nil {
		return Connection{}, err
	}
	return Connection{
		ConnectedAt:  time.UnixMilli(c.connectedAt).UTC(),
		LastActiveAt: time.Unix(0, c.active.Load()).UTC(),
		SourceIP:     c.sourceIP,
		UserAgent:    c.agent.Value().userAgent,
	}, nil
}
