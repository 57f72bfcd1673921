package roomtest

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/faultstore"
	"github.com/symphony-rt/symphony/internal/room"
)

// The explorer itself, on steps whose schedules can be counted by hand.
func TestExploreCountsSchedules(t *testing.T) {
	call := func(name string, to ...room.ConnectionID) faultstore.Call { return faultstore.Call{Name: name, To: to} }
	count := func(actors ...[]faultstore.Call) (schedules int) {
		n, err := Explore(0, func() Trial {
			trial := Trial{Check: func() error { return nil }}
			for _, steps := range actors {
				trial.Actors = append(trial.Actors, NewActor("a", func(a *Actor) {
					for _, c := range steps {
						a.Gate(c)()
					}
				}))
			}
			return trial
		})
		require.NoError(t, err)
		return n
	}
	w, r := call("Log.Append"), call("Log.Read")
	require.Equal(t, 1, count([]faultstore.Call{w, w}))
	require.Equal(t, 6, count([]faultstore.Call{w, w}, []faultstore.Call{w, w}), "4 over 2")
	require.Equal(t, 90, count([]faultstore.Call{w, w}, []faultstore.Call{w, w}, []faultstore.Call{w, w}), "6!/(2!2!2!)")
	require.Equal(t, 1, count([]faultstore.Call{r, r}, []faultstore.Call{r, r}), "reads commute")
	require.Equal(t, 3, count([]faultstore.Call{w}, []faultstore.Call{r, r}))
	require.Equal(t, 1, count([]faultstore.Call{w}, []faultstore.Call{call("Metas.Swap")}), "other things")
	require.Equal(t, 3, count([]faultstore.Call{w, call("Metas.Swap")}, []faultstore.Call{call("Metas.Get"), call("Metas.Get")}), "before, between, after")
	require.Equal(t, 1, count([]faultstore.Call{call("Sender.Post", "x")}, []faultstore.Call{call("Sender.Post", "x")}))
	require.Equal(t, 2, count([]faultstore.Call{call("Sender.Post", "x")}, []faultstore.Call{call(stepOpen, "x")}))
	require.Equal(t, 1, count([]faultstore.Call{call("Sender.Post", "x")}, []faultstore.Call{call(stepOpen, "y")}))
}

// A read-modify-write without a lock: the explorer finds the lost update.
func TestExploreFindsALostUpdate(t *testing.T) {
	_, err := Explore(0, func() Trial {
		counter := 0
		increment := func(a *Actor) {
			a.Gate(faultstore.Call{Name: "Metas.Get"})()
			read := counter
			a.Gate(faultstore.Call{Name: "Metas.Swap"})()
			counter = read + 1
		}
		return Trial{
			Actors: []*Actor{NewActor("one", increment), NewActor("two", increment)},
			Check: func() error {
				if counter != 2 {
					return errors.New("lost")
				}
				return nil
			},
		}
	})
	require.ErrorContains(t, err, "lost")
}

// Time does not pass while somebody is in the middle of an invocation.
func TestExploreKeepsTimeOutOfInvocations(t *testing.T) {
	schedules, err := Explore(0, func() Trial {
		now, bad := 0, false
		return Trial{
			Actors: []*Actor{
				NewActor("worker", func(a *Actor) {
					a.Invoke(func() {
						began := now
						a.Gate(faultstore.Call{Name: "Log.Append"})()
						a.Gate(faultstore.Call{Name: "Log.Append"})()
						bad = bad || now != began
					})
				}),
				NewActor("time", func(a *Actor) { a.Pass(func() { now++ }) }),
			},
			Check: func() error {
				if bad {
					return errors.New("time passed")
				}
				return nil
			},
		}
	})
	require.NoError(t, err)
	require.Equal(t, 2, schedules, "before and after")
}
