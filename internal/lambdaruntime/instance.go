package lambdaruntime

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os/exec"
	"path/filepath"
	"sort"
	"strconv"
	"sync"
	"time"
)

// outputPatience is how long an ended instance's output is waited for when
// something it started still has it open.
const outputPatience = time.Second

// instance is one running bootstrap process.
type instance struct {
	f      *function
	number int
	cmd    *exec.Cmd
	server *http.Server
	stdout *lineLogger
	stderr *lineLogger

	// fresh and reaper belong to whoever took the instance out of the pool.
	fresh  bool
	reaper *time.Timer

	events chan *invocation // to the call of /next that waits
	ready  chan struct{}    // closed at the first /next
	failed chan struct{}    // closed when it reported that it cannot initialise
	ended  chan struct{}    // closed once the process is gone

	mu       sync.Mutex
	gone     bool // the process id may be another's soon: no more signals
	isReady  bool
	current  *invocation // being handled
	draining bool        // reported an error, has not asked for the next event
	handled  int
	initErr  []byte // what it reported
	exit     error  // why it ended; valid once ended is closed
}

// start starts the process and the Runtime API it talks to, on a port of its
// own, so that the API knows who is asking.
func (f *function) start(number int) (*instance, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	in := &instance{
		f: f, number: number, fresh: true,
		events: make(chan *invocation, 1), ready: make(chan struct{}), failed: make(chan struct{}), ended: make(chan struct{}),
	}
	in.server = &http.Server{Handler: in.api()}
	in.cmd = exec.Command(f.config.Path)
	in.cmd.Dir = filepath.Dir(f.config.Path)
	in.cmd.Env = f.environment(listener.Addr().String(), number)
	in.stdout, in.stderr = f.lines(number, "stdout"), f.lines(number, "stderr")
	in.cmd.Stdout, in.cmd.Stderr = in.stdout, in.stderr
	in.cmd.WaitDelay = outputPatience
	in.cmd.SysProcAttr = processAttributes()
	if err := f.rt.spawner.spawn(in.cmd); err != nil {
		listener.Close()
		return nil, fmt.Errorf("%w: %w", ErrEntrypoint, err)
	}
	go func() { _ = in.server.Serve(listener) }() // ends with server.Close
	f.rt.opts.Logger.Debug("instance starts", "function", f.name, "instance", number, "pid", in.cmd.Process.Pid)
	return in, nil
}

// environment is what Lambda sets
// (https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime)
// and then the function's own.
func (f *function) environment(api string, number int) []string {
	env := map[string]string{
		"AWS_LAMBDA_RUNTIME_API":          api,
		"_HANDLER":                        f.config.Handler,
		"AWS_LAMBDA_FUNCTION_NAME":        f.name,
		"AWS_LAMBDA_FUNCTION_VERSION":     "$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": strconv.Itoa(f.config.MemoryMB),
		"AWS_LAMBDA_LOG_GROUP_NAME":       "/aws/lambda/" + f.name,
		"AWS_LAMBDA_LOG_STREAM_NAME":      fmt.Sprintf("[$LATEST]%08d", number),
		"AWS_LAMBDA_INITIALIZATION_TYPE":  "on-demand",
		"AWS_EXECUTION_ENV":               "AWS_Lambda_provided.al2023",
		"AWS_REGION":                      f.rt.opts.Region,
		"AWS_DEFAULT_REGION":              f.rt.opts.Region,
		"LAMBDA_TASK_ROOT":                filepath.Dir(f.config.Path),
		"LAMBDA_RUNTIME_DIR":              filepath.Dir(f.config.Path),
		"TZ":                              ":UTC",
		"LANG":                            "en_US.UTF-8",
		"PATH":                            "/usr/local/bin:/usr/bin/:/bin",
	}
	for k, v := range f.config.Env {
		env[k] = v
	}
	list := make([]string, 0, len(env))
	for k, v := range env {
		list = append(list, k+"="+v)
	}
	sort.Strings(list)
	return list
}

// watch waits for the process to end and takes the instance out of the pool.
// What the process started goes with it.
func (in *instance) watch() {
	defer in.f.rt.alive.Done()
	var err error
	if awaitExit(in.cmd.Process.Pid) {
		in.end()
		err = in.cmd.Wait()
	} else {
		err = in.cmd.Wait()
		in.end()
	}
	in.stdout.flush()
	in.stderr.flush()
	in.f.forget(in)
	_ = in.server.Close()
	in.exit = err
	in.f.rt.opts.Logger.Debug("instance ended", "function", in.f.name, "instance", in.number, "err", err)
	close(in.ended)
}

// end kills what is left of the process group and lets nobody signal it again.
func (in *instance) end() {
	in.mu.Lock()
	defer in.mu.Unlock()
	in.gone = true
	signalGroup(in.cmd.Process.Pid, sigKill)
}

func (in *instance) signal(s processSignal) {
	in.mu.Lock()
	defer in.mu.Unlock()
	if !in.gone {
		signalGroup(in.cmd.Process.Pid, s)
	}
}

// kill ends the process group; a frozen one too.
func (in *instance) kill() { in.signal(sigKill) }

func (in *instance) info() InstanceInfo {
	in.mu.Lock()
	defer in.mu.Unlock()
	info := InstanceInfo{PID: in.cmd.Process.Pid, State: StateIdle, Events: in.handled}
	switch {
	case !in.isReady:
		info.State = StateStarting
	case in.current != nil || in.draining:
		info.State = StateBusy
	}
	return info
}

// awaitInit waits until the instance asks for its first event; otherwise the
// result is what to tell the caller.
func (in *instance) awaitInit(requestID string) (r Result, ok bool) {
	limit := in.f.rt.opts.InitTimeout
	timer := time.NewTimer(limit)
	defer timer.Stop()
	select {
	case <-in.ready:
		return Result{}, true
	case <-in.failed:
	case <-in.ended:
		select {
		case <-in.failed: // it said why before it went
		default:
			return exited(requestID, in.exit), false
		}
	case <-timer.C:
		in.kill()
		<-in.ended
		return timedOut(requestID, limit), false
	}
	in.kill()
	<-in.ended
	return Result{RequestID: requestID, FunctionError: unhandled, Payload: in.initErr}, false
}

// handle gives the event to the instance and waits for what becomes of it.
// taken is false when the instance ended without having taken the event.
func (in *instance) handle(inv *invocation) (r Result, taken bool) {
	in.mu.Lock()
	in.current = inv
	in.handled++
	in.mu.Unlock()
	in.events <- inv
	in.signal(sigContinue)

	pick := time.NewTimer(in.f.rt.opts.InitTimeout)
	defer pick.Stop()
	select {
	case <-inv.taken:
	case <-in.ended:
	case <-pick.C: // thawed, but it does not ask for an event
		in.kill()
		<-in.ended
	}
	select {
	case <-inv.taken:
	default:
		return exited(inv.id, in.exit), false
	}

	limit := in.f.config.Timeout
	timer := time.NewTimer(time.Until(inv.begun.Add(limit)))
	defer timer.Stop()
	select {
	case r = <-inv.outcome:
	case <-in.ended:
		if r = exited(inv.id, in.exit); !in.abandon(inv) {
			r = <-inv.outcome // it answered, then ended
		}
	case <-timer.C:
		if in.abandon(inv) {
			in.kill()
			<-in.ended
			r = timedOut(inv.id, limit)
		} else {
			r = <-inv.outcome // just in time
		}
	}
	r.Duration = time.Since(inv.begun)
	return r, true
}

// freeze stops the process group where it stands. When it returns, the process
// runs no more.
func (in *instance) freeze() {
	in.signal(sigStop)
	awaitStop(in.cmd.Process.Pid)
}

// finish ends the event with this id, which the instance reports on; nil when
// it is not, or no more, what the instance handles. The caller must fill the
// outcome of what it gets.
func (in *instance) finish(id string) *invocation {
	in.mu.Lock()
	defer in.mu.Unlock()
	inv := in.current
	if inv == nil || inv.id != id {
		return nil
	}
	in.current = nil
	return inv
}

// abandon ends inv without the instance; false when finish was faster.
func (in *instance) abandon(inv *invocation) bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.current != inv {
		return false
	}
	in.current = nil
	return true
}

// drain gives an instance that has reported an error its function's time-out
// to ask for the next event or to exit.
func (in *instance) drain() {
	in.mu.Lock()
	in.draining = true
	in.mu.Unlock()
	time.AfterFunc(in.f.config.Timeout, func() {
		in.mu.Lock()
		stuck := in.draining
		in.mu.Unlock()
		if stuck {
			in.kill()
		}
	})
}

// invocation is one event on its way through an instance.
type invocation struct {
	id, trace string
	payload   []byte
	begun     time.Time     // when it was taken; valid once taken is closed
	taken     chan struct{} // closed when the instance has got it
	outcome   chan Result
}

func newInvocation(id, trace string, payload []byte) *invocation {
	return &invocation{id: id, trace: trace, payload: payload, taken: make(chan struct{}), outcome: make(chan Result, 1)}
}

// reportedError makes what a function reported a payload: its own JSON, or an
// error body around what is none.
func reportedError(body []byte, errorType string) []byte {
	if json.Valid(body) && len(body) > 0 {
		return body
	}
	if errorType == "" {
		errorType = "Runtime.UnknownReason"
	}
	return encodeError(errorType, string(body))
}
