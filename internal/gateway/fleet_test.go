package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi/types"
	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
)

// Two gateway processes, one backend: functions are invoked over HTTP, and the
// backend posts to a connection through the gateway that its id names.
func TestSeveralGatewaysOneBackend(t *testing.T) {
	for _, batch := range []string{"", "/private/batch"} {
		t.Run("batch "+batch, func(t *testing.T) {
			fleet := &Fleet{Stage: "dev", Gateways: map[uint16]string{}, BatchPath: batch}
			var members []string // grows only while nobody sends
			backend := httptest.NewServer(InvokeHandler(Handlers{
				"connect":    ok(""),
				"disconnect": ok(""),
				"message": handlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
					var event events.APIGatewayWebsocketProxyRequest
					if err := json.Unmarshal(payload, &event); err != nil {
						return nil, err
					}
					for i, err := range fleet.PostMany(ctx, append(members, "nobody"), []byte("to all: "+event.Body)) {
						if i < len(members) && err != nil || i == len(members) && !errors.Is(err, ErrGone) {
							return nil, fmt.Errorf("post %d: %w", i, err)
						}
					}
					return ok("done")(ctx, payload)
				}),
			}))
			defer backend.Close()
			var stacks []*testStack
			var clients []*websocket.Conn
			for n := range uint16(2) {
				s := start(t, func(c *Config) {
					c.Number = 700 + n
					c.Invoker = &HTTPInvoker{Base: backend.URL}
				})
				mux := http.NewServeMux()
				mux.Handle("/", s.Gateway)
				mux.Handle("/private/batch", s.BatchHandler())
				server := httptest.NewServer(mux)
				defer server.Close()
				fleet.Gateways[700+n] = server.URL
				stacks = append(stacks, s)
				clients = append(clients, s.dial("", nil))
				members = append(members, s.onlyConn())
				number, _ := NumberOf(s.onlyConn())
				require.Equal(t, 700+n, number)
			}
			write(t, clients[0], "hello")
			require.Equal(t, "to all: hello", read(t, clients[1]))
			require.Equal(t, "to all: hello", read(t, clients[0]))
			require.Equal(t, "done", read(t, clients[0]))

			ctx := testContext(t)
			got, err := fleet.Get(ctx, members[1])
			require.NoError(t, err)
			require.True(t, stacks[1].clock.Now().Equal(got.ConnectedAt))
			require.ErrorIs(t, fleet.Post(ctx, members[1], make([]byte, 128<<10+1)), ErrTooLarge)
			require.ErrorIs(t, fleet.PostMany(ctx, members[:1], make([]byte, 128<<10+1))[0], ErrTooLarge)
			require.NoError(t, fleet.Close(ctx, members[1]))
			require.Equal(t, websocket.StatusNormalClosure, closed(t, clients[1]).Code)
			require.ErrorIs(t, fleet.Post(ctx, members[1], nil), ErrGone)
			_, err = fleet.Get(ctx, members[1])
			require.ErrorIs(t, err, ErrGone)
		})
	}
}

// A gateway passes on management requests for its peers' connections, so that a
// backend, or AWS's SDK, needs to know one address only.
func TestPeers(t *testing.T) {
	b := start(t, func(c *Config) { c.Number = 2 })
	a := start(t, func(c *Config) { c.Number = 1; c.Peers = map[uint16]string{2: b.server.URL} })
	client := b.dial("", nil)
	id := b.onlyConn()
	require.NoError(t, a.Post(testContext(t), id, []byte("in Go")))
	require.Equal(t, "in Go", read(t, client))
	require.NoError(t, sdkPost(t, a.sdk(), id, []byte("over HTTP")))
	require.Equal(t, "over HTTP", read(t, client))
	_, err := a.Get(testContext(t), id)
	require.NoError(t, err)
	var tooLarge *types.PayloadTooLargeException
	require.ErrorAs(t, sdkPost(t, a.sdk(), id, make([]byte, 128<<10+1)), &tooLarge)
	require.NoError(t, a.Close(testContext(t), id))
	require.Equal(t, websocket.StatusNormalClosure, closed(t, client).Code)
	var gone *types.GoneException
	require.ErrorAs(t, sdkPost(t, a.sdk(), id, []byte("x")), &gone)
}

// A peer that does not answer is an error of its own, not "gone": nobody may
// forget a member because a gateway was restarting.
func TestPeerIsDown(t *testing.T) {
	dead := httptest.NewServer(http.NotFoundHandler())
	dead.Close()
	b := start(t, func(c *Config) { c.Number = 2 })
	b.dial("", nil)
	fleet := &Fleet{Stage: "dev", Gateways: map[uint16]string{2: dead.URL}, BatchPath: "/batch"}
	for _, err := range append(fleet.PostMany(testContext(t), []string{b.onlyConn()}, nil), fleet.Post(testContext(t), b.onlyConn(), nil)) {
		require.Error(t, err)
		require.NotErrorIs(t, err, ErrGone)
	}
	teapot := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(418) }))
	defer teapot.Close()
	fleet.Gateways[2] = teapot.URL
	var status *StatusError
	require.ErrorAs(t, fleet.Post(testContext(t), b.onlyConn(), nil), &status)
	require.Equal(t, 418, status.Status)
}

func TestBatchIsParsedStrictly(t *testing.T) {
	s := start(t)
	server := httptest.NewServer(s.BatchHandler())
	defer server.Close()
	for _, body := range []string{"", "no newline", strings.Repeat("x", maxBatch*(idLength+1)+1) + "\n"} {
		response, err := http.Post(server.URL, "", strings.NewReader(body))
		require.NoError(t, err)
		_ = response.Body.Close()
		require.Equal(t, 400, response.StatusCode)
	}
}

// Invocations over HTTP keep apart what a function said, that it failed, and
// that there is none.
func TestHTTPInvoke(t *testing.T) {
	var calls atomic.Int64
	server := httptest.NewServer(InvokeHandler(Handlers{
		"a/b c": handlerFunc(func(_ context.Context, payload []byte) ([]byte, error) {
			calls.Add(1)
			return append([]byte(`"got `), append(payload, '"')...), nil
		}),
		"fails": handlerFunc(func(context.Context, []byte) ([]byte, error) {
			return nil, &FunctionError{Type: "Boom", Message: "Unauthorized"}
		}),
		"large": handlerFunc(func(context.Context, []byte) ([]byte, error) { return make([]byte, maxPayload+1), nil }),
	}))
	defer server.Close()
	invoker := &HTTPInvoker{Base: server.URL + "/"}
	answer, err := invoker.Invoke(testContext(t), "a/b c", []byte("x"))
	require.NoError(t, err)
	require.Equal(t, `"got x"`, string(answer))
	var failed *FunctionError
	_, err = invoker.Invoke(testContext(t), "fails", nil)
	require.ErrorAs(t, err, &failed)
	require.Equal(t, FunctionError{Type: "Boom", Message: "Unauthorized"}, *failed)
	_, err = invoker.Invoke(testContext(t), "large", nil)
	require.ErrorAs(t, err, &failed)
	_, err = invoker.Invoke(testContext(t), "nobody", nil)
	require.Error(t, err)
	require.False(t, errors.As(err, &failed) && failed.Type == "Boom")
	_, err = invoker.Invoke(testContext(t), "a/b c", make([]byte, maxPayload+1))
	require.Error(t, err)
	require.EqualValues(t, 1, calls.Load())
	ctx, cancel := context.WithCancel(testContext(t))
	cancel()
	_, err = invoker.Invoke(ctx, "a/b c", nil)
	require.ErrorIs(t, err, context.Canceled)
}
