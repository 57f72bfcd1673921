package handler_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/handler"
	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/room"
)

type anyRooms struct {
	handler.Rooms
	err error
}

func (r *anyRooms) Receive(context.Context, room.Origin, string) ([]byte, error) {
	return []byte("reply"), r.err
}

type setClock struct{ now time.Time }

func (c *setClock) Now() time.Time { return c.now }

// P30: presence handled is told in sums, none of it twice and none lost while
// messages come.
func TestPresenceIsCounted(t *testing.T) {
	type told struct {
		at time.Time
		n  int64
	}
	var all []told
	rooms, clock := &anyRooms{}, &setClock{time.Unix(1000, 0)}
	counted := handler.CountPresence(rooms, clock, func(at time.Time, n int64) { all = append(all, told{at, n}) })
	send := func(m protocol.Message, after time.Duration) {
		clock.now = clock.now.Add(after)
		reply, err := counted.Receive(t.Context(), room.Origin{}, protocol.EncodeFrameString(m))
		require.Equal(t, "reply", string(reply))
		require.Equal(t, rooms.err, err)
	}
	presence, tab, edit := &protocol.Awareness{Update: []byte{0}}, &protocol.TabPresence{Update: []byte{0}}, &protocol.Submit{ID: 1, Update: []byte{0, 0}}
	send(edit, 0)
	require.Empty(t, all)
	send(presence, 0)
	require.Equal(t, []told{{clock.now, 1}}, all, "the first at once: a quiet stage has no second")
	send(presence, time.Second)
	send(tab, time.Second)
	rooms.err = room.ErrUnavailable
	send(presence, time.Second)
	rooms.err = nil
	require.Len(t, all, 1)
	send(edit, 7*time.Second)
	require.Equal(t, told{clock.now, 2}, all[1], "by whatever message comes, and refused ones do not count")
	send(edit, time.Hour)
	require.Len(t, all, 2)
}
