package gateway

import (
	"errors"
	"unicode/utf8"
)

// Reasons to stop reading messages; the connection is closing already, and
// what still arrives is thrown away.
var errStop = errors.New("gateway: stop reading")

// serve is the reader goroutine: it lives as long as the connection.
func (c *conn) serve() {
	err := c.readMessages()
	if errors.Is(err, errStop) {
		c.drain()
	}
	c.finish()
}

// readMessages reads until the socket ends (any other error) or the connection
// is closing (errStop).
func (c *conn) readMessages() error {
	for {
		h, err := c.nextData()
		if err != nil {
			return err
		}
		if err := c.readMessage(h); err != nil {
			return err
		}
	}
}

// readMessage reads one message, whose first frame's header is h, and gives it
// to its function.
func (c *conn) readMessage(h header) error {
	switch {
	case h.op == opBinary:
		return c.refuse(h.length, closeUnsupported, reasonUnsupported, ErrorBinary)
	case h.op == opContinuation:
		return c.refuse(h.length, closeProtocol, reasonProtocol, ErrorProtocol)
	}
	message := getScratch()
	defer putScratch(message)
	for {
		if h.length > uint64(c.gw.limits.Frame) || len(*message)+int(h.length) > c.gw.limits.Message {
			return c.refuse(h.length, closeTooBig, reasonTooBig, ErrorTooLarge)
		}
		from := len(*message)
		var err error
		if *message, err = c.sock.appendTo(*message, int(h.length)); err != nil {
			return err
		}
		unmask((*message)[from:], h.key, 0)
		if h.fin {
			break
		}
		if h, err = c.nextData(); err != nil {
			return err
		}
		if h.op != opContinuation {
			return c.refuse(h.length, closeProtocol, reasonProtocol, ErrorProtocol)
		}
	}
	if !utf8.Valid(*message) {
		return c.refuse(0, closeInvalidText, reasonInvalidText, ErrorProtocol)
	}
	c.touch()
	c.gw.metrics.messages.Add(1)
	c.gw.metrics.messageBytes.Add(int64(len(*message)))
	return c.dispatch(*message)
}

// nextData returns the header of the next data frame and takes care of the
// control frames before it.
func (c *conn) nextData() (header, error) {
	for {
		h, err := c.nextHeader()
		if err != nil {
			return h, err
		}
		if !h.control() {
			return h, nil
		}
		if err := c.control(h); err != nil {
			return h, err
		}
	}
}

// nextHeader waits for a frame header. errStop when it is invalid or the
// connection began to close meanwhile.
func (c *conn) nextHeader() (header, error) {
	size := 2
	for {
		b, err := c.sock.peek(size)
		if err != nil {
			return header{}, err
		}
		if c.isClosing() {
			return header{}, errStop
		}
		h, need, err := parseHeader(b)
		if err != nil {
			return header{}, c.refuse(0, closeProtocol, reasonProtocol, ErrorProtocol)
		}
		if len(b) >= need {
			c.sock.consume(need)
			return h, nil
		}
		size = need
	}
}

// control handles a ping, pong or close frame.
func (c *conn) control(h header) error {
	payload, err := c.sock.appendTo(nil, int(h.length))
	if err != nil {
		return err
	}
	unmask(payload, h.key, 0)
	if h.op == opClose {
		code, reason, err := parseClose(payload)
		if err != nil || !utf8.ValidString(reason) {
			return c.refuse(0, closeProtocol, reasonProtocol, ErrorProtocol)
		}
		c.peerClose(code, reason)
		return errStop
	}
	if c.gw.config.PingsKeepAlive {
		c.touch()
	}
	if h.op == opPing {
		c.sendPong(payload)
	}
	return nil
}

// peerClose answers the client's close frame with the same code. The writer
// hangs up behind the answer.
func (c *conn) peerClose(code int, reason string) {
	if code == closeNoStatus {
		reason = reasonNoStatus
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.peerClosed = true
	c.closeLocked(code, reason)
}

// refuse closes the connection because of what the client sent. unread is what
// is left of the frame that was refused.
func (c *conn) refuse(unread uint64, code int, reason, kind string) error {
	c.unread = unread
	c.gw.metrics.fail(kind)
	c.log().Info("closing connection", "code", code, "reason", reason)
	c.close(code, reason)
	return errStop
}

func (c *conn) isClosing() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.closing
}

// drain throws away what arrives after our close frame until the client's
// close frame, its end of the connection, or the end of the grace. Closing the
// socket with bytes unread would reset it, and the client might never see the
// code.
func (c *conn) drain() {
	if c.sock.skip(c.unread) != nil {
		return
	}
	c.mu.Lock()
	done := c.peerClosed
	c.mu.Unlock()
	if !done && c.sock.skipToClose() != nil {
		return
	}
	c.mu.Lock()
	c.peerClosed = true
	sent := c.closeSent
	c.mu.Unlock()
	if !sent {
		// Our close frame is still on its way: the writer hangs up behind it,
		// or the grace ends.
		_ = c.sock.skip(everything)
	}
}

// everything is more than any client sends.
const everything = 1 << 62

// skipToClose reads and drops frames up to and including a close frame. Broken
// frames, or the middle of one, just drop everything.
func (s *socket) skipToClose() error {
	size := 2
	for {
		b, err := s.peek(size)
		if err != nil {
			return err
		}
		h, need, err := parseHeader(b)
		if err != nil {
			return s.skip(everything)
		}
		if len(b) < need {
			size = need
			continue
		}
		size = 2
		s.consume(need)
		if err := s.skip(h.length); err != nil {
			return err
		}
		if h.op == opClose {
			return nil
		}
	}
}

// finish is the end of the connection, whatever ended it.
func (c *conn) finish() {
	c.abort()
	c.mu.Lock()
	code, reason := c.code, c.reason
	if c.stopGrace != nil {
		c.stopGrace()
	}
	c.queue, c.pong = nil, nil
	c.mu.Unlock()
	c.sock.release()
	c.gw.conns.remove(c)
	c.gw.disconnected(c, code, reason)
}
