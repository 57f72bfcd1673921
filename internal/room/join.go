package room

import (
	"context"
	"errors"
	"fmt"
)

// Join registers m as a member of room; the gateway calls it while it accepts
// the connection ($connect). ErrRoomID, ErrDenied, ErrUnavailable: then the
// connection is to be refused.
//
// Nothing is read for the client and nothing is posted to it: before the gateway
// has accepted the connection it answers every post with "gone". The client's
// first message is what reads the log, so registration comes before reading
// (guarantee 2).
func (s *Service) Join(ctx context.Context, room ID, m Member) error {
	if err := room.Validate(); err != nil {
		return err
	}
	if m.Connection == "" {
		return fmt.Errorf("%w: a member without a connection", ErrMalformed)
	}
	if m.Access != AccessWrite {
		m.Access = AccessRead
	}
	if m.ConnectedAt.IsZero() {
		m.ConnectedAt = s.Clock.Now()
	}
	if err := s.Members.Add(ctx, room, m); err != nil {
		return err
	}
	// Registered first and checked then, because Deny writes first and looks for
	// members then: in whichever order the four interleave, one of the two sees
	// the other, and no denied user stays listed.
	meta, err := s.Metas.Get(ctx, room)
	if err == nil && meta.Denied[m.User.ID] {
		err = fmt.Errorf("%w: user %q", ErrDenied, m.User.ID)
	}
	if err == nil {
		return nil
	}
	// The connection will be refused, and no $disconnect follows.
	if _, rerr := s.Members.Remove(ctx, room, m.Connection); rerr != nil && !errors.Is(rerr, ErrUnknownConnection) {
		s.logger.Warn("a refused member stays listed until a post finds it gone", "connection", m.Connection, "room", room, "error", rerr)
	}
	return err
}
