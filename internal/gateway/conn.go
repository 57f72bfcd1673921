package gateway

import (
	"encoding/base64"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"unique"
)

// Close codes, RFC 6455 section 7.4.1. 1005 and 1006 never travel: they say in
// a $disconnect event that there was no code, or no close frame.
const (
	closeNormal      = 1000
	closeGoingAway   = 1001
	closeProtocol    = 1002
	closeUnsupported = 1003
	closeNoStatus    = 1005
	closeAbnormal    = 1006
	closeInvalidText = 1007
	closeTooBig      = 1009
)

// What $disconnect events say in disconnectReason. The first three were seen
// in events recorded from AWS; RFC 6455's own words stand in for the others.
const (
	reasonGoingAway   = "Going away"
	reasonNormal      = "Connection Closed Normally"
	reasonNoStatus    = "Client-side close frame status not set"
	reasonAbnormal    = "Connection closed abnormally"
	reasonProtocol    = "Protocol error"
	reasonInvalidText = "Invalid frame payload data"
	reasonUnsupported = "Unsupported data"
	reasonTooBig      = "Message too big"
)

// conn is one client's connection. Everything that an idle connection needs is
// in here; strings that many connections have in common are shared.
type conn struct {
	gw   *Gateway
	sock socket

	id          string
	sourceIP    string
	agent       unique.Handle[agent]
	authorizer  string // the "authorizer" object of its events, or ""
	connectedAt int64  // Unix milliseconds

	// active is when a message last went either way; writeSince when the write
	// that is under way began, or 0. Unix nanoseconds of the gateway's clock.
	active, writeSince atomic.Int64

	mu       sync.Mutex
	queue    []outFrame
	waiting  int    // bytes in queue and in the write under way
	pong     []byte // the ping to answer, if any
	writing  bool   // somebody writes, or is about to
	inFlight int    // messages in their function
	freed    chan struct{}
	// closing: a close frame is queued or the socket is closed; nothing may be
	// sent any more. peerClosed: the client's close frame has arrived.
	// closeSent: ours has been written.
	closing, peerClosed, closeSent bool
	code                           int
	reason                         string
	stopGrace                      func() bool

	unread uint64 // the reader's: what is left of a frame it refused
}

// agent is what many connections have in common.
type agent struct {
	userAgent, domain string
}

// touch notes that a message went over the connection.
func (c *conn) touch() { c.active.Store(c.gw.clock.Now().UnixNano()) }

func (c *conn) log() *slog.Logger { return c.gw.log.With("connection", c.id) }

// close starts the closing handshake with a code for the client and for
// $disconnect. Later calls do nothing.
func (c *conn) close(code int, reason string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.closeLocked(code, reason)
}

func (c *conn) closeLocked(code int, reason string) {
	if c.closing {
		return
	}
	c.closing, c.code, c.reason = true, code, reason
	c.wakeReader()
	c.enqueue(outFrame{op: opClose, data: appendClose(nil, code, reason)})
	c.stopGrace = c.gw.clock.AfterFunc(c.gw.limits.CloseGrace, c.abort)
}

// abort ends the connection without a word. The reader notices and finishes.
func (c *conn) abort() {
	c.mu.Lock()
	if !c.closing {
		c.closing, c.code, c.reason = true, closeAbnormal, reasonAbnormal
	}
	c.wakeReader()
	c.mu.Unlock()
	c.sock.Close()
}

// wakeReader ends the reader's wait for a free invocation. c.mu is held.
func (c *conn) wakeReader() {
	if c.freed != nil {
		close(c.freed)
		c.freed = nil
	}
}

// acquire waits until another message of this connection may be invoked. It
// reports false when the connection is closing instead.
func (c *conn) acquire() bool {
	for {
		c.mu.Lock()
		if c.closing {
			c.mu.Unlock()
			return false
		}
		if c.inFlight < c.gw.limits.ConnectionConcurrency {
			c.inFlight++
			c.mu.Unlock()
			return true
		}
		if c.freed == nil {
			c.freed = make(chan struct{})
		}
		wait := c.freed
		c.mu.Unlock()
		<-wait
	}
}

func (c *conn) releaseSlot() {
	c.mu.Lock()
	c.inFlight--
	c.wakeReader()
	c.mu.Unlock()
}

// reply sends what a function returned for a message.
func (c *conn) reply(body []byte) {
	if err := c.send(opText, body); err != nil {
		c.gw.metrics.dropped.Add(1)
		level := slog.LevelWarn
		if errors.Is(err, ErrGone) {
			level = slog.LevelDebug // the client left before its answer came
		}
		c.log().Log(c.gw.ctx, level, "route response not delivered", "bytes", len(body), "error", err)
		return
	}
	c.gw.metrics.replies.Add(1)
}

// The messages of the gateway's own frames. "Forbidden" is for a message
// without a route.
const (
	messageInternal  = "Internal server error"
	messageTimeout   = "Endpoint request timed out"
	messageThrottled = "Too Many Requests"
	messageForbidden = "Forbidden"
)

// replyError sends the frame with which API Gateway reports a failed message,
// in its own spelling.
func (c *conn) replyError(message string, requestID [idLength]byte) {
	frame := make([]byte, 0, 128)
	frame = append(frame, `{"message": "`...)
	frame = append(frame, message...)
	frame = append(frame, `", "connectionId":"`...)
	frame = append(frame, c.id...)
	frame = append(frame, `", "requestId":"`...)
	frame = append(frame, requestID[:]...)
	frame = append(frame, `"}`...)
	if err := c.send(opText, frame); err != nil {
		c.gw.metrics.dropped.Add(1)
	}
}

// routeResponse turns a function's answer to a message into the frame for the
// caller: nil for none. errAnswer when it is not a proxy response or does not
// fit a message.
func (c *conn) routeResponse(answer []byte) ([]byte, error) {
	response, err := parseResponse(answer)
	if err != nil {
		return nil, err
	}
	body := []byte(response.Body)
	if response.IsBase64Encoded {
		if body, err = base64.StdEncoding.DecodeString(response.Body); err != nil {
			return nil, errAnswer
		}
	}
	if len(body) > c.gw.limits.Message {
		return nil, errors.Join(errAnswer, ErrTooLarge)
	}
	return body, nil
}
