package roomtest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/yjs"
)

// Interleaving is a scenario of guarantee 2: somebody joins a room while
// others edit it, and perhaps while it is checkpointed.
type Interleaving struct {
	Name string
	// Symphony makes the joiner say hello; else it syncs as y-protocols has it.
	Symphony bool
	// Writers is how many others make one edit each.
	Writers int
	// Checkpoints adds one who checkpoints the room, lets a grace pass, and
	// checkpoints it again, so that its log is trimmed.
	Checkpoints bool
	// Unreduced runs every order of steps, also those that differ only in the
	// order of steps that do not depend on each other.
	Unreduced bool
	// Mutate replaces the ports of every process, to plant a defect.
	Mutate func(room.Ports) room.Ports
}

// Interleavings are the scenarios every store runs.
var Interleavings = []Interleaving{
	{Name: "a plain joiner and a writer", Writers: 1},
	{Name: "a Symphony joiner and a writer", Symphony: true, Writers: 1},
	{Name: "a plain joiner and two writers", Writers: 2},
	{Name: "a Symphony joiner and two writers", Symphony: true, Writers: 2},
	{Name: "a plain joiner, a writer and a checkpoint that trims", Writers: 1, Checkpoints: true},
	{Name: "a Symphony joiner, a writer and a checkpoint that trims", Symphony: true, Writers: 1, Checkpoints: true},
}

// RunInterleavings explores the scenarios on the harness's store, as
// far as the harness wants.
func RunInterleavings(t *testing.T, h Harness) {
	for _, i := range Interleavings {
		t.Run(i.Name, func(t *testing.T) {
			schedules, err := ExploreInterleaving(t, h, i)
			require.NoError(t, err)
			require.NotZero(t, schedules)
			t.Logf("%d schedules", schedules)
		})
	}
}

// ExploreInterleaving explores one scenario on a fresh store, every run in a
// room of its own. It returns how many schedules there were that differ, and
// what the first one that breaks the guarantee did.
func ExploreInterleaving(t *testing.T, h Harness, i Interleaving) (schedules int, err error) {
	limit := h.Schedules
	switch limit {
	case 0:
		limit = DefaultSchedules
	case AllSchedules:
		limit = 0
	}
	s := open(t, h)
	return Explore(limit, func() Trial {
		trial, err := i.trial(s)
		if err != nil {
			return Trial{Check: func() error { return err }}
		}
		return trial
	})
}

// trial sets up a room that has been edited before and has writers in it.
func (i Interleaving) trial(s *store) (Trial, error) {
	ctx := context.Background()
	r := newRig(s)
	// The same minute of the hour in every trial: what a checkpoint does once an
	// hour must not depend on when the test runs.
	r.clock.now = r.clock.now.Truncate(time.Hour).Add(time.Minute)
	setup := r.process(s.Ports, nil)
	r.mutate = i.Mutate
	text := &Author{Client: 1}
	updates := [][]byte{text.Insert("a"), text.Insert("b")}
	seeder := r.origin("seeder")
	err := r.enter(ctx, setup, seeder)
	for n, u := range updates {
		_, serr := submit(ctx, setup, seeder, u)
		err = errors.Join(err, serr)
		if i.Checkpoints && n == 0 {
			err = errors.Join(err, setup.Checkpoint(ctx, r.room))
		}
	}
	err = errors.Join(err, setup.Leave(ctx, r.room, seeder.Connection))
	if err != nil {
		return Trial{}, err
	}
	joiner := &joining{rig: r, symphony: i.Symphony}
	trial := Trial{Unreduced: i.Unreduced, Actors: []*Actor{NewActor("joiner", joiner.run)}}
	errs := make([]error, i.Writers+1)
	for n := range i.Writers {
		u := (&Author{Client: uint64(n + 10)}).Insert("x")
		updates = append(updates, u)
		from := r.origin(fmt.Sprint("writer", n))
		if err := r.enter(ctx, setup, from); err != nil {
			return Trial{}, err
		}
		trial.Actors = append(trial.Actors, NewActor(fmt.Sprint("writer", n), func(a *Actor) {
			service := r.process(s.Ports, a.Gate)
			a.Invoke(func() { _, errs[n] = submit(ctx, service, from, u) })
		}))
	}
	if i.Checkpoints {
		trial.Actors = append(trial.Actors, NewActor("checkpoint", func(a *Actor) {
			service := r.process(s.Ports, a.Gate)
			var first, second error
			a.Invoke(func() { first = service.Checkpoint(ctx, r.room) })
			a.Pass(func() { r.clock.Advance(room.DefaultGrace + time.Millisecond) })
			a.Invoke(func() { second = service.Checkpoint(ctx, r.room) })
			errs[i.Writers] = errors.Join(first, second)
		}))
	}
	trial.Check = func() error {
		if err := errors.Join(append(errs, joiner.err)...); err != nil {
			return err
		}
		if err := joiner.check(updates); err != nil {
			return fmt.Errorf("the joiner: %w", err)
		}
		r.mutate = nil
		doc, through, err := r.document(ctx, s.Ports)
		if err != nil {
			return err
		}
		if int(through) != len(updates) {
			return fmt.Errorf("the log ends at %d, not %d", through, len(updates))
		}
		return holds(doc, updates...)
	}
	return trial, nil
}

// joining is somebody who joins: $connect, then the first message.
type joining struct {
	*rig
	symphony bool

	from    room.Origin
	err     error
	update  []byte
	through room.Seq
}

func (j *joining) run(a *Actor) {
	ctx := context.Background()
	service := j.process(j.store.Ports, a.Gate)
	a.Invoke(func() {
		j.from = j.origin("joiner") // connected now
		// The gateway accepts the connection when $connect has returned: within
		// seconds, but not at the same moment.
		if j.err = j.join(ctx, service, j.from); j.err == nil {
			a.Open(j.gateway, j.from.Connection)
		}
	})
	if j.err != nil {
		return
	}
	a.Invoke(func() {
		if j.symphony {
			var welcome *protocol.Welcome
			welcome, j.err = ask[*protocol.Welcome](ctx, service, j.from, &protocol.Hello{Version: protocol.Version, Client: 99})
			if j.err == nil {
				j.update, j.through = welcome.Update, room.Seq(welcome.Through)
			}
			return
		}
		var step2 *protocol.SyncStep2
		step2, j.err = ask[*protocol.SyncStep2](ctx, service, j.from, &protocol.SyncStep1{StateVector: []byte{0}})
		if j.err == nil {
			j.update = step2.Update
		}
	})
}

// check demands that the joiner has every update, from what it loaded or from
// a post; and a Symphony joiner every number after what it loaded.
func (j *joining) check(updates [][]byte) error {
	got, seqs := inboxOf(j.gateway.Take(j.from.Connection))
	if len(j.update) > 0 {
		got = append(got, j.update)
	}
	doc, err := yjs.Merge(got...)
	if err != nil {
		return err
	}
	if err := holds(doc, updates...); err != nil {
		return err
	}
	if !j.symphony {
		return nil
	}
	return gapless(seqs, j.through, room.Seq(len(updates)))
}
