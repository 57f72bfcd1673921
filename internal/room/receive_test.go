package room_test

import (
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/faultstore"
	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/room/roomtest"
)

// writes are the calls that change a store.
var writes = []string{
	"Log.Append", "Log.Trim", "Metas.Swap", "Members.Add", "Members.Update", "Members.Remove", "Snapshots.Put", "Snapshots.Delete",
	"Snapshots.Archive", "Uploads.Offer", "Uploads.Discard",
}

func (w *world) writes() (n int) {
	counts := w.faults.Counts()
	for _, name := range writes {
		n += counts[name]
	}
	return n
}

// Guarantee 8, and every kind of bad input that is named: a typed error,
// nothing written, and the room unharmed for the others.
func TestBadInputIsRefusedAndNothingIsWritten_G8(t *testing.T) {
	good := (&roomtest.Author{Client: 5}).Insert("good")
	b64 := base64.StdEncoding.EncodeToString
	frame := func(m protocol.Message) string { return protocol.EncodeFrameString(m) }
	cut := protocol.Encode(&protocol.Submit{ID: 7, Update: good})
	for _, c := range []struct {
		name, frame string
		want        error
		id          uint64
	}{
		{"nothing", "", room.ErrMalformed, 0},
		{"not base64", "not base64!", room.ErrMalformed, 0},
		{"a line end in it", frame(&protocol.Probe{})[:2] + "\n" + frame(&protocol.Probe{})[2:], room.ErrMalformed, 0},
		{"JSON", `{"action":"join"}`, room.ErrMalformed, 0},
		{"an unknown type", b64([]byte{99}), room.ErrMalformed, 0},
		{"an unknown kind of sync", b64([]byte{0, 9, 0}), room.ErrMalformed, 0},
		{"a truncated message", b64(cut[:len(cut)-3]), room.ErrMalformed, 0},
		{"trailing bytes", b64(append(cut, 0)), room.ErrMalformed, 0},
		{"a hostile length", b64([]byte{102, 1, 0xff, 0xff, 0xff, 0xff, 0x0f}), room.ErrMalformed, 0},
		{"a message only servers send", frame(&protocol.Ack{ID: 1, Seq: 1}), room.ErrMalformed, 0},
		{"auth", frame(&protocol.Auth{Reason: "x"}), room.ErrMalformed, 0},
		{"an oversized message", frame(&protocol.Submit{ID: 7, Update: make([]byte, protocol.MaxClientMessage)}), room.ErrTooLarge, 0},
		{"an oversized frame", strings.Repeat("A", 200_000), room.ErrTooLarge, 0},
		{"an undecodable update", frame(&protocol.Submit{ID: 7, Update: []byte("garbage")}), room.ErrInvalidUpdate, 7},
		{"a cut update", frame(&protocol.Submit{ID: 7, Update: good[:len(good)-2]}), room.ErrInvalidUpdate, 7},
		{"no update", frame(&protocol.Submit{ID: 7}), room.ErrInvalidUpdate, 7},
		{"an endless update", frame(&protocol.Submit{ID: 7, Update: []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f}}), room.ErrInvalidUpdate, 7},
		{"an update that loops", frame(&protocol.Submit{ID: 7, Update: unbase64(t, "/////////38=")}), room.ErrInvalidUpdate, 7},
		{"an update that asks for 34 GB", frame(&protocol.Submit{ID: 7, Update: unbase64(t, "AQEBAAMBAWH/////fwA=")}), room.ErrInvalidUpdate, 7},
		{"an update that asks for 4.3 GB", frame(&protocol.SyncUpdate{Update: unbase64(t, "AQEBAAgBAWEBdf///38A")}), room.ErrInvalidUpdate, 0},
		{"a plain undecodable update", frame(&protocol.SyncUpdate{Update: []byte("garbage")}), room.ErrInvalidUpdate, 0},
		{"a plain undecodable step 2", frame(&protocol.SyncStep2{Update: []byte("garbage")}), room.ErrInvalidUpdate, 0},
		{"a bad state vector in step 1", frame(&protocol.SyncStep1{StateVector: []byte{9}}), room.ErrMalformed, 0},
		{"no state vector in step 1", frame(&protocol.SyncStep1{}), room.ErrMalformed, 0},
		{"a bad state vector in hello", frame(&protocol.Hello{Version: 1, StateVector: []byte{9}}), room.ErrMalformed, 0},
		{"another protocol version", frame(&protocol.Hello{Version: 2}), room.ErrUnsupported, 0},
		{"bad presence", frame(&protocol.Awareness{Update: []byte{9}}), room.ErrInvalidAwareness, 0},
		{"a range backwards", frame(&protocol.RangeRequest{After: 5, Through: 5}), room.ErrMalformed, 0},
		{"an upload of nothing", frame(&protocol.UploadRequest{ID: 7}), room.ErrTooLarge, 7},
		{"an upload over the limit", frame(&protocol.UploadRequest{ID: 7, Size: room.MaxUpdateBytes + 1}), room.ErrTooLarge, 7},
		{"an upload id that is none", frame(&protocol.UploadCommit{ID: 7, Upload: "../../secret"}), room.ErrMalformed, 7},
		{"an upload that was never offered", frame(&protocol.UploadCommit{ID: 7, Upload: strings.Repeat("0", 32)}), room.ErrMalformed, 7},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newWorld(t)
			bad, other := w.join("bad", "mallory"), w.join("other", "ann")
			w.hello(other, 2)
			ask[*protocol.Ack](w, other, &protocol.Submit{ID: 1, Update: (&roomtest.Author{Client: 2}).Insert("before")})
			w.gateway.Take("bad")
			log, written := w.entries(0), w.writes()

			reply, err := w.service.Receive(t.Context(), bad, c.frame)
			require.ErrorIs(t, err, c.want)
			require.Empty(t, reply, "the handler makes the typed error")
			var answered *room.MessageError
			require.Equal(t, c.id != 0, errors.As(err, &answered))
			if answered != nil {
				require.Equal(t, c.id, answered.ID)
			}
			if !strings.Contains(c.name, "never offered") {
				require.Equal(t, written, w.writes(), "nothing was written")
			}
			require.Equal(t, log, w.entries(0))
			require.Empty(t, w.gateway.Closed())
			require.Empty(t, inbox[*protocol.Broadcast](w, "other"))

			ack := ask[*protocol.Ack](w, other, &protocol.Submit{ID: 2, Update: (&roomtest.Author{Client: 3}).Insert("after")})
			require.EqualValues(t, 2, ack.Seq, "the room is unharmed")
			require.Len(t, inbox[*protocol.SyncUpdate](w, "bad"), 1, "and the sender still in it")
		})
	}
}

func unbase64(t *testing.T, s string) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString(s)
	require.NoError(t, err)
	return b
}

func TestAMessageFromAnUnknownConnectionIsRefused(t *testing.T) {
	for _, c := range []struct {
		m     protocol.Message
		plain bool
	}{
		{&protocol.Hello{Version: 1}, false},
		{&protocol.Probe{}, false},
		{&protocol.Event{}, false},
		{&protocol.SyncStep1{StateVector: []byte{0}}, true},
		{&protocol.Awareness{Update: presence(1, 1, `{}`)}, true},
	} {
		for _, id := range []room.ID{lobby, ""} {
			w := newWorld(t)
			w.gateway.Open("stranger")
			from := room.Origin{Connection: "stranger", Room: id, User: room.User{ID: "x"}, Access: room.AccessWrite}
			_, err := w.send(from, c.m)
			require.ErrorIs(t, err, room.ErrUnknownConnection)
			require.NotErrorIs(t, err, room.ErrDisconnected, "the typed error goes out")
			require.Zero(t, w.writes())
			// A plain client understands no error; closed, it connects again.
			require.Equal(t, !c.plain, w.gateway.IsOpen("stranger"), "%T", c.m)
		}
	}
}

// An edit of somebody whom the authorizer let in, but who is no member (any
// more: its $disconnect may have overtaken it), is stored and acknowledged like
// any other. It is disconnected, because it would not hear of others' edits.
func TestAnEditFromAConnectionThatIsNoMember(t *testing.T) {
	update := (&roomtest.Author{Client: 1}).Insert("x")
	for _, m := range []protocol.Message{&protocol.Submit{ID: 7, Update: update}, &protocol.SyncUpdate{Update: update}} {
		w := newWorld(t)
		w.join("peer", "peer")
		w.gateway.Open("stranger")
		from := room.Origin{Connection: "stranger", Room: lobby, User: room.User{ID: "x"}, Access: room.AccessWrite}
		answer, err := w.send(from, m)
		require.NoError(t, err)
		if _, submitted := m.(*protocol.Submit); submitted {
			require.Equal(t, &protocol.Ack{ID: 7, Seq: 1}, answer)
		}
		require.False(t, w.gateway.IsOpen("stranger"), "it comes back, and is a member then")
		require.Len(t, w.entries(0), 1)
		require.Equal(t, "x", w.entries(0)[0].Author)
		require.Len(t, inbox[*protocol.SyncUpdate](w, "peer"), 1)

		// Without an authorizer nobody knows what it may do.
		w.gateway.Open("stranger")
		from.Room = ""
		_, err = w.send(from, m)
		require.ErrorIs(t, err, room.ErrUnknownConnection)
		require.Len(t, w.entries(0), 1)
	}
}

func TestAReaderMayReadAndShowPresenceButNotWrite(t *testing.T) {
	w := newWorld(t)
	writer, plain, sym := w.join("w", "writer"), w.joinAs("p", "plain reader", room.AccessRead), w.joinAs("s", "reader", room.AccessRead)
	text := &roomtest.Author{Client: 1}
	first := text.Insert("x")
	w.hello(writer, 1)
	ask[*protocol.Ack](w, writer, &protocol.Submit{ID: 1, Update: first})

	welcome := w.hello(sym, 3)
	require.Equal(t, protocol.AccessRead, welcome.Access)
	require.Equal(t, first, welcome.Update)
	step2 := ask[*protocol.SyncStep2](w, plain, &protocol.SyncStep1{StateVector: []byte{0}})
	require.Equal(t, first, step2.Update)
	log, written := w.entries(0), w.writes()

	news := (&roomtest.Author{Client: 9}).Insert("y")
	_, err := w.send(sym, &protocol.Submit{ID: 4, Update: news})
	require.ErrorIs(t, err, room.ErrReadOnly)
	var answered *room.MessageError
	require.ErrorAs(t, err, &answered)
	require.EqualValues(t, 4, answered.ID)
	_, err = w.send(sym, &protocol.UploadRequest{ID: 5, Size: 10})
	require.ErrorIs(t, err, room.ErrReadOnly)
	_, err = w.send(sym, &protocol.UploadCommit{ID: 6, Upload: strings.Repeat("0", 32)})
	require.ErrorIs(t, err, room.ErrReadOnly)

	// A plain reader that answers our step 1 with nothing new has done nothing
	// wrong; with something new it is told so in its own protocol.
	for _, m := range []protocol.Message{&protocol.SyncStep2{Update: emptyUpdate}, &protocol.SyncStep2{Update: first}} {
		answer, err := w.send(plain, m)
		require.NoError(t, err)
		require.Nil(t, answer)
	}
	for _, m := range []protocol.Message{&protocol.SyncStep2{Update: news}, &protocol.SyncUpdate{Update: news}} {
		answer, err := w.send(plain, m)
		require.ErrorIs(t, err, room.ErrReadOnly)
		require.Equal(t, &protocol.Auth{Reason: "permission denied"}, answer)
	}
	_, err = w.send(plain, &protocol.Awareness{Update: presence(9, 1, `{}`)})
	require.NoError(t, err)
	require.Equal(t, log, w.entries(0))
	require.Equal(t, written, w.writes())
}

// Without an authorizer in front the member's own record says who it is.
func TestAccessComesFromTheAuthorizerOrFromTheMember(t *testing.T) {
	w := newWorld(t)
	reader := w.joinAs("r", "reader", room.AccessRead)
	reader.Room, reader.Access, reader.User = "", room.AccessWrite, room.User{ID: "forged"}
	_, err := w.send(reader, &protocol.Submit{ID: 1, Update: (&roomtest.Author{Client: 1}).Insert("x")})
	require.ErrorIs(t, err, room.ErrReadOnly)

	writer := w.join("w", "writer")
	writer.Room, writer.User, writer.Access = "", room.User{}, ""
	ask[*protocol.Ack](w, writer, &protocol.Submit{ID: 1, Update: (&roomtest.Author{Client: 1}).Insert("x")})
	require.Equal(t, "writer", w.entries(0)[0].Author)
	writer.Room, writer.Access = lobby, ""
	_, err = w.send(writer, &protocol.Submit{ID: 2, Update: (&roomtest.Author{Client: 1}).Insert("x")})
	require.ErrorIs(t, err, room.ErrReadOnly, "an authorizer that granted nothing")
}

// N12: a forged client id is still attributed to who authenticated.
func TestEveryLoggedUpdateHasItsAuthenticatedAuthor_N12(t *testing.T) {
	w := newWorld(t)
	ann, bob := w.join("a", "ann"), w.join("b", "bob")
	w.hello(ann, 1)
	ask[*protocol.Ack](w, ann, &protocol.Submit{ID: 1, Update: (&roomtest.Author{Client: 1}).Insert("x")})
	_, err := w.send(bob, &protocol.SyncUpdate{Update: (&roomtest.Author{Client: 1, Clock: 1}).Insert("as if ann's")})
	require.NoError(t, err)
	log := w.entries(0)
	require.Equal(t, "ann", log[0].Author)
	require.Equal(t, "bob", log[1].Author)
	require.EqualValues(t, "b", log[1].Connection)
	require.Equal(t, w.clock.Now(), log[1].At)
}

// Guarantee 7: the same update any number of times is the same document.
func TestDuplicateDeliveryIsIdempotent_G7(t *testing.T) {
	w := newWorld(t)
	ann, bob := w.join("a", "ann"), w.join("b", "bob")
	w.hello(ann, 1)
	w.hello(bob, 2)
	update := (&roomtest.Author{Client: 1}).Insert("x")
	for i := range 3 {
		ack := ask[*protocol.Ack](w, ann, &protocol.Submit{ID: 1, Update: update})
		require.EqualValues(t, i+1, ack.Seq, "each is acknowledged with a number of its own")
	}
	wantSame(t, update, w.document())
	got := inbox[*protocol.Broadcast](w, "b")
	require.Len(t, got, 3)
	require.EqualValues(t, 3, got[2].Seq)
	require.NoError(t, w.service.Checkpoint(t.Context(), lobby))
	wantSame(t, update, w.document())
}

func TestAnEmptySubmitGetsANumberOfItsOwn(t *testing.T) {
	w := newWorld(t)
	ann := w.join("a", "ann")
	w.hello(ann, 1)
	require.EqualValues(t, 1, ask[*protocol.Ack](w, ann, &protocol.Submit{ID: 1, Update: emptyUpdate}).Seq)
	require.EqualValues(t, 2, ask[*protocol.Ack](w, ann, &protocol.Submit{ID: 2, Update: emptyUpdate}).Seq)
}

// What an edit costs: it must not depend on the document.
func TestAnEditIsFiveCalls(t *testing.T) {
	w := newWorld(t)
	ann := w.join("a", "ann")
	for i, conn := range []room.ConnectionID{"b", "c", "d"} {
		w.hello(w.join(conn, string(conn)), uint64(i+10))
	}
	w.hello(ann, 1)
	text := &roomtest.Author{Client: 1}
	submit := func() map[string]int {
		before := w.faults.Counts()
		ask[*protocol.Ack](w, ann, &protocol.Submit{ID: 1, Update: text.Insert("x")})
		after := w.faults.Counts()
		for name := range after {
			if after[name] -= before[name]; after[name] == 0 {
				delete(after, name)
			}
		}
		return after
	}
	require.Equal(t, map[string]int{"Metas.Get": 1, "Metas.Swap": 1, "Log.Append": 1, "Members.List": 1, "Sender.Post": 1}, submit())
	for range 3 {
		require.Equal(t, map[string]int{"Metas.Get": 1, "Log.Append": 1, "Members.List": 1, "Sender.Post": 1}, submit())
	}
}

// Guarantee 1: what the store did not take is not acknowledged, and everybody
// learns it in the way its protocol has.
func TestAnAppendThatFailsIsNotAcknowledged_G1(t *testing.T) {
	w := newWorld(t)
	sym, plain := w.join("s", "s"), w.join("p", "p")
	w.hello(sym, 1)
	w.faults.Inject(faultstore.Named("Log.Append", 0, faultstore.Fault{Before: true}))
	_, err := w.send(sym, &protocol.Submit{ID: 9, Update: (&roomtest.Author{Client: 1}).Insert("x")})
	require.ErrorIs(t, err, room.ErrUnavailable)
	require.NotErrorIs(t, err, room.ErrDisconnected, "it sends the update again")
	var answered *room.MessageError
	require.ErrorAs(t, err, &answered)
	require.EqualValues(t, 9, answered.ID)
	require.True(t, w.gateway.IsOpen("s"))

	for _, m := range []protocol.Message{
		&protocol.SyncUpdate{Update: (&roomtest.Author{Client: 2}).Insert("x")}, &protocol.SyncStep2{Update: (&roomtest.Author{Client: 2}).Insert("x")},
	} {
		w.gateway.Open("p")
		_, err = w.send(plain, m)
		require.ErrorIs(t, err, room.ErrUnavailable)
		require.ErrorIs(t, err, room.ErrDisconnected, "on return the server's step 1 fetches it")
		require.False(t, w.gateway.IsOpen("p"))
	}
	require.Empty(t, w.entries(0))
}

// An append whose answer is lost is tried again: stored twice, told to all.
func TestAnAppendWhoseAnswerIsLostIsStillBroadcast(t *testing.T) {
	w := newWorld(t)
	plain, peer := w.join("p", "p"), w.join("q", "q")
	_ = peer
	w.faults.Inject(faultstore.Named("Log.Append", 1, faultstore.Fault{After: true}))
	update := (&roomtest.Author{Client: 2}).Insert("x")
	_, err := w.send(plain, &protocol.SyncUpdate{Update: update})
	require.NoError(t, err)
	require.Equal(t, []*protocol.SyncUpdate{{Update: update}}, inbox[*protocol.SyncUpdate](w, "q"))
	require.Len(t, w.entries(0), 2)
	wantSame(t, update, w.document())
}

// A function that was frozen between reading the record and appending must not
// use what it read: the log may have been trimmed meanwhile.
func TestAStalledWriterGivesUp_G6(t *testing.T) {
	w := newWorld(t)
	ann := w.join("a", "ann")
	w.hello(ann, 1)
	w.faults.SetGate(func(c faultstore.Call) func() {
		if c.Name == "Metas.Swap" {
			return func() { w.clock.Advance(room.DefaultGrace) }
		}
		return func() {}
	})
	_, err := w.send(ann, &protocol.Submit{ID: 1, Update: (&roomtest.Author{Client: 1}).Insert("x")})
	require.ErrorIs(t, err, room.ErrUnavailable)
	require.Empty(t, w.entries(0))
}
