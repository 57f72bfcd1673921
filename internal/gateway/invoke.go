package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/tidwall/gjson"
)

// Invoker runs a function with a JSON payload and returns its JSON answer. It
// is called from many goroutines at once. A function that ran and failed gives
// a *FunctionError; any other error means that it could not be run. payload
// may not be kept or changed after Invoke returns. ctx ends when nobody waits
// for the answer any more.
type Invoker interface {
	Invoke(ctx context.Context, function string, payload []byte) ([]byte, error)
}

// Handler is one function in this process; it is what lambda.NewHandler of
// aws-lambda-go returns.
type Handler interface {
	Invoke(ctx context.Context, payload []byte) ([]byte, error)
}

// ErrNoFunction is returned by Handlers for a name it does not have.
var ErrNoFunction = errors.New("gateway: no such function")

// Handlers is an Invoker of functions in this process, by name. What a handler
// returns as an error is the function's failure, as it is in a Lambda.
type Handlers map[string]Handler

// Invoke implements Invoker.
func (h Handlers) Invoke(ctx context.Context, function string, payload []byte) ([]byte, error) {
	handler, ok := h[function]
	if !ok {
		return nil, fmt.Errorf("%w: %q", ErrNoFunction, function)
	}
	answer, err := handler.Invoke(ctx, payload)
	if err != nil {
		return nil, asFunctionError(err)
	}
	return answer, nil
}

func asFunctionError(err error) error {
	var failed *FunctionError
	if errors.As(err, &failed) {
		return failed
	}
	return &FunctionError{Type: strings.TrimPrefix(fmt.Sprintf("%T", err), "*"), Message: err.Error()}
}

// errAnswer means that a function's answer is not a proxy response.
var errAnswer = errors.New("gateway: not a proxy response")

// proxyResponse is a Lambda proxy integration's answer. Source: "Output format
// of a Lambda function for proxy integration"
// (set-up-lambda-proxy-integrations.html).
type proxyResponse struct {
	Status            int
	Body              string
	IsBase64Encoded   bool
	Headers           map[string]any
	MultiValueHeaders map[string][]any
}

// parseResponse reads an answer; errAnswer when it has no status code, or what
// it has is of another type.
func parseResponse(answer []byte) (proxyResponse, error) {
	var p proxyResponse
	if !gjson.ValidBytes(answer) {
		return p, fmt.Errorf("%w: no JSON", errAnswer)
	}
	var status string
	wrong := ""
	gjson.ParseBytes(answer).ForEach(func(key, value gjson.Result) bool {
		ok := true
		switch key.Str {
		case "statusCode":
			status = value.String()
		case "body":
			p.Body, ok = value.Str, value.Type == gjson.String
		case "isBase64Encoded":
			p.IsBase64Encoded, ok = value.Bool(), value.IsBool()
		case "headers":
			ok = json.Unmarshal([]byte(value.Raw), &p.Headers) == nil
		case "multiValueHeaders":
			ok = json.Unmarshal([]byte(value.Raw), &p.MultiValueHeaders) == nil
		}
		if !ok && value.Type != gjson.Null {
			wrong = key.Str
		}
		return wrong == ""
	})
	if wrong != "" {
		return proxyResponse{}, fmt.Errorf("%w: its %s", errAnswer, wrong)
	}
	var err error
	if p.Status, err = strconv.Atoi(status); err != nil || p.Status < 200 || p.Status > 599 {
		return proxyResponse{}, fmt.Errorf("%w: status code %q", errAnswer, status)
	}
	return p, nil
}

// header returns a header of the answer, whatever its case.
func (p proxyResponse) header(name string) string {
	for key, values := range p.MultiValueHeaders {
		if strings.EqualFold(key, name) && len(values) > 0 {
			return fmt.Sprint(values[0])
		}
	}
	for key, value := range p.Headers {
		if strings.EqualFold(key, name) {
			return fmt.Sprint(value)
		}
	}
	return ""
}

// errTimeout means that a function did not answer within Limits.Integration.
var errTimeout = errors.New("gateway: integration timed out")

// errKilled is the death of a function that Config.Chaos wanted.
var errKilled = &FunctionError{Type: "Runtime.ExitError", Message: "killed by chaos"}

// errClosed means that the gateway has shut down.
var errClosed = errors.New("gateway: shut down")

// call runs a function and turns its panic into its failure.
func (g *Gateway) call(ctx context.Context, function string, payload []byte) (answer []byte, err error) {
	g.metrics.invocations.Add(1)
	g.metrics.invocationsInFlight.Add(1)
	defer g.metrics.invocationsInFlight.Add(-1)
	defer func() {
		if p := recover(); p != nil {
			err = &FunctionError{Type: "panic", Message: fmt.Sprint(p)}
		}
	}()
	return g.config.Invoker.Invoke(ctx, function, payload)
}

// invoke runs a function and waits for its answer, at most
// Limits.Integration (errTimeout).
func (g *Gateway) invoke(function string, payload []byte) ([]byte, error) {
	if !g.work.begin() {
		return nil, errClosed
	}
	ctx, cancel := context.WithCancel(g.ctx)
	type result struct {
		answer []byte
		err    error
	}
	done := make(chan result, 2) // the answer and the time-out
	stop := g.clock.AfterFunc(g.limits.Integration, func() { done <- result{err: errTimeout} })
	go func() {
		defer g.work.end()
		answer, err := g.call(ctx, function, payload)
		done <- result{answer, err}
	}()
	r := <-done
	stop()
	cancel()
	return r.answer, r.err
}

// dispatch gives one message to its function. It returns once the message is
// on its way; errStop when the connection is closing.
func (c *conn) dispatch(message []byte) error {
	g := c.gw
	base := c.event(routeDefault, eventMessage)
	requestID := base.requestID
	if !g.requests.take() {
		g.metrics.fail(ErrorThrottled)
		c.replyError(messageThrottled, requestID)
		return nil
	}
	if g.config.Functions.Message == "" {
		c.replyError(messageForbidden, requestID)
		return nil
	}
	if !c.acquire() {
		return errStop
	}
	if !g.work.begin() {
		c.releaseSlot()
		return errStop
	}
	event := getScratch()
	base.messageID = g.ids.request()
	*event = g.appendMessageEvent(*event, base, message)
	run := func() {
		defer g.work.end()
		c.invokeMessage(requestID, *event)
		putScratch(event)
	}
	if delay := g.chaos.delay(); delay > 0 {
		g.clock.AfterFunc(delay, run)
		return nil
	}
	g.workers.run(run)
	return nil
}

// invokeMessage runs the message function and sends the caller its answer, or
// the error frame, whichever of the function and the time-out comes first.
func (c *conn) invokeMessage(requestID [idLength]byte, event []byte) {
	g := c.gw
	ctx, cancel := context.WithCancel(g.ctx)
	defer cancel()
	var answered atomic.Bool
	stop := g.clock.AfterFunc(g.limits.Integration, func() {
		if answered.CompareAndSwap(false, true) {
			cancel()
			c.releaseSlot()
			g.metrics.fail(ErrorTimeout)
			c.log().Warn("function timed out", "function", g.config.Functions.Message, "request", string(requestID[:]))
			c.replyError(messageTimeout, requestID)
		}
	})
	after, dies := g.chaos.kill()
	if dies {
		defer g.clock.AfterFunc(after, cancel)()
	}
	answer, err := g.call(ctx, g.config.Functions.Message, event)
	if dies {
		answer, err = nil, errKilled
	}
	stop()
	if !answered.CompareAndSwap(false, true) {
		return
	}
	defer c.releaseSlot()
	if err == nil && g.config.NoRouteResponse {
		return
	}
	var body []byte
	if err == nil {
		body, err = c.routeResponse(answer)
	}
	if err != nil {
		g.metrics.fail(ErrorFunction)
		c.log().Warn("function failed", "function", g.config.Functions.Message, "request", string(requestID[:]), "error", err)
		c.replyError(messageInternal, requestID)
		return
	}
	if len(body) > 0 {
		c.reply(body)
	}
}

// disconnected reports the end of a connection to its function, once, unless
// chaos drops it: delivery is best effort.
func (g *Gateway) disconnected(c *conn, code int, reason string) {
	defer g.open.end()
	g.metrics.disconnects.Add(1)
	c.log().Debug("disconnected", "code", code, "reason", reason)
	if g.config.Functions.Disconnect == "" {
		return
	}
	if g.chaos.dropDisconnect() {
		g.metrics.disconnectsLost.Add(1)
		c.log().Debug("$disconnect dropped")
		return
	}
	base := c.event(routeDisconnect, eventDisconnect)
	base.disconnectCode, base.disconnectReason = code, reason
	event := g.disconnectEvent(base)
	if _, err := g.invoke(g.config.Functions.Disconnect, event); err != nil {
		g.metrics.fail(ErrorFunction)
		c.log().Warn("function failed", "function", g.config.Functions.Disconnect, "error", err)
	}
}

// tracker counts what is under way and lets Shutdown wait for it. Unlike a
// sync.WaitGroup it can be closed to newcomers.
type tracker struct {
	mu     sync.Mutex
	n      int
	closed bool
	idle   chan struct{} // made by close; closed when n reaches 0
}

// begin reports false when the tracker is closed.
func (t *tracker) begin() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return false
	}
	t.n++
	return true
}

func (t *tracker) end() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.n--
	if t.closed && t.n == 0 {
		close(t.idle)
	}
}

// close lets nothing more begin and returns a channel that is closed once
// everything has ended.
func (t *tracker) close() <-chan struct{} {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.closed {
		t.closed = true
		t.idle = make(chan struct{})
		if t.n == 0 {
			close(t.idle)
		}
	}
	return t.idle
}
