package room_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/faultstore"
	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/room/roomtest"
)

// cleaning brings a room with three updates to where the next pass turns it
// clean.
func (w *world) cleaning(from room.Origin, text *roomtest.Author) {
	w.t.Helper()
	w.edit(from, text, 3)
	w.checkpoint()
	w.overGrace()
	w.checkpoint()
	w.overGrace()
	require.Equal(w.t, room.Cleaning, w.meta().State)
}

// A stray object that is too young to tell keeps the room from becoming clean,
// or nobody would look again.
func TestAYoungOrphanIsLookedAtAgain_G6(t *testing.T) {
	w := newWorld(t)
	w.cleaning(w.join("a", "ann"), &roomtest.Author{Client: 1})
	_, err := w.store.Snapshots().Put(t.Context(), lobby, 3, "late", []byte("from a checkpoint that died"))
	require.NoError(t, err)
	w.checkpoint()
	require.Equal(t, room.Cleaning, w.meta().State)
	require.Len(t, w.objects(), 2)
	w.overGrace()
	w.checkpoint()
	require.Equal(t, room.Clean, w.meta().State)
	require.Equal(t, []string{w.meta().Snapshot.Key}, w.objects())
}

// One pass is about to call the room clean. Meanwhile somebody edits, and
// another pass has stored its object but not pointed to it yet: that object is
// no orphan.
func TestAnObjectAboutToBePointedToIsNoOrphan_G6(t *testing.T) {
	w := newWorld(t)
	ann, text := w.join("a", "ann"), &roomtest.Author{Client: 1}
	w.cleaning(ann, text)
	faults, other := w.process(2)
	swapping, swept, done := make(chan bool), make(chan bool), make(chan error)
	w.faults.SetGate(func(c faultstore.Call) func() {
		if c.Name != "Snapshots.List" {
			return func() {}
		}
		w.faults.SetGate(nil)
		_, err := other.Receive(t.Context(), ann, protocol.EncodeFrameString(&protocol.SyncUpdate{Update: text.Insert("late")}))
		require.NoError(t, err)
		faults.SetGate(func(c faultstore.Call) func() {
			if c.Name == "Metas.Swap" {
				swapping <- true
				<-swept
			}
			return func() {}
		})
		go func() { done <- other.Checkpoint(t.Context(), lobby) }()
		<-swapping
		return func() {}
	})
	w.checkpoint()
	swept <- true
	require.NoError(t, <-done)
	require.EqualValues(t, 4, w.meta().Snapshot.Seq)
	w.document() // the snapshot is there
	w.untilClean()
	require.Len(t, w.history(), 4)
}

// A pass that was frozen knows an old record: what that does not name may be
// the snapshot by now.
func TestAFrozenPassDeletesNoSnapshotItDoesNotKnow_G6(t *testing.T) {
	w := newWorld(t)
	ann, text := w.join("a", "ann"), &roomtest.Author{Client: 1}
	w.cleaning(ann, text)
	w.faults.SetGate(func(c faultstore.Call) func() {
		if c.Name != "Log.Read" {
			return func() {}
		}
		w.faults.SetGate(nil)
		_, other := w.process(2)
		_, err := other.Receive(t.Context(), ann, protocol.EncodeFrameString(&protocol.SyncUpdate{Update: text.Insert("late")}))
		require.NoError(t, err)
		for range 2 {
			require.NoError(t, other.Checkpoint(t.Context(), lobby))
			w.overGrace()
		}
		require.Empty(t, w.entries(0), "nothing in the log tells that time has passed")
		return func() {}
	})
	w.checkpoint()
	require.EqualValues(t, 4, w.meta().Snapshot.Seq)
	w.document()
	w.untilClean()
	require.Len(t, w.history(), 4)
}

// Nor does it cry damage over what other passes have let go.
func TestAFrozenPassTakesProgressForNoDamage_G6(t *testing.T) {
	for _, frozenAt := range []string{"Log.Read", "Snapshots.Get"} {
		w := newWorld(t)
		ann, text := w.join("a", "ann"), &roomtest.Author{Client: 1}
		w.cleaning(ann, text)
		w.edit(ann, text, 1)
		frozen := false
		w.faults.SetGate(func(c faultstore.Call) func() {
			if c.Name != frozenAt {
				return func() {}
			}
			w.faults.SetGate(nil)
			frozen = true
			_, other := w.process(2)
			for range 3 {
				_, err := other.Receive(t.Context(), ann, protocol.EncodeFrameString(&protocol.SyncUpdate{Update: text.Insert("late")}))
				require.NoError(t, err)
				require.NoError(t, other.Checkpoint(t.Context(), lobby))
				w.overGrace()
			}
			return func() {}
		})
		w.checkpoint() // no error
		require.True(t, frozen, frozenAt)
		w.document()
		w.untilClean()
		require.Len(t, w.history(), 7)
	}
}
