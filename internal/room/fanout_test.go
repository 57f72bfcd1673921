package room_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/faultstore"
	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/room/roomtest"
)

// invocations is a second level whose events, as bytes, run on Services of
// their own, as other instances would.
type invocations struct {
	mu      sync.Mutex
	events  [][]byte
	refuses error
}

func (i *invocations) Dispatch(_ context.Context, deliveries []room.Delivery) []error {
	i.mu.Lock()
	defer i.mu.Unlock()
	errs := make([]error, len(deliveries))
	for n, d := range deliveries {
		event, err := room.EncodeDelivery(d)
		if errs[n] = err; i.refuses != nil {
			errs[n] = i.refuses
		} else if err == nil {
			i.events = append(i.events, event)
		}
	}
	return errs
}

// run runs event n side by side with the others given.
func (i *invocations) run(w *world, numbers ...int) {
	var all sync.WaitGroup
	for _, n := range numbers {
		d, err := room.DecodeDelivery(i.events[n])
		require.NoError(w.t, err)
		_, service := w.process(uint64(n) + 100)
		all.Go(func() { service.Deliver(context.Background(), d) })
	}
	all.Wait()
}

// crowd is a room with so many Symphony members and so many plain ones, whose
// messages run on a Service with a second level.
func crowd(t *testing.T, symphony, plain int) (w *world, second *invocations, author room.Origin) {
	w = newWorld(t)
	second = &invocations{}
	ports := w.ports()
	ports.Fanout = second
	service, err := room.NewService(w.faults.Ports(ports), room.Options{})
	require.NoError(t, err)
	w.service = service
	author = w.join("author", "ann")
	w.hello(author, 1)
	for n := range symphony + plain {
		conn := room.ConnectionID(fmt.Sprintf("c%05d", n))
		m := room.Member{Connection: conn, User: room.User{ID: "u"}, Access: room.AccessWrite, ConnectedAt: w.clock.Now(), Symphony: n < symphony, Client: uint64(n) + 2}
		require.NoError(t, w.store.Members().Add(t.Context(), lobby, m))
		w.gateway.Open(conn)
	}
	return w, second, author
}

func TestALargeRoomIsPostedToBySeveralInvocations(t *testing.T) {
	const members = 4*room.FanoutSlice - 1
	w, second, author := crowd(t, members, 0)
	text := &roomtest.Author{Client: 1}
	before := w.gateway.Posts()
	ask[*protocol.Ack](w, author, &protocol.Submit{ID: 1, Update: text.Insert("x")})
	require.Len(t, second.events, 3, "the message's function posts to the first slice itself")
	require.Equal(t, members/4, w.gateway.Posts()-before)
	second.run(w, 0, 1, 2)
	for n := range members {
		require.Len(t, inbox[*protocol.Broadcast](w, room.ConnectionID(fmt.Sprintf("c%05d", n))), 1)
	}
	require.Empty(t, inbox[*protocol.Broadcast](w, "author"))
	require.Equal(t, 1, w.faults.Counts()["Members.List"]-1, "one list an edit, besides the author's hello")

	w, second, author = crowd(t, room.FanoutSlice, 0)
	ask[*protocol.Ack](w, author, &protocol.Submit{ID: 1, Update: text.Insert("x")})
	require.Empty(t, second.events, "one slice needs nobody else")
}

// Guarantees 3 and 7: an invocation that is lost, late, or runs twice.
func TestASliceLostLateOrTwiceIsHarmless_G3_G7(t *testing.T) {
	const members = 3 * room.FanoutSlice
	w, second, author := crowd(t, members, 0)
	text := &roomtest.Author{Client: 1}
	ask[*protocol.Ack](w, author, &protocol.Submit{ID: 1, Update: text.Insert("a")}) // events 0, 1
	ask[*protocol.Ack](w, author, &protocol.Submit{ID: 2, Update: text.Insert("b")}) // events 2, 3
	require.Len(t, second.events, 4)
	second.run(w, 2, 3) // the later edit first
	second.run(w, 1, 1) // the earlier one twice, and event 0 never
	for n := range members {
		conn := room.ConnectionID(fmt.Sprintf("c%05d", n))
		var seqs []uint64
		for _, m := range inbox[*protocol.Broadcast](w, conn) {
			seqs = append(seqs, m.Seq)
		}
		lost := len(seqs) == 1
		require.Subset(t, [][]uint64{{1, 2}, {2}, {2, 1, 1}}, [][]uint64{seqs}, conn)
		if lost { // it saw 2 and not 1: a gap
			from := room.Origin{Connection: conn, Room: lobby, User: room.User{ID: "u"}, Access: room.AccessWrite}
			r := ask[*protocol.Range](w, from, &protocol.RangeRequest{After: 0, Through: 1})
			require.EqualValues(t, 1, r.Through)
			require.NotEmpty(t, r.Update)
		}
	}
}

func TestASliceThatNoInvocationTakesIsPostedAllTheSame(t *testing.T) {
	const members = 4 * room.FanoutSlice
	w, second, author := crowd(t, members/2, members/2)
	second.refuses = room.ErrUnavailable
	ask[*protocol.Ack](w, author, &protocol.Submit{ID: 1, Update: (&roomtest.Author{Client: 1}).Insert("x")})
	for n := range members {
		require.Len(t, w.gateway.Take(room.ConnectionID(fmt.Sprintf("c%05d", n))), 1)
	}
}

func TestASliceLooksAfterWhomItDoesNotReach(t *testing.T) {
	const members = 2 * room.FanoutSlice
	w, second, author := crowd(t, 0, members)
	ask[*protocol.Ack](w, author, &protocol.Submit{ID: 1, Update: (&roomtest.Author{Client: 1}).Insert("x")})
	require.Len(t, second.events, 1)
	d, err := room.DecodeDelivery(second.events[0])
	require.NoError(t, err)
	gone, failing := d.To[0].Connection, d.To[1].Connection
	w.gateway.Close(gone)
	w.gateway.Fail(failing, room.ErrUnavailable)
	second.run(w, 0)
	require.Contains(t, w.members(), gone, "it may be connecting still")
	require.Equal(t, []room.ConnectionID{failing}, w.gateway.Closed(), "a plain member would never know")
	w.clock.Advance(room.ConnectGrace + time.Second)
	second.run(w, 0)
	require.NotContains(t, w.members(), gone)
	require.Len(t, inbox[*protocol.PeerLeft](w, "author"), 1)
	second.run(w, 0) // and once more is no error
}

// N1: an edit in a large room is acknowledged however its second level fares.
func TestFaultsOfTheSecondLevelDoNotFailAnEdit_N1(t *testing.T) {
	w, _, author := crowd(t, 2*room.FanoutSlice, 0)
	for n, f := range []faultstore.Fault{{Before: true}, {After: true}} {
		w.faults.Inject(faultstore.Named("Fanout.Dispatch", 0, f))
		w.gateway.Fail("c00000", room.ErrUnavailable)
		ack := ask[*protocol.Ack](w, author, &protocol.Submit{ID: uint64(n) + 1, Update: (&roomtest.Author{Client: uint64(n) + 1}).Insert("x")})
		require.EqualValues(t, n+1, ack.Seq)
		require.Len(t, w.entries(0), n+1)
		require.Len(t, inbox[*protocol.Broadcast](w, "c00400"), 1, "posted by the message's own function, at least")
	}
}

func TestEveryDeliveryOfOnePostFitsAnInvocation(t *testing.T) {
	d := room.Delivery{Room: room.ID(strings.Repeat("\x01", room.MaxIDBytes)), Frames: [][]byte{make([]byte, protocol.MaxPost)}}
	for range room.FanoutSlice {
		d.To = append(d.To, room.Receiver{Connection: room.ConnectionID(strings.Repeat("x", 32)), Symphony: true, Client: math.MaxUint32, ConnectedMS: math.MaxInt64})
	}
	b, err := room.EncodeDelivery(d)
	require.NoError(t, err, "an update as large as a post may be, for a whole slice of a room with the longest name")
	back, err := room.DecodeDelivery(b)
	require.NoError(t, err)
	require.Equal(t, d, back)
	d.Frames = append(d.Frames, d.Frames[0])
	_, err = room.EncodeDelivery(d)
	require.ErrorIs(t, err, room.ErrTooLarge)
}

func FuzzDecodeDelivery(f *testing.F) {
	f.Add([]byte(`{"room":"r","to":[{"c":"x","t":1}],"frames":["AA=="]}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := room.DecodeDelivery(b)
		if err != nil {
			require.ErrorIs(t, err, room.ErrMalformed)
			return
		}
		again, err := json.Marshal(d)
		require.NoError(t, err)
		back, err := room.DecodeDelivery(again)
		require.NoError(t, err)
		require.Equal(t, d, back)
	})
}

// Presence in a large room goes to a bounded number of members, and who sees
// whom is mutual, so that a newcomer is answered by somebody it can hear.
func TestPresenceInALargeRoomIsBoundedAndMutual(t *testing.T) {
	const members = 1_000
	w, _, _ := crowd(t, members, 0)
	from := func(n int) room.Origin {
		return room.Origin{Connection: room.ConnectionID(fmt.Sprintf("c%05d", n)), Room: lobby, User: room.User{ID: "u"}, Access: room.AccessWrite}
	}
	sees := map[[2]int]bool{}
	const speakers = 40
	for n := range speakers {
		before := w.gateway.Posts()
		_, err := w.send(from(n), &protocol.Awareness{Update: presence(uint64(n)+2, 1, `{"x":1}`)})
		require.NoError(t, err)
		require.InDelta(t, protocol.LargeRoom, w.gateway.Posts()-before, 60, "a hundred of a thousand, give or take six deviations")
		for other := range members {
			if len(inbox[*protocol.Awareness](w, from(other).Connection)) > 0 {
				sees[[2]int{n, other}] = true
			}
		}
	}
	for n := range speakers {
		for other := range speakers {
			require.Equal(t, sees[[2]int{n, other}], sees[[2]int{other, n}], "mutual")
		}
	}
	// Who leaves is gone for those who saw it.
	require.NoError(t, w.service.Leave(t.Context(), lobby, from(0).Connection))
	told, saw := 0, 0
	for other := 1; other < members; other++ {
		left := len(inbox[*protocol.PeerLeft](w, from(other).Connection)) > 0
		if left {
			told++
		}
		if sees[[2]int{0, other}] {
			saw++
			require.True(t, left, "a cursor nobody moves any more")
		}
	}
	require.Less(t, told, saw+10)
	// A newcomer's question goes to members that it hears.
	w.gateway.Open("new")
	newcomer := room.Origin{Connection: "new", Room: lobby, User: room.User{ID: "n"}, Access: room.AccessWrite, ConnectedAt: w.clock.Now()}
	require.NoError(t, w.service.Join(t.Context(), lobby, member(newcomer)))
	w.hello(newcomer, 9_999)
	asked := 0
	for n := 1; n < members; n++ {
		if len(inbox[*protocol.QueryAwareness](w, from(n).Connection)) > 0 {
			asked++
			_, err := w.send(from(n), &protocol.Awareness{Update: presence(uint64(n)+2, 2, `{"x":1}`)})
			require.NoError(t, err)
		}
	}
	require.Equal(t, 2, asked)
	require.Len(t, inbox[*protocol.Awareness](w, "new"), 2)
}
