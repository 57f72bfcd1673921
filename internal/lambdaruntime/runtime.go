// Package lambdaruntime runs Lambda functions on this machine as AWS does: it
// starts the very bootstrap file that is deployed, serves it the Lambda
// Runtime API, and gives it one event at a time.
//
// What it holds a function to, because AWS does:
//
//   - An instance handles one event at a time; events at the same time get
//     instances of their own, up to MaxConcurrency, past which callers are
//     throttled (https://docs.aws.amazon.com/lambda/latest/dg/lambda-concurrency.html).
//   - An instance is frozen (SIGSTOP for its process group) as soon as its
//     response has arrived, before it even hears so, and thawed for its next
//     event: nothing may rely on running after the response
//     (https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html).
//   - Time-outs kill the instance; so do responses that are too large. Errors
//     have the shapes AWS gives them.
//   - Idle instances go away, new ones start cold, and any may be killed at any
//     time.
//
// The API is that of "Using the Lambda runtime API for custom runtimes"
// (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html). Not here:
// extensions, response streaming, asynchronous invocation with its queue and
// retries, and the memory limit, which is only told to the function.
package lambdaruntime

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

const (
	// MaxRequestBytes and MaxResponseBytes are the limits of a synchronous
	// invocation: 6 MB, the response with 100 bytes on top
	// (https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html).
	MaxRequestBytes  = 6 << 20
	MaxResponseBytes = 6<<20 + 100

	// DefaultTimeout is Lambda's own default.
	DefaultTimeout = 3 * time.Second
	// DefaultMemoryMB is Lambda's own default.
	DefaultMemoryMB = 128
	// DefaultMaxConcurrency suits one machine; an account has 1,000.
	DefaultMaxConcurrency = 32
	// DefaultInitTimeout is how long Lambda lets a function initialise.
	DefaultInitTimeout = 10 * time.Second
	// DefaultIdleTimeout is after how long an unused instance goes; Lambda does
	// not promise a number, some minutes are usual.
	DefaultIdleTimeout = 5 * time.Minute
)

// Options say how a Runtime behaves. The zero value is ready to use.
type Options struct {
	// Logger gets what functions write to stdout and stderr, line by line with
	// the function's name, and what happens to instances.
	Logger *slog.Logger
	// Region and Account appear in ARNs and in the functions' environment;
	// us-east-1 and 000000000000 by default.
	Region, Account string
	// InitTimeout and IdleTimeout are those of every instance.
	InitTimeout, IdleTimeout time.Duration
	// Now tells the time for deadlines, time.Now by default. Time-outs
	// themselves run on the system's clock, as the functions do.
	Now func() time.Time
	// NewID returns a new request id, a random UUID by default.
	NewID func() string
	// Started is told of every instance that was started, with its function's
	// name: a cold start, whatever becomes of it. It must not block.
	Started func(function string)
}

func (o *Options) setDefaults() {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Region == "" {
		o.Region = "us-east-1"
	}
	if o.Account == "" {
		o.Account = "000000000000"
	}
	if o.InitTimeout <= 0 {
		o.InitTimeout = DefaultInitTimeout
	}
	if o.IdleTimeout <= 0 {
		o.IdleTimeout = DefaultIdleTimeout
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.NewID == nil {
		o.NewID = newUUID
	}
	if o.Started == nil {
		o.Started = func(string) {}
	}
}

// FunctionConfig describes a function.
type FunctionConfig struct {
	// Path is the bootstrap file; it runs in its folder.
	Path string
	// Handler is the value of _HANDLER; "bootstrap" by default.
	Handler string
	// Env is the function's environment beside what Lambda sets. Nothing is
	// inherited from this process.
	Env map[string]string
	// Timeout is for one event, the start of the instance not counted.
	Timeout time.Duration
	// MaxConcurrency is how many events are handled at a time.
	MaxConcurrency int
	// MemoryMB is told to the function, not enforced.
	MemoryMB int
}

func (c *FunctionConfig) setDefaults() {
	if c.Handler == "" {
		c.Handler = "bootstrap"
	}
	if c.Timeout <= 0 {
		c.Timeout = DefaultTimeout
	}
	if c.MaxConcurrency <= 0 {
		c.MaxConcurrency = DefaultMaxConcurrency
	}
	if c.MemoryMB <= 0 {
		c.MemoryMB = DefaultMemoryMB
	}
}

// Runtime runs functions. Its methods are safe for concurrent use.
type Runtime struct {
	opts    Options
	spawner spawner

	mu        sync.Mutex
	functions map[string]*function
	all       []*function // those replaced too
	closed    bool
	busy      sync.WaitGroup // invocations
	alive     sync.WaitGroup // instances
}

// New returns a Runtime without functions. Shutdown must be called in the end.
func New(o Options) *Runtime {
	o.setDefaults()
	rt := &Runtime{opts: o, functions: make(map[string]*function)}
	rt.spawner.start()
	return rt
}

// Function defines a function; defining a name again replaces it for later
// invocations. ErrEntrypoint when the file cannot be run.
func (rt *Runtime) Function(name string, c FunctionConfig) error {
	c.setDefaults()
	if err := checkEntrypoint(&c); err != nil {
		return err
	}
	rt.mu.Lock()
	old := rt.functions[name]
	f := &function{rt: rt, name: name, config: c}
	rt.functions[name] = f
	rt.all = append(rt.all, f)
	rt.mu.Unlock()
	if old != nil {
		old.retire()
	}
	return nil
}

// Invoke gives payload, which must be JSON, to the function and returns what
// it made of it. The error is about the invocation itself: ErrUnknownFunction,
// ErrThrottled, ErrRequestTooLarge, ErrClosed or the context's. What went
// wrong inside the function is in the Result, see Result.Err.
//
// As with Lambda, a caller that goes away does not stop the function.
func (rt *Runtime) Invoke(ctx context.Context, name string, payload []byte) (Result, error) {
	if err := ctx.Err(); err != nil {
		return Result{}, err
	}
	if len(payload) > MaxRequestBytes {
		return Result{}, fmt.Errorf("%w: %d bytes, at most %d", ErrRequestTooLarge, len(payload), MaxRequestBytes)
	}
	f, err := rt.begin(name)
	if err != nil {
		return Result{}, err
	}
	done := make(chan Result, 1)
	go func() {
		defer rt.busy.Done()
		r := f.invoke(payload)
		f.release()
		done <- r
	}()
	select {
	case r := <-done:
		return r, nil
	case <-ctx.Done():
		return Result{}, ctx.Err()
	}
}

// begin finds the function and takes one of its places.
func (rt *Runtime) begin(name string) (*function, error) {
	rt.mu.Lock()
	defer rt.mu.Unlock()
	if rt.closed {
		return nil, ErrClosed
	}
	f := rt.functions[name]
	if f == nil {
		return nil, fmt.Errorf("%w: %s", ErrUnknownFunction, name)
	}
	if err := f.acquire(); err != nil {
		return nil, err
	}
	rt.busy.Add(1)
	return f, nil
}

// Shutdown refuses new invocations, waits for those under way until ctx ends,
// and then kills every instance. When it returns, none of their processes is
// left. It returns ctx's error when invocations had to be cut off.
func (rt *Runtime) Shutdown(ctx context.Context) error {
	rt.mu.Lock()
	again := rt.closed
	rt.closed = true
	all := rt.all
	rt.mu.Unlock()
	idle := make(chan struct{})
	go func() {
		rt.busy.Wait()
		close(idle)
	}()
	var err error
	select {
	case <-idle:
	case <-ctx.Done():
		err = ctx.Err()
	}
	for _, f := range all {
		f.retire()
		f.killAll()
	}
	<-idle
	rt.alive.Wait()
	if !again {
		rt.spawner.stop()
	}
	return err
}

// InstanceState is what an instance is doing.
type InstanceState string

// The states of an instance.
const (
	StateStarting InstanceState = "starting" // until it first asks for an event
	StateBusy     InstanceState = "busy"
	StateIdle     InstanceState = "idle" // frozen
)

// InstanceInfo describes a running instance.
type InstanceInfo struct {
	PID   int
	State InstanceState
	// Events is how many events it has been given.
	Events int
}

// Instances returns the running instances of a function, oldest first.
func (rt *Runtime) Instances(name string) []InstanceInfo {
	rt.mu.Lock()
	f := rt.functions[name]
	rt.mu.Unlock()
	if f == nil {
		return nil
	}
	return f.list()
}
