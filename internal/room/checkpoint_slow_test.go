package room_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/faultstore"
	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/room/roomtest"
)

// A swap that was stored although its answer was lost: the object must stay.
func TestASwapWhoseAnswerIsLost_G6(t *testing.T) {
	w := newWorld(t)
	ann, text := w.join("a", "ann"), &roomtest.Author{Client: 1}
	w.edit(ann, text, 3)
	w.faults.Inject(faultstore.Named("Metas.Swap", 1, faultstore.Fault{After: true}))
	require.ErrorIs(t, w.service.Checkpoint(t.Context(), lobby), room.ErrUnavailable)
	require.EqualValues(t, 3, w.meta().Snapshot.Seq)
	w.document()

	// A store that asks twice by itself reports its own success as a conflict.
	w.edit(ann, text, 1)
	p := w.ports()
	p.Metas = doubter{p.Metas}
	service, err := room.NewService(p, room.Options{})
	require.NoError(t, err)
	require.NoError(t, service.Checkpoint(t.Context(), lobby))
	require.EqualValues(t, 4, w.meta().Snapshot.Seq)
	w.document()
}

type doubter struct{ room.Metas }

func (d doubter) Swap(ctx context.Context, id room.ID, m room.Meta) error {
	if err := d.Metas.Swap(ctx, id, m); err != nil {
		return err
	}
	return d.Metas.Swap(ctx, id, m)
}

// A checkpoint that was frozen after it stored its object does not point to
// it: it may be gone as an orphan.
func TestASlowCheckpointGivesUp_G6(t *testing.T) {
	w := newWorld(t)
	ann, text := w.join("a", "ann"), &roomtest.Author{Client: 1}
	w.edit(ann, text, 3)
	w.faults.SetGate(func(c faultstore.Call) func() {
		if c.Name == "Snapshots.Get" {
			w.clock.Advance(room.DefaultGrace)
		}
		return func() {}
	})
	require.ErrorIs(t, w.service.Checkpoint(t.Context(), lobby), room.ErrUnavailable)
	require.Zero(t, w.meta().Snapshot)
	require.Empty(t, w.objects())
	require.Len(t, w.entries(0), 3)
}

// A reader that read the record before two checkpoints still finds what it
// was pointed to within the grace; past it, the record is read again.
func TestASlowReaderFindsItsSnapshotWithinTheGrace_G5_G6(t *testing.T) {
	for _, delay := range []time.Duration{room.DefaultGrace / 2, 2 * room.DefaultGrace} {
		w := newWorld(t)
		ann, text := w.join("a", "ann"), &roomtest.Author{Client: 1}
		w.edit(ann, text, 3)
		w.checkpoint()
		bob := w.join("b", "bob")
		w.faults.SetGate(func(c faultstore.Call) func() {
			if c.Name != "Snapshots.Get" {
				return func() {}
			}
			w.faults.SetGate(nil)
			_, other := w.process(2)
			_, err := other.Receive(t.Context(), ann, protocol.EncodeFrameString(&protocol.SyncUpdate{Update: text.Insert("y")}))
			require.NoError(t, err)
			require.NoError(t, other.Checkpoint(t.Context(), lobby))
			w.clock.Advance(delay)
			require.NoError(t, other.Checkpoint(t.Context(), lobby))
			return func() {}
		})
		answer, err := w.send(bob, &protocol.SyncStep1{StateVector: []byte{0}})
		require.NoError(t, err)
		wantSame(t, w.document(), answer.(*protocol.SyncStep2).Update, "after", delay)
	}
}

// Log entries trimmed under a reader that never noticed: time tells.
func TestAReaderThatStalledBetweenRecordAndLogGivesUp_G5(t *testing.T) {
	w := newWorld(t)
	ann, text := w.join("a", "ann"), &roomtest.Author{Client: 1}
	w.edit(ann, text, 3)
	bob := w.join("b", "bob")
	w.faults.SetGate(func(c faultstore.Call) func() {
		if c.Name == "Log.Read" {
			w.faults.SetGate(nil)
			_, other := w.process(2)
			require.NoError(t, other.Checkpoint(t.Context(), lobby))
			w.overGrace()
			require.NoError(t, other.Checkpoint(t.Context(), lobby))
			require.Empty(t, w.entries(0), "an empty log, and a record that knows of no snapshot")
		}
		return func() {}
	})
	answer, err := w.send(bob, &protocol.SyncStep1{StateVector: []byte{0}})
	require.ErrorIs(t, err, room.ErrDisconnected)
	require.Nil(t, answer)
}
