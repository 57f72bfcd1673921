package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
)

// linked is a backend and n gateways joined by links.
func linked(t *testing.T, n int, functions Handlers) (*Links, []*testStack) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	links := NewLinks(functions, "secret")
	go func() { _ = links.Serve(listener) }()
	t.Cleanup(func() { _ = listener.Close(); links.Shutdown() })
	var stacks []*testStack
	for i := range n {
		var g *Gateway
		made := make(chan struct{})
		invoker, err := DialLink(testContext(t), listener.Addr().String(), "secret", uint16(800+i), func() *Gateway { <-made; return g })
		require.NoError(t, err)
		t.Cleanup(invoker.Close)
		s := start(t, func(c *Config) { c.Number, c.Invoker = uint16(800+i), invoker })
		g = s.Gateway
		close(made)
		stacks = append(stacks, s)
	}
	return links, stacks
}

// Two gateway processes over links behave as two over HTTP.
func TestLinkedGateways(t *testing.T) {
	var links *Links
	var members []string
	links, stacks := linked(t, 2, Handlers{
		"connect":    ok(""),
		"disconnect": ok(""),
		"message": handlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
			var event events.APIGatewayWebsocketProxyRequest
			if err := json.Unmarshal(payload, &event); err != nil {
				return nil, err
			}
			for i, err := range links.PostMany(ctx, append(members, "nobody"), []byte("to all: "+event.Body)) {
				if i < len(members) && err != nil || i == len(members) && !errors.Is(err, ErrGone) {
					return nil, fmt.Errorf("post %d: %w", i, err)
				}
			}
			return ok("done")(ctx, payload)
		}),
	})
	var clients []*websocket.Conn
	for _, s := range stacks {
		clients = append(clients, s.dial("", nil))
		members = append(members, s.onlyConn())
	}
	write(t, clients[0], "hello")
	require.Equal(t, "to all: hello", read(t, clients[1]))
	require.Equal(t, "to all: hello", read(t, clients[0]))
	require.Equal(t, "done", read(t, clients[0]))

	ctx := testContext(t)
	require.ErrorIs(t, links.PostMany(ctx, members[:1], make([]byte, 128<<10+1))[0], ErrTooLarge)
	require.NoError(t, links.Close(ctx, members[1]))
	require.Equal(t, websocket.StatusNormalClosure, closed(t, clients[1]).Code)
	require.ErrorIs(t, links.PostMany(ctx, members[1:], nil)[0], ErrGone)
	require.ErrorIs(t, links.Close(ctx, members[1]), ErrGone)
	require.ErrorIs(t, links.Close(ctx, "nobody"), ErrGone)

	links.Shutdown()
	err := links.PostMany(ctx, members[:1], nil)[0]
	require.ErrorIs(t, err, ErrLink)
	require.NotErrorIs(t, err, ErrGone, "nobody may forget a member because a gateway was restarting")
}

// Answers of many invocations at once are not mixed up, and what a function
// said, that it failed and that there is none are kept apart.
func TestLinkInvocations(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	links := NewLinks(Handlers{
		"echo":  handlerFunc(func(_ context.Context, payload []byte) ([]byte, error) { return payload, nil }),
		"fails": handlerFunc(func(context.Context, []byte) ([]byte, error) { return nil, &FunctionError{Type: "Boom", Message: "x"} }),
		"large": handlerFunc(func(context.Context, []byte) ([]byte, error) { return make([]byte, maxPayload+1), nil }),
		"hangs": handlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) { <-ctx.Done(); return nil, ctx.Err() }),
	}, "secret")
	go func() { _ = links.Serve(listener) }()
	ctx := testContext(t)
	invoker, err := DialLink(ctx, listener.Addr().String(), "secret", 1, nil)
	require.NoError(t, err)
	defer invoker.Close()
	var all sync.WaitGroup
	for worker := range 16 {
		all.Go(func() {
			for n := range 200 {
				want := bytes.Repeat([]byte{byte(worker), byte(n)}, 1+n*worker)
				got, err := invoker.Invoke(ctx, "echo", want)
				if err != nil || !bytes.Equal(want, got) {
					t.Errorf("worker %d, %d: %v", worker, n, err)
					return
				}
			}
		})
	}
	all.Wait()
	big := bytes.Repeat([]byte("x"), maxPayload)
	got, err := invoker.Invoke(ctx, "echo", big)
	require.NoError(t, err)
	require.True(t, bytes.Equal(big, got))
	_, err = invoker.Invoke(ctx, "echo", append(big, 'x'))
	require.ErrorIs(t, err, ErrTooLarge)
	_, err = invoker.Invoke(ctx, strings.Repeat("n", 256), nil)
	require.ErrorIs(t, err, ErrTooLarge)
	var failed *FunctionError
	_, err = invoker.Invoke(ctx, "fails", nil)
	require.ErrorAs(t, err, &failed)
	require.Equal(t, FunctionError{Type: "Boom", Message: "x"}, *failed)
	_, err = invoker.Invoke(ctx, "large", nil)
	require.ErrorAs(t, err, &failed)
	_, err = invoker.Invoke(ctx, "nobody", nil)
	require.Error(t, err)
	require.NotErrorIs(t, err, ErrLink)
	gone, cancel := context.WithCancel(ctx)
	cancel()
	_, err = invoker.Invoke(gone, "hangs", nil)
	require.ErrorIs(t, err, context.Canceled)

	waiting := make(chan error, 1)
	go func() { _, err := invoker.Invoke(ctx, "hangs", nil); waiting <- err }()
	links.Shutdown()
	require.Error(t, <-waiting)
	<-invoker.Done()
	_, err = invoker.Invoke(ctx, "echo", nil)
	require.ErrorIs(t, err, ErrLink)
}

// Who does not know the secret, or speaks nonsense, is cut off.
func TestLinkWantsTheSecret(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer listener.Close()
	links := NewLinks(Handlers{"echo": ok("")}, "secret")
	go func() { _ = links.Serve(listener) }()
	defer links.Shutdown()
	stranger, err := DialLink(testContext(t), listener.Addr().String(), "guess", 1, nil)
	require.NoError(t, err)
	_, err = stranger.Invoke(testContext(t), "echo", nil)
	require.ErrorIs(t, err, ErrLink)
	for _, junk := range []string{"GET / HTTP/1.1\r\n\r\n", "\xff\xff\xff\xff", "\x00\x00\x00\x00", strings.Repeat("\x00", 64)} {
		conn, err := net.Dial("tcp", listener.Addr().String())
		require.NoError(t, err)
		_, err = conn.Write([]byte(junk))
		require.NoError(t, err)
		_ = conn.(*net.TCPConn).CloseWrite()
		_, err = conn.Read(make([]byte, 1))
		require.Error(t, err)
		_ = conn.Close()
	}
}
