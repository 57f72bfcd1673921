package room_test

import (
	"encoding/binary"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/faultstore"
	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/room/roomtest"
	"github.com/symphony-rt/symphony/internal/yjs"
)

func TestHelloOfAFirstVisit(t *testing.T) {
	w := newWorld(t)
	ann, bob := w.join("a", "ann"), w.join("b", "bob")
	welcome := w.hello(ann, 11)
	require.Len(t, welcome.Epoch, 32)
	require.Equal(t, &protocol.Welcome{
		Version: 1, Epoch: welcome.Epoch, Through: 0, Connection: "a", UserID: "ann", UserName: "the ann",
		Access: protocol.AccessWrite, Members: 2, TimeMS: uint64(w.clock.Now().UnixMilli()), StateVector: []byte{0},
	}, welcome)
	require.Equal(t, welcome.Epoch, w.meta().Epoch)
	require.Equal(t, room.Clean, w.meta().State, "there is nothing to checkpoint")
	require.Equal(t, w.clock.Now(), w.meta().Created)

	other := w.hello(bob, 22)
	require.Equal(t, welcome.Epoch, other.Epoch)
	require.Equal(t, []*protocol.PeerJoined{{Connection: "b", Client: 22, UserID: "bob", UserName: "the bob"}}, inbox[*protocol.PeerJoined](w, "a"))
	list, err := w.store.Members().List(t.Context(), lobby)
	require.NoError(t, err)
	require.True(t, list[0].Symphony)
	require.EqualValues(t, 11, list[0].Client)
}

func TestSymphonyMembersGetNumbersAndPlainOnesUpdates_G3(t *testing.T) {
	w := newWorld(t)
	ann, sym := w.join("a", "ann"), w.join("s", "sym")
	w.join("p", "plain")
	w.hello(ann, 1)
	w.hello(sym, 2)
	w.gateway.Take("a")
	text := &roomtest.Author{Client: 1}
	for i := range 3 {
		w.gateway.Take("s")
		w.gateway.Take("p")
		update := text.Insert("x")
		ack := ask[*protocol.Ack](w, ann, &protocol.Submit{ID: uint64(i + 10), Update: update})
		require.Equal(t, &protocol.Ack{ID: uint64(i + 10), Seq: uint64(i + 1)}, ack)
		require.Equal(t, []protocol.Message{&protocol.Broadcast{Seq: uint64(i + 1), Update: update}}, w.gateway.Take("s"))
		require.Equal(t, []protocol.Message{&protocol.SyncUpdate{Update: update}}, w.gateway.Take("p"))
	}
	require.Empty(t, w.gateway.Take("a"), "the author has it")
}

// Guarantee 4: resume costs what was missed, not what the document weighs.
func TestResume_G4(t *testing.T) {
	w := newWorld(t)
	ann := w.join("a", "ann")
	epoch := w.hello(ann, 1).Epoch
	whole := w.fill(ann, 300_000) // entries 1 to 15
	late := (&roomtest.Author{Client: 9}).Insert("late")
	ask[*protocol.Ack](w, ann, &protocol.Submit{ID: 1, Update: late})
	resume := func(conn string, epoch string, after uint64, vector []byte) (*protocol.Welcome, []*protocol.Range) {
		t.Helper()
		from := w.join(room.ConnectionID(conn), "bob")
		welcome := ask[*protocol.Welcome](w, from, &protocol.Hello{Version: 1, Client: 2, Epoch: epoch, After: after, StateVector: vector})
		return welcome, inbox[*protocol.Range](w, room.ConnectionID(conn))
	}
	full := func(what string, welcome *protocol.Welcome, pieces []*protocol.Range) {
		t.Helper()
		require.EqualValues(t, 16, welcome.Through, what)
		require.NotEmpty(t, welcome.StateVector, what)
		doc := [][]byte{welcome.Update}
		if len(welcome.Update) == 0 {
			doc = nil
		}
		for _, p := range pieces {
			require.True(t, p.More, "only the welcome completes the catch-up")
			require.LessOrEqual(t, len(protocol.Encode(p)), protocol.MaxServerMessage)
			require.NoError(t, yjs.Validate(p.Update))
			doc = append(doc, p.Update)
		}
		wantSame(t, merged(t, whole, late), merged(t, doc...), what)
	}

	welcome, pieces := resume("b1", epoch, 15, nil)
	require.Empty(t, pieces)
	require.EqualValues(t, 16, welcome.Through)
	require.Equal(t, late, welcome.Update, "the log after 15, not a byte of the document")
	require.Empty(t, welcome.StateVector)
	before := w.faults.Counts()["Snapshots.Get"]

	welcome, pieces = resume("b2", epoch, 16, nil)
	require.Empty(t, pieces)
	require.EqualValues(t, 16, welcome.Through)
	require.Empty(t, welcome.Update)
	require.Equal(t, before, w.faults.Counts()["Snapshots.Get"], "the snapshot is not even read")

	welcome, pieces = resume("b3", "", 15, nil)
	full("no epoch", welcome, pieces)
	welcome, pieces = resume("b4", "another epoch", 15, nil)
	full("another life of the room", welcome, pieces)
	require.Equal(t, epoch, welcome.Epoch)
	welcome, pieces = resume("b5", epoch, 17, nil)
	full("past the tail", welcome, pieces)
	welcome, pieces = resume("b6", epoch, 0, nil)
	require.Empty(t, welcome.StateVector, "from the beginning, but a resume")
	require.Len(t, pieces, 3)

	// With a state vector only the difference travels.
	welcome, pieces = resume("b7", "", 0, vectorOf(t, whole))
	require.Empty(t, pieces)
	wantSame(t, late, welcome.Update)

	// The snapshot covers 16, but the log still reaches back.
	require.NoError(t, w.service.Checkpoint(t.Context(), lobby))
	require.EqualValues(t, 16, w.meta().Snapshot.Seq)
	welcome, pieces = resume("b8", epoch, 15, nil)
	require.Empty(t, pieces)
	require.Equal(t, late, welcome.Update)

	// Trimmed: nothing is left, so nothing says that it starts too late.
	w.clock.Advance(room.DefaultGrace + 1)
	require.NoError(t, w.service.Checkpoint(t.Context(), lobby))
	require.Empty(t, w.entries(0))
	welcome, pieces = resume("b9", epoch, 15, nil)
	full("trimmed to the last entry", welcome, pieces)
	welcome, _ = resume("b10", epoch, 16, nil)
	require.EqualValues(t, 16, welcome.Through)
	require.Empty(t, welcome.StateVector, "nothing was missed")
	welcome, pieces = resume("b11", epoch, 17, nil)
	full("past the tail of a trimmed log", welcome, pieces)

	// And with something new after it.
	ask[*protocol.Ack](w, ann, &protocol.Submit{ID: 2, Update: emptyUpdate})
	welcome, _ = resume("b12", epoch, 15, nil)
	require.EqualValues(t, 17, welcome.Through)
	require.NotEmpty(t, welcome.StateVector, "the document, because 16 is no longer in the log")
	welcome, _ = resume("b13", epoch, 16, nil)
	require.EqualValues(t, 17, welcome.Through)
	require.Empty(t, welcome.StateVector)
}

func TestALargeStateVectorIsCutToWhatTheClientKnows(t *testing.T) {
	w := newWorld(t)
	ann := w.join("a", "ann")
	var all [][]byte
	for i := range uint64(6000) { // six thousand page loads
		all = append(all, (&roomtest.Author{Client: 1<<31 + i*7}).Insert("x"))
	}
	for i := 0; i < len(all); i += 500 {
		_, err := w.send(ann, &protocol.SyncUpdate{Update: merged(t, all[i:i+500]...)})
		require.NoError(t, err)
	}
	whole := merged(t, all...)
	require.Greater(t, len(vectorOf(t, whole)), 32_000)
	theirs := yjs.EncodeStateVector(map[uint64]uint64{1 << 31: 1, 5: 9})
	bob := w.join("b", "bob")
	welcome := ask[*protocol.Welcome](w, bob, &protocol.Hello{Version: 1, Client: 5, StateVector: theirs})
	vector, err := yjs.DecodeStateVector(welcome.StateVector)
	require.NoError(t, err)
	require.Equal(t, map[uint64]uint64{1 << 31: 1}, vector, "of client 5 the server has nothing, the rest bob has not")
	ask[*protocol.SyncStep2](w, bob, &protocol.SyncStep1{StateVector: theirs})
	require.Equal(t, welcome.StateVector, inbox[*protocol.SyncStep1](w, "b")[0].StateVector)
}

func TestAWelcomeWithALongNameStillFits(t *testing.T) {
	w := newWorld(t)
	ann := w.join("a", "ann")
	w.fill(ann, 189_000)
	bob := w.join("b", "bob")
	bob.User.Name = strings.Repeat("n", 60_000)
	welcome := ask[*protocol.Welcome](w, bob, &protocol.Hello{Version: 1, Client: 2})
	pieces := inbox[*protocol.Range](w, "b")
	require.NotEmpty(t, pieces)
	require.LessOrEqual(t, protocol.Size(welcome), protocol.MaxServerMessage)
	parts := [][]byte{emptyUpdate}
	for _, p := range pieces {
		require.True(t, p.More)
		parts = append(parts, p.Update)
	}
	if len(welcome.Update) > 0 {
		parts = append(parts, welcome.Update)
	}
	wantSame(t, w.document(), merged(t, parts...))
}

func TestALargeRoomIsNotToldOfEveryPeer(t *testing.T) {
	w := newWorld(t)
	for i := range protocol.LargeRoom {
		w.hello(w.join(room.ConnectionID(fmt.Sprintf("c%03d", i)), "u"), uint64(i))
	}
	require.Len(t, inbox[*protocol.PeerJoined](w, "c000"), protocol.LargeRoom-1)
	welcome := w.hello(w.join("one more", "u"), 1000)
	require.EqualValues(t, protocol.LargeRoom+1, welcome.Members)
	require.Empty(t, inbox[*protocol.PeerJoined](w, "c000"))
}

func TestProbeAndRange_G3(t *testing.T) {
	w := newWorld(t)
	ann, bob := w.join("a", "ann"), w.join("b", "bob")
	w.hello(ann, 1)
	w.hello(bob, 2)
	require.EqualValues(t, 0, ask[*protocol.Tail](w, bob, &protocol.Probe{Seq: 0}).Seq, "an empty room")
	text := &roomtest.Author{Client: 1}
	var updates [][]byte
	submit := func() {
		u := text.Insert("x")
		updates = append(updates, u)
		ask[*protocol.Ack](w, ann, &protocol.Submit{ID: uint64(len(updates)), Update: u})
	}
	for range 6 {
		submit()
	}
	wantRange := func(r *protocol.Range, after, through int) {
		t.Helper()
		require.EqualValues(t, after, r.After)
		require.EqualValues(t, through, r.Through)
		require.False(t, r.More)
		same, err := yjs.Equal(merged(t, updates[after:through]...), r.Update)
		require.NoError(t, err)
		require.True(t, same, "exactly the updates after %d through %d", after, through)
	}
	require.EqualValues(t, 6, ask[*protocol.Tail](w, bob, &protocol.Probe{Seq: 6}).Seq)
	require.EqualValues(t, 6, ask[*protocol.Tail](w, bob, &protocol.Probe{Seq: 9}).Seq, "a client past the tail sees it by this")
	wantRange(ask[*protocol.Range](w, bob, &protocol.Probe{Seq: 4}), 4, 6)
	wantRange(ask[*protocol.Range](w, bob, &protocol.RangeRequest{After: 1, Through: 3}), 1, 3)
	wantRange(ask[*protocol.Range](w, bob, &protocol.RangeRequest{After: 2, Through: 0}), 2, 6)
	wantRange(ask[*protocol.Range](w, bob, &protocol.RangeRequest{After: 5, Through: 99}), 5, 6)
	require.EqualValues(t, 6, ask[*protocol.Tail](w, bob, &protocol.RangeRequest{After: 6, Through: 8}).Seq)

	// After a checkpoint has trimmed the log, the document stands in.
	require.NoError(t, w.service.Checkpoint(t.Context(), lobby))
	wantRange(ask[*protocol.Range](w, bob, &protocol.RangeRequest{After: 1, Through: 3}), 1, 3)
	w.clock.Advance(room.DefaultGrace + 1)
	require.NoError(t, w.service.Checkpoint(t.Context(), lobby))
	for _, m := range []protocol.Message{&protocol.RangeRequest{After: 1, Through: 3}, &protocol.Probe{Seq: 1}} {
		r := ask[*protocol.Range](w, bob, m)
		require.EqualValues(t, 6, r.Through, "%T", m)
		wantSame(t, w.document(), r.Update)
	}
	require.EqualValues(t, 6, ask[*protocol.Tail](w, bob, &protocol.Probe{Seq: 6}).Seq)
	submit()
	wantRange(ask[*protocol.Range](w, bob, &protocol.RangeRequest{After: 6}), 6, 7)
	r := ask[*protocol.Range](w, bob, &protocol.RangeRequest{After: 5, Through: 6})
	require.EqualValues(t, 7, r.Through)
	wantSame(t, w.document(), r.Update)
}

func TestALargeRangeComesInPiecesAndOnlyTheLastCompletesIt(t *testing.T) {
	w := newWorld(t)
	ann, bob := w.join("a", "ann"), w.join("b", "bob")
	w.hello(bob, 2)
	whole := w.fill(ann, 400_000)
	w.gateway.Take("b")
	last := ask[*protocol.Range](w, bob, &protocol.RangeRequest{})
	require.False(t, last.More)
	pieces := inbox[*protocol.Range](w, "b")
	doc := [][]byte{last.Update}
	for _, p := range pieces {
		require.True(t, p.More)
		doc = append(doc, p.Update)
	}
	require.GreaterOrEqual(t, len(doc), 5)
	wantSame(t, whole, merged(t, doc...))

	// A piece that does not arrive ends it: no last piece follows.
	w.faults.Inject(faultstore.Named("Sender.Post", 2, faultstore.Fault{Before: true}))
	_, err := w.send(bob, &protocol.RangeRequest{})
	require.ErrorIs(t, err, room.ErrDisconnected)
	require.Len(t, inbox[*protocol.Range](w, "b"), 1)
}

// A probe costs no load, and one that fails is only an error.
func TestAProbeThatFails(t *testing.T) {
	w := newWorld(t)
	ann := w.join("a", "ann")
	w.hello(ann, 1)
	w.faults.Inject(faultstore.Named("Log.Tail", 1, faultstore.Fault{Before: true}))
	_, err := w.send(ann, &protocol.Probe{})
	require.ErrorIs(t, err, room.ErrUnavailable)
	require.NotErrorIs(t, err, room.ErrDisconnected)
	require.True(t, w.gateway.IsOpen("a"))
}

func TestHelloMayComeTwice(t *testing.T) {
	w := newWorld(t)
	ann := w.join("a", "ann")
	w.hello(ann, 1)
	ask[*protocol.Ack](w, ann, &protocol.Submit{ID: 1, Update: (&roomtest.Author{Client: 1}).Insert("x")})
	again := ask[*protocol.Welcome](w, ann, &protocol.Hello{Version: 1, Client: 3})
	require.EqualValues(t, 1, again.Through)
	require.EqualValues(t, 1, again.Members)
}

// Hostile numbers are only numbers.
func TestHostileNumbersInHelloRangeAndProbe(t *testing.T) {
	w := newWorld(t)
	ann := w.join("a", "ann")
	epoch := w.hello(ann, 1).Epoch
	ask[*protocol.Ack](w, ann, &protocol.Submit{ID: protocol.MaxUint, Update: (&roomtest.Author{Client: 1}).Insert("x")})
	welcome := ask[*protocol.Welcome](w, ann, &protocol.Hello{Version: 1, Client: protocol.MaxUint, Epoch: epoch, After: protocol.MaxUint})
	require.EqualValues(t, 1, welcome.Through)
	require.EqualValues(t, 1, ask[*protocol.Tail](w, ann, &protocol.Probe{Seq: protocol.MaxUint}).Seq)
	require.EqualValues(t, 1, ask[*protocol.Tail](w, ann, &protocol.RangeRequest{After: protocol.MaxUint}).Seq)
	vector := binary.AppendUvarint([]byte{1}, protocol.MaxUint)
	vector = binary.AppendUvarint(vector, protocol.MaxUint)
	ask[*protocol.Welcome](w, ann, &protocol.Hello{Version: 1, Client: 1, StateVector: vector})
}
