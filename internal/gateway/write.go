package gateway

import "net"

// inlineFrame is the largest frame that the flusher writes, without blocking;
// larger ones, and all that follow while the socket is full, wait in the queue
// for the connection's own writer.
const inlineFrame = 16 << 10

// batchBytes and batchFrames bound one write of the writer, so that a slow
// client's progress is seen.
const (
	batchBytes  = 256 << 10
	batchFrames = 64
)

// outFrame waits in a connection's queue: a whole message, a control frame, or
// (raw) bytes that are already framed.
type outFrame struct {
	op   byte
	raw  bool
	data []byte
}

// send queues a message for the flusher. It does not count against any
// throttle. ErrGone when the connection is closing, ErrLimit when too much
// waits already. data must not change afterwards.
func (c *conn) send(op byte, data []byte) error {
	c.mu.Lock()
	if c.closing {
		c.mu.Unlock()
		return ErrGone
	}
	if c.waiting+len(data) > c.gw.limits.SendBuffer || len(c.queue) >= c.gw.limits.SendQueue {
		c.mu.Unlock()
		return ErrLimit
	}
	c.touch()
	c.queue = append(c.queue, outFrame{op: op, data: data})
	c.waiting += len(data)
	if !c.writing {
		c.writing = true
		if c.sock.raw != nil {
			c.gw.flusher.add(c)
		} else {
			c.writerDone()
		}
	}
	c.mu.Unlock()
	return nil
}

// writerDone ends a turn at writing: it starts the writer if something came
// in. c.mu is held.
func (c *conn) writerDone() {
	if len(c.queue) == 0 && c.pong == nil {
		c.writing = false
		c.writeSince.Store(0)
		return
	}
	c.writeSince.Store(c.gw.clock.Now().UnixNano())
	go c.writeQueue()
}

// enqueue appends a frame and makes sure that somebody writes it. c.mu is held.
func (c *conn) enqueue(f outFrame) {
	c.queue = append(c.queue, f)
	c.waiting += len(f.data)
	c.wakeWriter()
}

func (c *conn) wakeWriter() {
	if !c.writing {
		c.writing = true
		c.writerDone()
	}
}

// sendPong answers a ping. Only the latest waits: RFC 6455 section 5.5.3 lets
// an endpoint answer just the most recent ping.
func (c *conn) sendPong(payload []byte) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.closing {
		return
	}
	c.pong = append(make([]byte, 0, len(payload)), payload...)
	c.wakeWriter()
}

// writeQueue is the writer: it runs while there is something to write.
func (c *conn) writeQueue() {
	var headers []byte
	for {
		batch, last := c.nextBatch()
		if batch == nil {
			return
		}
		size := 0
		var buffers net.Buffers
		headers = headers[:0]
		for _, f := range batch {
			buffers, headers = c.gw.appendFrames(buffers, headers, f)
			if f.op != opPong {
				size += len(f.data)
			}
		}
		if _, err := buffers.WriteTo(c.sock.Conn); err != nil {
			c.abort()
			return
		}
		c.mu.Lock()
		c.waiting -= size
		c.closeSent = c.closeSent || last
		hangUp := last && c.peerClosed
		c.mu.Unlock()
		if last {
			c.writeSince.Store(0)
			if hangUp {
				c.abort()
			}
			return // nothing may follow a close frame
		}
		c.writeSince.Store(c.gw.clock.Now().UnixNano())
	}
}

// nextBatch takes what is to be written next; nil ends the writer. last says
// that the batch ends with a close frame.
func (c *conn) nextBatch() (batch []outFrame, last bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	// The rest of a frame that was written in part goes before anything else.
	size := 0
	for len(batch) < batchFrames && len(c.queue) > len(batch) && size < batchBytes {
		f := c.queue[len(batch)]
		if c.pong != nil && !f.raw {
			break
		}
		batch = c.queue[:len(batch)+1]
		size += len(f.data)
	}
	c.queue = c.queue[len(batch):]
	if len(c.queue) == 0 {
		c.queue = nil
	}
	if c.pong != nil {
		batch = append(batch[:len(batch):len(batch)], outFrame{op: opPong, data: c.pong})
		c.pong = nil
	}
	if len(batch) == 0 {
		c.writing = false
		c.writeSince.Store(0)
		return nil, false
	}
	return batch, batch[len(batch)-1].op == opClose
}

// appendFrames adds f to what is to be written, its headers kept in headers.
// A message is split into frames of at most Limits.Frame, as the quotas page
// says of @connections commands too.
func (g *Gateway) appendFrames(buffers net.Buffers, headers []byte, f outFrame) (net.Buffers, []byte) {
	if f.raw {
		return append(buffers, f.data), headers
	}
	op, data := f.op, f.data
	for {
		part := data[:min(len(data), g.limits.Frame)]
		data = data[len(part):]
		from := len(headers)
		headers = appendHeader(headers, op, len(data) == 0, len(part))
		buffers = append(buffers, headers[from:len(headers):len(headers)])
		if len(part) > 0 {
			buffers = append(buffers, part)
		}
		if len(data) == 0 {
			return buffers, headers
		}
		op = opContinuation
	}
}
