package room

import (
	"context"

	"github.com/symphony-rt/symphony/internal/protocol"
)

// event relays what an app wants the others to hear of once: to the Symphony
// members, for a plain client has no message for it. It is not stored and, as
// presence, not made up for when it does not arrive.
//
// Who may only read may not: apps act on events ("next slide"), so they are a
// way to change what others see. Connection and user are named by the
// server, so that nobody speaks as somebody else (N12).
func (s *Service) event(ctx context.Context, v *visit, m *protocol.Event) (protocol.Message, error) {
	if err := v.checkWrite(); err != nil {
		return nil, err
	}
	list, err := s.listMembers(ctx, v.Room)
	if err != nil {
		return nil, err
	}
	if err := v.listed(list); err != nil {
		return nil, err
	}
	to := symphonyOnly(v.allowed(without(list, v.Member.Connection)))
	s.relayPresence(ctx, v, to, protocol.EncodeFrame(&protocol.PeerEvent{
		Connection: string(v.Member.Connection),
		Client:     m.Client,
		UserID:     string(v.user.ID),
		Data:       m.Data,
	}))
	return nil, nil
}
