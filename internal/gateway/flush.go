package gateway

import (
	"sync"
	"time"
)

// flusher writes what was sent to connections. Whoever sends puts a frame into
// the connection's queue and the connection into the flusher's; the flusher
// writes each connection's whole queue with one call. With little to do it
// writes at once. With much, frames gather while it is at work, and one system
// call carries several of them: a write costs the server and the client some
// ten microseconds each, however short it is.
type flusher struct {
	gw *Gateway

	mu      sync.Mutex
	ready   sync.Cond
	waiting []*conn
	stopped bool
	ended   chan struct{}
}

const (
	// flushCrowd is how many connections in one pass are many: from then on the
	// flusher rests after a pass, so that more gathers for the next.
	flushCrowd = 32
	// flushRest is how many times as long as the pass it rests: writing takes at
	// most a quarter of one CPU's time, the rest is for those who have something
	// to say.
	flushRest = 3
	// flushLongest bounds the rest, and so what gathering adds to a latency.
	flushLongest = 40 * time.Millisecond
	// flushBytes bounds what one call writes for one connection.
	flushBytes = 64 << 10
)

func (f *flusher) start(g *Gateway) {
	f.gw = g
	f.ready.L = &f.mu
	f.ended = make(chan struct{})
	go f.run()
}

// add queues a connection whose queue has something in it. Its writing is set.
func (f *flusher) add(c *conn) {
	f.mu.Lock()
	f.waiting = append(f.waiting, c)
	if len(f.waiting) == 1 {
		f.ready.Signal()
	}
	f.mu.Unlock()
}

func (f *flusher) run() {
	defer close(f.ended)
	var pass, spare []*conn
	for {
		f.mu.Lock()
		for len(f.waiting) == 0 {
			if f.stopped {
				f.mu.Unlock()
				return
			}
			f.ready.Wait()
		}
		pass, f.waiting = f.waiting, spare[:0]
		stopped := f.stopped
		f.mu.Unlock()
		began := time.Now()
		for i, c := range pass {
			c.flush()
			pass[i] = nil
		}
		if len(pass) >= flushCrowd && !stopped {
			time.Sleep(min(flushLongest, flushRest*time.Since(began)))
		}
		spare = pass
		if cap(spare) > maxKeptPass {
			spare = nil
		}
	}
}

// maxKeptPass is the largest list that is used again.
const maxKeptPass = 1 << 14

// stop ends the flusher once it has nothing to write.
func (f *flusher) stop() {
	f.mu.Lock()
	f.stopped = true
	f.ready.Signal()
	f.mu.Unlock()
}

// flush writes the connection's queue without blocking. What needs more care
// (a close frame, a large message, a pong that goes first, a socket that is full)
// it leaves to the connection's own writer. c.writing is set, and stays so
// until nothing is left.
func (c *conn) flush() {
	buf := getScratch()
	defer putScratch(buf)
	c.mu.Lock()
	n := 0
	for n < len(c.queue) && !c.wantsCare(n) && len(*buf) < flushBytes {
		f := &c.queue[n]
		*buf = append(appendHeader(*buf, f.op, true, len(f.data)), f.data...)
		c.waiting -= len(f.data)
		f.data = nil
		n++
	}
	if c.queue = c.queue[n:]; len(c.queue) == 0 {
		c.queue = nil // an idle connection keeps no array
	}
	c.mu.Unlock()
	if n > 0 {
		written, err := c.sock.tryWrite(*buf)
		if err != nil {
			c.abort()
			return
		}
		if written < len(*buf) {
			rest := append([]byte(nil), (*buf)[written:]...)
			c.mu.Lock()
			c.queue = append([]outFrame{{raw: true, data: rest}}, c.queue...)
			c.waiting += len(rest)
			c.writerDone()
			c.mu.Unlock()
			return
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) == 0 || c.wantsCare(0) {
		c.writerDone()
		return
	}
	c.gw.flusher.add(c) // in the next pass, after everybody else
}

// wantsCare says that what is to be written next, frame n of the queue or a
// pong before it, is not for the flusher. c.mu is held.
func (c *conn) wantsCare(n int) bool {
	f := &c.queue[n]
	return c.pong != nil || f.op == opClose || f.raw || len(f.data) > inlineFrame
}
