package roomtest

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/room"
)

// SenderHarness is a sender and the gateway behind it.
type SenderHarness struct {
	Sender room.Sender
	// Connect opens a connection.
	Connect func(t testing.TB) Receiver
	// Unknown is a connection id of the right form that no gateway knows.
	Unknown room.ConnectionID
}

// Receiver is the client's end of one connection.
type Receiver struct {
	Connection room.ConnectionID
	// Take returns the frames that have arrived since it was last called.
	Take func() [][]byte
	// IsOpen says whether the connection is still open.
	IsOpen func() bool
	// Close closes it from the client's side.
	Close func()
}

// RunSender runs the contract of room.Sender.
func RunSender(t *testing.T, newHarness func(t *testing.T) SenderHarness) {
	for _, c := range []struct {
		name string
		run  func(t *testing.T, h SenderHarness)
	}{
		{"one frame to many", senderMany},
		{"frames arrive in the order they were posted", senderOrder},
		{"who is gone is reported, the others are reached", senderGone},
		{"the largest message", senderLargest},
		{"disconnecting", senderDisconnect},
		{"a context that has ended", senderContext},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, newHarness(t)) })
	}
}

func senderFrame(n int) []byte {
	return protocol.EncodeFrame(&protocol.SyncUpdate{Update: pattern(n, n)})
}

// wantFrames waits for frames to arrive: posting may return before they do.
func wantFrames(t *testing.T, r Receiver, want ...[]byte) {
	t.Helper()
	var got [][]byte
	eventually(func() bool {
		got = append(got, r.Take()...)
		return len(got) >= len(want)
	})
	require.Equal(t, len(want), len(got))
	for i := range want {
		require.Equal(t, string(want[i]), string(got[i]))
	}
}

// eventually waits until ok says yes, but not for ever.
func eventually(ok func() bool) {
	for range 500 {
		if ok() {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
}

func senderMany(t *testing.T, h SenderHarness) {
	var all []Receiver
	var to []room.ConnectionID
	for range 40 {
		r := h.Connect(t)
		all = append(all, r)
		to = append(to, r.Connection)
	}
	bystander := h.Connect(t)
	require.Empty(t, h.Sender.Post(t.Context(), to, senderFrame(100)))
	require.Empty(t, h.Sender.Post(t.Context(), nil, senderFrame(100)))
	for _, r := range all {
		wantFrames(t, r, senderFrame(100))
	}
	require.Empty(t, bystander.Take())
}

func senderOrder(t *testing.T, h SenderHarness) {
	r := h.Connect(t)
	var want [][]byte
	for n := range 30 {
		require.Empty(t, h.Sender.Post(t.Context(), []room.ConnectionID{r.Connection}, senderFrame(n)))
		want = append(want, senderFrame(n))
	}
	wantFrames(t, r, want...)
}

func senderGone(t *testing.T, h SenderHarness) {
	a, b, left := h.Connect(t), h.Connect(t), h.Connect(t)
	left.Close()
	eventually(func() bool { return !left.IsOpen() })
	gone := map[room.ConnectionID]bool{}
	for _, f := range h.Sender.Post(t.Context(), []room.ConnectionID{a.Connection, h.Unknown, left.Connection, b.Connection}, senderFrame(9)) {
		require.ErrorIs(t, f.Err, room.ErrGone)
		gone[f.Connection] = true
	}
	require.Equal(t, map[room.ConnectionID]bool{h.Unknown: true, left.Connection: true}, gone)
	wantFrames(t, a, senderFrame(9))
	wantFrames(t, b, senderFrame(9))
}

func senderLargest(t *testing.T, h SenderHarness) {
	r := h.Connect(t)
	large := protocol.EncodeFrame(&protocol.SyncUpdate{Update: pattern(1, protocol.MaxServerMessage-protocol.MaxHeader)})
	require.LessOrEqual(t, len(large), protocol.MaxPost)
	require.Empty(t, h.Sender.Post(t.Context(), []room.ConnectionID{r.Connection}, large))
	wantFrames(t, r, large)
	failures := h.Sender.Post(t.Context(), []room.ConnectionID{r.Connection}, []byte(strings.Repeat("A", protocol.MaxPost+4)))
	require.Len(t, failures, 1)
	require.ErrorIs(t, failures[0].Err, room.ErrTooLarge)
	require.Empty(t, h.Sender.Post(t.Context(), []room.ConnectionID{r.Connection}, senderFrame(5)))
	wantFrames(t, r, senderFrame(5))
}

func senderDisconnect(t *testing.T, h SenderHarness) {
	r, other := h.Connect(t), h.Connect(t)
	for range 2 { // closing what is closed is no error
		require.NoError(t, h.Sender.Disconnect(t.Context(), r.Connection))
	}
	require.NoError(t, h.Sender.Disconnect(t.Context(), h.Unknown))
	eventually(func() bool { return !r.IsOpen() })
	require.False(t, r.IsOpen())
	require.True(t, other.IsOpen())
	failures := h.Sender.Post(t.Context(), []room.ConnectionID{r.Connection}, senderFrame(5))
	require.Len(t, failures, 1)
	require.ErrorIs(t, failures[0].Err, room.ErrGone)
}

func senderContext(t *testing.T, h SenderHarness) {
	a, b := h.Connect(t), h.Connect(t)
	failures := h.Sender.Post(canceled(), []room.ConnectionID{a.Connection, b.Connection}, senderFrame(5))
	require.Len(t, failures, 2)
	for _, f := range failures {
		require.True(t, isUnavailable(f.Err), "%v", f.Err)
		require.False(t, errors.Is(f.Err, room.ErrGone), "gone would remove a member for a slow moment")
	}
	require.True(t, isUnavailable(h.Sender.Disconnect(canceled(), a.Connection)), "disconnect")
	require.True(t, a.IsOpen())
}
