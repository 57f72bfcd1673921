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

// A sweep that a shutdown cuts off has failed at nothing: what is left waits for
// the next.
func TestACancelledSweepLeavesRooms(t *testing.T) {
	w := newWorld(t)
	for i := range 20 {
		id := room.ID(fmt.Sprint("room", i))
		from := room.Origin{Connection: room.ConnectionID(fmt.Sprint("c", i)), Room: id, Access: room.AccessWrite, ConnectedAt: w.clock.Now()}
		require.NoError(t, w.service.Join(t.Context(), id, member(from)))
		_, err := w.send(from, &protocol.SyncUpdate{Update: (&roomtest.Author{Client: 1}).Insert("x")})
		require.NoError(t, err)
	}
	// Spread over an hour, all but the first few wait for their slot.
	spread, err := room.NewService(w.ports(), room.Options{SweepSpread: time.Hour})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan room.SweepReport)
	go func() {
		report, err := spread.Sweep(ctx)
		require.NoError(t, err)
		done <- report
	}()
	covered := func() (n int) {
		for i := range 20 {
			m, err := w.store.Metas().Get(t.Context(), room.ID(fmt.Sprint("room", i)))
			require.NoError(t, err)
			n += int(m.Snapshot.Seq)
		}
		return n
	}
	require.Eventually(t, func() bool { return covered() > 0 }, time.Minute, time.Millisecond)
	cancel()
	report := <-done
	require.Equal(t, 20, report.Rooms)
	require.Zero(t, report.Failed)
	// One may have been cut off after its snapshot was pointed to.
	require.GreaterOrEqual(t, report.Left, 20-covered())
	require.LessOrEqual(t, report.Left, 20)

	// The next sweep, as fast as it can be, finishes.
	report, err = w.service.Sweep(t.Context())
	require.NoError(t, err)
	require.Zero(t, report.Left)
	require.Equal(t, 20, covered())
}

// cutShort is a store that a shutdown cuts off in the middle of a checkpoint.
type cutShort struct {
	room.Snapshots
	shutdown context.CancelFunc
}

func (c cutShort) Put(context.Context, room.ID, room.Seq, string, []byte) (room.SnapshotRef, error) {
	c.shutdown()
	return room.SnapshotRef{}, fmt.Errorf("%w: %w", room.ErrUnavailable, context.Canceled)
}

func TestACheckpointCutOffIsLeftAndNotFailed(t *testing.T) {
	w := newWorld(t)
	from := w.join("c1", "ada")
	_, err := w.send(from, &protocol.SyncUpdate{Update: (&roomtest.Author{Client: 1}).Insert("x")})
	require.NoError(t, err)
	ctx, cancel := context.WithCancel(t.Context())
	ports := w.ports()
	ports.Snapshots = cutShort{ports.Snapshots, cancel}
	service, err := room.NewService(ports, room.Options{})
	require.NoError(t, err)
	report, err := service.Sweep(ctx)
	require.NoError(t, err)
	require.Equal(t, room.SweepReport{Rooms: 1, Left: 1}, report)

	// A time-out is a failure all the same: the function's alarm is for it.
	slow, stop := context.WithTimeout(t.Context(), time.Hour)
	defer stop()
	ports.Snapshots = cutShort{w.ports().Snapshots, func() {}}
	service, err = room.NewService(ports, room.Options{})
	require.NoError(t, err)
	report, err = service.Sweep(slow)
	require.ErrorIs(t, err, room.ErrUnavailable)
	require.Equal(t, 1, report.Failed)
}
