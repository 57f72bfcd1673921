package room

import (
	"context"
	"errors"
	"fmt"
)

// Deny revokes a user's access to a room, or gives it back. It holds from the
// user's next message on, on every connection (N5): admission reads the room's
// record each time. The user's connections are closed as well, so that they
// stop receiving at once. Anonymous users ("") cannot be denied one by one.
func (s *Service) Deny(ctx context.Context, room ID, user string, denied bool) error {
	if err := room.Validate(); err != nil {
		return err
	}
	if user == "" {
		return fmt.Errorf("%w: denying a user without an id", ErrUnsupported)
	}
	_, err := s.change(ctx, room, func(m *Meta) bool {
		if m.Denied[user] == denied {
			return false
		}
		copied := make(map[string]bool, len(m.Denied)+1)
		for u, is := range m.Denied {
			copied[u] = is
		}
		if denied {
			copied[user] = true
		} else {
			delete(copied, user)
		}
		m.Denied = copied
		return true
	})
	if err != nil || !denied {
		return err
	}
	return s.expel(ctx, room, user)
}

// expel removes and disconnects every connection of a user. The record already
// denies the user, so whatever fails here can no longer write or be sent to.
func (s *Service) expel(ctx context.Context, room ID, user string) error {
	list, err := s.listMembers(ctx, room)
	if err != nil {
		return err
	}
	var errs []error
	for _, m := range list {
		if m.User.ID != user {
			continue
		}
		if _, err := s.Members.Remove(ctx, room, m.Connection); err != nil && !errors.Is(err, ErrUnknownConnection) {
			errs = append(errs, err)
		}
		if err := s.Sender.Disconnect(ctx, m.Connection); err != nil {
			errs = append(errs, err)
		}
		s.announceLeft(ctx, room, m)
	}
	return errors.Join(errs...)
}
