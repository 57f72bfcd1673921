package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
)

// Promise N11: a local gateway that enforces the real limits.

// "Until execution of the integration associated with the $connect route is
// completed, the upgrade request is pending and the actual connection will not
// be established": apigateway-websocket-api-route-keys-connect-disconnect.html
//
// A post before that gets 410: repost.aws/knowledge-center/410-gone-api-gateway
func TestUpgradeWaitsForConnect(t *testing.T) {
	var id string
	entered, let := make(chan error, 1), make(chan struct{})
	var s *testStack
	s = start(t, with("connect", handlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
		var event events.APIGatewayWebsocketProxyRequest
		if err := json.Unmarshal(payload, &event); err != nil {
			return nil, err
		}
		id = event.RequestContext.ConnectionID
		entered <- s.Post(ctx, id, []byte("too early"))
		<-let
		return ok("")(ctx, payload)
	})))
	connected := make(chan *websocket.Conn, 1)
	go func() { connected <- s.dial("", nil) }()
	require.ErrorIs(t, <-entered, ErrGone)
	_, err := s.Get(t.Context(), id)
	require.ErrorIs(t, err, ErrGone)
	select {
	case <-connected:
		require.FailNow(t, "connected before $connect returned")
	default:
	}
	close(let)
	c := <-connected
	require.NoError(t, s.Post(t.Context(), id, []byte("now")))
	require.Equal(t, "now", read(t, c))
}

// "If the $connect request fails (e.g., due to AuthN/AuthZ failure or an
// integration failure), the connection will not be made":
// apigateway-websocket-api-route-keys-connect-disconnect.html
// The statuses of failures: lambda/latest/dg/services-apigateway-errors.html
func TestConnectRefuses(t *testing.T) {
	answer := func(json string) handlerFunc {
		return func(context.Context, []byte) ([]byte, error) { return []byte(json), nil }
	}
	for name, test := range map[string]struct {
		connect Handler
		status  int
		body    string
	}{
		"403":            {answer(`{"statusCode":403,"body":"secret"}`), 403, `{"message":"Forbidden"}`},
		"401":            {answer(`{"statusCode":401}`), 401, `{"message":"Unauthorized"}`},
		"500":            {answer(`{"statusCode":500}`), 500, `{"message":"Internal Server Error"}`},
		"302":            {answer(`{"statusCode":302}`), 302, `{"message":"Found"}`},
		"status as text": {answer(`{"statusCode":"418"}`), 418, `{"message":"I'm a teapot"}`},
		"no status":      {answer(`{}`), 502, `{"message":"Internal server error"}`},
		"null":           {answer(`null`), 502, `{"message":"Internal server error"}`},
		"not JSON":       {answer(`oops`), 502, `{"message":"Internal server error"}`},
		"impossible":     {answer(`{"statusCode":101}`), 502, `{"message":"Internal server error"}`},
		"failed": {handlerFunc(func(context.Context, []byte) ([]byte, error) { return nil, errors.New("detail") }),
			502, `{"message":"Internal server error"}`},
		"panicked": {handlerFunc(func(context.Context, []byte) ([]byte, error) { panic("detail") }),
			502, `{"message":"Internal server error"}`},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, with("connect", test.connect))
			status, body, _ := s.refused("/dev", nil)
			require.Equal(t, test.status, status)
			require.Equal(t, test.body, body)
			require.Zero(t, s.Snapshot().Connections)
			s.left.none(t) // what never connected does not disconnect
		})
	}
	t.Run("cannot be invoked", func(t *testing.T) {
		s := start(t, func(c *Config) { c.Functions.Connect = "nobody" })
		status, body, _ := s.refused("/dev", nil)
		require.Equal(t, 500, status)
		require.Equal(t, `{"message":"Internal server error"}`, body)
	})
}

// "Integration timeout: 50 milliseconds - 29 seconds":
// apigateway-execution-service-websocket-limits-table.html
func TestConnectTimesOut(t *testing.T) {
	entered := make(chan context.Context, 1)
	s := start(t, with("connect", handlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		entered <- ctx
		<-ctx.Done()
		return nil, ctx.Err()
	})))
	go func() {
		<-entered
		s.clock.Advance(29 * time.Second)
	}()
	status, body, _ := s.refused("/dev", nil)
	require.Equal(t, 504, status)
	require.Equal(t, `{"message":"Endpoint request timed out"}`, body)
}

// "Setting up an integration for $connect is optional":
// apigateway-websocket-api-route-keys-connect-disconnect.html
func TestConnectWithoutFunction(t *testing.T) {
	s := start(t, func(c *Config) { c.Functions.Connect, c.Functions.Disconnect = "", "" })
	c := s.dial("", nil)
	write(t, c, "hi")
	require.Equal(t, "hi", read(t, c))
}

// websocket-connect-route-subprotocol.html: the function's answer has the
// header Sec-WebSocket-Protocol, whatever its case, and the client gets it.
func TestSubprotocol(t *testing.T) {
	var reply atomic.Value
	reply.Store(`{"statusCode":200,"headers":{"sec-websocket-protocol":"token.abc"}}`)
	s := start(t, with("connect", handlerFunc(func(_ context.Context, payload []byte) ([]byte, error) {
		var event events.APIGatewayWebsocketProxyRequest
		if err := json.Unmarshal(payload, &event); err != nil {
			return nil, err
		}
		if event.Headers["Sec-WebSocket-Protocol"] != "symphony,token.abc" {
			return nil, fmt.Errorf("unexpected headers %v", event.Headers)
		}
		return []byte(reply.Load().(string)), nil
	})))
	options := &websocket.DialOptions{Subprotocols: []string{"symphony", "token.abc"}}
	require.Equal(t, "token.abc", s.dial("", options).Subprotocol())
	reply.Store(`{"statusCode":200,"multiValueHeaders":{"Sec-WebSocket-Protocol":["symphony"]}}`)
	require.Equal(t, "symphony", s.dial("", options).Subprotocol())
	reply.Store(`{"statusCode":200}`)
	require.Empty(t, s.dial("", options).Subprotocol())
	// Not an AWS rule: a function's answer cannot smuggle in a header.
	reply.Store(`{"statusCode":200,"headers":{"Sec-WebSocket-Protocol":"symphony\r\nX-Evil: 1"}}`)
	request, err := http.NewRequest(http.MethodGet, s.server.URL+"/dev", nil)
	require.NoError(t, err)
	for key, value := range upgradeHeaders {
		request.Header.Set(key, value)
	}
	request.Header.Set("Sec-WebSocket-Protocol", "symphony,token.abc")
	response, err := http.DefaultTransport.RoundTrip(request)
	require.NoError(t, err)
	defer response.Body.Close()
	require.Equal(t, 101, response.StatusCode)
	require.Empty(t, response.Header.Get("X-Evil"))
	require.Equal(t, "symphonyX-Evil: 1", response.Header.Get("Sec-WebSocket-Protocol"))
}

// upgradeHeaders are those of a good upgrade request.
var upgradeHeaders = map[string]string{
	"Connection": "keep-alive, Upgrade", "Upgrade": "WebSocket",
	"Sec-WebSocket-Version": "13", "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
}

// A WebSocket API has routes, not paths: whatever comes after the stage, and
// any other stage, is forbidden. A slash after the stage is what
// apigateway-how-to-call-websocket-api-wscat.html connects with.
func TestPaths(t *testing.T) {
	s := start(t)
	for _, path := range []string{"/", "/prod", "/Dev", "/dev/room", "/dev//", "/dev/x/", "/devx", "/dev/@connections", "/dev/@connections/", "/dev/@connections/a/b", "/%"} {
		request, err := http.NewRequest(http.MethodGet, s.server.URL, nil)
		require.NoError(t, err)
		request.URL.Opaque = path
		response, err := http.DefaultClient.Do(request)
		require.NoError(t, err)
		body, err := io.ReadAll(response.Body)
		require.NoError(t, err)
		if path == "/%" { // net/http turns this down before any handler
			require.Equal(t, 400, response.StatusCode)
			continue
		}
		require.Equal(t, 403, response.StatusCode, path)
		require.Equal(t, `{"message":"Forbidden"}`, string(body), path)
		require.Equal(t, "ForbiddenException", response.Header.Get("x-amzn-ErrorType"), path)
	}
	status, _, _ := s.refused("/dev/room-1", nil)
	require.Equal(t, 403, status)
	c := s.dial("/?room=x", nil)
	write(t, c, "slash")
	require.Equal(t, "slash", read(t, c))
}

// A request to the stage that is not an upgrade is forbidden; a broken upgrade
// (RFC 6455 section 4.2.1) is a bad request; and neither runs a function.
// "Length, in characters, of the URL for a WebSocket API: 4096":
// apigateway-execution-service-websocket-limits-table.html
func TestHandshake(t *testing.T) {
	connect := newRecorder(ok(""))
	s := start(t, with("connect", connect))
	for name, test := range map[string]struct {
		method, path, header, value string
		status                      int
	}{
		"plain GET":     {"GET", "/dev", "Upgrade", "", 403},
		"no connection": {"GET", "/dev", "Connection", "close", 403},
		"h2c":           {"GET", "/dev", "Upgrade", "h2c", 403},
		"POST":          {"POST", "/dev", "", "", 403},
		"version 8":     {"GET", "/dev", "Sec-WebSocket-Version", "8", 400},
		"no version":    {"GET", "/dev", "Sec-WebSocket-Version", "", 400},
		"no key":        {"GET", "/dev", "Sec-WebSocket-Key", "", 400},
		"short key":     {"GET", "/dev", "Sec-WebSocket-Key", "c2hvcnQ=", 400},
		"long URL":      {"GET", "/dev?" + strings.Repeat("x", 4096-4), "", "", 414},
		"longest URL":   {"GET", "/dev?" + strings.Repeat("x", 4096-5), "", "", 101},
	} {
		request, err := http.NewRequest(test.method, s.server.URL+test.path, nil)
		require.NoError(t, err)
		for key, value := range upgradeHeaders {
			request.Header.Set(key, value)
		}
		if test.header != "" {
			request.Header.Set(test.header, test.value)
			if test.value == "" {
				request.Header.Del(test.header)
			}
		}
		response, err := http.DefaultTransport.RoundTrip(request)
		require.NoError(t, err)
		require.Equal(t, test.status, response.StatusCode, name)
		_ = response.Body.Close()
	}
	connect.event(t)
	connect.none(t)
}

// Compression is never negotiated, whatever the client offers.
func TestNoCompression(t *testing.T) {
	s := start(t)
	_, response, err := websocket.Dial(testContext(t), s.url(), &websocket.DialOptions{CompressionMode: websocket.CompressionContextTakeover})
	require.NoError(t, err)
	require.Empty(t, response.Header.Get("Sec-WebSocket-Extensions"))
}

// Once $connect has succeeded the application knows the connection, so it
// learns of its end even when the client did not wait for the answer.
func TestClientLeavesDuringConnect(t *testing.T) {
	entered, let := make(chan struct{}), make(chan struct{})
	s := start(t, with("connect", handlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
		close(entered)
		<-let
		return ok("")(ctx, payload)
	})))
	nc, err := net.Dial("tcp", s.server.Listener.Addr().String())
	require.NoError(t, err)
	_, err = io.WriteString(nc, "GET /dev HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n")
	require.NoError(t, err)
	<-entered
	require.NoError(t, nc.Close())
	close(let)
	event := s.left.event(t)
	require.EqualValues(t, 1006, event.RequestContext.DisconnectStatusCode)
}

// What a client sends right behind its upgrade request is not lost.
func TestFramesBehindTheUpgrade(t *testing.T) {
	s := start(t)
	nc, err := net.Dial("tcp", s.server.Listener.Addr().String())
	require.NoError(t, err)
	defer nc.Close()
	_, err = nc.Write(append([]byte("GET /dev HTTP/1.1\r\nHost: h\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"),
		frame(0x81, []byte("eager"))...))
	require.NoError(t, err)
	require.Equal(t, "eager", s.message.event(t).Body)
}
