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

	pace flushPace // the flusher's own
}

const (
	// flushCrowd is how many connections in one pass are many: from then on the
	// flusher rests after a pass, so that more gathers for the next.
	flushCrowd = 32
	// flushRest is how many times as long as the pass it rests: writing takes at
	// most a quarter of one CPU's time, the rest is for those who have something
	// to say.
	flushRest = 3
	// flushLong bounds that rest.
	flushLong = 40 * time.Millisecond
	// flushDense is how many frames a connection has in one pass, on average, from
	// which on resting longer pays: then twice the rest is nearly half the system
	// calls. With 20,000 connections of which few have two frames it would only
	// make everybody wait.
	flushDense = 1.25
	// flushLate is how much later than asked for the flusher wakes up, on average,
	// when the processors are short: only then is a system call worth a wait.
	flushLate = 2 * time.Millisecond
	// flushMemory is how many passes that average is of, about.
	flushMemory = 8
	// flushStretch is by how much the rest grows or shrinks from pass to pass.
	flushStretch = 1.25
	// flushLongest bounds the rest when it pays, and so what gathering adds to a
	// latency.
	flushLongest = 100 * time.Millisecond
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
		frames := 0
		for i, c := range pass {
			frames += c.flush()
			pass[i] = nil
		}
		if len(pass) >= flushCrowd && !stopped {
			f.rest(time.Since(began), float64(frames)/float64(len(pass)))
		}
		spare = pass
		if cap(spare) > maxKeptPass {
			spare = nil
		}
	}
}

// rest waits after a pass that took so long and wrote so many frames for each
// connection.
func (f *flusher) rest(pass time.Duration, frames float64) {
	f.pace.after(pass, frames)
	began := time.Now()
	time.Sleep(f.pace.rest)
	f.pace.woke(time.Since(began))
}

// flushPace says how long the flusher rests between two passes.
type flushPace struct {
	rest time.Duration
	// stretch is how many times longer than flushRest says, at least 1.
	stretch float64
	// late is how much later than asked for the flusher woke up, on average.
	late time.Duration
}

// after plans the rest after a pass.
func (p *flushPace) after(pass time.Duration, frames float64) {
	if frames >= flushDense && p.late > flushLate {
		p.stretch *= flushStretch
	} else {
		p.stretch /= flushStretch
	}
	p.stretch = max(p.stretch, 1)
	short := max(1, min(flushLong, flushRest*pass))
	p.rest = min(flushLongest, time.Duration(float64(short)*p.stretch))
	p.stretch = float64(p.rest) / float64(short) // no further than it does anything
}

// woke notes how long the rest became.
func (p *flushPace) woke(rested time.Duration) {
	p.late += (rested - p.rest - p.late) / flushMemory
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

// flush writes the connection's queue without blocking, and returns how many
// frames that were. What needs more care
// (a close frame, a large message, a pong that goes first, a socket that is full)
// it leaves to the connection's own writer. c.writing is set, and stays so
// until nothing is left.
func (c *conn) flush() (frames int) {
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
			return n
		}
		if written < len(*buf) {
			rest := append([]byte(nil), (*buf)[written:]...)
			c.mu.Lock()
			c.queue = append([]outFrame{{raw: true, data: rest}}, c.queue...)
			c.waiting += len(rest)
			c.writerDone()
			c.mu.Unlock()
			return n
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) == 0 || c.wantsCare(0) {
		c.writerDone()
		return n
	}
	c.gw.flusher.add(c) // in the next pass, after everybody else
	return n
}

// wantsCare says that what is to be written next, frame n of the queue or a
// pong before it, is not for the flusher. c.mu is held.
func (c *conn) wantsCare(n int) bool {
	f := &c.queue[n]
	return c.pong != nil || f.op == opClose || f.raw || len(f.data) > inlineFrame
}
