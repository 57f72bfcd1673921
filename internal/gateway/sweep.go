package gateway

import "time"

// sweepsPerLimit is how often, within the shortest limit, the limits are
// looked at; sweepLongest is the longest interval. One pass over 20,000
// connections takes about a millisecond, a timer each would cost memory.
const (
	sweepsPerLimit = 20
	sweepLongest   = time.Second
	sweepShortest  = 10 * time.Millisecond
)

func (g *Gateway) sweepInterval() time.Duration {
	shortest := min(g.limits.Idle, g.limits.Lifetime, g.limits.SlowReader)
	return max(sweepShortest, min(sweepLongest, shortest/sweepsPerLimit))
}

func (g *Gateway) scheduleSweep() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if !g.down {
		g.stopSweep = g.clock.AfterFunc(g.sweepInterval(), func() {
			g.sweep()
			g.scheduleSweep()
		})
	}
}

// sweep ends the connections that are over a limit of time.
func (g *Gateway) sweep() {
	now := g.clock.Now()
	g.conns.each(func(c *conn) {
		if c.isClosing() {
			return // its grace has a timer
		}
		switch {
		case now.UnixMilli()-c.connectedAt >= g.limits.Lifetime.Milliseconds():
			g.expire(c, ErrorLifetime)
		case now.UnixNano()-c.active.Load() >= int64(g.limits.Idle):
			g.expire(c, ErrorIdle)
		default:
			since := c.writeSince.Load()
			if since != 0 && now.UnixNano()-since >= int64(g.limits.SlowReader) {
				g.metrics.fail(ErrorSlowReader)
				c.log().Warn("client does not read; disconnecting")
				c.abort()
			}
		}
	})
}

func (g *Gateway) expire(c *conn, kind string) {
	g.metrics.fail(kind)
	c.log().Debug("connection expired", "limit", kind)
	c.close(closeGoingAway, reasonGoingAway)
}

// abortAll cuts all connections off, those in their closing handshake too.
func (g *Gateway) abortAll() {
	g.conns.each((*conn).abort)
}
