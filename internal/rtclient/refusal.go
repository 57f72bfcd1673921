package rtclient

import (
	"fmt"
	"time"

	"github.com/symphony-rt/symphony/internal/protocol"
)

// refusal handles an error of the server: docs/PROTOCOL.md, "Errors".
func (c *Client) refusal(l *link, m *protocol.Error) error {
	if m.ID != 0 {
		c.answered(m)
	} else {
		call(c.opt.Events.OnError, m)
	}
	switch m.Code {
	case protocol.CodeDenied, protocol.CodeRoomID:
		return c.refuse(m)
	case protocol.CodeUnknownConnection:
		return m // the next connection will be known
	case protocol.CodeReadOnly:
		c.mu.Lock()
		c.access = protocol.AccessRead
		c.mu.Unlock()
	}
	if m.ID != 0 {
		return nil
	}
	c.mu.Lock()
	ready, inUse := l.ready, l == c.link || l == c.next
	at := c.opt.Clock.Now().Add(c.retryIn(m.RetryAfter(), l.hellos))
	switch {
	case !inUse || m.RetryMS == 0:
	case !ready:
		l.again, l.helloBy = true, at
		c.arm(at)
	case !c.gapAt.IsZero():
		c.gapAt = at
		c.arm(at)
	}
	c.mu.Unlock()
	if ready || m.RetryMS > 0 {
		return nil
	}
	// The hello was not accepted. Another connection may fare better, unless
	// it is the hello that the server cannot take.
	if m.Code == protocol.CodeUnsupported || m.Code == protocol.CodeMalformed {
		return c.refuse(m)
	}
	return m
}

// answered handles the refusal of a submit or upload: again later, or never.
func (c *Client) answered(m *protocol.Error) {
	c.mu.Lock()
	p := c.out.find(m.ID)
	switch {
	case p == nil:
	case m.RetryMS > 0:
		p.resendAt = c.opt.Clock.Now().Add(c.retryIn(m.RetryAfter(), p.tries))
		p.upload = "" // an upload starts over
		c.arm(p.resendAt)
	case m.Code == protocol.CodeUnknownConnection:
		// Not refused, only not from this connection: the next one sends it.
		p = nil
	default:
		c.out.remove(m.ID)
	}
	c.notify()
	c.mu.Unlock()
	if p != nil && m.RetryMS == 0 {
		c.rejected(m)
	}
}

func (c *Client) rejected(m *protocol.Error) {
	if c.opt.Events.OnRejected != nil {
		c.opt.Events.OnRejected(m.ID, m)
	}
}

// retryIn returns the time to wait before what was sent `sent` times is sent
// again: at least what the server asks for and up to half as much again,
// doubled each time until it is as long as the wait for an answer.
func (c *Client) retryIn(asked time.Duration, sent int) time.Duration {
	wait := asked << min(max(sent-1, 0), 10)
	wait = max(asked, min(wait, c.opt.Times.AckTimeout))
	return time.Duration((1 + c.opt.Rand()/2) * float64(wait))
}

// gatewayRetry is the retry time after an error of the gateway, which names none.
const gatewayRetry = time.Second

// gatewayFailed handles an error of API Gateway itself: some message of this
// client reached no function, or its function failed. Which one it does not
// say, so everything that is not answered by then is sent again.
func (c *Client) gatewayFailed(l *link, text string) error {
	c.deliver.Lock()
	defer c.deliver.Unlock()
	code := protocol.CodeUnavailable
	if text == protocol.GatewayThrottled {
		code = protocol.CodeThrottled
	}
	c.mu.Lock()
	l.aliveBy = time.Time{}
	now := c.opt.Clock.Now()
	for _, p := range c.out.items {
		if at := now.Add(c.retryIn(gatewayRetry, p.tries)); p.tries > 0 && at.Before(p.resendAt) {
			p.resendAt = at
			c.arm(at)
		}
	}
	c.mu.Unlock()
	return c.refusal(l, &protocol.Error{Code: code, RetryMS: uint64(gatewayRetry / time.Millisecond), Text: text})
}

// refuse ends the client for good.
func (c *Client) refuse(m *protocol.Error) error {
	err := fmt.Errorf("%w: %w", ErrRefused, m)
	c.fail(err)
	return err
}
