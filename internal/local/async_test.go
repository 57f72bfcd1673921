package local

import (
	"context"
	"errors"
	"log/slog"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/lambdafanout"
	"github.com/symphony-rt/symphony/internal/room"
)

type invokerFunc func(ctx context.Context, function string, payload []byte) ([]byte, error)

func (f invokerFunc) Invoke(ctx context.Context, function string, payload []byte) ([]byte, error) {
	return f(ctx, function, payload)
}

func asyncOn(f invokerFunc) *async {
	a := newAsync(func() invoker { return f }, slog.New(slog.DiscardHandler))
	a.pause = time.Microsecond
	return a
}

func deliveries(n int) []room.Delivery {
	list := make([]room.Delivery, n)
	for i := range list {
		list[i] = room.Delivery{Room: "r", To: []room.Receiver{{Connection: room.ConnectionID(strings.Repeat("c", i+1))}}, Frames: [][]byte{[]byte("AAAA")}}
	}
	return list
}

// The deployed function's own adapter, Lambda's Invoke as it is served here,
// and events that run side by side: none waits for another to end.
func TestDispatchThroughLambdasInvoke(t *testing.T) {
	const slices = asyncConcurrency
	var all sync.WaitGroup
	all.Add(slices)
	var mu sync.Mutex
	got := map[room.ConnectionID]int{}
	a := asyncOn(func(_ context.Context, function string, payload []byte) ([]byte, error) {
		if function != fnFanout {
			return nil, errors.New("not " + function)
		}
		d, err := room.DecodeDelivery(payload)
		if err != nil {
			return nil, err
		}
		mu.Lock()
		got[d.To[0].Connection]++
		mu.Unlock()
		all.Done()
		all.Wait() // for all of them
		return nil, nil
	})
	server := httptest.NewServer(a)
	defer server.Close()
	cfg := aws.Config{Region: localRegion, Credentials: credentials.NewStaticCredentialsProvider("k", "s", ""), BaseEndpoint: &server.URL}
	for _, err := range lambdafanout.New(cfg, fnFanout).Dispatch(t.Context(), deliveries(slices)) {
		require.NoError(t, err)
	}
	require.NoError(t, a.close(t.Context()))
	require.Len(t, got, slices)
	for conn, n := range got {
		require.Equal(t, 1, n, conn)
	}
	errs := lambdafanout.New(cfg, "nobody").Dispatch(t.Context(), deliveries(2))
	require.Len(t, errs, 2)
	require.ErrorIs(t, errs[0], room.ErrUnavailable)
	big := deliveries(1)
	big[0].Frames = [][]byte{make([]byte, room.MaxDeliveryBytes)}
	require.ErrorIs(t, lambdafanout.New(cfg, fnFanout).Dispatch(t.Context(), big)[0], room.ErrTooLarge)
	require.ErrorIs(t, a.Dispatch(t.Context(), big)[0], room.ErrTooLarge)
	require.ErrorIs(t, a.Dispatch(t.Context(), deliveries(1))[0], room.ErrUnavailable, "it is closed")
}

func TestAsynchronousInvocationsAreTriedAgain(t *testing.T) {
	var calls atomic.Int64
	a := asyncOn(func(context.Context, string, []byte) ([]byte, error) {
		if calls.Add(1) <= 2 {
			return nil, errors.New("not yet")
		}
		return nil, nil
	})
	require.NoError(t, a.put(fnFanout, []byte(`{}`)))
	require.NoError(t, a.close(t.Context()))
	require.EqualValues(t, 3, calls.Load())

	a = asyncOn(func(context.Context, string, []byte) ([]byte, error) { calls.Add(1); return nil, errors.New("never") })
	require.NoError(t, a.put(fnFanout, []byte(`{}`)))
	require.NoError(t, a.close(t.Context()))
	require.EqualValues(t, 6, calls.Load(), "three tries, and no more")
}

func TestAQueueThatIsFullRefuses(t *testing.T) {
	release := make(chan struct{})
	a := asyncOn(func(context.Context, string, []byte) ([]byte, error) { <-release; return nil, nil })
	var err error
	for range asyncQueue + asyncConcurrency + 1 {
		if err = a.put(fnFanout, nil); err != nil {
			break
		}
	}
	require.ErrorIs(t, err, errAsyncFull)
	close(release)
	require.NoError(t, a.close(t.Context()))
}
