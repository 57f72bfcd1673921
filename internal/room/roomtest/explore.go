package roomtest

import (
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"

	"github.com/symphony-rt/symphony/internal/faultstore"
	"github.com/symphony-rt/symphony/internal/room"
)

// Actor is one of those who work on a room side by side. Its steps are the
// port calls it makes through an Injector whose gate is Gate, and its Steps.
type Actor struct {
	name string
	run  func(a *Actor)
	s    *schedule

	next  faultstore.Call
	grant chan struct{}
	// inside says that the actor is in the middle of an invocation.
	inside   bool
	finished bool
}

// NewActor returns an actor that does what run does.
func NewActor(name string, run func(a *Actor)) *Actor { return &Actor{name: name, run: run} }

// The steps that are no port calls.
const (
	stepInvoke = "invoke"
	stepPass   = "pass" // time passes
	stepOpen   = "open"
)

// Gate is the gate of the actor's injector.
func (a *Actor) Gate(c faultstore.Call) (done func()) {
	a.step(c)
	return func() {}
}

// Invoke runs fn as one invocation of a function.
func (a *Actor) Invoke(fn func()) {
	a.step(faultstore.Call{Name: stepInvoke})
	a.inside = true
	fn()
	a.inside = false
}

// Open opens a connection of g, as when $connect has returned.
func (a *Actor) Open(g *Gateway, conn room.ConnectionID) {
	a.step(faultstore.Call{Name: stepOpen, To: []room.ConnectionID{conn}})
	g.Open(conn)
}

// Pass lets time pass. It only happens while no actor is in the middle of an
// invocation: no function runs for as long as the grace.
func (a *Actor) Pass(fn func()) {
	a.step(faultstore.Call{Name: stepPass})
	fn()
}

// step waits until the scheduler lets the actor take its next step.
func (a *Actor) step(c faultstore.Call) {
	a.next = c
	a.s.parked <- a
	<-a.grant
	if a.s.abandoned {
		runtime.Goexit() // runs what is deferred
	}
}

// schedule runs actors one step at a time.
type schedule struct {
	actors []*Actor
	parked chan *Actor // an actor waits for its next step, or has finished
	// abandoned says that nobody wants to know how it ends.
	abandoned bool
}

func (s *schedule) start() {
	s.parked = make(chan *Actor)
	for _, a := range s.actors {
		a.s, a.grant = s, make(chan struct{})
		go func() {
			defer func() {
				a.finished = true
				s.parked <- a
			}()
			a.run(a)
		}()
		<-s.parked
	}
}

// take lets a take its next step, and waits for the one after it.
func (s *schedule) take(a *Actor) {
	a.grant <- struct{}{}
	<-s.parked
}

// abandon ends every actor where it stands.
func (s *schedule) abandon() {
	s.abandoned = true
	for _, a := range s.actors {
		if !a.finished {
			s.take(a)
		}
	}
}

// enabled returns the actors that can take a step.
func (s *schedule) enabled() []*Actor {
	var list []*Actor
	for _, a := range s.actors {
		if a.finished {
			continue
		}
		if a.next.Name == stepPass && slices.ContainsFunc(s.actors, func(o *Actor) bool { return o != a && o.inside }) {
			continue
		}
		list = append(list, a)
	}
	return list
}

// access is what a step does to something shared.
type access struct {
	what  string
	write bool
}

// touches says what a step reads and writes. Two steps that touch nothing in
// common, or only read it, can be swapped without anybody noticing.
func touches(c faultstore.Call) []access {
	conn := func(write bool) (list []access) {
		for _, to := range c.To {
			list = append(list, access{"connection " + string(to), write})
		}
		return list
	}
	switch c.Name {
	case "Log.Append", "Log.Trim":
		return []access{{"log", true}}
	case "Log.Read", "Log.Tail", "Log.Large":
		return []access{{"log", false}}
	case "Metas.Get", "Metas.Unclean":
		return []access{{"meta", false}}
	case "Metas.Swap":
		return []access{{"meta", true}}
	case "Members.Admit":
		return []access{{"meta", false}, {"member " + string(c.To[0]), false}}
	case "Members.Add", "Members.Update", "Members.Remove":
		return []access{{"members", true}, {"member " + string(c.To[0]), true}, {"meta", false}}
	case "Members.List":
		return []access{{"members", false}}
	case "Snapshots.Get", "Snapshots.List", "Snapshots.Open":
		return []access{{"objects", false}}
	case "Snapshots.Put", "Snapshots.Delete", "Snapshots.Archive":
		return []access{{"objects", true}}
	case "Sender.Post":
		// What arrives is looked at in the end, whatever its order.
		return conn(false)
	case "Sender.Disconnect", stepOpen:
		return conn(true)
	case stepInvoke:
		return []access{{"time", false}}
	}
	return nil // anything else, time above all, touches everything
}

func independent(a, b faultstore.Call) bool {
	if a.Name == stepPass || b.Name == stepPass {
		return false
	}
	ta, tb := touches(a), touches(b)
	if ta == nil || tb == nil {
		return false
	}
	for _, x := range ta {
		for _, y := range tb {
			if x.what == y.what && (x.write || y.write) {
				return false
			}
		}
	}
	return true
}

// node is a point of the exploration: the steps to choose from and what has
// been tried. Actors are named by their index.
type node struct {
	options []int
	calls   map[int]faultstore.Call
	// asleep are steps that were taken at an earlier point instead, with nothing
	// in between that they depend on: every schedule that takes one here is the
	// same as one already explored (sleep sets: Godefroid, Partial-Order Methods
	// for the Verification of Concurrent Systems, LNCS 1032, chapter 5).
	asleep map[int]faultstore.Call
	tried  []int
	chosen int
}

// Trial is one run of a scenario: fresh actors, and the check of what became
// of them.
type Trial struct {
	Actors []*Actor
	Check  func() error
	// Unreduced takes no two steps for independent.
	Unreduced bool
}

// Explore runs a scenario once for every schedule of its actors' steps that
// differs from the others in more than the order of steps that do not depend
// on each other. It returns how many it ran, and the first check's error with
// the schedule that led to it. limit bounds the number of runs, those included
// that are given up because they repeat another; 0 for none.
func Explore(limit int, scenario func() Trial) (schedules int, err error) {
	var path []*node
	for runs := 1; ; runs++ {
		trial := scenario()
		trace, complete := follow(&path, trial)
		if complete {
			schedules++
			if err := trial.Check(); err != nil {
				return schedules, fmt.Errorf("schedule %d: %w\n\t%s", schedules, err, strings.Join(trace, "\n\t"))
			}
		}
		if limit > 0 && runs >= limit || !backtrack(&path) {
			return schedules, nil
		}
	}
}

// follow takes the steps chosen in path, and from its end on the first that is
// not asleep, extending path. A run in which everything is asleep is one that
// was explored already; it is abandoned, and not complete.
func follow(path *[]*node, trial Trial) (trace []string, complete bool) {
	actors := trial.Actors
	s := &schedule{actors: actors}
	s.start()
	for depth := 0; ; depth++ {
		enabled := s.enabled()
		if len(enabled) == 0 {
			return trace, true
		}
		if depth == len(*path) {
			*path = append(*path, newNode(*path, trial, enabled))
		}
		n := (*path)[depth]
		n.refresh(actors)
		if n.chosen < 0 {
			s.abandon()
			return trace, false
		}
		a := actors[n.chosen]
		trace = append(trace, fmt.Sprintf("%-12s %s %v", a.name, a.next.Name, a.next.To))
		s.take(a)
	}
}

// newNode describes where the run is after path.
func newNode(path []*node, trial Trial, enabled []*Actor) *node {
	n := &node{calls: map[int]faultstore.Call{}, asleep: map[int]faultstore.Call{}, chosen: -1}
	for i, a := range trial.Actors {
		if slices.Contains(enabled, a) {
			n.options = append(n.options, i)
			n.calls[i] = a.next
		}
	}
	if len(path) > 0 && !trial.Unreduced {
		parent := path[len(path)-1]
		taken := parent.calls[parent.chosen]
		before := maps.Clone(parent.asleep)
		for _, i := range parent.tried {
			before[i] = parent.calls[i]
		}
		for i, c := range before {
			if independent(c, taken) {
				n.asleep[i] = c
			}
		}
	}
	n.choose()
	return n
}

// refresh takes the calls over from this run: they name its own connections.
func (n *node) refresh(actors []*Actor) {
	for _, i := range n.options {
		if was := n.calls[i].Name; was != actors[i].next.Name {
			panic(fmt.Sprintf("roomtest: a schedule does not repeat: %s, then %s", was, actors[i].next.Name))
		}
		n.calls[i] = actors[i].next
		if _, asleep := n.asleep[i]; asleep {
			n.asleep[i] = actors[i].next
		}
	}
}

// choose picks the next option that is neither tried nor asleep, or none.
func (n *node) choose() bool {
	n.chosen = -1
	for _, i := range n.options {
		if _, asleep := n.asleep[i]; !asleep && !slices.Contains(n.tried, i) {
			n.chosen = i
			return true
		}
	}
	return false
}

// backtrack moves path to the next schedule to run, or says there is none.
func backtrack(path *[]*node) bool {
	for len(*path) > 0 {
		n := (*path)[len(*path)-1]
		if n.chosen >= 0 {
			n.tried = append(n.tried, n.chosen)
			if n.choose() {
				return true
			}
		}
		*path = (*path)[:len(*path)-1]
	}
	return false
}
