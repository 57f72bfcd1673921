package room_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/room"
)

func TestEventsAreRelayedOnceToTheOthersAndNotStored(t *testing.T) {
	w := newWorld(t)
	ann, bob := w.join("a", "ann"), w.join("b", "bob")
	reader, plain := w.joinAs("r", "rea", room.AccessRead), w.join("p", "pla")
	w.hello(ann, 1)
	w.hello(bob, 2)
	w.hello(reader, 3)
	for _, conn := range w.members() {
		w.gateway.Take(conn)
	}
	written := w.writes()
	for _, data := range []string{`{"confetti":true}`, "", "not even JSON \u0000 \xf0\x9f\x98\x80"} {
		answer, err := w.send(ann, &protocol.Event{Client: 11, Data: data})
		require.NoError(t, err)
		require.Nil(t, answer, "events are not acknowledged")
		want := []protocol.Message{&protocol.PeerEvent{Connection: "a", Client: 11, UserID: "ann", Data: data}}
		require.Equal(t, want, w.gateway.Take("b"))
		require.Equal(t, want, w.gateway.Take("r"), "a reader hears them")
		require.Empty(t, w.gateway.Take("a"), "not the sender")
		require.Empty(t, w.gateway.Take(plain.Connection), "y-protocols has no message for them")
	}
	require.Equal(t, written, w.writes(), "nothing is stored")
}

func TestWhoMayNotSendEvents(t *testing.T) {
	w := newWorld(t)
	ann := w.join("a", "ann")
	w.hello(ann, 1)
	reader := w.joinAs("r", "rea", room.AccessRead)
	w.hello(reader, 2)
	w.gateway.Take("a")
	_, err := w.send(reader, &protocol.Event{Data: `"next slide"`})
	require.ErrorIs(t, err, room.ErrReadOnly)
	_, err = w.service.Receive(t.Context(), ann, protocol.EncodeFrameString(&protocol.Event{Data: strings.Repeat("x", protocol.MaxClientMessage)}))
	require.ErrorIs(t, err, room.ErrTooLarge)
	_, err = w.service.Receive(t.Context(), ann, string(protocol.FrameOf([]byte{122, 0, 1, 0xff})))
	require.ErrorIs(t, err, room.ErrMalformed, "not UTF-8")
	_, err = w.send(ann, &protocol.PeerEvent{Connection: "r", UserID: "rea", Data: "as somebody else"})
	require.ErrorIs(t, err, room.ErrMalformed)
	require.Empty(t, w.gateway.Take("a"))
	require.Empty(t, w.gateway.Take("r"))
	require.Empty(t, w.gateway.Closed())
}

func TestAnEventThatDoesNotReachAMemberDisconnectsNobody(t *testing.T) {
	w := newWorld(t)
	ann, bob := w.join("a", "ann"), w.join("b", "bob")
	w.hello(ann, 1)
	w.hello(bob, 2)
	w.gateway.Fail("b", room.ErrUnavailable)
	_, err := w.send(ann, &protocol.Event{Data: "1"})
	require.NoError(t, err)
	require.Empty(t, w.gateway.Closed())
}
