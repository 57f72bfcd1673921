package rtclient

import (
	"errors"
	"time"

	"github.com/symphony-rt/symphony/internal/protocol"
)

// retireAfter is how long a replaced connection stays open for the answers to
// what was sent on it.
const retireAfter = 5 * time.Second

// adopt takes l into use, as the connection or as the successor of one. False:
// the client has ended.
func (c *Client) adopt(l *link) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dialing = false
	if c.closed {
		return false
	}
	now := c.opt.Clock.Now()
	if !l.ready {
		l.helloBy = now.Add(c.opt.Times.AckTimeout)
	}
	if c.link == nil {
		c.link = l
		c.inUse(now)
	} else {
		c.next = l
	}
	c.arm(l.helloBy)
	return true
}

// inUse sets the times of a connection that has just become the one in use.
// Called with mu held.
func (c *Client) inUse(now time.Time) {
	t := &c.opt.Times
	jitter := time.Duration(c.opt.Rand() * float64(t.RenewJitter))
	c.renewAt = c.link.since.Add(t.Lifetime - t.RenewBefore - jitter)
	if !c.renewAt.After(c.link.since) { // a lifetime shortened for a test
		c.renewAt = c.link.since.Add(t.Lifetime / 2)
	}
	c.probeAt = now.Add(t.KeepAlive)
	c.arm(c.renewAt)
	c.arm(c.probeAt)
}

// greet says hello, or asks for what is missing in plain mode.
func (c *Client) greet(l *link) error {
	c.deliver.Lock()
	vector := c.vector()
	c.deliver.Unlock()
	return c.hello(l, vector)
}

// vector is the document's state vector, nil when there is no document or it is
// too long to send: then everything comes. Called with deliver held.
func (c *Client) vector() []byte {
	if c.opt.Document == nil {
		return nil
	}
	if vector := c.opt.Document.StateVector(); len(vector)+helloRest <= c.opt.MaxMessage {
		return vector
	}
	return nil
}

func (c *Client) hello(l *link, vector []byte) error {
	if c.opt.Mode == Symphony {
		c.mu.Lock()
		hello := &protocol.Hello{
			Version: protocol.Version, Client: c.opt.Client, Epoch: c.epoch, After: c.seq.last, StateVector: vector,
		}
		l.hellos++
		c.mu.Unlock()
		return c.write(l, hello)
	}
	if vector == nil {
		vector = []byte{0} // the state vector of nothing
	}
	if err := c.write(l, &protocol.SyncStep1{StateVector: vector}); err != nil {
		return err
	}
	return c.showPresence(l)
}

// helloRest bounds what a hello has beside its state vector.
const helloRest = 256

// showPresence sends this client's presence, if it has any.
func (c *Client) showPresence(l *link) error {
	c.mu.Lock()
	presence := c.presence
	c.mu.Unlock()
	if presence == nil {
		return nil
	}
	return c.write(l, &protocol.Awareness{Update: presence})
}

// promote puts the welcomed link l in use and reports whether it replaced a
// connection that still lives. Called with mu held.
func (c *Client) promote(l *link) (replaced bool) {
	now := c.opt.Clock.Now()
	if l == c.next {
		if c.old != nil {
			_ = c.old.conn.CloseNow()
		}
		c.old, c.link, c.next = c.link, l, nil
		c.retireAt = now.Add(retireAfter)
		c.arm(c.retireAt)
		c.inUse(now)
		return true
	}
	return false
}

// readyLink returns the connection on which messages may be sent now, or nil.
// Called with mu held.
func (c *Client) readyLink() *link {
	if c.link != nil && c.link.ready {
		return c.link
	}
	return nil
}

// down is called once for each connection that was adopted, when it has ended.
func (c *Client) down(l *link, err error) {
	c.mu.Lock()
	if l.cause != nil {
		err = l.cause
	}
	wasInUse := false
	switch l {
	case c.link:
		wasInUse = true
		c.link, c.next = c.next, nil
		c.synced = false
		c.gapAt = time.Time{}
		if c.link != nil {
			c.inUse(c.opt.Clock.Now())
		} else {
			c.reconnectLater(c.opt.Clock.Now().Sub(l.since) > c.opt.Times.BackoffMax)
		}
	case c.next:
		c.next = nil
		c.attempts++
		c.renewAt = c.opt.Clock.Now().Add(c.backoff())
		c.arm(c.renewAt)
	case c.old:
		c.old = nil
	}
	closed := c.closed
	c.notify()
	c.mu.Unlock()
	if !wasInUse || closed {
		return
	}
	if c.opt.Events.OnDisconnect != nil {
		c.deliver.Lock()
		c.opt.Events.OnDisconnect(err)
		c.deliver.Unlock()
	}
	if c.opt.NoReconnect {
		c.fail(err)
	}
}

// reconnectLater plans the next attempt; lasting says that the connection
// before had held. Called with mu held.
func (c *Client) reconnectLater(lasting bool) {
	if c.opt.NoReconnect {
		return
	}
	if lasting {
		c.attempts = 0
	}
	c.reconnectAt = c.opt.Clock.Now().Add(c.backoff())
	c.attempts++
	c.arm(c.reconnectAt)
}

// backoff returns the delay before the next attempt: full jitter, a random
// time up to a bound that doubles (AWS Architecture Blog, "Exponential Backoff
// And Jitter"). Called with mu held.
func (c *Client) backoff() time.Duration {
	bound := c.opt.Times.BackoffMax
	if c.attempts < 30 {
		bound = min(bound, c.opt.Times.BackoffBase<<c.attempts)
	}
	return time.Duration(c.opt.Rand() * float64(bound))
}

// redial opens the next connection: a reconnect, or the successor of a
// connection about to reach its lifetime. Its goroutine goes on as the reader.
func (c *Client) redial() {
	l, err := c.dial(c.ctx)
	if err == nil {
		c.run(l)
		return
	}
	defer c.readers.Done()
	if errors.Is(err, ErrRefused) {
		c.fail(err)
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.dialing = false
	if c.closed {
		return
	}
	if c.link == nil {
		c.reconnectLater(false)
		return
	}
	c.attempts++
	c.renewAt = c.opt.Clock.Now().Add(c.backoff())
	c.arm(c.renewAt)
}
