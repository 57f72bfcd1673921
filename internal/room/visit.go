package room

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/symphony-rt/symphony/internal/protocol"
)

// Origin is who a message comes from, as its gateway event says.
type Origin struct {
	Connection ConnectionID
	// Room, User and Access are what the authorizer granted when the connection
	// was made. Without an authorizer Room is "" and the member's own record,
	// written at Join, says them instead.
	Room        ID
	User        User
	Access      Access
	ConnectedAt time.Time
}

// visit is one admitted message: who sent it, and the room's record as of its
// admission.
type visit struct {
	Admission
	user   User
	access Access
	// admitted is a time before the room's record was read. Whatever relies on
	// that record (a floor, a snapshot's key) must be done within the grace.
	admitted time.Time
}

// admit lets a message in: one strongly consistent read. Everything that is
// refused for who sent it is refused here, before anything is written
// (guarantee 8). The record is read on every message, so that revoked access
// ends with the next one, not with the connection (N5).
//
// The sender's own member is read with it, but for edits, presence and events,
// which are most of all messages: what they may do is in the origin, which the
// authorizer granted, and they list the members anyway (listed).
func (s *Service) admit(ctx context.Context, from Origin, m protocol.Message) (*visit, error) {
	v := &visit{user: from.User, access: from.Access, admitted: s.Clock.Now()}
	var err error
	if from.Room != "" && listsMembers(m) {
		v.Room = from.Room
		v.Member = Member{Connection: from.Connection, User: from.User, Access: from.Access, ConnectedAt: from.ConnectedAt}
		v.Meta, err = s.Metas.Get(ctx, from.Room)
	} else {
		v.Admission, err = s.Members.Admit(ctx, from.Room, from.Connection)
	}
	if err != nil {
		return nil, err
	}
	if from.Room == "" {
		v.user, v.access = v.Member.User, v.Member.Access
	}
	return v, v.checkDenied()
}

// listsMembers says whether handling m includes a look at the list of members.
func listsMembers(m protocol.Message) bool {
	switch m.(type) {
	case *protocol.Submit, *protocol.SyncUpdate, *protocol.Awareness, *protocol.TabPresence, *protocol.Event:
		return true
	}
	return false
}

// listed finds the sender in the list of members. ErrUnknownConnection when it
// is not there: nothing that others send reaches it, so it has to come back.
func (v *visit) listed(list []Member) error {
	for _, m := range list {
		if m.Connection == v.Member.Connection {
			v.Member = m
			return nil
		}
	}
	return fmt.Errorf("%w: %q in room %q", ErrUnknownConnection, v.Member.Connection, v.Room)
}

// checkDenied reports ErrDenied when the record says so.
func (v *visit) checkDenied() error {
	if v.Meta.Denied[v.user.ID] {
		return fmt.Errorf("%w: user %q", ErrDenied, v.user.ID)
	}
	return nil
}

// checkWrite reports ErrReadOnly for who may not change the room.
func (v *visit) checkWrite() error {
	if v.access != AccessWrite {
		return fmt.Errorf("%w: access %q", ErrReadOnly, v.access)
	}
	return nil
}

// checkFresh reports ErrUnavailable when so much time has passed since the
// admission that the record may be outdated by more than a checkpoint: one
// that trimmed the log meanwhile. Functions are stopped long before; this
// holds against one that was frozen.
func (s *Service) checkFresh(admitted time.Time) error {
	if age := s.Clock.Now().Sub(admitted); age > s.grace/2 {
		return fmt.Errorf("%w: stalled for %s", ErrUnavailable, age)
	}
	return nil
}

// refusals are the errors that are the sender's doing: sending the same again
// would fail the same way. Any other error is the server's.
var refusals = []error{
	ErrRoomID, ErrMalformed, ErrTooLarge, ErrInvalidUpdate, ErrInvalidAwareness,
	ErrReadOnly, ErrDenied, ErrUnknownConnection, ErrUnsupported,
}

func isRefusal(err error) bool {
	for _, r := range refusals {
		if errors.Is(err, r) {
			return true
		}
	}
	return false
}

// disconnectTime bounds the closing of a connection, which must be tried even
// when the message's own time is over.
const disconnectTime = 3 * time.Second

// disconnect closes a connection whose client cannot be told in its protocol
// that something went wrong (a plain one has no errors), or that must not go
// on with what it has (a failed load). It comes back and starts over.
func (s *Service) disconnect(ctx context.Context, conn ConnectionID, reason error) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), disconnectTime)
	defer cancel()
	if err := s.Sender.Disconnect(ctx, conn); err != nil {
		s.logger.Error("could not disconnect", "connection", conn, "reason", reason, "error", err)
	}
	return fmt.Errorf("%w: %w", ErrDisconnected, reason)
}
