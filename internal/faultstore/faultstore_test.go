package faultstore_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/faultstore"
	"github.com/symphony-rt/symphony/internal/memstore"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/room/roomtest"
)

type backend struct{ store *memstore.Store }

func (b backend) Open(testing.TB) roomtest.Ports {
	p := faultstore.New().Ports(ports(b.store))
	return roomtest.Ports{Log: p.Log, Metas: p.Metas, Members: p.Members, Snapshots: p.Snapshots}
}

func ports(store *memstore.Store) room.Ports {
	return room.Ports{
		Log: store.Log(), Metas: store.Metas(), Members: store.Members(), Snapshots: store.Snapshots(),
		Uploads: store.Uploads(), Links: store.Uploads(), Sender: everybody{}, Clock: roomtest.NewClock(),
	}
}

// everybody is a sender that reaches everybody.
type everybody struct{}

func (everybody) Post(context.Context, []room.ConnectionID, []byte) []room.Failure { return nil }
func (everybody) Disconnect(context.Context, room.ConnectionID) error              { return nil }

func TestAnInjectorThatInjectsNothingChangesNothing(t *testing.T) {
	roomtest.Run(t, roomtest.Harness{
		New:     func(_ testing.TB, clock *roomtest.Clock) roomtest.Backend { return backend{memstore.New(clock)} },
		Several: true,
	})
}

func TestFaults(t *testing.T) {
	ctx := t.Context()
	for _, c := range []struct {
		name   string
		fault  faultstore.Fault
		stored room.Seq // by the second append
		later  bool     // the third works
	}{
		{"before", faultstore.Fault{Before: true}, 1, true},
		{"after", faultstore.Fault{After: true}, 2, true},
		{"dead before", faultstore.Fault{Die: true}, 1, false},
		{"dead after", faultstore.Fault{Die: true, After: true}, 2, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			store := memstore.New(roomtest.NewClock())
			i := faultstore.New()
			i.Inject(faultstore.Named("Log.Append", 2, c.fault))
			p := i.Ports(ports(store))
			add := func() error {
				_, err := p.Log.Append(ctx, "r", 0, room.Update{Data: []byte("x")})
				return err
			}
			require.NoError(t, add())
			err := add()
			require.ErrorIs(t, err, faultstore.ErrInjected)
			require.ErrorIs(t, err, room.ErrUnavailable)
			tail, err := store.Log().Tail(ctx, "r", 0)
			require.NoError(t, err)
			require.Equal(t, c.stored, tail)
			require.Equal(t, !c.later, i.Dead())
			require.Equal(t, c.later, add() == nil)
			require.Equal(t, c.later, p.Sender.Disconnect(ctx, "c") == nil, "every port of a dead process fails")
			require.Equal(t, c.later, len(p.Sender.Post(ctx, []room.ConnectionID{"c", "d"}, nil)) == 0)
			i.Restart()
			require.NoError(t, add())
			require.Equal(t, map[string]int{"Log.Append": 4, "Sender.Disconnect": 1, "Sender.Post": 1}, i.Counts())
			require.Equal(t, 6, i.Calls())
		})
	}
}

func TestAtAndBetweenAndDelay(t *testing.T) {
	i := faultstore.New()
	p := i.Ports(ports(memstore.New(roomtest.NewClock())))
	failing := func(calls int) (failed []int) {
		for n := range calls {
			if p.Sender.Disconnect(t.Context(), "c") != nil {
				failed = append(failed, n+1)
			}
		}
		return failed
	}
	i.Inject(faultstore.At(3, faultstore.Fault{Before: true}))
	require.Equal(t, []int{3}, failing(5))
	i.Inject(faultstore.Between(7, 9, faultstore.Fault{Before: true}))
	require.Equal(t, []int{2, 3, 4}, failing(5))
	var slept time.Duration
	i.SetSleep(func(_ context.Context, d time.Duration) error { slept += d; return nil })
	i.Inject(faultstore.Named("Sender.Disconnect", 0, faultstore.Fault{Delay: time.Minute}))
	require.Empty(t, failing(2))
	require.Equal(t, 2*time.Minute, slept)
	i.Inject(nil)
	require.Len(t, p.Sender.Post(t.Context(), []room.ConnectionID{"a"}, nil), 0)
}
