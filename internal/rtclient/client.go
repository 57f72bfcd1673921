package rtclient

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"net/url"
	"sync"
	"time"

	"github.com/coder/websocket"

	"github.com/symphony-rt/symphony/internal/protocol"
)

// Client is a connection to one room that comes back by itself. Its methods
// are safe for concurrent use.
type Client struct {
	opt    Options
	url    *url.URL
	ctx    context.Context // ends with the client
	cancel context.CancelFunc
	// readers counts the goroutines that dial, read, upload or download.
	readers sync.WaitGroup
	done    chan struct{}

	// deliver is held while one message is handled, callbacks included.
	deliver sync.Mutex

	mu sync.Mutex
	// link is the connection in use, next its successor until it is welcome,
	// old its predecessor until what was sent there has been answered.
	link, next, old *link
	dialing         bool
	seq             sequence
	epoch           string
	access          protocol.Access
	connection      string
	out             outbox
	presence        []byte
	synced          bool
	// changed is there while somebody waits, and closed whenever what they
	// wait for may have happened.
	changed chan struct{}
	closed  bool
	err     error

	// lastProbe is the number the last probe carried.
	lastProbe uint64
	attempts  int

	timer   Timer
	timerAt time.Time
	// The times at which something is to be done; zero: nothing.
	reconnectAt, gapAt, probeAt, renewAt, retireAt time.Time
}

// Dial connects to the WebSocket URL ("wss://host/stage", room and token are
// added) and returns once the connection is open; WaitSynced waits for the
// room's state. The first attempt is the only one whose failure Dial returns:
// later the client reconnects with growing, random delays until it is closed
// or refused.
func Dial(ctx context.Context, wsURL string, opt Options) (*Client, error) {
	opt.setDefaults()
	u, err := parseURL(wsURL)
	if err != nil {
		return nil, err
	}
	c := &Client{opt: opt, url: u, epoch: opt.Epoch, done: make(chan struct{}), access: protocol.AccessWrite}
	c.seq.last = opt.After
	c.ctx, c.cancel = context.WithCancel(context.Background())
	l, err := c.dial(ctx)
	if err != nil {
		c.cancel()
		return nil, err
	}
	c.readers.Add(1)
	go c.run(l)
	return c, nil
}

// Submit hands an update to the room. It is kept and sent again until the
// server acknowledges (OnAck) or refuses it (OnRejected), over reconnects.
// update must not be changed afterwards. In plain mode it is sent once (id 0),
// and ErrNotConnected when that cannot be: there a Document brings it over.
func (c *Client) Submit(update []byte) (id uint64, err error) {
	if c.opt.Mode == Plain {
		return 0, c.send(&protocol.SyncUpdate{Update: update})
	}
	p := &pending{update: update, large: len(update)+protocol.MaxHeader > c.opt.MaxMessage}
	if p.large {
		p.hash = sha256.Sum256(update)
	}
	c.mu.Lock()
	switch {
	case c.closed:
		err = c.closedError()
	case c.access == protocol.AccessRead:
		err = ErrReadOnly
	case len(c.out.items) >= c.opt.MaxPending:
		err = ErrPending
	}
	if err != nil {
		c.mu.Unlock()
		return 0, err
	}
	c.out.add(p)
	l := c.readyLink()
	var m protocol.Message
	if l != nil {
		p.resendAt = c.opt.Clock.Now().Add(c.opt.Times.AckTimeout)
		m, p.tries = p.message(), 1
		c.arm(p.resendAt)
	}
	c.mu.Unlock()
	if m != nil {
		_ = c.write(l, m) // it is sent again on the next connection
	}
	return p.id, nil
}

// SetAwareness sends an awareness update, keeps it for whoever asks and sends
// it again after a reconnect. It is not kept back until the connection is there.
func (c *Client) SetAwareness(update []byte) error {
	m := &protocol.Awareness{Update: update}
	if protocol.Size(m) > c.opt.MaxMessage {
		return fmt.Errorf("%w: %d bytes of awareness", ErrTooLarge, len(update))
	}
	c.mu.Lock()
	c.presence = bytes.Clone(update)
	l := c.readyLink()
	closed := c.closed
	c.mu.Unlock()
	if closed {
		return ErrClosed
	}
	if l != nil {
		_ = c.write(l, m) // it is sent again on the next connection
	}
	return nil
}

// QueryAwareness asks the other members for their presence.
func (c *Client) QueryAwareness() error { return c.send(&protocol.QueryAwareness{}) }

// SendEvent has the other members hear of something once. It is lost when there
// is no connection, and not acknowledged.
func (c *Client) SendEvent(data string) error {
	m := &protocol.Event{Client: c.opt.Client, Data: data}
	if protocol.Size(m) > c.opt.MaxMessage {
		return fmt.Errorf("%w: an event of %d bytes", ErrTooLarge, len(data))
	}
	return c.send(m)
}

// Probe asks at once what the room's last number is.
func (c *Client) Probe() error {
	c.mu.Lock()
	m := c.probe(c.opt.Clock.Now())
	c.mu.Unlock()
	return c.send(m)
}

// Send sends any message as it is, once: for tests and tools.
func (c *Client) Send(m protocol.Message) error { return c.send(m) }

// send writes m once to the connection that is ready, or gives ErrNotConnected.
func (c *Client) send(m protocol.Message) error {
	if n := protocol.Size(m); n > c.opt.MaxMessage {
		return fmt.Errorf("%w: %d bytes", ErrTooLarge, n)
	}
	c.mu.Lock()
	l, closed := c.readyLink(), c.closed
	c.mu.Unlock()
	switch {
	case closed:
		return ErrClosed
	case l == nil:
		return ErrNotConnected
	}
	if err := c.write(l, m); err != nil { // the connection has ended; its reader does not know it yet
		return fmt.Errorf("%w: %w", ErrNotConnected, err)
	}
	return nil
}

// Synced reports whether the client has everything it knows of: it was
// welcomed on its present connection (plain: got step 2) and no number is missing.
func (c *Client) Synced() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.isSynced()
}

func (c *Client) isSynced() bool {
	_, _, gap := c.seq.gap()
	return c.synced && !gap && c.link != nil && c.link.fetching == 0
}

// LastSeq returns the number up to which everything has been delivered.
func (c *Client) LastSeq() uint64 {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seq.last
}

// Position returns what a later client resumes from (Options.Epoch, After).
func (c *Client) Position() (epoch string, after uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.epoch, c.seq.last
}

// Pending returns the number of updates that are not acknowledged.
func (c *Client) Pending() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.out.items)
}

// Connection returns the gateway's id of the present connection, "" until the
// first welcome.
func (c *Client) Connection() string {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.connection
}

// WaitSynced waits until Synced. It returns ctx's error, or why the client ended.
func (c *Client) WaitSynced(ctx context.Context) error { return c.wait(ctx, c.isSynced) }

// Flush waits until every submitted update is acknowledged or rejected.
func (c *Client) Flush(ctx context.Context) error {
	return c.wait(ctx, func() bool { return len(c.out.items) == 0 })
}

// WaitSeq waits until everything through n has been delivered.
func (c *Client) WaitSeq(ctx context.Context, n uint64) error {
	return c.wait(ctx, func() bool { return c.seq.last >= n })
}

// wait waits until ok, called with mu held, is true.
func (c *Client) wait(ctx context.Context, ok func() bool) error {
	for {
		c.mu.Lock()
		if c.changed == nil {
			c.changed = make(chan struct{})
		}
		reached, ended, changed := ok(), c.closed, c.changed
		err := c.closedError()
		c.mu.Unlock()
		switch {
		case reached:
			return nil
		case ended:
			return err
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// notify wakes those who wait. Called with mu held.
func (c *Client) notify() {
	if c.changed != nil {
		close(c.changed)
		c.changed = nil
	}
}

// Drop cuts the connection without a closing handshake, as a pulled cable
// does; the client then reconnects. For tests and the load test's churn.
func (c *Client) Drop() {
	c.mu.Lock()
	l := c.link
	c.mu.Unlock()
	if l != nil {
		_ = l.conn.CloseNow()
	}
}

// Close ends the client: it says goodbye to the server (close code 1000) and
// does not wait for acknowledgements; Flush does. It may be called from a callback.
func (c *Client) Close() error {
	links := c.end(nil)
	var err error
	for _, l := range links {
		if e := l.conn.Close(websocket.StatusNormalClosure, ""); e != nil && err == nil {
			err = e
		}
	}
	return err
}

// Done is closed when the client has ended and its goroutines have returned.
func (c *Client) Done() <-chan struct{} { return c.done }

// Err returns why the client ended: ErrClosed after Close, nil while it lives.
func (c *Client) Err() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if !c.closed {
		return nil
	}
	return c.closedError()
}

func (c *Client) closedError() error {
	if c.err != nil {
		return c.err
	}
	return ErrClosed
}

// end marks the client as ended for cause err and returns the connections to
// close, none when it had ended already.
func (c *Client) end(err error) []*link {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closed {
		return nil
	}
	c.closed, c.err = true, err
	c.synced = false
	c.cancel()
	if c.timer != nil {
		c.timer.Stop()
	}
	var links []*link
	for _, l := range []*link{c.link, c.next, c.old} {
		if l != nil {
			links = append(links, l)
		}
	}
	c.notify()
	go func() {
		c.readers.Wait()
		close(c.done)
	}()
	return links
}

// fail ends the client for good.
func (c *Client) fail(err error) {
	for _, l := range c.end(err) {
		_ = l.conn.CloseNow()
	}
}
