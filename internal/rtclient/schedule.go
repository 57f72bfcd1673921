package rtclient

import (
	"time"

	"github.com/coder/websocket"

	"github.com/symphony-rt/symphony/internal/protocol"
)

// arm makes sure the timer fires at `at` or before; zero means never. A timer
// set for an earlier time is left alone: it will look again. Called with mu held.
func (c *Client) arm(at time.Time) {
	if at.IsZero() || c.closed || !c.timerAt.IsZero() && !at.Before(c.timerAt) {
		return
	}
	c.timerAt = at
	d := max(0, at.Sub(c.opt.Clock.Now()))
	if c.timer == nil {
		c.timer = c.opt.Clock.AfterFunc(d, c.tick)
		return
	}
	c.timer.Reset(d)
}

// work is what a tick found to do; it is done without the lock.
type work struct {
	link   *link
	send   []protocol.Message
	greet  *link
	drop   []*link
	causes []error
	retire *link
}

// tick does what is due and arms the timer for what is next.
func (c *Client) tick() {
	c.mu.Lock()
	if c.closed {
		c.mu.Unlock()
		return
	}
	now := c.opt.Clock.Now()
	c.timerAt = time.Time{}
	var w work
	c.dueLinks(now, &w)
	if l := c.readyLink(); l != nil {
		w.link = l
		c.dueMessages(now, l, &w)
	}
	c.armNext()
	c.mu.Unlock()

	for i, l := range w.drop {
		c.abandon(l, w.causes[i])
	}
	for _, m := range w.send {
		if c.write(w.link, m) != nil {
			break
		}
	}
	if w.greet != nil {
		_ = c.greet(w.greet)
	}
	if w.retire != nil {
		_ = w.retire.conn.Close(websocket.StatusNormalClosure, "")
	}
}

// dueLinks finds connections to open, to give up and to retire.
func (c *Client) dueLinks(now time.Time, w *work) {
	if due(&c.reconnectAt, now) && c.link == nil {
		c.dialLater()
	}
	if due(&c.renewAt, now) && c.link != nil && c.next == nil {
		c.dialLater()
	}
	if due(&c.retireAt, now) {
		w.retire = c.old
	}
	for _, l := range []*link{c.link, c.next, c.old} {
		if l != nil && due(&l.writeBy, now) {
			w.drop, w.causes = append(w.drop, l), append(w.causes, errWrite)
		}
	}
	for _, l := range []*link{c.link, c.next} {
		switch {
		case l == nil:
		case due(&l.helloBy, now):
			if l.again {
				l.again, w.greet = false, l
				l.helloBy = now.Add(c.opt.Times.AckTimeout)
			} else {
				w.drop, w.causes = append(w.drop, l), append(w.causes, errHello)
			}
		case due(&l.aliveBy, now):
			w.drop, w.causes = append(w.drop, l), append(w.causes, errSilent)
		}
	}
}

// dialLater starts a goroutine that opens a connection, one at a time.
func (c *Client) dialLater() {
	if c.dialing {
		return
	}
	c.dialing = true
	c.readers.Add(1)
	go c.redial()
}

// dueMessages finds what to send on the connection in use.
func (c *Client) dueMessages(now time.Time, l *link, w *work) {
	again := now.Add(c.opt.Times.AckTimeout)
	w.send = append(w.send, c.out.due(now, again)...)
	if due(&c.gapAt, now) {
		if after, through, ok := c.seq.gap(); ok {
			w.send = append(w.send, &protocol.RangeRequest{After: after, Through: through})
			c.gapAt = again // if no answer comes
		}
	}
	if due(&c.probeAt, now) {
		w.send = append(w.send, c.probe(now))
	}
}

// probe returns the keep-alive of the mode and plans the next. Called with mu
// held.
func (c *Client) probe(now time.Time) protocol.Message {
	c.probeAt = now.Add(c.opt.Times.KeepAlive)
	c.arm(c.probeAt)
	if c.link != nil {
		c.link.aliveBy = now.Add(c.opt.Times.AckTimeout)
		c.arm(c.link.aliveBy)
	}
	if c.opt.Mode == Symphony {
		c.lastProbe = c.seq.last
		return &protocol.Probe{Seq: c.seq.last}
	}
	presence := c.presence
	if presence == nil {
		presence = []byte{0} // an awareness update of no clients; it is echoed
	}
	return &protocol.Awareness{Update: presence}
}

// active plans the probe after the last sign of an edit. Called with mu held.
func (c *Client) active(now time.Time) {
	spread := 1 + c.opt.Rand()/2 // not all members of a room at once
	c.probeAt = now.Add(time.Duration(spread * float64(c.opt.Times.ProbeQuiet)))
	c.arm(c.probeAt)
}

// watchGap plans the request for a missing range, or forgets it. Called with
// mu held.
func (c *Client) watchGap(patience time.Duration) {
	if _, _, gap := c.seq.gap(); !gap || c.link != nil && c.link.fetching > 0 {
		c.gapAt = time.Time{}
		return
	}
	if at := c.opt.Clock.Now().Add(patience); c.gapAt.IsZero() || at.Before(c.gapAt) && patience == 0 {
		c.gapAt = at
		c.arm(at)
	}
}

// armNext arms the timer for the earliest time of all. Called with mu held.
func (c *Client) armNext() {
	for _, at := range []time.Time{c.reconnectAt, c.retireAt} {
		c.arm(at)
	}
	for _, l := range []*link{c.link, c.next} {
		if l != nil {
			c.arm(l.helloBy)
			c.arm(l.aliveBy)
			c.arm(l.writeBy)
		}
	}
	if c.link != nil {
		c.arm(c.renewAt)
	}
	if c.old != nil {
		c.arm(c.old.writeBy)
	}
	if c.readyLink() != nil {
		c.arm(c.gapAt)
		c.arm(c.probeAt)
		c.arm(c.out.next())
	}
}

// due reports whether *at has come, and clears it then.
func due(at *time.Time, now time.Time) bool {
	if at.IsZero() || at.After(now) {
		return false
	}
	*at = time.Time{}
	return true
}
