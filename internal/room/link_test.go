package room_test

import (
	"crypto/sha256"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/faultstore"
	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/room/roomtest"
	"github.com/symphony-rt/symphony/internal/yjs"
)

// large returns a world whose lobby has a snapshot of two megabytes and one
// update after it.
func large(t *testing.T) (w *world, ann room.Origin, whole []byte) {
	w = newWorld(t)
	ann = w.join("a", "ann")
	w.hello(ann, 1)
	old := w.fill(ann, 2_000_000)
	require.NoError(t, w.service.Checkpoint(t.Context(), lobby))
	late := (&roomtest.Author{Client: 9}).Insert("late")
	ask[*protocol.Ack](w, ann, &protocol.Submit{ID: 1, Update: late})
	return w, ann, merged(t, old, late)
}

// follow downloads what a link says.
func (w *world) follow(link *protocol.SnapshotByURL) []byte {
	w.t.Helper()
	data, err := w.store.Uploads().GetURL(link.URL)
	require.NoError(w.t, err)
	require.EqualValues(w.t, link.Size, len(data))
	require.Equal(w.t, link.SHA256, sha256.Sum256(data))
	require.NoError(w.t, yjs.Validate(data))
	return data
}

// inPieces is what came beside the welcome: no link, and pieces that with it
// make the whole.
func (w *world) inPieces(conn room.ConnectionID, welcome *protocol.Welcome, whole []byte) {
	w.t.Helper()
	doc := [][]byte{}
	for _, m := range w.gateway.Take(conn) {
		switch m := m.(type) {
		case *protocol.Range:
			doc = append(doc, m.Update)
		case *protocol.SnapshotByURL:
			require.Fail(w.t, "a link")
		}
	}
	require.GreaterOrEqual(w.t, len(doc), 20)
	if len(welcome.Update) > 0 {
		doc = append(doc, welcome.Update)
	}
	wantSame(w.t, whole, merged(w.t, doc...))
}

func TestALargeSnapshotComesByURL(t *testing.T) {
	w, _, whole := large(t)
	bob := w.join("b", "bob")
	welcome := w.hello(bob, 2)
	require.EqualValues(t, w.meta().Snapshot.Seq+1, welcome.Through)
	got := w.gateway.Take("b")
	require.Len(t, got, 1, "the link, and the welcome has the log after it")
	link := got[0].(*protocol.SnapshotByURL)
	require.EqualValues(t, w.meta().Snapshot.Seq, link.Seq)
	wantSame(t, whole, merged(t, w.follow(link), welcome.Update))
	require.NotEmpty(t, welcome.StateVector)

	// Who says hello again could not fetch it.
	w.inPieces("b", w.hello(bob, 2), whole)
	// A new connection gets a link again.
	w.hello(w.join("b2", "bob"), 2)
	require.Len(t, inbox[*protocol.SnapshotByURL](w, "b2"), 1)

	// Who lacks little gets that; plain clients pieces.
	ask[*protocol.Welcome](w, w.join("b3", "bob"), &protocol.Hello{Version: 1, Client: 2, StateVector: vectorOf(t, whole)})
	require.Empty(t, w.gateway.Take("b3"))
	ask[*protocol.SyncStep2](w, w.join("p", "plain"), &protocol.SyncStep1{StateVector: []byte{0}})
	require.Empty(t, inbox[*protocol.SnapshotByURL](w, "p"))
}

// Without a link, or a port for it, everything comes in pieces; a snapshot that
// is not there is a failed load and no link (guarantee 5).
func TestWithoutALinkASnapshotComesInPieces_G5(t *testing.T) {
	w, _, whole := large(t)
	w.faults.Inject(faultstore.Named("Links.LinkSnapshot", 1, faultstore.Fault{Before: true}))
	w.inPieces("b", w.hello(w.join("b", "bob"), 2), whole)

	p := w.ports()
	p.Links = nil
	service, err := room.NewService(p, room.Options{})
	require.NoError(t, err)
	linked := w.service
	w.service = service
	w.inPieces("c", w.hello(w.join("c", "bob"), 2), whole)
	w.service = linked

	require.NoError(t, w.store.Snapshots().Delete(t.Context(), w.meta().Snapshot))
	_, err = w.send(w.join("d", "bob"), &protocol.Hello{Version: 1, Client: 2})
	require.ErrorIs(t, err, room.ErrCorrupt)
	require.Empty(t, inbox[*protocol.SnapshotByURL](w, "d"))
}

// As long as a link lives the snapshot is there, whatever checkpoints do.
func TestALinkNeverOutlivesItsSnapshot_G6(t *testing.T) {
	w, ann, _ := large(t)
	w.hello(w.join("b", "bob"), 2)
	link := inbox[*protocol.SnapshotByURL](w, "b")[0]
	require.NoError(t, w.service.Checkpoint(t.Context(), lobby), "replaces the snapshot at once")
	require.NotEqual(t, link.Seq, w.meta().Snapshot.Seq)
	step := room.DefaultGrace / 8
	for left := room.DefaultGrace / 2; left > 0; left -= step {
		w.follow(link)
		w.clock.Advance(step)
		ask[*protocol.Ack](w, ann, &protocol.Submit{ID: 2, Update: (&roomtest.Author{Client: uint64(100 + left/time.Second)}).Insert("x")})
		require.NoError(t, w.service.Checkpoint(t.Context(), lobby))
	}
	w.follow(link)
	w.clock.Advance(time.Second)
	_, err := w.store.Uploads().GetURL(link.URL)
	require.Error(t, err, "too old")
}

// A range that the log no longer has is answered the same way.
func TestALargeRangeComesByURL_G3(t *testing.T) {
	w, _, whole := large(t)
	bob := w.join("b", "bob")
	w.hello(bob, 2)
	w.clock.Advance(room.DefaultGrace + 1)
	require.NoError(t, w.service.Checkpoint(t.Context(), lobby))
	w.clock.Advance(room.DefaultGrace + 1)
	require.NoError(t, w.service.Checkpoint(t.Context(), lobby))
	w.gateway.Take("b")
	for _, m := range []protocol.Message{&protocol.RangeRequest{After: 1}, &protocol.Probe{Seq: 1}} {
		last := ask[*protocol.Range](w, bob, m)
		got := w.gateway.Take("b")
		require.Len(t, got, 1)
		require.False(t, last.More)
		require.EqualValues(t, 1, last.After)
		require.EqualValues(t, w.meta().Snapshot.Seq, last.Through)
		wantSame(t, whole, merged(t, w.follow(got[0].(*protocol.SnapshotByURL)), last.Update))
	}
	w.faults.Inject(faultstore.Named("Sender.Post", 1, faultstore.Fault{Before: true}))
	_, err := w.send(bob, &protocol.RangeRequest{After: 1})
	require.ErrorIs(t, err, room.ErrDisconnected, "a link that does not arrive ends it")
}
