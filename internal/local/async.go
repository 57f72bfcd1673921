package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/symphony-rt/symphony/internal/room"
)

// async is Lambda's asynchronous invocation on this machine: events wait in a
// queue and run side by side, later than whoever sent them; one that fails is
// tried twice more
// (https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html).
type async struct {
	functions func() invoker
	log       *slog.Logger
	pause     time.Duration

	ctx     context.Context // of the functions; ends when close gives up
	cancel  context.CancelFunc
	mu      sync.Mutex
	queue   []asyncEvent
	running int
	closed  bool
	idle    sync.WaitGroup
}

type asyncEvent struct {
	function string
	payload  []byte
}

const (
	// asyncConcurrency is how many events run at a time.
	asyncConcurrency = 32
	// asyncQueue bounds what waits: 10,000 slices are 2.5 million posts.
	asyncQueue = 10_000
	// asyncTries and asyncPause: Lambda waits a minute before the second try and
	// two before the third; nobody at a laptop wants to.
	asyncTries = 3
	asyncPause = 500 * time.Millisecond
	// maxEventBytes is what an asynchronous invocation takes (Lambda quotas).
	maxEventBytes = 256 << 10
)

// newAsync returns a queue for functions, which is asked for when they run.
func newAsync(functions func() invoker, log *slog.Logger) *async {
	a := &async{functions: functions, log: log, pause: asyncPause}
	a.ctx, a.cancel = context.WithCancel(context.Background())
	return a
}

var (
	errAsyncFull   = errors.New("too many asynchronous invocations wait")
	errAsyncClosed = errors.New("the functions are stopping")
)

// put queues an event. payload must not change afterwards.
func (a *async) put(function string, payload []byte) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case a.closed:
		return errAsyncClosed
	case len(payload) > maxEventBytes:
		return fmt.Errorf("%w: an event of %d bytes", room.ErrTooLarge, len(payload))
	case len(a.queue) >= asyncQueue:
		return errAsyncFull
	}
	a.idle.Add(1)
	a.queue = append(a.queue, asyncEvent{function, payload})
	if a.running < asyncConcurrency {
		a.running++
		go a.run()
	}
	return nil
}

// run works until the queue is empty.
func (a *async) run() {
	for {
		a.mu.Lock()
		if len(a.queue) == 0 {
			a.running--
			a.mu.Unlock()
			return
		}
		e := a.queue[0]
		a.queue[0] = asyncEvent{}
		a.queue = a.queue[1:]
		a.mu.Unlock()
		a.invoke(e)
		a.idle.Done()
	}
}

func (a *async) invoke(e asyncEvent) {
	for try := 1; ; try++ {
		ctx, cancel := context.WithTimeout(a.ctx, functionTimes[e.function])
		_, err := a.functions().Invoke(ctx, e.function, e.payload)
		cancel()
		if err == nil {
			return
		}
		a.log.Warn("an asynchronous invocation failed", "function", e.function, "try", try, "error", err)
		if try == asyncTries {
			return
		}
		select {
		case <-time.After(a.pause << (try - 1)):
		case <-a.ctx.Done():
			return
		}
	}
}

// close takes no more, and waits for what is queued until ctx ends.
func (a *async) close(ctx context.Context) error {
	a.mu.Lock()
	a.closed = true
	a.mu.Unlock()
	defer a.cancel()
	done := make(chan struct{})
	go func() { a.idle.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("asynchronous invocations still run: %w", ctx.Err())
	}
}

// Dispatch implements room.Fanout: the second level of a large room's broadcast.
func (a *async) Dispatch(_ context.Context, deliveries []room.Delivery) []error {
	errs := make([]error, len(deliveries))
	for i, d := range deliveries {
		payload, err := room.EncodeDelivery(d)
		if err == nil {
			if err = a.put(fnFanout, payload); err != nil && !errors.Is(err, room.ErrTooLarge) {
				err = fmt.Errorf("%w: %w", room.ErrUnavailable, err)
			}
		}
		errs[i] = err
	}
	return errs
}

// invokePath is where Lambda's Invoke is (API version 2015-03-31).
const invokePath = "/2015-03-31/functions/"

// ServeHTTP is as much of Lambda's Invoke as the deployed functions use:
// POST .../functions/{name}/invocations with X-Amz-Invocation-Type: Event.
func (a *async) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	fail := func(status int, kind, message string) {
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("X-Amzn-ErrorType", kind)
		w.WriteHeader(status)
		_, _ = fmt.Fprintf(w, `{"Type":"User","Message":%q}`, message)
	}
	name, ok := strings.CutSuffix(strings.TrimPrefix(r.URL.Path, invokePath), "/invocations")
	switch _, known := functionTimes[name]; {
	case !ok || r.Method != http.MethodPost:
		fail(http.StatusNotFound, "UnknownOperationException", "no such operation here")
		return
	case !known:
		fail(http.StatusNotFound, "ResourceNotFoundException", "no such function")
		return
	case r.Header.Get("X-Amz-Invocation-Type") != "Event":
		fail(http.StatusBadRequest, "InvalidParameterValueException", "only asynchronous invocations are offered here")
		return
	}
	payload, err := io.ReadAll(io.LimitReader(r.Body, maxEventBytes+1))
	if err == nil {
		err = a.put(name, payload)
	}
	switch {
	case errors.Is(err, room.ErrTooLarge):
		fail(http.StatusRequestEntityTooLarge, "RequestTooLargeException", "the event is over 256 KB")
	case err != nil:
		fail(http.StatusTooManyRequests, "TooManyRequestsException", "try again")
	default:
		w.WriteHeader(http.StatusAccepted)
	}
}
