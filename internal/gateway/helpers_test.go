package gateway

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
)

// manualClock is a Clock that stands still until it is told to move.
type manualClock struct {
	mu     sync.Mutex
	now    time.Time
	timers map[*manualTimer]struct{}
}

type manualTimer struct {
	at time.Time
	f  func()
}

func newManualClock() *manualClock {
	return &manualClock{now: time.Date(2024, 1, 20, 11, 55, 0, 0, time.UTC), timers: map[*manualTimer]struct{}{}}
}

func (c *manualClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *manualClock) AfterFunc(d time.Duration, f func()) func() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	t := &manualTimer{c.now.Add(d), f}
	c.timers[t] = struct{}{}
	return func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		_, waiting := c.timers[t]
		delete(c.timers, t)
		return waiting
	}
}

// Advance moves the clock forward timer by timer and runs each that is due, in
// the order of their times, before it moves on.
func (c *manualClock) Advance(d time.Duration) {
	c.mu.Lock()
	end := c.now.Add(d)
	for {
		var next *manualTimer
		for t := range c.timers {
			if !t.at.After(end) && (next == nil || t.at.Before(next.at)) {
				next = t
			}
		}
		if next == nil {
			break
		}
		delete(c.timers, next)
		c.now = next.at
		c.mu.Unlock()
		next.f()
		c.mu.Lock()
	}
	c.now = end
	c.mu.Unlock()
}

// handlerFunc is a Handler.
type handlerFunc func(ctx context.Context, payload []byte) ([]byte, error)

func (f handlerFunc) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	return f(ctx, payload)
}

// ok answers every event with status 200 and the body.
func ok(body string) handlerFunc {
	return func(context.Context, []byte) ([]byte, error) {
		return json.Marshal(events.APIGatewayProxyResponse{StatusCode: 200, Body: body})
	}
}

// echo answers a message with its body.
var echo = handlerFunc(func(_ context.Context, payload []byte) ([]byte, error) {
	var event events.APIGatewayWebsocketProxyRequest
	if err := json.Unmarshal(payload, &event); err != nil {
		return nil, err
	}
	return json.Marshal(events.APIGatewayProxyResponse{StatusCode: 200, Body: event.Body})
})

// recorder keeps the payloads of a function and answers like next.
type recorder struct {
	next     Handler
	payloads chan []byte
}

func newRecorder(next Handler) *recorder {
	return &recorder{next, make(chan []byte, 10_000)}
}

func (r *recorder) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	r.payloads <- append([]byte(nil), payload...)
	return r.next.Invoke(ctx, payload)
}

// event waits for the next payload.
func (r *recorder) event(t *testing.T) events.APIGatewayWebsocketProxyRequest {
	t.Helper()
	var event events.APIGatewayWebsocketProxyRequest
	require.NoError(t, json.Unmarshal(r.raw(t), &event))
	return event
}

func (r *recorder) raw(t *testing.T) []byte {
	t.Helper()
	select {
	case payload := <-r.payloads:
		return payload
	case <-time.After(testPatience):
		require.FailNow(t, "the function was not invoked")
		return nil
	}
}

func (r *recorder) none(t *testing.T) {
	t.Helper()
	select {
	case payload := <-r.payloads:
		require.FailNow(t, "the function was invoked", "%s", payload)
	default:
	}
}

// testPatience is how long a test waits for what must come.
const testPatience = time.Minute

// testLog writes to the test's log.
func testLog(t testing.TB) *slog.Logger {
	if testing.Verbose() {
		return slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	return slog.New(slog.DiscardHandler)
}

// testStack is a gateway behind a server on a port of the system's choice.
type testStack struct {
	*Gateway
	t       testing.TB
	clock   *manualClock
	server  *httptest.Server
	message *recorder
	left    *recorder
}

// start runs a gateway whose functions accept and echo, changed by configure.
func start(t testing.TB, configure ...func(*Config)) *testStack {
	t.Helper()
	s := &testStack{t: t, clock: newManualClock(), message: newRecorder(echo), left: newRecorder(ok(""))}
	config := Config{
		Stage:     "dev",
		Functions: Functions{Connect: "connect", Message: "message", Disconnect: "disconnect"},
		Invoker:   Handlers{"connect": ok(""), "message": s.message, "disconnect": s.left},
		Clock:     s.clock,
		Log:       testLog(t),
	}
	for _, c := range configure {
		c(&config)
	}
	g, err := New(config)
	require.NoError(t, err)
	s.Gateway = g
	s.server = httptest.NewServer(g)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), testPatience)
		defer cancel()
		s.server.Close()
		s.abortAll()
		require.NoError(t, g.Shutdown(ctx))
	})
	return s
}

// advance moves the clock once nothing is under way: to a clock that jumps, a
// write or a function that takes a microsecond would take as long as the jump.
func (s *testStack) advance(d time.Duration) {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		s.work.mu.Lock()
		defer s.work.mu.Unlock()
		return s.work.n == 0
	}, testPatience, time.Millisecond)
	s.settle("")
	s.clock.Advance(d)
}

// settle waits until no write is under way but to the excepted connection.
func (s *testStack) settle(except string) {
	s.t.Helper()
	require.Eventually(s.t, func() bool {
		writing := false
		s.conns.each(func(c *conn) { writing = writing || c.id != except && c.writeSince.Load() != 0 })
		return !writing
	}, testPatience, time.Millisecond)
}

// with replaces one function.
func with(name string, h Handler) func(*Config) {
	return func(c *Config) { c.Invoker.(Handlers)[name] = h }
}

func (s *testStack) url() string { return "ws" + strings.TrimPrefix(s.server.URL, "http") + "/dev" }

func testContext(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), testPatience)
	t.Cleanup(cancel)
	return ctx
}

// dial connects with coder/websocket, a client we did not write.
func (s *testStack) dial(query string, options *websocket.DialOptions) *websocket.Conn {
	s.t.Helper()
	c, response, err := websocket.Dial(testContext(s.t), s.url()+query, options)
	if err != nil && response != nil {
		body, _ := io.ReadAll(response.Body)
		require.NoError(s.t, err, "%s %s", response.Status, body)
	}
	require.NoError(s.t, err)
	s.t.Cleanup(func() { _ = c.CloseNow() })
	c.SetReadLimit(-1)
	return c
}

// refused connects and returns the answer, which must not be an upgrade.
func (s *testStack) refused(path string, headers http.Header) (status int, body string, header http.Header) {
	s.t.Helper()
	c, response, err := websocket.Dial(testContext(s.t), "ws"+strings.TrimPrefix(s.server.URL, "http")+path, &websocket.DialOptions{HTTPHeader: headers})
	if err == nil {
		_ = c.CloseNow()
	}
	require.Error(s.t, err)
	require.NotNil(s.t, response)
	raw, err := io.ReadAll(response.Body)
	require.NoError(s.t, err)
	return response.StatusCode, string(raw), response.Header
}

func read(t testing.TB, c *websocket.Conn) string {
	t.Helper()
	kind, data, err := c.Read(testContext(t))
	require.NoError(t, err)
	require.Equal(t, websocket.MessageText, kind)
	return string(data)
}

func write(t testing.TB, c *websocket.Conn, message string) {
	t.Helper()
	require.NoError(t, c.Write(testContext(t), websocket.MessageText, []byte(message)))
}

// closed reads until the connection ends and returns its close code.
func closed(t testing.TB, c *websocket.Conn) websocket.CloseError {
	t.Helper()
	for {
		_, _, err := c.Read(testContext(t))
		if err != nil {
			var closeErr websocket.CloseError
			require.ErrorAs(t, err, &closeErr)
			return closeErr
		}
	}
}

// onlyConn is the id of the one open connection.
func (s *testStack) onlyConn() string {
	s.t.Helper()
	var ids []string
	s.conns.each(func(c *conn) { ids = append(ids, c.id) })
	require.Len(s.t, ids, 1)
	return ids[0]
}

// rawClient speaks WebSocket frame by frame, right or wrong.
type rawClient struct {
	*net.TCPConn
	t  testing.TB
	br *bufio.Reader
}

func (s *testStack) raw(extraHeaders ...string) *rawClient {
	s.t.Helper()
	nc, err := net.Dial("tcp", s.server.Listener.Addr().String())
	require.NoError(s.t, err)
	s.t.Cleanup(func() { _ = nc.Close() })
	require.NoError(s.t, nc.SetDeadline(time.Now().Add(testPatience)))
	r := &rawClient{nc.(*net.TCPConn), s.t, bufio.NewReader(nc)}
	_, err = fmt.Fprintf(nc, "GET /dev HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n",
		s.server.Listener.Addr(), strings.Join(extraHeaders, ""))
	require.NoError(s.t, err)
	response, err := http.ReadResponse(r.br, nil)
	require.NoError(s.t, err)
	require.Equal(s.t, http.StatusSwitchingProtocols, response.StatusCode)
	// The example of RFC 6455 section 1.3.
	require.Equal(s.t, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=", response.Header.Get("Sec-WebSocket-Accept"))
	return r
}

// frame makes a masked frame; first is its first byte (FIN, RSV and opcode).
func frame(first byte, payload []byte) []byte {
	var key [4]byte
	_, _ = rand.Read(key[:])
	b := []byte{first}
	switch n := len(payload); {
	case n < 126:
		b = append(b, 0x80|byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 0x80|126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 0x80|127), uint64(n))
	}
	b = append(b, key[:]...)
	for i, p := range payload {
		b = append(b, p^key[i%4])
	}
	return b
}

func (r *rawClient) send(frames ...[]byte) {
	r.t.Helper()
	for _, f := range frames {
		_, err := r.Write(f)
		require.NoError(r.t, err)
	}
}

// next reads one frame of the server.
func (r *rawClient) next() (first byte, payload []byte, err error) {
	var head [2]byte
	if _, err := io.ReadFull(r.br, head[:]); err != nil {
		return 0, nil, err
	}
	require.Zero(r.t, head[1]&0x80, "a server does not mask")
	length := uint64(head[1])
	switch length {
	case 126:
		var b [2]byte
		if _, err := io.ReadFull(r.br, b[:]); err != nil {
			return 0, nil, err
		}
		length = uint64(binary.BigEndian.Uint16(b[:]))
	case 127:
		var b [8]byte
		if _, err := io.ReadFull(r.br, b[:]); err != nil {
			return 0, nil, err
		}
		length = binary.BigEndian.Uint64(b[:])
	}
	payload = make([]byte, length)
	_, err = io.ReadFull(r.br, payload)
	return head[0], payload, err
}

// closeCode reads up to the server's close frame and returns its code.
func (r *rawClient) closeCode() int {
	r.t.Helper()
	for {
		first, payload, err := r.next()
		require.NoError(r.t, err)
		if first&0x0F == opClose {
			require.GreaterOrEqual(r.t, len(payload), 2)
			return int(binary.BigEndian.Uint16(payload))
		}
	}
}

// errorFrame reads a frame of the gateway's own about a failed message.
func errorFrame(t testing.TB, frame string) (message, connectionID, requestID string) {
	t.Helper()
	var f struct{ Message, ConnectionID, RequestID string }
	require.NoError(t, json.Unmarshal([]byte(frame), &f), frame)
	raw, err := base64.URLEncoding.DecodeString(f.RequestID)
	require.NoError(t, err)
	require.Len(t, raw, idBytes)
	return f.Message, f.ConnectionID, f.RequestID
}
