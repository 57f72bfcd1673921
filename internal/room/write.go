package room

import "context"

// Write stores an update on behalf of somebody who is not connected: an import,
// a restoration. It is an edit like any other: validated, durable when Write
// returns, numbered, and posted to everybody in the room. The author may write
// unless the room denies it to them.
func (s *Service) Write(ctx context.Context, room ID, author User, update []byte) (Seq, error) {
	if err := room.Validate(); err != nil {
		return 0, err
	}
	v := &visit{user: author, access: AccessWrite, admitted: s.Clock.Now()}
	v.Room = room
	var err error
	if v.Meta, err = s.Metas.Get(ctx, room); err != nil {
		return 0, err
	}
	if err := v.checkDenied(); err != nil {
		return 0, err
	}
	return s.edit(ctx, v, update, "")
}
