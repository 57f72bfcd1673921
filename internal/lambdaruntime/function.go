package lambdaruntime

import (
	"fmt"
	"slices"
	"sync"
	"time"
)

// function is a pool of instances of one bootstrap.
type function struct {
	rt     *Runtime
	name   string
	config FunctionConfig

	mu        sync.Mutex
	inFlight  int
	started   int         // instances so far
	retired   bool        // no instance is kept
	killed    bool        // no instance is let run
	instances []*instance // all that run, oldest first
	idle      []*instance // frozen, the one used last at the end
}

func (f *function) arn() string {
	return fmt.Sprintf("arn:aws:lambda:%s:%s:function:%s", f.rt.opts.Region, f.rt.opts.Account, f.name)
}

// acquire takes one of the function's places, or reports ErrThrottled.
func (f *function) acquire() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.inFlight >= f.config.MaxConcurrency {
		return fmt.Errorf("%w (%s handles %d events at a time)", ErrThrottled, f.name, f.config.MaxConcurrency)
	}
	f.inFlight++
	return nil
}

func (f *function) release() {
	f.mu.Lock()
	f.inFlight--
	f.mu.Unlock()
}

// maxHandOvers is how many instances may die before taking an event until
// their death is reported as its outcome.
const maxHandOvers = 3

// invoke gives payload to an instance. An idle one that dies before it has
// taken the event is replaced: the event was never handled.
func (f *function) invoke(payload []byte) Result {
	opts := &f.rt.opts
	id := opts.NewID()
	cold := false
	var init time.Duration
	var result Result
	for range maxHandOvers {
		in, err := f.take()
		if err != nil {
			return failed(id, TypeEntrypoint, err.Error())
		}
		if in.fresh {
			cold = true
			begun := time.Now()
			if r, ok := in.awaitInit(id); !ok {
				return r
			}
			init = time.Since(begun)
		}
		inv := newInvocation(id, traceID(opts.Now()), payload)
		var taken bool
		result, taken = in.handle(inv)
		if taken {
			break
		}
	}
	result.Cold, result.Init = cold, init
	opts.Logger.Debug("invocation", "function", f.name, "request", id, "cold", cold, "duration", result.Duration,
		"error", result.FunctionError != "")
	return result
}

// take returns an idle instance, still frozen, or starts one (fresh is set).
func (f *function) take() (*instance, error) {
	f.mu.Lock()
	if n := len(f.idle); n > 0 {
		in := f.idle[n-1]
		f.idle = f.idle[:n-1]
		f.mu.Unlock()
		in.reaper.Stop()
		in.fresh = false
		return in, nil
	}
	f.started++
	number := f.started
	f.mu.Unlock()

	in, err := f.start(number)
	if err != nil {
		return nil, err
	}
	f.rt.opts.Started(f.name)
	f.mu.Lock()
	f.instances = append(f.instances, in)
	killed := f.killed
	f.mu.Unlock()
	f.rt.alive.Add(1)
	go in.watch()
	if killed {
		in.kill()
	}
	return in, nil
}

// park makes a frozen instance available, for IdleTimeout at most.
func (f *function) park(in *instance) {
	f.mu.Lock()
	keep := !f.retired && slices.Contains(f.instances, in)
	if keep {
		in.reaper = time.AfterFunc(f.rt.opts.IdleTimeout, func() { f.reap(in) })
		f.idle = append(f.idle, in)
	}
	f.mu.Unlock()
	if !keep {
		in.kill()
	}
}

// reap ends an instance that is still idle.
func (f *function) reap(in *instance) {
	f.mu.Lock()
	i := slices.Index(f.idle, in)
	if i >= 0 {
		f.idle = slices.Delete(f.idle, i, i+1)
	}
	f.mu.Unlock()
	if i >= 0 {
		f.rt.opts.Logger.Debug("idle instance ends", "function", f.name, "instance", in.number)
		in.kill()
	}
}

// forget takes an instance that has ended out of the pool.
func (f *function) forget(in *instance) {
	f.mu.Lock()
	defer f.mu.Unlock()
	is := func(o *instance) bool { return o == in }
	f.instances = slices.DeleteFunc(f.instances, is)
	f.idle = slices.DeleteFunc(f.idle, is)
}

// retire ends idle instances now and the others after their event.
func (f *function) retire() {
	f.mu.Lock()
	f.retired = true
	idle := f.idle
	f.idle = nil
	f.mu.Unlock()
	for _, in := range idle {
		in.kill()
	}
}

// killAll ends every instance, whatever it is doing, and those yet to start.
func (f *function) killAll() {
	f.mu.Lock()
	f.killed = true
	all := slices.Clone(f.instances)
	f.mu.Unlock()
	for _, in := range all {
		in.kill()
	}
}

func (f *function) list() []InstanceInfo {
	f.mu.Lock()
	all, idle := slices.Clone(f.instances), slices.Clone(f.idle)
	f.mu.Unlock()
	infos := make([]InstanceInfo, 0, len(all))
	for _, in := range all {
		info := in.info()
		if info.State == StateIdle && !slices.Contains(idle, in) {
			info.State = StateBusy // on its way into the pool, or out of it
		}
		infos = append(infos, info)
	}
	return infos
}
