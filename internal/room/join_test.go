package room_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/faultstore"
	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/room/roomtest"
)

func TestJoinRegistersAndPostsNothing(t *testing.T) {
	w := newWorld(t)
	w.join("a", "ann")
	require.Equal(t, []room.ConnectionID{"a"}, w.members())
	require.Zero(t, w.gateway.Posts(), "a post before $connect has returned is answered 410")
	require.Zero(t, w.meta().Version, "connecting writes no record")
}

func TestJoinRefusesBadRoomIDs(t *testing.T) {
	w := newWorld(t)
	for _, id := range []room.ID{"", room.ID(strings.Repeat("x", 257)), "\xff"} {
		require.ErrorIs(t, w.service.Join(t.Context(), id, room.Member{Connection: "a"}), room.ErrRoomID)
	}
	require.Zero(t, w.faults.Calls(), "nothing was written, nothing even asked")
}

func TestAFailedJoinLeavesNobodyListed(t *testing.T) {
	for n := 1; n <= 2; n++ {
		for _, f := range []faultstore.Fault{{Before: true}, {After: true}} {
			w := newWorld(t)
			w.faults.Inject(faultstore.At(n, f))
			err := w.service.Join(t.Context(), lobby, room.Member{Connection: "a", Access: room.AccessWrite})
			require.ErrorIs(t, err, room.ErrUnavailable)
			if n == 1 && f.After {
				continue // only a post can find that one out
			}
			require.Empty(t, w.members())
		}
	}
}

func TestLeaveTellsSymphonyPeersOnceAndMayComeTwice(t *testing.T) {
	w := newWorld(t)
	a, b, c := w.join("a", "ann"), w.join("b", "bob"), w.join("c", "cat")
	w.hello(a, 11)
	w.hello(b, 22)
	_ = c // stays a plain client
	for _, conn := range w.members() {
		w.gateway.Take(conn)
	}
	for range 2 {
		require.NoError(t, w.service.Leave(t.Context(), "", "a"))
	}
	require.Equal(t, []room.ConnectionID{"b", "c"}, w.members())
	require.Equal(t, []*protocol.PeerLeft{{Connection: "a", Client: 11}}, inbox[*protocol.PeerLeft](w, "b"))
	require.Empty(t, w.gateway.Take("c"), "y-protocols has no such message")
	require.NoError(t, w.service.Leave(t.Context(), lobby, "c"))
	require.Equal(t, []*protocol.PeerLeft{{Connection: "c", Client: 0}}, inbox[*protocol.PeerLeft](w, "b"), "never known")
	require.NoError(t, w.service.Leave(t.Context(), "elsewhere", "nobody"))
}

// N5: revoked access stops on the next message, not on the next connect.
func TestDeniedUsersNextMessageIsRefused_N5(t *testing.T) {
	w := newWorld(t)
	ann, bob := w.join("a", "ann"), w.join("b", "bob")
	w.hello(ann, 1)
	w.hello(bob, 2)
	text := &roomtest.Author{Client: 1}
	ask[*protocol.Ack](w, ann, &protocol.Submit{ID: 1, Update: text.Insert("x")})

	// The disconnecting fails: the user's connection stays open, and known.
	w.faults.Inject(func(c faultstore.Call) faultstore.Fault {
		return faultstore.Fault{Before: c.Name == "Sender.Disconnect" || c.Name == "Members.Remove"}
	})
	require.Error(t, w.service.Deny(t.Context(), lobby, "ann", true), "says that the user is still connected")
	w.faults.Inject(nil)
	require.Equal(t, []room.ConnectionID{"a", "b"}, w.members())
	before := w.entries(0)
	w.gateway.Take("a")
	for _, m := range []protocol.Message{
		&protocol.Submit{ID: 2, Update: text.Insert("y")}, &protocol.SyncUpdate{Update: text.Insert("y")},
		&protocol.Hello{Version: 1}, &protocol.SyncStep1{StateVector: []byte{0}}, &protocol.Probe{}, &protocol.RangeRequest{},
		&protocol.Awareness{Update: presence(1, 1, `{}`)}, &protocol.QueryAwareness{}, &protocol.UploadRequest{ID: 3, Size: 1}, &protocol.Event{},
	} {
		_, err := w.send(ann, m)
		require.ErrorIs(t, err, room.ErrDenied, "%T", m)
	}
	require.Equal(t, before, w.entries(0), "zero later writes are accepted")
	ask[*protocol.Ack](w, bob, &protocol.Submit{ID: 1, Update: (&roomtest.Author{Client: 2}).Insert("z")})
	require.Empty(t, w.gateway.Take("a"), "nor is anything sent to the user any more")

	// Tried again it closes the connection, and a new one is refused.
	require.NoError(t, w.service.Deny(t.Context(), lobby, "ann", true))
	require.False(t, w.gateway.IsOpen("a"))
	require.Equal(t, []room.ConnectionID{"b"}, w.members())
	err := w.service.Join(t.Context(), lobby, room.Member{Connection: "a2", User: room.User{ID: "ann"}, Access: room.AccessWrite})
	require.ErrorIs(t, err, room.ErrDenied)
	require.Equal(t, []room.ConnectionID{"b"}, w.members())
	require.NoError(t, w.service.Join(t.Context(), "elsewhere", room.Member{Connection: "a3", User: room.User{ID: "ann"}}), "another room")

	require.NoError(t, w.service.Deny(t.Context(), lobby, "ann", false))
	w.join("a4", "ann")
	require.ErrorIs(t, w.service.Deny(t.Context(), lobby, "", true), room.ErrUnsupported)
}

// A user denied while a message is on its way: the record is read again when
// marking the room dirty meets the change, so nothing is written after it.
func TestDenyBeatsAnEditInFlight_N5(t *testing.T) {
	w := newWorld(t)
	ann := w.join("a", "ann")
	w.faults.SetGate(func(c faultstore.Call) func() {
		if c.Name == "Metas.Swap" {
			w.faults.SetGate(nil)
			_, other := w.process(2)
			require.NoError(t, other.Deny(t.Context(), lobby, "ann", true))
		}
		return func() {}
	})
	_, err := w.send(ann, &protocol.Submit{ID: 1, Update: (&roomtest.Author{Client: 1}).Insert("x")})
	require.ErrorIs(t, err, room.ErrDenied)
	require.Empty(t, w.entries(0))
}

func TestGoneMembersAreRemovedButNotWhileConnecting(t *testing.T) {
	w := newWorld(t)
	old := w.join("old", "old")
	w.hello(old, 9)
	w.gateway.Close("old") // no $disconnect ever comes
	w.clock.Advance(room.ConnectGrace + time.Second)
	require.NoError(t, w.service.Join(t.Context(), lobby, room.Member{Connection: "connecting", Access: room.AccessWrite}))
	peer, ann := w.join("p", "peer"), w.join("a", "ann")
	w.hello(peer, 8)
	require.Equal(t, []room.ConnectionID{"a", "connecting", "p"}, w.members(), "found gone when it was told of the peer")
	w.gateway.Take("p")
	_, err := w.send(ann, &protocol.SyncUpdate{Update: (&roomtest.Author{Client: 1}).Insert("x")})
	require.NoError(t, err)
	require.Equal(t, []room.ConnectionID{"a", "connecting", "p"}, w.members(), "its $connect has not returned yet")
	w.clock.Advance(room.ConnectGrace + time.Second)
	_, err = w.send(ann, &protocol.SyncUpdate{Update: (&roomtest.Author{Client: 2}).Insert("x")})
	require.NoError(t, err)
	require.Equal(t, []room.ConnectionID{"a", "p"}, w.members())
	require.Equal(t, []*protocol.PeerLeft{{Connection: "connecting"}}, inbox[*protocol.PeerLeft](w, "p"), "as if it had left")
}

// A plain client would never know that it missed an update; a Symphony client
// sees the gap.
func TestAPostThatFailsDisconnectsOnlyPlainMembers(t *testing.T) {
	w := newWorld(t)
	ann, plain, sym := w.join("a", "ann"), w.join("plain", "p"), w.join("sym", "s")
	w.hello(sym, 3)
	_ = plain
	w.gateway.Fail("plain", room.ErrUnavailable)
	w.gateway.Fail("sym", errors.Join(room.ErrUnavailable))
	_, err := w.send(ann, &protocol.SyncUpdate{Update: (&roomtest.Author{Client: 1}).Insert("x")})
	require.NoError(t, err, "a post that fails never fails the edit")
	require.Len(t, w.entries(0), 1)
	require.Equal(t, []room.ConnectionID{"plain"}, w.gateway.Closed())
	require.Equal(t, []room.ConnectionID{"a", "plain", "sym"}, w.members())
}
