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
