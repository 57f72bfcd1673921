package room

import (
	"context"
	"errors"
	"fmt"

	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/yjs"
)

// hello makes a connection a Symphony client and catches it up.
//
// The member is marked before the log is read: an update that is not in what is
// read will be broadcast to it with its number (guarantee 2). Until then it is
// listed as plain, and may get updates without numbers; they are in what is
// read, because they were appended before the members were listed.
func (s *Service) hello(ctx context.Context, v *visit, m *protocol.Hello) (protocol.Message, error) {
	if m.Version != protocol.Version {
		return nil, fmt.Errorf("%w: protocol version %d", ErrUnsupported, m.Version)
	}
	theirs := map[uint64]uint64{}
	if len(m.StateVector) > 0 {
		var err error
		if theirs, err = yjs.DecodeStateVector(m.StateVector); err != nil {
			return nil, fmt.Errorf("%w: state vector: %w", ErrMalformed, err)
		}
	}
	if err := s.ensureRecord(ctx, v); err != nil {
		return nil, err
	}
	// Said again on the same connection: the download may have failed.
	linked := !v.Member.Symphony
	v.Member.Symphony, v.Member.Client = true, m.Client
	if err := s.Members.Update(ctx, v.Room, v.Member); err != nil {
		return nil, err
	}
	c, err := s.catchUp(ctx, v, m, theirs, linked)
	if err != nil {
		return nil, err
	}
	list, err := s.listMembers(ctx, v.Room)
	if err != nil {
		return nil, err
	}
	w := &protocol.Welcome{
		Version: protocol.Version, Epoch: v.Meta.Epoch, Through: uint64(c.through),
		Connection: string(v.Member.Connection), UserID: v.user.ID, UserName: v.user.Name, Access: protocol.Access(v.access),
		Members: uint64(len(list)), TimeMS: uint64(s.Clock.Now().UnixMilli()), StateVector: c.vector,
	}
	if err := s.deliverCatchUp(ctx, v, w, c); err != nil {
		return nil, err
	}
	s.announceJoined(ctx, v, list)
	return w, nil
}

// catchUp is what brings a client up to date: update holds everything after
// `after` through `through`, together with the snapshot if one is linked to.
// vector is the server's, empty on resume.
type catchUp struct {
	after, through Seq
	snapshot       *protocol.SnapshotByURL
	update         []byte
	vector         []byte
}

// catchUp resumes where the client left off, at the cost of what it missed
// (guarantee 4), if it can: it says a number of this life of the room (the
// epoch), one that is not past the tail, and the log still reaches back to it.
// Otherwise it is sent the document, less what its state vector says it has, or,
// when that is a lot and linked allows it, a link to the snapshot.
func (s *Service) catchUp(ctx context.Context, v *visit, m *protocol.Hello, theirs map[uint64]uint64, linked bool) (catchUp, error) {
	if m.Epoch != "" && m.Epoch == v.Meta.Epoch {
		c, err := s.resume(ctx, v, Seq(m.After))
		if !errors.Is(err, ErrTrimmed) {
			return c, err
		}
	}
	d, err := s.load(ctx, v)
	if err != nil {
		return catchUp{}, err
	}
	c := catchUp{through: d.seq}
	if c.vector, err = d.vectorFor(theirs); err != nil {
		return catchUp{}, err
	}
	if c.update, err = d.missing(m.StateVector); err != nil || !linked {
		return c, err
	}
	return c, s.link(ctx, v, &c, d)
}

// resume returns the log after `after`. ErrTrimmed when only the document can
// bring the client up to date: the log no longer reaches back, or the client
// claims a number that was never given out (a room restored from a backup, say).
func (s *Service) resume(ctx context.Context, v *visit, after Seq) (catchUp, error) {
	entries, err := s.readLog(ctx, v.Room, after, 0)
	if err != nil {
		return catchUp{}, err
	}
	if err := s.checkFresh(v.admitted); err != nil {
		return catchUp{}, err
	}
	through := after + Seq(len(entries))
	if through < v.Meta.Snapshot.Seq {
		// Nothing is left of the log, so nothing told that it starts too late.
		return catchUp{}, fmt.Errorf("%w: the log after %d", ErrTrimmed, after)
	}
	if len(entries) == 0 && after > v.Meta.Snapshot.Seq {
		tail, err := s.Log.Tail(ctx, v.Room, v.Meta.Snapshot.Seq)
		if err != nil {
			return catchUp{}, err
		}
		if after > tail {
			return catchUp{}, fmt.Errorf("%w: the client is at %d, the room at %d", ErrTrimmed, after, tail)
		}
	}
	update, err := merge(dataOf(entries))
	if err != nil {
		return catchUp{}, fmt.Errorf("room %q: %w", v.Room, err)
	}
	return catchUp{after: after, through: through, update: update}, nil
}

// deliverCatchUp puts the update into the welcome; what does not fit beside the
// rest of it goes ahead in range posts, and a link ahead of all.
func (s *Service) deliverCatchUp(ctx context.Context, v *visit, w *protocol.Welcome, c catchUp) error {
	if err := s.deliverLink(ctx, v, c); err != nil {
		return err
	}
	empty, err := yjs.IsEmpty(c.update)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if empty {
		return nil
	}
	pieces, err := split(c.update, maxUpdateInMessage)
	if err != nil {
		return err
	}
	frames := rangeFrames(c.after, c.through, append(pieces, nil)) // the welcome is the last
	ahead := len(pieces)
	if last := pieces[ahead-1]; protocol.Size(w)+protocol.MaxHeader+len(last) <= protocol.MaxServerMessage {
		ahead--
		w.Update = last
	}
	return s.deliver(ctx, v, frames[:ahead]...)
}

// announceJoined tells the Symphony peers who came, and asks for their
// presence. In a large room neither the posts nor the list are worth it.
func (s *Service) announceJoined(ctx context.Context, v *visit, list []Member) {
	others := v.allowed(without(list, v.Member.Connection))
	if len(list) <= protocol.LargeRoom {
		s.post(ctx, v.Room, symphonyOnly(others), protocol.EncodeFrame(&protocol.PeerJoined{
			Connection: string(v.Member.Connection), Client: v.Member.Client, UserID: v.user.ID, UserName: v.user.Name,
		}))
	}
	s.askPresenceOf(ctx, v, others)
}
