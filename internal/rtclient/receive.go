package rtclient

import (
	"bytes"
	"fmt"
	"slices"
	"time"

	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/yjs"
)

// handle does what one message of the server asks for. An error ends the
// connection.
func (c *Client) handle(l *link, m protocol.Message) error {
	c.deliver.Lock()
	defer c.deliver.Unlock()
	c.mu.Lock()
	l.aliveBy = time.Time{}
	if c.closed {
		c.mu.Unlock()
		return ErrClosed
	}
	if !l.ready && isNumbered(m) {
		defer c.mu.Unlock()
		if len(l.early) == maxEarly {
			return errEarly
		}
		l.early = append(l.early, m)
		return nil
	}
	c.mu.Unlock()
	return c.dispatch(l, m)
}

// isNumbered reports whether m carries a number of the room's epoch that
// cannot be judged before the welcome.
func isNumbered(m protocol.Message) bool {
	switch m := m.(type) {
	case *protocol.Broadcast, *protocol.BroadcastByURL, *protocol.Ack:
		return true
	case *protocol.Range:
		return !m.More // a broadcast in pieces
	}
	return false
}

func (c *Client) dispatch(l *link, m protocol.Message) error {
	events := &c.opt.Events
	switch m := m.(type) {
	case *protocol.Welcome:
		return c.welcome(l, m)
	case *protocol.Broadcast:
		return c.broadcast(m)
	case *protocol.Ack:
		c.ack(m)
	case *protocol.Range:
		return c.rangeOf(l, m)
	case *protocol.Tail:
		return c.tail(m)
	case *protocol.Error:
		return c.refusal(l, m)
	case *protocol.SyncStep1, *protocol.SyncStep2, *protocol.SyncUpdate, *protocol.Auth:
		return c.plain(l, m)
	case *protocol.QueryAwareness:
		return c.showPresence(l)
	case *protocol.UploadOffer:
		c.uploadOffered(m)
	case *protocol.BroadcastByURL:
		c.broadcastByURL(l, m)
	case *protocol.SnapshotByURL:
		c.snapshotByURL(l, m)
	case *protocol.Awareness:
		call(events.OnAwareness, m.Update)
	case *protocol.PeerJoined:
		call(events.OnPeerJoined, m)
	case *protocol.PeerLeft:
		call(events.OnPeerLeft, m)
	case *protocol.PeerEvent:
		call(events.OnPeerEvent, m)
	case *protocol.Notice:
		call(events.OnNotice, m)
	}
	return nil
}

func call[T any](f func(T), v T) {
	if f != nil {
		f(v)
	}
}

// take hands an update to the document and the callback.
func (c *Client) take(seq uint64, update []byte) error {
	if isEmptyUpdate(update) {
		return nil
	}
	if c.opt.Document != nil {
		if err := c.opt.Document.Apply(update); err != nil {
			err = fmt.Errorf("%w: %w", ErrDocument, err)
			c.fail(err)
			return err
		}
	}
	if c.opt.Events.OnUpdate != nil {
		c.opt.Events.OnUpdate(seq, update)
	}
	return nil
}

// isEmptyUpdate reports whether a v1 update has neither structs nor deletes.
func isEmptyUpdate(update []byte) bool {
	return len(update) == 0 || bytes.Equal(update, []byte{0, 0})
}

// welcome ends the catch-up of a connection and opens it for messages.
func (c *Client) welcome(l *link, m *protocol.Welcome) error {
	c.mu.Lock()
	if l != c.link && l != c.next || l.ready {
		c.mu.Unlock()
		return nil
	}
	if l.lacks {
		c.unwelcome(l)
		c.mu.Unlock()
		return c.hello(l, c.vector())
	}
	if m.Epoch != c.epoch {
		c.epoch, c.seq = m.Epoch, sequence{}
	}
	c.mu.Unlock()
	seq := m.Through
	if c.arrivedBefore(seq) {
		seq = 0
	}
	if err := c.take(seq, m.Update); err != nil {
		return err
	}

	c.mu.Lock()
	c.access, c.connection = m.Access, m.Connection
	c.reach(l, m.Through)
	l.ready, l.helloBy = true, time.Time{}
	early, catchUp := l.early, append(l.catchUp, m.Update)
	l.early, l.catchUp = nil, nil
	replaced := c.promote(l)
	c.synced = true
	now := c.opt.Clock.Now()
	if !replaced { // what was under way on the connection before may be lost
		for _, p := range c.out.items {
			p.resendAt = now
		}
	}
	var rejected []*pending
	if m.Access == protocol.AccessRead {
		rejected, c.out.items = c.out.items, nil
	}
	resend := c.out.due(now, now.Add(c.opt.Times.AckTimeout))
	c.arm(c.out.next())
	c.notify()
	c.mu.Unlock()

	call(c.opt.Events.OnWelcome, m)
	for _, p := range rejected {
		c.rejected(&protocol.Error{Code: protocol.CodeReadOnly, ID: p.id, Text: "the room is read-only here"})
	}
	for _, e := range early {
		if err := c.dispatch(l, e); err != nil {
			return err
		}
	}
	for _, r := range resend {
		if err := c.write(l, r); err != nil {
			return err
		}
	}
	if err := c.showPresence(l); err != nil {
		return err
	}
	return c.submitMissing(m, catchUp)
}

// submitMissing submits what the server, by its state vector, lacks. A
// difference by state vector always has every deletion, so what the catch-up
// or a pending submit has is not sent again.
func (c *Client) submitMissing(m *protocol.Welcome, known [][]byte) error {
	if c.opt.Document == nil || len(m.StateVector) == 0 || m.Access != protocol.AccessWrite {
		return nil
	}
	diff, err := c.opt.Document.Diff(m.StateVector)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrDocument, err)
	}
	if isEmptyUpdate(diff) {
		return nil
	}
	c.mu.Lock()
	for _, p := range c.out.items {
		known = append(known, p.update)
	}
	c.mu.Unlock()
	known = slices.DeleteFunc(known, isEmptyUpdate)
	if merged, err := yjs.Merge(known...); err == nil {
		if has, err := yjs.Contains(merged, diff); err == nil && has {
			return nil
		}
	}
	_, err = c.Submit(diff)
	return err
}

// reach notes that everything through n is here, or will be once the
// downloads under way are. Called with mu held.
func (c *Client) reach(l *link, n uint64) {
	if l.fetching > 0 || l.failed {
		l.held = max(l.held, n)
		return
	}
	c.seq.advance(n)
	c.watchGap(c.opt.Times.GapPatience)
}

func (c *Client) broadcast(m *protocol.Broadcast) error {
	if c.arrivedBefore(m.Seq) {
		return nil
	}
	if err := c.take(m.Seq, m.Update); err != nil {
		return err
	}
	c.mu.Lock()
	c.arrived(m.Seq)
	c.mu.Unlock()
	return nil
}

func (c *Client) arrivedBefore(n uint64) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.seq.has(n)
}

// arrived notes number n. Called with mu held.
func (c *Client) arrived(n uint64) {
	c.seq.mark(n)
	c.watchGap(c.opt.Times.GapPatience)
	c.active(c.opt.Clock.Now())
	c.notify()
}

func (c *Client) ack(m *protocol.Ack) {
	c.mu.Lock()
	known := c.out.remove(m.ID)
	c.arrived(m.Seq)
	c.mu.Unlock()
	if known && c.opt.Events.OnAck != nil {
		c.opt.Events.OnAck(m.ID, m.Seq)
	}
}

// rangeOf takes a piece of a range, of a broadcast too large for one message,
// or of the catch-up before a welcome. Only the last piece counts.
func (c *Client) rangeOf(l *link, m *protocol.Range) error {
	c.mu.Lock()
	completes := !m.More && l.ready
	before := c.seq.last
	if l.ready && m.Through <= before { // an answer that others overtook
		c.mu.Unlock()
		return nil
	}
	if !l.ready && c.opt.Document != nil {
		l.catchUp = append(l.catchUp, m.Update)
	}
	c.mu.Unlock()
	seq := uint64(0)
	if completes && !c.arrivedBefore(m.Through) {
		seq = m.Through
	}
	if err := c.take(seq, m.Update); err != nil || !completes {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if m.After <= before {
		c.gapAt = time.Time{}
		c.reach(l, m.Through)
		if c.seq.last > before {
			c.watchGap(0) // a further gap has waited long enough
		}
	} else {
		for n := m.After + 1; n <= m.Through && n <= m.After+maxAhead; n++ {
			c.seq.mark(n)
		}
		c.watchGap(c.opt.Times.GapPatience)
	}
	c.active(c.opt.Clock.Now())
	c.notify()
	return nil
}

// tail compares the room's last number with what is here. One below the probe
// means another room: it was deleted and made anew.
func (c *Client) tail(m *protocol.Tail) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if m.Seq < c.lastProbe {
		return errRestart
	}
	if !c.seq.has(m.Seq) {
		c.seq.missing(m.Seq)
		c.watchGap(0)
	}
	return nil
}
