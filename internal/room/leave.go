package room

import (
	"context"
	"errors"

	"github.com/symphony-rt/symphony/internal/protocol"
)

// Leave removes a connection from its room and tells the Symphony peers, so
// that its cursor goes at once. room may be "" when the event does not say it.
// $disconnect may come twice or for a connection that was refused: leaving a
// room one is not in is no error.
func (s *Service) Leave(ctx context.Context, room ID, conn ConnectionID) error {
	adm, err := s.Members.Remove(ctx, room, conn)
	if errors.Is(err, ErrUnknownConnection) {
		return nil
	}
	if err != nil {
		return err
	}
	s.announceLeft(ctx, adm.Room, adm.Member)
	return nil
}

// announceLeft tells the Symphony peers, those who had its presence, that m is gone, and with it
// the tabs that shared its connection. Presence is not
// guaranteed: a failure is logged, and peers let the presence expire.
func (s *Service) announceLeft(ctx context.Context, room ID, m Member) {
	list, err := s.listMembers(ctx, room)
	if err != nil {
		s.logger.Warn("peers are not told that a member left", "connection", m.Connection, "room", room, "error", err)
		return
	}
	others := without(list, m.Connection)
	frames := [][]byte{protocol.EncodeFrame(&protocol.PeerLeft{Connection: string(m.Connection), Client: m.Client})}
	for _, tab := range tabsLeft(m, others) {
		frames = append(frames, protocol.EncodeFrame(&protocol.TabLeft{Client: tab}))
	}
	s.post(ctx, room, symphonyOnly(near(m.Connection, others)), frames...)
}
