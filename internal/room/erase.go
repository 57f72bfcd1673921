package room

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/symphony-rt/symphony/internal/yjs"
)

// maxErases bounds how often Erase begins anew because somebody edited
// meanwhile.
const maxErases = 10

// Erase deletes a room's content and its whole history, and returns the number
// its new history begins with. ErrNotFound when there is no such room.
//
// It is an edit like any other, so that the room does not come back from those
// who still have it: the members see everything go, and whoever was away is
// told on return what was deleted. What is left of the document is identities
// without content (and the names of root types and keys of maps), as one entry
// that stands for all before it. Edits that others made meanwhile, and have not
// sent yet, are new edits of an empty room.
//
// Archives and uploads are deleted at once and the room is checkpointed, so that
// nobody is sent what is deleted. The log before the entry and the snapshots go
// as always, one grace later, but are not archived; then nothing of the content
// is left in the stores. (What keeps deleted data for a while, a versioned
// bucket or a table's point-in-time recovery, has it until then.) After an error
// Erase may be called again, and does what is left to do.
//
// A room whose stored data is damaged, so that it cannot be edited, begins a
// new life instead, empty and under another epoch: whoever still has it open
// sends it again.
func (s *Service) Erase(ctx context.Context, room ID, by User) (Seq, error) {
	if err := room.Validate(); err != nil {
		return 0, err
	}
	for range maxErases {
		began := s.Clock.Now()
		meta, err := s.Metas.Get(ctx, room)
		if err != nil {
			return 0, err
		}
		if meta.Version == 0 {
			return 0, fmt.Errorf("%w: room %q", ErrNotFound, room)
		}
		v := &visit{Admission: Admission{Room: room, Meta: meta}, user: by, access: AccessWrite, admitted: began}
		erased, err := s.eraseOnce(ctx, v)
		if err != nil {
			return 0, err
		}
		if erased == 0 {
			continue
		}
		if err := s.dropHistory(ctx, room, erased); err != nil {
			return erased, err
		}
		// Who joins from now on is not even sent what is deleted.
		return erased, s.Checkpoint(ctx, room)
	}
	return 0, fmt.Errorf("%w: room %q was edited %d times in a row while it was erased", ErrUnavailable, room, maxErases)
}

// eraseOnce returns 0 when an edit came in between.
func (s *Service) eraseOnce(ctx context.Context, v *visit) (Seq, error) {
	d, err := s.load(ctx, v)
	if errors.Is(err, ErrCorrupt) || errors.Is(err, ErrNotFound) || errors.Is(err, ErrTrimmed) {
		s.logger.Warn("erasing a damaged room", "room", v.Room, "error", err)
		return s.eraseBlind(ctx, v)
	}
	if err != nil {
		return 0, err
	}
	if v.Meta.Erased != 0 && v.Meta.Erased == d.seq {
		return d.seq, nil // again, and nothing since
	}
	rest, err := remains(d.update)
	if err != nil {
		return 0, err
	}
	if err := s.markDirty(ctx, v); err != nil {
		return 0, err
	}
	u := Update{Data: rest, Author: v.user.ID, At: s.Clock.Now()}
	u.Seq, err = s.append(ctx, v, u)
	if errors.Is(err, ErrTooLarge) {
		return s.eraseBlind(ctx, v)
	}
	if err != nil {
		return 0, err
	}
	s.broadcast(ctx, v, u, "")
	if u.Seq != d.seq+1 {
		return 0, nil
	}
	_, err = s.change(ctx, v.Room, func(m *Meta) bool {
		if m.Erased >= u.Seq {
			return false
		}
		m.Erased = u.Seq
		if m.State != Dirty {
			m.State, m.StateAt = Dirty, s.Clock.Now()
		}
		return true
	})
	return u.Seq, err
}

// remains is what is left of a document without its content.
func remains(update []byte) ([]byte, error) {
	all, err := yjs.DeleteAll(update)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return compacted([][]byte{update, all})
}

// nothing is the update that changes nothing.
var nothing = []byte{0, 0}

// eraseBlind erases a room without reading it. The entry that its history then
// begins with is empty, and appended first: wherever the process dies, an edit
// that follows is newer than the erasure, if there was one. (A room with nothing
// newer than its erasure is left out of lists.)
func (s *Service) eraseBlind(ctx context.Context, v *visit) (Seq, error) {
	if err := s.markDirty(ctx, v); err != nil {
		return 0, err
	}
	u := Update{Data: nothing, Author: v.user.ID, At: s.Clock.Now()}
	var err error
	if u.Seq, err = s.append(ctx, v, u); err != nil {
		return 0, err
	}
	erased, err := s.startOver(ctx, v, u.Seq-1)
	if err == nil && erased != 0 {
		s.broadcast(ctx, v, u, "")
	}
	return erased, err
}

// startOver points the record at the empty document after the log's entry tail,
// in a new epoch, and lets all up to there go. A writer that has read the record
// before appends behind it, and is covered by nothing.
func (s *Service) startOver(ctx context.Context, v *visit, tail Seq) (Seq, error) {
	epoch, err := s.newID()
	if err != nil {
		return 0, err
	}
	now := s.Clock.Now()
	next := v.Meta
	if len(next.Superseded) >= MaxSuperseded {
		return 0, fmt.Errorf("%w: %d replaced snapshots wait for their grace", ErrUnavailable, len(next.Superseded))
	}
	next.Epoch, next.Snapshot, next.Erased = epoch, SnapshotRef{Seq: tail}, tail+1
	next.Superseded = append(next.Superseded[:len(next.Superseded):len(next.Superseded)],
		Superseded{Ref: v.Meta.Snapshot, By: tail, At: now})
	next.State, next.StateAt, next.LastCheckpoint = Dirty, now, now
	if err := s.Metas.Swap(ctx, v.Room, next); err != nil {
		if errors.Is(err, ErrConflict) {
			return 0, nil
		}
		return 0, err
	}
	return next.Erased, nil
}

// dropHistory deletes the archives of what was before `erased`, and the room's
// uploads: what was committed is in the log, what was not comes too late.
func (s *Service) dropHistory(ctx context.Context, room ID, erased Seq) error {
	if err := s.dropArchives(ctx, room, erased); err != nil {
		return err
	}
	uploads, err := s.list(ctx, room, ObjectUpload)
	if err != nil {
		return err
	}
	return s.deleteAll(ctx, uploads)
}

func (s *Service) dropArchives(ctx context.Context, room ID, erased Seq) error {
	archives, err := s.list(ctx, room, ObjectArchive)
	if err != nil {
		return err
	}
	return s.deleteAll(ctx, slices.DeleteFunc(archives, func(o Object) bool { return o.To >= erased }))
}

func (s *Service) deleteAll(ctx context.Context, objects []Object) error {
	for _, o := range objects {
		if err := s.Snapshots.Delete(ctx, o.Ref()); err != nil {
			return err
		}
	}
	return nil
}
