package room_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/faultstore"
	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/room/roomtest"
)

func TestSweep(t *testing.T) {
	w := newWorld(t)
	var origins []room.Origin
	for i := range 30 {
		id := room.ID(fmt.Sprint("room", i))
		from := room.Origin{Connection: room.ConnectionID(fmt.Sprint("c", i)), Room: id, Access: room.AccessWrite, ConnectedAt: w.clock.Now()}
		require.NoError(t, w.service.Join(t.Context(), id, member(from)))
		origins = append(origins, from)
		_, err := w.send(from, &protocol.SyncUpdate{Update: (&roomtest.Author{Client: 1}).Insert("x")})
		require.NoError(t, err)
	}
	// One room cannot be checkpointed; the others are.
	_, err := w.store.Log().Append(t.Context(), "room7", 0, room.Update{Data: []byte("garbage")})
	require.NoError(t, err)
	w.clock.Advance(7 * time.Second)
	report, err := w.service.Sweep(t.Context())
	require.ErrorIs(t, err, room.ErrCorrupt)
	require.ErrorContains(t, err, `"room7"`)
	require.Equal(t, room.SweepReport{Rooms: 30, Failed: 1, Lag: 7 * time.Second}, report)
	for i := range origins {
		m, err := w.store.Metas().Get(t.Context(), room.ID(fmt.Sprint("room", i)))
		require.NoError(t, err)
		require.Equal(t, i != 7, m.Snapshot.Seq == 1)
	}

	// Two sweeps at once are harmless.
	_, other := w.process(2)
	var wg sync.WaitGroup
	for _, s := range []*room.Service{w.service, other} {
		wg.Go(func() { _, _ = s.Sweep(t.Context()) })
	}
	wg.Wait()

	// With no time left nothing is begun.
	deadline := w.clock.Now().Add(5 * time.Second)
	ctx, cancel := context.WithDeadline(t.Context(), deadline)
	defer cancel()
	report, err = w.service.Sweep(ctx)
	require.NoError(t, err)
	require.Equal(t, room.SweepReport{Rooms: 30, Left: 30}, report)

	w.faults.Inject(faultstore.Named("Metas.Unclean", 1, faultstore.Fault{After: true}))
	_, err = w.service.Sweep(t.Context())
	require.ErrorIs(t, err, room.ErrUnavailable)
}
