package room

import (
	"context"
	"fmt"
)

// Renew lets a room that was erased, and has nothing since, begin a new life
// under another epoch: what was deleted may be written again then. Whoever still
// has the erased document open would delete it again, so it is for rooms that
// nobody is in. A room that was not erased, or was edited since, stays as it is.
func (s *Service) Renew(ctx context.Context, room ID, by User) error {
	if err := room.Validate(); err != nil {
		return err
	}
	for range maxErases {
		began := s.Clock.Now()
		meta, err := s.Metas.Get(ctx, room)
		if err != nil {
			return err
		}
		tail, err := s.Log.Tail(ctx, room, meta.Snapshot.Seq)
		if err != nil || meta.Erased == 0 || tail > meta.Erased {
			return err
		}
		v := &visit{Admission: Admission{Room: room, Meta: meta}, user: by, access: AccessWrite, admitted: began}
		begins, err := s.startOver(ctx, v, tail)
		if err != nil {
			return err
		}
		if begins == 0 {
			continue
		}
		// The entry that history begins with, as after any other erasure.
		_, err = s.Write(ctx, room, by, nothing)
		return err
	}
	return fmt.Errorf("%w: room %q was changed %d times in a row while it began anew", ErrUnavailable, room, maxErases)
}
