package room

import (
	"context"
	"errors"
	"fmt"

	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/yjs"
)

// awareness relays presence to the other members, in a large room to some of
// them (near). It is not stored. A reader
// has presence too. What is relayed must decode: y-protocols' client throws on
// anything else.
//
// A plain client gets its own message back: its provider takes a connection for
// dead on which nothing arrives for 30 s, and in an otherwise quiet room its own
// renewal every 15 s is all there is (y-websocket's messageReconnectTimeout,
// y-protocols' outdatedTimeout).
func (s *Service) awareness(ctx context.Context, v *visit, m *protocol.Awareness, frame string) (protocol.Message, error) {
	if _, err := presence(m.Update, MaxAwarenessStates); err != nil {
		return nil, err
	}
	list, err := s.listMembers(ctx, v.Room)
	if err == nil {
		err = v.listed(list)
	}
	if err != nil {
		return nil, err
	}
	s.showPresence(ctx, v, list, []byte(frame))
	if v.Member.Symphony {
		return nil, nil
	}
	return echo{m}, nil
}

// showPresence posts a frame of v's presence to those of the list who see it.
func (s *Service) showPresence(ctx context.Context, v *visit, list []Member, frame []byte) {
	others := v.allowed(without(list, v.Member.Connection))
	s.relayPresence(ctx, v, near(v.Member.Connection, others), frame)
}

// presence decodes an awareness update of at most limit clients.
func presence(update []byte, limit int) ([]yjs.AwarenessState, error) {
	states, err := yjs.DecodeAwareness(update)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalidAwareness, err)
	}
	if len(states) > limit {
		return nil, fmt.Errorf("%w: %d states, at most %d", ErrInvalidAwareness, len(states), limit)
	}
	return states, nil
}

// relayPresence posts presence. Unlike an edit it is not made up for when it
// does not arrive: the next one replaces it, so nobody is disconnected.
func (s *Service) relayPresence(ctx context.Context, v *visit, to []Member, frame []byte) (reached int) {
	if len(to) == 0 {
		return 0
	}
	failed := s.postOnce(ctx, to, frame)
	var gone []Member
	for _, m := range to {
		if err := failed[m.Connection]; errors.Is(err, ErrGone) {
			gone = append(gone, m)
		}
	}
	s.forget(ctx, v.Room, gone)
	return len(to) - len(failed)
}

// queryAwareness passes a client's question for presence on.
func (s *Service) queryAwareness(ctx context.Context, v *visit) (protocol.Message, error) {
	s.askPresence(ctx, v)
	return nil, nil
}

const (
	// presenceAsked is how many members are asked for presence: each answers
	// with all it knows, so one would do, and a second makes up for one that has
	// just left. Every answer is posted to everybody.
	presenceAsked = 2
	// presenceTries is how many are tried to find them: members whose
	// $disconnect never came do not answer.
	presenceTries = 3 * presenceAsked
)

// askPresence lists the members and asks for presence on behalf of v.
func (s *Service) askPresence(ctx context.Context, v *visit) {
	list, err := s.listMembers(ctx, v.Room)
	if err != nil {
		s.logger.Warn("nobody is asked for presence", "connection", v.Member.Connection, "room", v.Room, "error", err)
		return
	}
	s.askPresenceOf(ctx, v, v.allowed(without(list, v.Member.Connection)))
}

// askPresenceOf sends the question to two of others, picked at random so that
// it is not always the same who answer. They are two whose presence reaches v.
func (s *Service) askPresenceOf(ctx context.Context, v *visit, others []Member) {
	others = near(v.Member.Connection, others)
	if len(others) == 0 {
		return
	}
	frame := protocol.EncodeFrame(&protocol.QueryAwareness{})
	start := s.pickAt(len(others))
	tries := min(presenceTries, len(others))
	for i, asked := 0, 0; i < tries && asked < presenceAsked; {
		var to []Member
		for ; i < tries && asked+len(to) < presenceAsked; i++ {
			to = append(to, others[(start+i)%len(others)])
		}
		asked += s.relayPresence(ctx, v, to, frame)
	}
}
