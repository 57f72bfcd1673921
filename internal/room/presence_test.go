package room_test

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/room"
)

// presence encodes an awareness update of one client.
func TestPresenceIsRelayedAndEchoedToPlainClientsOnly(t *testing.T) {
	w := newWorld(t)
	plain, sym, reader := w.join("plain", "p"), w.join("sym", "s"), w.joinAs("reader", "r", room.AccessRead)
	w.hello(sym, 2)
	clear := func() {
		for _, conn := range w.members() {
			w.gateway.Take(conn)
		}
	}
	for _, c := range []struct {
		from room.Origin
		echo bool
	}{{plain, true}, {sym, false}, {reader, true}} {
		clear()
		m := &protocol.Awareness{Update: presence(7, 1, `{"cursor":[1,2]}`)}
		answer, err := w.send(c.from, m)
		require.NoError(t, err, "a reader has presence too")
		if c.echo {
			require.Equal(t, m, answer, "keeps a provider's timers quiet")
		} else {
			require.Nil(t, answer)
		}
		for _, conn := range w.members() {
			if conn == c.from.Connection {
				require.Empty(t, w.gateway.Take(conn))
			} else {
				require.Equal(t, []protocol.Message{m}, w.gateway.Take(conn))
			}
		}
	}
	require.Zero(t, w.faults.Counts()["Log.Append"], "presence is not stored")
}

func TestPresenceThatDoesNotReachAPlainMemberDisconnectsNobody(t *testing.T) {
	w := newWorld(t)
	a := w.join("a", "ann")
	w.join("b", "bob")
	w.gateway.Fail("b", room.ErrUnavailable)
	_, err := w.send(a, &protocol.Awareness{Update: presence(7, 1, `null`)})
	require.NoError(t, err)
	require.Empty(t, w.gateway.Closed())
}

func TestBadPresenceGoesNoFurther(t *testing.T) {
	w := newWorld(t)
	a := w.join("a", "ann")
	w.join("b", "bob")
	many := binary.AppendUvarint(nil, room.MaxAwarenessStates+1)
	for i := range room.MaxAwarenessStates + 1 {
		many = append(many, presence(uint64(i), 1, `{}`)[1:]...)
	}
	for name, update := range map[string][]byte{
		"nothing":          {},
		"a cut state":      presence(7, 1, `{"a":1}`)[:6],
		"not JSON":         presence(7, 1, `{"a":`),
		"trailing bytes":   append(presence(7, 1, `{}`), 0),
		"a hostile length": {1, 1, 1, 0xff, 0xff, 0xff, 0xff, 0x0f},
		"a hostile count":  {0xff, 0xff, 0xff, 0xff, 0x0f},
		"no object":        {1, 0x4d, 1, 1, '1'},
		"too many states":  many,
	} {
		_, err := w.send(a, &protocol.Awareness{Update: update})
		require.ErrorIs(t, err, room.ErrInvalidAwareness, name)
	}
	require.Empty(t, w.gateway.Take("b"))
}

func TestTwoOthersAreAskedForPresence(t *testing.T) {
	w := newWorld(t)
	var all []room.Origin
	for i := range 6 {
		all = append(all, w.join(room.ConnectionID(fmt.Sprint("c", i)), fmt.Sprint("u", i)))
	}
	asked := func() (n int) {
		for _, m := range all {
			got := inbox[*protocol.QueryAwareness](w, m.Connection)
			require.LessOrEqual(t, len(got), 1)
			n += len(got)
		}
		return n
	}
	_, err := w.send(all[0], &protocol.QueryAwareness{})
	require.NoError(t, err)
	require.Equal(t, 2, asked())
	w.hello(all[1], 1)
	require.Equal(t, 2, asked())
	ask[*protocol.SyncStep2](w, all[2], &protocol.SyncStep1{StateVector: []byte{0}})
	require.Equal(t, 2, asked())

	// Those who are gone do not answer; others are tried.
	for _, m := range all[1:5] {
		w.gateway.Close(m.Connection)
	}
	_, err = w.send(all[0], &protocol.QueryAwareness{})
	require.NoError(t, err)
	require.Equal(t, 1, asked(), "the one other that is left")

	// Alone, there is nobody to ask.
	alone := newWorld(t)
	ask[*protocol.SyncStep2](alone, alone.join("a", "a"), &protocol.SyncStep1{StateVector: []byte{0}})
}
