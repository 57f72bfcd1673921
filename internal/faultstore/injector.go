// Package faultstore wraps the ports of a room.Service so that tests can make
// any call of a store or of the sender fail, be slow, or be the last one its
// process makes. Which call does what depends on its number and name only, so
// a run can be repeated call by call.
package faultstore

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"sync"
	"time"

	"github.com/symphony-rt/symphony/internal/room"
)

// ErrInjected is the cause of every injected failure. It comes wrapped together
// with room.ErrUnavailable, which is what a store that does not answer returns.
var ErrInjected = errors.New("faultstore: injected")

// Call is one call of a port.
type Call struct {
	// N counts all calls of an Injector from 1.
	N int
	// Name is port and method: "Log.Append".
	Name string
	Room room.ID
	// To is who a Sender call is for, or whom a Members call is about.
	To []room.ConnectionID
}

// Fault is what happens to a call. The zero value is nothing.
type Fault struct {
	// Before fails the call without an effect.
	Before bool
	// After fails the call although its effect has reached the store, as when
	// the answer is lost.
	After bool
	// Die makes this the last call: it fails (Before or After its effect), and
	// so does every later one, until Restart.
	Die bool
	// Delay is how long the call takes besides.
	Delay time.Duration
}

// Rule says what happens to a call. It must not call the Injector.
type Rule func(c Call) Fault

// At returns the rule that lets only call n suffer f.
func At(n int, f Fault) Rule {
	return func(c Call) Fault {
		if c.N == n {
			return f
		}
		return Fault{}
	}
}

// Between returns the rule that lets calls from..to suffer f: an outage.
func Between(from, to int, f Fault) Rule {
	return func(c Call) Fault {
		if from <= c.N && c.N <= to {
			return f
		}
		return Fault{}
	}
}

// Named returns the rule that lets the nth call (from 1) of that name suffer f;
// nth 0 means every one.
func Named(name string, nth int, f Fault) Rule {
	var mu sync.Mutex
	seen := 0
	return func(c Call) Fault {
		mu.Lock()
		defer mu.Unlock()
		if c.Name != name {
			return Fault{}
		}
		if seen++; nth == 0 || seen == nth {
			return f
		}
		return Fault{}
	}
}

// Gate is told of every call before it has its effect; the function it returns
// is called when the effect is there. A scheduler blocks in Gate to decide
// which of several calls goes first.
type Gate func(c Call) (done func())

// Injector is one process's view of its stores. It is safe for concurrent use.
type Injector struct {
	mu     sync.Mutex
	rule   Rule
	gate   Gate
	sleep  func(ctx context.Context, d time.Duration) error
	calls  int
	counts map[string]int
	dead   bool
}

// New returns an Injector that injects nothing.
func New() *Injector {
	return &Injector{counts: map[string]int{}, sleep: sleep}
}

// Inject sets the rule for the calls from now on; nil injects nothing.
func (i *Injector) Inject(r Rule) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.rule = r
}

// SetGate sets the gate; nil lets every call through.
func (i *Injector) SetGate(g Gate) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.gate = g
}

// SetSleep replaces how delays pass, for tests with a clock of their own.
func (i *Injector) SetSleep(f func(ctx context.Context, d time.Duration) error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.sleep = f
}

// Calls returns how many calls there were.
func (i *Injector) Calls() int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.calls
}

// Counts returns how many calls there were of each name.
func (i *Injector) Counts() map[string]int {
	i.mu.Lock()
	defer i.mu.Unlock()
	return maps.Clone(i.counts)
}

// Dead says whether a call with Die was reached.
func (i *Injector) Dead() bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	return i.dead
}

// Restart lets calls through again, as the next process would make them.
func (i *Injector) Restart() {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.dead = false
}

// Ports returns p with every call going through the Injector.
func (i *Injector) Ports(p room.Ports) room.Ports {
	wrapped := room.Ports{
		Log: log{i, p.Log}, Metas: metas{i, p.Metas}, Members: members{i, p.Members},
		Snapshots: snapshots{i, p.Snapshots}, Sender: sender{i, p.Sender}, Clock: p.Clock,
	}
	if p.Uploads != nil {
		wrapped.Uploads = uploads{i, p.Uploads}
	}
	if p.Links != nil {
		wrapped.Links = links{i, p.Links}
	}
	if p.Fanout != nil {
		wrapped.Fanout = fanout{i, p.Fanout}
	}
	return wrapped
}

// do runs one call.
func (i *Injector) do(ctx context.Context, c Call, effect func() error) error {
	i.mu.Lock()
	i.calls++
	i.counts[c.Name]++
	c.N = i.calls
	var f Fault
	if i.rule != nil && !i.dead {
		f = i.rule(c)
	}
	dead, gate, pause := i.dead, i.gate, i.sleep
	i.dead = i.dead || f.Die
	i.mu.Unlock()

	if dead {
		return injected(c, "made by a dead process")
	}
	if gate != nil {
		done := gate(c)
		defer done()
	}
	if f.Delay > 0 {
		if err := pause(ctx, f.Delay); err != nil {
			return fmt.Errorf("faultstore: %w: %w", room.ErrUnavailable, err)
		}
	}
	if f.Before || f.Die && !f.After {
		return injected(c, "failed before its effect")
	}
	err := effect()
	if f.After {
		return injected(c, "failed after its effect")
	}
	return err
}

func injected(c Call, what string) error {
	return fmt.Errorf("%w: %w: call %d, %s, %s", room.ErrUnavailable, ErrInjected, c.N, c.Name, what)
}

func sleep(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
