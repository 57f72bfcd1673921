package roomtest

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/faultstore"
	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/room"
)

// stage is one room on a store that may have others, a gateway, and a Service
// on both whose every call goes through an injector.
type stage struct {
	t       testing.TB
	room    room.ID
	clock   *Clock
	ports   Ports
	gateway *Gateway
	faults  *faultstore.Injector
	service *room.Service
}

var stages atomic.Uint64

func newStage(t testing.TB, open func(t testing.TB, clock *Clock) Ports, mutate func(room.Ports) room.Ports) *stage {
	n := stages.Add(1)
	s := &stage{t: t, room: room.ID(fmt.Sprintf("stage %d/#", n)), clock: NewClock(), gateway: NewGateway(), faults: faultstore.New()}
	s.ports = open(t, s.clock)
	ports := room.Ports{
		Log: s.ports.Log, Metas: only{s.ports.Metas, s.room}, Members: s.ports.Members, Snapshots: s.ports.Snapshots,
		Uploads: s.ports.Uploads, Links: s.ports.Links, Sender: s.gateway, Clock: s.clock,
	}
	if mutate != nil {
		ports = mutate(ports)
	}
	var err error
	s.service, err = room.NewService(s.faults.Ports(ports), room.Options{Random: Seeded(n)})
	require.NoError(t, err)
	return s
}

// only keeps a sweep from the other rooms of a shared store.
type only struct {
	room.Metas
	room room.ID
}

func (o only) Unclean(ctx context.Context, fn func(room.ID) error) error {
	return o.Metas.Unclean(ctx, func(id room.ID) error {
		if id != o.room {
			return nil
		}
		return fn(id)
	})
}

func memberOf(from room.Origin) room.Member {
	return room.Member{Connection: from.Connection, User: from.User, Access: from.Access, ConnectedAt: from.ConnectedAt}
}

// send hands a message to the Service and decodes the answer, nil for none.
func (s *stage) send(from room.Origin, m protocol.Message) (protocol.Message, error) {
	s.t.Helper()
	reply, err := s.service.Receive(s.t.Context(), from, protocol.EncodeFrameString(m))
	if reply == nil {
		return nil, err
	}
	answer, derr := protocol.DecodeFrame(reply)
	require.NoError(s.t, derr)
	return answer, err
}

func (s *stage) meta() room.Meta { return getMeta(s.t, s.ports, s.room) }

func (s *stage) overGrace() { s.clock.Advance(room.DefaultGrace + time.Millisecond) }

func (s *stage) untilClean() {
	s.t.Helper()
	for passes := 0; s.meta().State != room.Clean; passes++ {
		require.Less(s.t, passes, 10, "becomes clean")
		require.NoError(s.t, s.service.Checkpoint(s.t.Context(), s.room))
		s.overGrace()
	}
}

// document reads the room as a newcomer would, from the stores themselves.
func (s *stage) document() []byte {
	meta := s.meta()
	parts := [][]byte{EmptyUpdate}
	if meta.Snapshot.Key != "" {
		snapshot, err := s.ports.Snapshots.Get(s.t.Context(), meta.Snapshot)
		require.NoError(s.t, err)
		parts = append(parts, snapshot)
	}
	for _, u := range logAfter(s.t, s.ports, s.room, meta.Snapshot.Seq) {
		parts = append(parts, u.Data)
	}
	return Merged(s.t, parts...)
}
