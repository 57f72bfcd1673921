package pebblestore

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/room"
)

func TestRoomsAreListedOnceEach(t *testing.T) {
	s, err := Open("data", Options{FS: vfs.NewMem(), MinFree: -1})
	require.NoError(t, err)
	t.Cleanup(func() { _ = s.Close() })
	want := []room.ID{"a", "a#b", "a/b", "\x00", "ü", "room-1", "room-10"}
	for i, id := range want {
		for range i + 1 {
			_, err := s.Log().Append(t.Context(), id, 0, room.Update{Data: []byte{0, 0}, At: time.Unix(1, 0)})
			require.NoError(t, err)
		}
	}
	require.NoError(t, s.Members().Add(t.Context(), "only a member", room.Member{Connection: "c", ConnectedAt: time.Now()}))
	var got []room.ID
	require.NoError(t, s.Rooms(t.Context(), func(id room.ID) error { got = append(got, id); return nil }))
	want = append(want, "only a member")
	slices.Sort(want)
	slices.Sort(got)
	require.Equal(t, want, got)

	stop := errors.New("enough")
	require.ErrorIs(t, s.Rooms(t.Context(), func(room.ID) error { return stop }), stop)
	over, cancel := context.WithCancel(t.Context())
	cancel()
	require.Error(t, s.Rooms(over, func(room.ID) error { return nil }))
}
