package room_test

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/faultstore"
	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/room"
)

// tabs encodes an awareness update of several clients.
func tabs(clients ...uint64) []byte {
	update := binary.AppendUvarint(nil, uint64(len(clients)))
	for _, c := range clients {
		update = append(update, presence(c, 1, `{"n":1}`)[1:]...)
	}
	return update
}

func (w *world) tabsOf(conn room.ConnectionID) []uint64 {
	list, err := w.store.Members().List(w.t.Context(), lobby)
	require.NoError(w.t, err)
	for _, m := range list {
		if m.Connection == conn {
			return m.Tabs
		}
	}
	return nil
}

// The presence of tabs that share a connection is relayed as any other, and
// when the connection goes the server says that they are gone too.
func TestTabsAreGoneWithTheirConnection(t *testing.T) {
	w := newWorld(t)
	a, b, _ := w.join("a", "ann"), w.join("b", "bob"), w.join("plain", "pat")
	w.hello(a, 1)
	w.hello(b, 2)
	for _, conn := range w.members() {
		w.gateway.Take(conn)
	}
	for _, update := range [][]byte{tabs(11), tabs(12), tabs(12, 11, 1)} {
		answer, err := w.send(a, &protocol.TabPresence{Update: update})
		require.NoError(t, err)
		require.Nil(t, answer)
		for _, conn := range []room.ConnectionID{"b", "plain"} {
			require.Equal(t, []protocol.Message{&protocol.Awareness{Update: update}}, w.gateway.Take(conn))
		}
	}
	require.Equal(t, []uint64{11, 12}, w.tabsOf("a"), "its own client is none of them")
	require.Equal(t, 2, w.faults.Counts()["Members.Update"]-2, "written once for each tab")

	require.NoError(t, w.service.Leave(t.Context(), lobby, "a"))
	require.Equal(t, []protocol.Message{
		&protocol.PeerLeft{Connection: "a", Client: 1}, &protocol.TabLeft{Client: 11}, &protocol.TabLeft{Client: 12},
	}, w.gateway.Take("b"))
	require.Empty(t, w.gateway.Take("plain"))
}

// A tab that another connection serves by now, its own or one that it shares,
// has not left: a leader renews its connection, and tabs take over from it.
func TestTabsThatMovedHaveNotLeft(t *testing.T) {
	w := newWorld(t)
	before, after, own, peer := w.join("before", "ann"), w.join("after", "ann"), w.join("own", "ann"), w.join("peer", "bob")
	for i, from := range []room.Origin{before, after, own, peer} {
		w.hello(from, []uint64{1, 1, 11, 2}[i])
	}
	for from, update := range map[*room.Origin][]byte{&before: tabs(11, 12, 13), &after: tabs(12)} {
		_, err := w.send(*from, &protocol.TabPresence{Update: update})
		require.NoError(t, err)
	}
	require.Empty(t, inbox[*protocol.TabLeft](w, "peer"))
	require.NoError(t, w.service.Leave(t.Context(), lobby, "before"))
	require.Equal(t, []*protocol.TabLeft{{Client: 13}}, inbox[*protocol.TabLeft](w, "peer"))
}

// A connection that a post finds gone is announced with its tabs, though who
// posts (a second level) may know nothing of them.
func TestTabsOfAConnectionThatIsFoundGone(t *testing.T) {
	w := newWorld(t)
	a, b := w.join("a", "ann"), w.join("b", "bob")
	w.hello(a, 1)
	w.hello(b, 2)
	_, err := w.send(a, &protocol.TabPresence{Update: tabs(11)})
	require.NoError(t, err)
	w.gateway.Close("a")
	w.gateway.Take("b")
	w.clock.Advance(room.ConnectGrace + 1)
	w.service.Deliver(t.Context(), room.Delivery{Room: lobby, To: []room.Receiver{{Connection: "a", Symphony: true, Client: 1}}, Frames: [][]byte{protocol.EncodeFrame(&protocol.QueryAwareness{})}})
	require.Equal(t, []*protocol.TabLeft{{Client: 11}}, inbox[*protocol.TabLeft](w, "b"))
}

func TestBadPresenceOfTabs(t *testing.T) {
	w := newWorld(t)
	a := w.join("a", "ann")
	_, err := w.send(a, &protocol.TabPresence{Update: tabs(11)})
	require.ErrorIs(t, err, room.ErrMalformed, "a plain client has no such message")
	w.hello(a, 1)
	many := make([]uint64, protocol.MaxTabs+1)
	for i := range many {
		many[i] = uint64(100 + i)
	}
	for name, update := range map[string][]byte{"nothing": {}, "cut": tabs(7)[:4], "more tabs than one may have": tabs(many...)} {
		_, err := w.send(a, &protocol.TabPresence{Update: update})
		require.ErrorIs(t, err, room.ErrInvalidAwareness, name)
	}
	require.Empty(t, w.tabsOf("a"))

	// Of a client that never stops inventing tabs the last are kept.
	for i := range 2 * protocol.MaxTabs {
		_, err := w.send(a, &protocol.TabPresence{Update: tabs(uint64(i + 1000))})
		require.NoError(t, err)
	}
	kept := w.tabsOf("a")
	require.Len(t, kept, protocol.MaxTabs)
	require.Equal(t, uint64(1000+protocol.MaxTabs), kept[0])

	// A tab that says goodbye is no new one.
	_, err = w.send(a, &protocol.TabPresence{Update: presence(5, 2, `null`)})
	require.NoError(t, err)
	require.Equal(t, kept, w.tabsOf("a"))
}

// A store that fails is the sender's to hear of, and nothing is relayed that
// would outlive its connection.
func TestTabsThatCannotBeNotedAreNotShown(t *testing.T) {
	w := newWorld(t)
	a, b := w.join("a", "ann"), w.join("b", "bob")
	w.hello(a, 1)
	w.hello(b, 2)
	w.gateway.Take("b")
	for i, f := range []faultstore.Fault{{Before: true}, {After: true}} {
		w.faults.Inject(faultstore.Named("Members.Update", 1, f))
		_, err := w.send(a, &protocol.TabPresence{Update: tabs(uint64(20 + i))})
		require.ErrorIs(t, err, room.ErrUnavailable, fmt.Sprint(f))
		require.Empty(t, w.gateway.Take("b"))
	}
}
