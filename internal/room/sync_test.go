package room_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/faultstore"
	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/room/roomtest"
	"github.com/symphony-rt/symphony/internal/yjs"
)

func TestPlainSync(t *testing.T) {
	w := newWorld(t)
	ann, bob := w.join("a", "ann"), w.join("b", "bob")
	// An empty room: step 2 with nothing, and the server's own step 1.
	step2 := ask[*protocol.SyncStep2](w, ann, &protocol.SyncStep1{StateVector: []byte{0}})
	require.Equal(t, emptyUpdate, step2.Update)
	require.Equal(t, []*protocol.SyncStep1{{StateVector: []byte{0}}}, inbox[*protocol.SyncStep1](w, "a"))
	require.Zero(t, w.writes()-2, "reading a room writes nothing: two joins")

	// What ann had before: her answer to step 1 is stored and sent on.
	text := &roomtest.Author{Client: 1}
	mine := merged(t, text.Insert("off"), text.Insert("line"))
	answer, err := w.send(ann, &protocol.SyncStep2{Update: mine})
	require.NoError(t, err)
	require.Nil(t, answer)
	require.Equal(t, []*protocol.SyncUpdate{{Update: mine}}, inbox[*protocol.SyncUpdate](w, "b"))

	// Bob has nothing, then some of it, then all of it.
	step2 = ask[*protocol.SyncStep2](w, bob, &protocol.SyncStep1{StateVector: []byte{0}})
	wantSame(t, mine, step2.Update)
	step2 = ask[*protocol.SyncStep2](w, bob, &protocol.SyncStep1{StateVector: yjs.EncodeStateVector(map[uint64]uint64{1: 3})})
	vector, err := yjs.DecodeStateVector(vectorOf(t, mine))
	require.NoError(t, err)
	require.Equal(t, map[uint64]uint64{1: 7}, vector)
	wantSame(t, mine, merged(t, (&roomtest.Author{Client: 1}).Insert("off"), step2.Update))
	require.Less(t, len(step2.Update), len(mine), "only what is missing")
	step2 = ask[*protocol.SyncStep2](w, bob, &protocol.SyncStep1{StateVector: vectorOf(t, mine)})
	empty, err := yjs.IsEmpty(step2.Update)
	require.NoError(t, err)
	require.True(t, empty)
	require.Equal(t, vectorOf(t, mine), inbox[*protocol.SyncStep1](w, "b")[2].StateVector, "the server's step 1 says what it has")
}

func TestAStep2WithNothingNewIsNotStored(t *testing.T) {
	w := newWorld(t)
	ann, bob := w.join("a", "ann"), w.join("b", "bob")
	text := &roomtest.Author{Client: 1}
	first, second, gone := text.Insert("abc"), text.Insert("def"), text.Remove(2)
	for _, u := range [][]byte{first, second, gone} {
		_, err := w.send(ann, &protocol.SyncUpdate{Update: u})
		require.NoError(t, err)
	}
	w.gateway.Take("b")
	log := w.entries(0)
	// A real client's answer always has its whole delete set.
	for _, u := range [][]byte{emptyUpdate, gone, second, merged(t, first, second, gone)} {
		_, err := w.send(bob, &protocol.SyncStep2{Update: u})
		require.NoError(t, err)
	}
	require.Equal(t, log, w.entries(0))
	require.Empty(t, w.gateway.Take("a"))
	news := (&roomtest.Author{Client: 2}).Insert("new")
	_, err := w.send(bob, &protocol.SyncStep2{Update: merged(t, news, gone)})
	require.NoError(t, err)
	require.Len(t, w.entries(0), len(log)+1)
	// Nothing new to the snapshot either.
	require.NoError(t, w.service.Checkpoint(t.Context(), lobby))
	_, err = w.send(bob, &protocol.SyncStep2{Update: merged(t, first, second, gone)})
	require.NoError(t, err)
	require.Len(t, w.entries(0), len(log)+1)
}

// fill stores n bytes of text in updates of one message each, as client 1.
func (w *world) fill(from room.Origin, n int) []byte {
	w.t.Helper()
	text := &roomtest.Author{Client: 1}
	var all [][]byte
	for i := 0; i < n; i += 20_000 {
		u := text.Insert(strings.Repeat(string(rune('a'+i/20_000%26)), min(20_000, n-i)))
		all = append(all, u)
		_, err := w.send(from, &protocol.SyncUpdate{Update: u})
		require.NoError(w.t, err)
	}
	return merged(w.t, all...)
}

func TestAStateLargerThanAPostComesAsValidUpdatesStep2Last(t *testing.T) {
	w := newWorld(t)
	ann, bob := w.join("a", "ann"), w.join("b", "bob")
	whole := w.fill(ann, 500_000)
	w.gateway.Take("b")
	step2 := ask[*protocol.SyncStep2](w, bob, &protocol.SyncStep1{StateVector: []byte{0}})
	got := w.gateway.Take("b")
	require.IsType(t, &protocol.SyncStep1{}, got[0])
	doc := emptyUpdate
	pieces := 0
	for _, m := range got[1:] {
		u, ok := m.(*protocol.SyncUpdate)
		if !ok {
			continue
		}
		pieces++
		require.NoError(t, yjs.Validate(u.Update))
		require.LessOrEqual(t, len(protocol.Encode(u)), protocol.MaxServerMessage)
		doc = merged(t, doc, u.Update)
	}
	require.GreaterOrEqual(t, pieces, 5)
	same, err := yjs.Equal(whole, doc)
	require.NoError(t, err)
	require.False(t, same, "step 2 is the last piece, not an afterthought")
	wantSame(t, whole, merged(t, doc, step2.Update))
}

// Guarantee 5, P23: whatever fails while loading, the client gets nothing it
// could take for an empty document, nothing is written, and it comes back.
func TestAFailedLoadIsNeverAnEmptyDocument_G5_P23(t *testing.T) {
	for _, m := range []protocol.Message{
		&protocol.SyncStep1{StateVector: []byte{0}}, &protocol.Hello{Version: 1, Client: 5},
		&protocol.SyncStep2{Update: (&roomtest.Author{Client: 77}).Insert("x")}, &protocol.RangeRequest{After: 0, Through: 0},
	} {
		t.Run(typeName(m), func(t *testing.T) {
			for n := 1; ; n++ {
				w := newWorld(t)
				ann := w.join("a", "ann")
				w.fill(ann, 300_000)
				require.NoError(t, w.service.Checkpoint(t.Context(), lobby))
				_, err := w.send(ann, &protocol.SyncUpdate{Update: (&roomtest.Author{Client: 2}).Insert("after the snapshot")})
				require.NoError(t, err)
				bob := w.join("b", "bob")
				log, object := w.entries(0), w.objects()
				start := w.faults.Calls()
				w.faults.Inject(faultstore.At(start+n, faultstore.Fault{Before: true}))
				answer, err := w.send(bob, m)
				if w.faults.Calls() < start+n {
					break // there are no more calls to fail
				}
				if err != nil {
					require.Nil(t, answer)
					require.ErrorIs(t, err, room.ErrDisconnected)
					require.False(t, w.gateway.IsOpen("b"))
					for _, got := range w.gateway.Take("b") {
						require.NotEqual(t, protocol.TypeWelcome, got.Type())
						if r, ok := got.(*protocol.Range); ok {
							require.True(t, r.More, "nothing that claims to be all")
						}
						require.IsNotType(t, &protocol.SyncStep2{}, got)
					}
					require.Equal(t, log, w.entries(0), "nothing was written")
				}
				require.Equal(t, object, w.objects())
				require.Less(t, n, 50)
			}
		})
	}
}

func typeName(m protocol.Message) string {
	switch m.(type) {
	case *protocol.SyncStep1:
		return "step 1"
	case *protocol.SyncStep2:
		return "step 2"
	case *protocol.Hello:
		return "hello"
	}
	return "range"
}

// Damage is not emptiness either.
func TestDamagedDataIsNeverAnEmptyDocument_G5_P23(t *testing.T) {
	for name, damage := range map[string]func(w *world){
		"the snapshot is gone": func(w *world) {
			require.NoError(t, w.store.Snapshots().Delete(t.Context(), w.meta().Snapshot))
		},
		"the record names another hash": func(w *world) {
			m := w.meta()
			m.Snapshot.SHA256[0] ^= 1
			require.NoError(t, w.store.Metas().Swap(t.Context(), lobby, m))
		},
		"the log has a hole": func(w *world) {
			_, err := w.store.Log().Append(t.Context(), lobby, 100, room.Update{Data: emptyUpdate})
			require.NoError(t, err)
		},
		"the log starts too late": func(w *world) {
			require.NoError(t, w.store.Log().Trim(t.Context(), lobby, w.meta().Snapshot.Seq+1))
		},
		"an entry does not decode": func(w *world) {
			_, err := w.store.Log().Append(t.Context(), lobby, 0, room.Update{Data: []byte("garbage")})
			require.NoError(t, err)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			ann := w.join("a", "ann")
			text := &roomtest.Author{Client: 1}
			for range 3 {
				_, err := w.send(ann, &protocol.SyncUpdate{Update: text.Insert("x")})
				require.NoError(t, err)
			}
			require.NoError(t, w.service.Checkpoint(t.Context(), lobby))
			for range 2 {
				_, err := w.send(ann, &protocol.SyncUpdate{Update: text.Insert("y")})
				require.NoError(t, err)
			}
			damage(w)
			for _, m := range []protocol.Message{&protocol.SyncStep1{StateVector: []byte{0}}, &protocol.Hello{Version: 1}} {
				w.gateway.Open("a")
				w.gateway.Take("a")
				answer, err := w.send(ann, m)
				require.ErrorIs(t, err, room.ErrCorrupt)
				require.ErrorIs(t, err, room.ErrDisconnected)
				require.Nil(t, answer)
				require.Empty(t, w.gateway.Take("a"))
			}
			// A checkpoint refuses it as well, and lets nothing go (N3).
			meta, objects := w.meta(), w.objects()
			require.ErrorIs(t, w.service.Checkpoint(t.Context(), lobby), room.ErrCorrupt)
			require.Equal(t, meta, w.meta())
			require.Equal(t, objects, w.objects())
		})
	}
}
