package room_test

import (
	"bytes"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/faultstore"
	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/room/roomtest"
)

// An Erase that fails, or whose process dies, at any of its calls leaves a room
// that is whole; erased again, nothing of it is left.
func TestEraseMayFailAnywhere_N1(t *testing.T) {
	prepare := func(t *testing.T) (*world, *roomtest.Author) {
		w := newWorld(t)
		ann, text := w.join("a", "ann"), &roomtest.Author{Client: 1}
		w.edit(ann, text, 3)
		w.untilClean() // archived
		w.edit(ann, text, 3)
		return w, text
	}
	w, _ := prepare(t)
	before := w.faults.Calls()
	_, err := w.service.Erase(t.Context(), lobby, room.User{})
	require.NoError(t, err)
	calls := w.faults.Calls() - before
	require.Greater(t, calls, 10)
	for name, f := range map[string]faultstore.Fault{
		"fails": {Before: true}, "fails after its effect": {After: true},
		"dies before": {Die: true}, "dies after": {Die: true, After: true},
	} {
		for n := 1; n <= calls; n++ {
			t.Run(fmt.Sprintf("call %d %s", n, name), func(t *testing.T) {
				w, text := prepare(t)
				w.faults.Inject(faultstore.At(before+n, f))
				_, _ = w.service.Erase(t.Context(), lobby, room.User{})
				w.faults.Inject(nil)
				w.faults.Restart()
				w.document() // whole, erased or not
				ann := w.join("again", "ann")
				w.edit(ann, text, 1)
				seq, err := w.service.Erase(t.Context(), lobby, room.User{})
				require.NoError(t, err)
				w.edit(ann, text, 1)
				w.overGrace()
				w.untilClean()
				require.Equal(t, []string{w.meta().Snapshot.Key}, w.objects())
				require.Empty(t, w.entries(0))
				require.Equal(t, seq, w.meta().Erased)
				require.NoError(t, w.store.Snapshots().List(t.Context(), lobby, room.ObjectArchive, func(o room.Object) error {
					require.GreaterOrEqual(t, o.From, seq)
					return nil
				}))
			})
		}
	}
}

// Edits that race with Erase are whole edits of the room before or after it.
func TestEraseWhileOthersEdit(t *testing.T) {
	w := newWorld(t)
	ann, text := w.join("a", "ann"), &roomtest.Author{Client: 1}
	w.edit(ann, text, 1)
	appends := 0
	w.faults.SetGate(func(c faultstore.Call) func() {
		if c.Name == "Log.Append" {
			if appends++; appends <= 3 { // between reading the document and appending
				_, other := w.process(uint64(appends) + 1)
				frame := protocol.EncodeFrameString(&protocol.Submit{ID: uint64(appends), Update: text.Insert("secret")})
				_, err := other.Receive(t.Context(), ann, frame)
				require.NoError(t, err)
			}
		}
		return func() {}
	})
	seq, err := w.service.Erase(t.Context(), lobby, room.User{})
	require.NoError(t, err)
	require.EqualValues(t, 1+3+4, seq, "it began anew three times")
	require.False(t, bytes.Contains(w.document(), []byte("secret")))
}

// damaged is a room whose snapshot is lost, with n entries in all.
func damaged(t *testing.T) *world {
	w := newWorld(t)
	ann, text := w.join("a", "ann"), &roomtest.Author{Client: 1}
	w.edit(ann, text, 3)
	w.untilClean()
	require.NoError(t, w.store.Snapshots().Delete(t.Context(), w.meta().Snapshot))
	return w
}

// The first edit after a damaged room was erased comes after the entry that the
// erasure is: a room is left out of lists while it has nothing newer (P26, P31).
func TestEraseDamagedBeginsWithAnEntryOfItsOwn_P26(t *testing.T) {
	w := damaged(t)
	seq, err := w.service.Erase(t.Context(), lobby, room.User{})
	require.NoError(t, err)
	require.Equal(t, seq, w.meta().Erased)
	again, err := w.service.Erase(t.Context(), lobby, room.User{})
	require.NoError(t, err)
	require.Equal(t, seq, again, "once is enough")
	first, err := w.service.Write(t.Context(), lobby, room.User{ID: "ann"}, (&roomtest.Author{Client: 2}).Insert("new"))
	require.NoError(t, err)
	require.Greater(t, first, seq, "the first edit is newer than the erasure")
}

// So it is when Erase of a damaged room fails, or its process dies, at any call
// and nobody tries again; and whoever tries again has an empty, whole room.
func TestEraseDamagedMayFailAnywhere_N1(t *testing.T) {
	w := damaged(t)
	before := w.faults.Calls()
	_, err := w.service.Erase(t.Context(), lobby, room.User{})
	require.NoError(t, err)
	calls := w.faults.Calls() - before
	require.Greater(t, calls, 5)
	for name, f := range map[string]faultstore.Fault{
		"fails": {Before: true}, "fails after its effect": {After: true},
		"dies before": {Die: true}, "dies after": {Die: true, After: true},
	} {
		for n := 1; n <= calls; n++ {
			t.Run(fmt.Sprintf("call %d %s", n, name), func(t *testing.T) {
				w := damaged(t)
				epoch := w.meta().Epoch
				w.faults.Inject(faultstore.At(before+n, f))
				_, _ = w.service.Erase(t.Context(), lobby, room.User{})
				w.faults.Inject(nil)
				w.faults.Restart()
				ann := &roomtest.Author{Client: 2}
				seq, err := w.service.Write(t.Context(), lobby, room.User{ID: "ann"}, ann.Insert("new"))
				require.NoError(t, err)
				require.Greater(t, seq, w.meta().Erased, "an edit is newer than the erasure, whatever became of it")
				if w.meta().Erased != 0 {
					require.NotEqual(t, epoch, w.meta().Epoch)
					require.True(t, bytes.Contains(w.document(), []byte("new")), "the edit is in the new life")
				}
				seq, err = w.service.Erase(t.Context(), lobby, room.User{})
				require.NoError(t, err)
				require.Equal(t, seq, w.meta().Erased)
				require.False(t, bytes.Contains(w.document(), []byte("new")))
				w.overGrace()
				w.untilClean()
				require.Equal(t, []string{w.meta().Snapshot.Key}, w.objects())
				require.Empty(t, w.entries(0))
			})
		}
	}
}
