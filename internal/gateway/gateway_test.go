package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
)

// A real aws-lambda-go handler is a Handler.
func TestLambdaHandler(t *testing.T) {
	s := start(t, with("message", lambda.NewHandler(func(_ context.Context, e events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
		if e.Body == "fail" {
			return events.APIGatewayProxyResponse{}, errors.New("secret")
		}
		return events.APIGatewayProxyResponse{StatusCode: 200, Body: e.Body + "!"}, nil
	})))
	c := s.dial("", nil)
	write(t, c, "hello")
	require.Equal(t, "hello!", read(t, c))
	write(t, c, "fail")
	message, _, _ := errorFrame(t, read(t, c))
	require.Equal(t, "Internal server error", message)
}

func TestConfig(t *testing.T) {
	invoker := Handlers{}
	for name, config := range map[string]Config{
		"no stage":        {Invoker: invoker},
		"stage":           {Stage: "a/b", Invoker: invoker},
		"no invoker":      {Stage: "dev"},
		"share":           {Stage: "dev", Invoker: invoker, Chaos: Chaos{DropDisconnect: 1.5}},
		"negative share":  {Stage: "dev", Invoker: invoker, Chaos: Chaos{DropDisconnect: -1}},
		"identity source": {Stage: "dev", Invoker: invoker, Authorizer: AuthorizerConfig{IdentitySources: []string{"room"}}},
		"empty name":      {Stage: "dev", Invoker: invoker, Authorizer: AuthorizerConfig{IdentitySources: []string{"route.request.header."}}},
		"peer":            {Stage: "dev", Invoker: invoker, Peers: map[uint16]string{1: "localhost"}},
		"randomness":      {Stage: "dev", Invoker: invoker, Rand: &io.LimitedReader{R: nil, N: 0}},
	} {
		_, err := New(config)
		require.ErrorIs(t, err, ErrConfig, name)
	}
}

// Shutdown: no new connections, 1001 to the open ones, and it waits for what
// their functions are doing, the $disconnect functions included.
func TestShutdown(t *testing.T) {
	entered, let := make(chan struct{}), make(chan struct{})
	s := start(t, with("message", handlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
		close(entered)
		<-let
		return ok("")(ctx, payload)
	})))
	c := s.dial("", nil)
	write(t, c, "work")
	<-entered
	done := make(chan error, 1)
	go func() { done <- s.Shutdown(testContext(t)) }()
	require.Equal(t, websocket.StatusGoingAway, closed(t, c).Code)
	s.left.event(t)
	select {
	case err := <-done:
		require.FailNow(t, "did not wait", "%v", err)
	default:
	}
	status, _, _ := s.refused("/dev", nil)
	require.Equal(t, http.StatusServiceUnavailable, status)
	close(let)
	require.NoError(t, <-done)
	require.Zero(t, s.Snapshot().Connections)
	require.NoError(t, s.Shutdown(testContext(t)), "twice is fine")
}

// What does not end in time is cut off: a client that does not answer, a
// function that does not return.
func TestShutdownGivesUp(t *testing.T) {
	entered := make(chan struct{})
	s := start(t, with("message", handlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		close(entered)
		<-ctx.Done()
		return nil, ctx.Err()
	})))
	c := s.raw()
	c.send(frame(0x81, []byte("work")))
	<-entered
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	err := s.Shutdown(ctx)
	require.ErrorIs(t, err, ErrShutdown)
	require.ErrorIs(t, err, context.Canceled)
	for err = nil; err == nil; _, _, err = c.next() {
	}
	require.Eventually(t, func() bool { return s.Snapshot().InFlight == 0 }, testPatience, time.Millisecond, "the function's context ended")
}

// $disconnect is a best-effort event, its delivery is not guaranteed:
// apigateway-websocket-api-route-keys-connect-disconnect.html. An
// option drops a share of them; the same seed drops the same ones.
func TestDroppedDisconnects(t *testing.T) {
	run := func(seed uint64) (delivered int64) {
		s := start(t, func(c *Config) { c.Chaos = Chaos{Seed: seed, DropDisconnect: 0.5} })
		for range 40 {
			c := s.dial("", nil)
			require.NoError(t, c.Close(websocket.StatusNormalClosure, ""))
		}
		require.Eventually(t, func() bool { return s.Snapshot().Connections == 0 && s.Snapshot().InFlight == 0 }, testPatience, time.Millisecond)
		require.Eventually(t, func() bool { return int64(len(s.left.payloads))+s.Snapshot().DisconnectsLost == 40 }, testPatience, time.Millisecond)
		return int64(len(s.left.payloads))
	}
	first := run(7)
	require.Greater(t, first, int64(5))
	require.Less(t, first, int64(35))
	require.Equal(t, first, run(7))
	s := start(t, func(c *Config) { c.Chaos.DropDisconnect = 1 })
	require.NoError(t, s.dial("", nil).CloseNow())
	require.Eventually(t, func() bool { return s.Snapshot().DisconnectsLost == 1 }, testPatience, time.Millisecond)
	s.left.none(t)
}

// The order of a connection's messages is not promised; an option makes sure
// that it is not kept, and with the same seed in the same way. Each still
// arrives exactly once.
func TestShuffle(t *testing.T) {
	run := func(seed uint64) (order []int) {
		s := start(t, func(c *Config) { c.Chaos = Chaos{Seed: seed, Shuffle: time.Second}; c.NoRouteResponse = true })
		c := s.dial("", nil)
		const messages = 30
		for n := range messages {
			write(t, c, strconv.Itoa(n))
		}
		require.Eventually(t, func() bool { return s.Snapshot().Messages == messages }, testPatience, time.Millisecond)
		require.Eventually(t, func() bool {
			s.clock.Advance(10 * time.Millisecond)
			for len(s.message.payloads) > 0 {
				n, err := strconv.Atoi(s.message.event(t).Body)
				require.NoError(t, err)
				order = append(order, n)
			}
			return len(order) == messages
		}, testPatience, time.Millisecond)
		return order
	}
	first := run(11)
	require.False(t, slices.IsSorted(first))
	require.Equal(t, first, run(11))
	sorted := slices.Sorted(slices.Values(first))
	for n, got := range sorted {
		require.Equal(t, n, got)
	}
}

// Counters are right after a session.
func TestSnapshot(t *testing.T) {
	s := start(t)
	c := s.dial("", nil)
	write(t, c, "four")
	read(t, c)
	require.NoError(t, s.Post(t.Context(), s.onlyConn(), []byte("12345")))
	read(t, c)
	require.NoError(t, c.CloseNow())
	s.left.event(t)
	require.Eventually(t, func() bool { return s.Snapshot().InFlight == 0 }, testPatience, time.Millisecond)
	require.Equal(t, Snapshot{
		Connects: 1, Disconnects: 1, Messages: 1, MessageBytes: 4, Posts: 1, PostBytes: 5, Invocations: 3, Replies: 1, Errors: map[string]int64{},
	}, s.Snapshot())
}

// Many clients at once, coming, talking, being posted to, deleted and leaving:
// every connect is matched by one disconnect, every accepted post to a client
// that stays arrives once and in order. Run with -race. The seed is printed.
func TestChurn(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	s := start(t, func(c *Config) {
		c.Limits.ConnectBurst, c.Limits.RequestBurst = 1e6, 1e6
		c.Log = nil
	})
	const clients = 40
	done := make(chan error, clients)
	for n := range clients {
		rng := rand.New(rand.NewPCG(seed, uint64(n)))
		go func() { done <- churn(s, rng) }()
	}
	for range clients {
		require.NoError(t, <-done)
	}
	require.Eventually(t, func() bool {
		snapshot := s.Snapshot()
		return snapshot.Connects == 5*clients && snapshot.Disconnects == 5*clients && len(s.left.payloads) == 5*clients
	}, testPatience, time.Millisecond)
	seen := map[string]bool{}
	for range 5 * clients {
		var event events.APIGatewayWebsocketProxyRequest
		require.NoError(t, json.Unmarshal(<-s.left.payloads, &event))
		require.False(t, seen[event.RequestContext.ConnectionID], "disconnected twice")
		seen[event.RequestContext.ConnectionID] = true
	}
}

// churn connects five times and leaves in a random way each time.
func churn(s *testStack, rng *rand.Rand) error {
	ctx, cancel := context.WithTimeout(context.Background(), testPatience)
	defer cancel()
	for range 5 {
		c, _, err := websocket.Dial(ctx, s.url(), nil)
		if err != nil {
			return err
		}
		for n := range rng.IntN(20) {
			if err := c.Write(ctx, websocket.MessageText, strconv.AppendInt(nil, int64(n), 10)); err != nil {
				return err
			}
			if _, _, err := c.Read(ctx); err != nil {
				return err
			}
		}
		switch rng.IntN(3) {
		case 0:
			err = c.Close(websocket.StatusNormalClosure, "")
		case 1:
			err = c.CloseNow()
		case 2:
			if err = c.Write(ctx, websocket.MessageBinary, nil); err == nil {
				_, _, _ = c.Read(ctx)
				err = c.CloseNow()
			}
		}
		if err != nil && !errors.Is(err, io.EOF) && websocket.CloseStatus(err) == -1 && !errors.Is(err, context.Canceled) {
			// Closing what the server has closed already is no failure.
			if ctx.Err() != nil {
				return err
			}
		}
	}
	return nil
}
