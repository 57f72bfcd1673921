package roomtest

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/faultstore"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/yjs"
)

// FaultRun says how to run RunFaults on a store.
type FaultRun struct {
	// Open returns a handle on a store, of its own or shared with other runs.
	Open func(t testing.TB, clock *Clock) Ports
	// Stride is how many calls the run moves on at a time: 1 for every one.
	Stride int
	// Short leaves out what repeats: for engines on which a call takes
	// milliseconds.
	Short bool
}

// RunFaults is the fault run: every store and sender call of whole sessions
// fails in turn, with and without its effect, fails together with the four that
// follow, or is the last of its process (N1, P21, P23). It returns how many
// calls of each name the sessions make.
func RunFaults(t *testing.T, run FaultRun) map[string]int {
	total := map[string]int{}
	for _, script := range scripts(run.Short) {
		s := newSession(newStage(t, run.Open, nil))
		script.run(s)
		calls := s.faults.Calls()
		for name, n := range s.faults.Counts() {
			total[name] += n
		}
		s.finish(false)
		s.check()
		for _, mode := range faultModes {
			if run.Short && mode.repeats {
				continue
			}
			t.Run(script.name+", a call "+mode.name, func(t *testing.T) {
				t.Parallel()
				for n := 1; n <= calls; n += run.Stride {
					if !t.Run(fmt.Sprint("call ", n), func(t *testing.T) { faultRun(t, run, script.run, mode.rule(n), mode.plainReturn) }) {
						t.Fatal("stopped at the first failure")
					}
				}
			})
		}
	}
	t.Logf("calls of the sessions: %v", total)
	return total
}

// faultModes are the ways in which call n goes wrong.
var faultModes = []struct {
	name string
	rule func(n int) faultstore.Rule
	// plainReturn: plain clients, which have no numbers, may have missed
	// something that only their next connection brings.
	plainReturn bool
	// repeats: it fails each call in several ways that others do too.
	repeats bool
}{
	{"fails", func(n int) faultstore.Rule { return faultstore.At(n, faultstore.Fault{Before: true}) }, false, false},
	{"fails after its effect", func(n int) faultstore.Rule { return faultstore.At(n, faultstore.Fault{After: true}) }, false, false},
	{"begins an outage", func(n int) faultstore.Rule { return faultstore.Between(n, n+4, faultstore.Fault{Before: true}) }, true, true},
	{"dies before its effect", func(n int) faultstore.Rule { return faultstore.At(n, faultstore.Fault{Die: true}) }, true, false},
	{"dies after its effect", func(n int) faultstore.Rule { return faultstore.At(n, faultstore.Fault{Die: true, After: true}) }, true, false},
}

func faultRun(t *testing.T, run FaultRun, script func(*session), rule faultstore.Rule, plainReturn bool) {
	s := newSession(newStage(t, run.Open, nil))
	s.faults.Inject(rule)
	script(s)
	s.finish(plainReturn)
	s.check()
	require.NotEmpty(t, s.acknowledged)
}

// check is the consistency checker: acknowledged is a subset of recovered, all
// documents converge, and what is stored is whole.
func (s *session) check() {
	t := s.t
	recovered := s.document()
	for i, u := range s.acknowledged {
		has, err := yjs.Contains(recovered, u)
		require.NoError(t, err)
		require.True(t, has, "acknowledged update %d is lost", i)
	}
	for _, c := range s.clients {
		WantSame(t, recovered, c.document(), c.name())
		if c, ok := c.(*symphonyClient); ok {
			require.Empty(t, c.pending, "%s was told of everything", c.user)
		}
	}
	replay, _ := history(t, s.ports, s.room)
	WantSame(t, replay, recovered, "replay of archives and log")

	s.overGrace()
	s.untilClean()
	WantSame(t, recovered, s.document(), "after the last checkpoint")
	require.Equal(t, []string{s.meta().Snapshot.Key}, slices.Collect(maps.Keys(listObjects(t, s.ports, s.room))), "no orphans")
	require.Empty(t, listKind(t, s.ports, s.room, room.ObjectUpdate), "no orphans of large updates")
	require.Empty(t, logAfter(t, s.ports, s.room, 0))
	newcomer := s.symphony("newcomer", 999)
	newcomer.connect()
	WantSame(t, recovered, newcomer.document(), "a newcomer")
}
