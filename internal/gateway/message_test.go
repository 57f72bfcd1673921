package gateway

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func answers(json string) handlerFunc {
	return func(context.Context, []byte) ([]byte, error) { return []byte(json), nil }
}

// "For proxy integrations, API Gateway automatically passes the backend output
// to the caller as the complete payload": integration responses for two-way
// communication, apigateway-websocket-api-integration-responses.html and
// apigateway-websocket-api-route-response.html
func TestRouteResponse(t *testing.T) {
	for name, test := range map[string]struct{ answer, want string }{
		"body":                {`{"statusCode":200,"body":"pong"}`, "pong"},
		"body of a failure":   {`{"statusCode":500,"body":"sorry"}`, "sorry"},
		"base64":              {`{"statusCode":200,"isBase64Encoded":true,"body":"` + base64.StdEncoding.EncodeToString([]byte("über")) + `"}`, "über"},
		"longest":             {`{"statusCode":200,"body":"` + strings.Repeat("x", 128<<10) + `"}`, strings.Repeat("x", 128<<10)},
		"status as a string":  {`{"statusCode":"200","body":"pong"}`, "pong"},
		"fields nobody knows": {`{"statusCode":200,"body":"pong","cookies":[]}`, "pong"},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, with("message", answers(test.answer)))
			c := s.dial("", nil)
			write(t, c, "ping")
			require.Equal(t, test.want, read(t, c))
		})
	}
}

// No body, no frame.
func TestEmptyRouteResponse(t *testing.T) {
	for _, answer := range []string{`{"statusCode":200}`, `{"statusCode":200,"body":""}`, `{"statusCode":500,"body":null}`} {
		s := start(t, with("message", answers(answer)))
		c := s.dial("", nil)
		write(t, c, "ping")
		require.Eventually(t, func() bool { snapshot := s.Snapshot(); return snapshot.Invocations == 2 && snapshot.InFlight == 0 }, testPatience, time.Millisecond)
		require.NoError(t, s.Post(t.Context(), s.onlyConn(), []byte("marker")))
		require.Equal(t, "marker", read(t, c))
	}
}

// "If a route is configured for one-way communication … no response will be
// returned over the WebSocket channel after the message is processed":
// apigateway-websocket-api-integration-responses.html
func TestOneWay(t *testing.T) {
	s := start(t, func(c *Config) { c.NoRouteResponse = true })
	c := s.dial("", nil)
	write(t, c, "ping")
	require.Eventually(t, func() bool { snapshot := s.Snapshot(); return snapshot.Invocations == 2 && snapshot.InFlight == 0 }, testPatience, time.Millisecond)
	require.NoError(t, s.Post(t.Context(), s.onlyConn(), []byte("marker")))
	require.Equal(t, "marker", read(t, c))
}

// A function that fails, or answers what is no proxy response: the client gets
// API Gateway's frame and nothing of the cause, and stays connected.
// "If Lambda returns an error, API Gateway returns an error response to the
// client … In both cases, the body … is {"message": "Internal server error"}":
// lambda/latest/dg/services-apigateway-errors.html
func TestFunctionFails(t *testing.T) {
	for name, function := range map[string]Handler{
		"error":             handlerFunc(func(context.Context, []byte) ([]byte, error) { return nil, errors.New("secret") }),
		"panic":             handlerFunc(func(context.Context, []byte) ([]byte, error) { panic("secret") }),
		"null":              answers(`null`),
		"a string":          answers(`"hello"`),
		"no status":         answers(`{"body":"x"}`),
		"nonsense status":   answers(`{"statusCode":"many","body":"x"}`),
		"broken base64":     answers(`{"statusCode":200,"isBase64Encoded":true,"body":"%"}`),
		"over 128 KB":       answers(`{"statusCode":200,"body":"` + strings.Repeat("x", 128<<10+1) + `"}`),
		"not there":         nil,
		"empty answer":      answers(``),
		"body is no string": answers(`{"statusCode":200,"body":{"a":1}}`),
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t, with("message", function), func(c *Config) {
				if function == nil {
					c.Functions.Message = "missing"
				}
			})
			c := s.dial("", nil)
			for range 2 {
				write(t, c, "ping")
				frame := read(t, c)
				message, id, requestID := errorFrame(t, frame)
				require.Equal(t, "Internal server error", message)
				require.Equal(t, s.onlyConn(), id)
				// Its exact spelling.
				require.Equal(t, `{"message": "Internal server error", "connectionId":"`+id+`", "requestId":"`+requestID+`"}`, frame)
			}
			require.EqualValues(t, 2, s.Snapshot().Errors[ErrorFunction])
		})
	}
}

// "Integration timeout: 29 seconds": the frame says "Endpoint request timed
// out", as seen in reports of it (github.com/Kludex/mangum/issues/128). What
// the function answers later goes nowhere.
func TestMessageTimesOut(t *testing.T) {
	entered, let := make(chan context.Context, 1), make(chan struct{})
	s := start(t, with("message", handlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
		entered <- ctx
		<-let
		return ok("too late")(ctx, payload)
	})))
	c := s.dial("", nil)
	write(t, c, "ping")
	ctx := <-entered
	s.clock.Advance(29*time.Second - time.Millisecond)
	require.NoError(t, ctx.Err())
	s.clock.Advance(time.Millisecond)
	message, _, _ := errorFrame(t, read(t, c))
	require.Equal(t, "Endpoint request timed out", message)
	<-ctx.Done()
	close(let)
	require.Eventually(t, func() bool { return s.Snapshot().InFlight == 0 }, testPatience, time.Millisecond)
	require.NoError(t, s.Post(t.Context(), s.onlyConn(), []byte("marker")))
	require.Equal(t, "marker", read(t, c))
}

// A function may die at any moment: its context ends, what it would have
// answered is lost, and the client learns only that there was an error.
func TestFunctionIsKilled(t *testing.T) {
	ended := make(chan error, 1)
	s := start(t, with("message", handlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
		<-ctx.Done()
		ended <- ctx.Err()
		return ok("never heard")(ctx, payload)
	})), func(c *Config) { c.Chaos = Chaos{Seed: 1, KillMessage: 1} })
	c := s.dial("", nil)
	write(t, c, "ping")
	require.Eventually(t, func() bool {
		s.clock.Advance(killWithin)
		return len(ended) == 1
	}, testPatience, time.Millisecond)
	require.ErrorIs(t, <-ended, context.Canceled)
	message, _, _ := errorFrame(t, read(t, c))
	require.Equal(t, "Internal server error", message)
	require.EqualValues(t, 1, s.Snapshot().Errors[ErrorFunction])
}

// A message for which there is no route: {"message": "Forbidden", …}, as in
// github.com/aws-samples/simple-websockets-chat-app/issues/24.
func TestNoRoute(t *testing.T) {
	s := start(t, func(c *Config) { c.Functions.Message = "" })
	c := s.dial("", nil)
	write(t, c, "ping")
	message, _, _ := errorFrame(t, read(t, c))
	require.Equal(t, "Forbidden", message)
}

// Messages of one connection are events of their own: the second does not wait
// for the first (there is no documented order).
func TestMessagesRunConcurrently(t *testing.T) {
	both := make(chan struct{}, 2)
	meet := make(chan struct{})
	s := start(t, with("message", handlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
		both <- struct{}{}
		<-meet
		return ok("")(ctx, payload)
	})))
	c := s.dial("", nil)
	write(t, c, "1")
	write(t, c, "2")
	<-both
	<-both
	close(meet)
}

// At most Limits.ConnectionConcurrency of one connection's messages are in
// their function; the rest wait in the socket, and all are invoked.
func TestConcurrencyIsBounded(t *testing.T) {
	let := make(chan struct{})
	s := start(t, with("message", newRecorder(handlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
		<-let
		return ok("")(ctx, payload)
	}))), func(c *Config) { c.Limits.ConnectionConcurrency = 3; c.Functions.Connect = "" })
	c := s.dial("", nil)
	for range 10 {
		write(t, c, "m")
	}
	require.Eventually(t, func() bool { return s.Snapshot().InFlight == 3 }, testPatience, time.Millisecond)
	require.LessOrEqual(t, s.Snapshot().Messages, int64(4), "the fourth has been read and waits")
	close(let)
	require.Eventually(t, func() bool { return s.Snapshot().Invocations == 10 }, testPatience, time.Millisecond)
}

// Property: a client that floods the gateway and reads nothing blocks nobody
// else, and its memory is bounded: it is no longer read from.
func TestFloodBlocksNobody(t *testing.T) {
	stuck := make(chan struct{})
	s := start(t, with("message", handlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
		var event struct{ Body string }
		if err := json.Unmarshal(payload, &event); err != nil {
			return nil, err
		}
		if strings.HasPrefix(event.Body, "flood") {
			<-stuck
			return ok(strings.Repeat("x", 100<<10))(ctx, payload)
		}
		return ok(event.Body)(ctx, payload)
	})))
	t.Cleanup(func() { close(stuck) })
	flood := s.raw()
	go func() {
		f := frame(0x81, []byte("flood "+strings.Repeat("y", 30<<10)))
		for {
			if _, err := flood.Write(f); err != nil {
				return
			}
		}
	}()
	require.Eventually(t, func() bool { return s.Snapshot().InFlight >= 32 }, testPatience, time.Millisecond)
	quiet := s.dial("", nil)
	for range 100 {
		write(t, quiet, "hello")
		require.Equal(t, "hello", read(t, quiet))
	}
	snapshot := s.Snapshot()
	require.LessOrEqual(t, snapshot.Messages, int64(100+32+1))
}
