package room

import (
	"context"
	"crypto/sha256"
	"errors"

	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/yjs"
)

// listTries is how often the members are asked for after an append. A plain
// client has no numbers and would not notice what it missed.
const listTries = 3

// broadcast hands a stored update to the other members: Symphony members get
// it with its number, plain ones as a y-protocols update. Each frame is encoded
// once. It has no error: see edit.
func (s *Service) broadcast(ctx context.Context, v *visit, u Update, upload string) {
	list, err := s.listMembers(ctx, v.Room)
	for try := 1; err != nil && try < listTries && ctx.Err() == nil; try++ {
		list, err = s.listMembers(ctx, v.Room)
	}
	if err != nil {
		s.logger.Error("an update is stored but nobody is told", "room", v.Room, "seq", u.Seq, "error", err)
		return
	}
	if err := v.listed(list); err != nil && v.Member.Connection != "" {
		// Its edit is stored, and it gets no one else's: it starts over.
		s.logger.Info("an edit came from a connection that is no member", "connection", v.Member.Connection, "room", v.Room,
			"error", s.disconnect(ctx, v.Member.Connection, err))
	}
	others := v.allowed(without(list, v.Member.Connection))
	s.spread(ctx, v.Room, symphonyOnly(others), s.symphonyFrames(ctx, v, u, upload, others)...)
	s.spread(ctx, v.Room, plainOnly(others), s.plainFrames(v, u, others)...)
}

// maxUpdateInMessage is the largest update that fits a server message beside
// the header of an update, broadcast or range.
const maxUpdateInMessage = protocol.MaxServerMessage - protocol.MaxHeader

// symphonyFrames encodes u for Symphony members. One that is larger than a post
// comes by URL, or without a store for uploads as the pieces of a range.
func (s *Service) symphonyFrames(ctx context.Context, v *visit, u Update, upload string, others []Member) [][]byte {
	if len(symphonyOnly(others)) == 0 {
		return nil
	}
	if len(u.Data) <= maxUpdateInMessage {
		return [][]byte{protocol.EncodeFrame(&protocol.Broadcast{Seq: uint64(u.Seq), Update: u.Data})}
	}
	if upload != "" {
		url, err := s.Uploads.Link(ctx, v.Room, upload)
		if err == nil {
			return [][]byte{protocol.EncodeFrame(&protocol.BroadcastByURL{
				Seq: uint64(u.Seq), Size: uint64(len(u.Data)), SHA256: sha256.Sum256(u.Data), URL: url,
			})}
		}
		s.logger.Warn("an upload is sent in pieces: it has no link", "room", v.Room, "seq", u.Seq, "error", err)
	}
	pieces, err := yjs.Split(u.Data, maxUpdateInMessage)
	if err != nil {
		s.logger.Error("an update cannot be split into posts", "room", v.Room, "seq", u.Seq, "error", err)
		return nil // seen as a gap, and asked for
	}
	return rangeFrames(u.Seq-1, u.Seq, pieces)
}

// plainFrames encodes u for plain members: as several updates when it does not
// fit one post.
func (s *Service) plainFrames(v *visit, u Update, others []Member) [][]byte {
	if len(plainOnly(others)) == 0 {
		return nil
	}
	if len(u.Data) <= maxUpdateInMessage {
		return [][]byte{protocol.EncodeFrame(&protocol.SyncUpdate{Update: u.Data})}
	}
	pieces, err := yjs.Split(u.Data, maxUpdateInMessage)
	if err != nil {
		s.logger.Error("an update cannot be split into posts", "room", v.Room, "seq", u.Seq, "error", err)
		return nil
	}
	frames := make([][]byte, len(pieces))
	for i, p := range pieces {
		frames[i] = protocol.EncodeFrame(&protocol.SyncUpdate{Update: p})
	}
	return frames
}

// post sends frames, one after the other, to members. A member that missed one
// gets none of those that follow:
//
//   - one that is gone is removed, unless it connected so recently that "gone"
//     may only mean that $connect has not returned: then it will read the log;
//   - a Symphony member sees the gap in its numbers and asks;
//   - a plain member would never know. It is disconnected, comes back and syncs.
func (s *Service) post(ctx context.Context, room ID, to []Member, frames ...[]byte) {
	var gone []Member
	for _, frame := range frames {
		if len(to) == 0 {
			break
		}
		failed := s.postOnce(ctx, to, frame)
		if len(failed) == 0 {
			continue
		}
		var reached []Member
		for _, m := range to {
			err, missed := failed[m.Connection]
			switch {
			case !missed:
				reached = append(reached, m)
			case errors.Is(err, ErrGone):
				gone = append(gone, m)
			case m.Symphony:
				s.logger.Warn("a post failed", "connection", m.Connection, "room", room, "error", err)
			default:
				s.logger.Warn("a post failed; the client will come back", "connection", m.Connection, "room", room,
					"error", s.disconnect(ctx, m.Connection, err))
			}
		}
		to = reached
	}
	s.forget(ctx, room, gone)
}

// postOnce sends one frame and returns who did not get it, and why.
func (s *Service) postOnce(ctx context.Context, to []Member, frame []byte) map[ConnectionID]error {
	conns := make([]ConnectionID, len(to))
	for i, m := range to {
		conns[i] = m.Connection
	}
	failures := s.Sender.Post(ctx, conns, frame)
	if len(failures) == 0 {
		return nil
	}
	failed := make(map[ConnectionID]error, len(failures))
	for _, f := range failures {
		failed[f.Connection] = f.Err
	}
	return failed
}

// forget removes members whose connection is gone for certain. It is how
// members leave whose $disconnect never came.
func (s *Service) forget(ctx context.Context, room ID, gone []Member) {
	for _, m := range gone {
		if s.Clock.Now().Sub(m.ConnectedAt) <= ConnectGrace {
			continue
		}
		adm, err := s.Members.Remove(ctx, room, m.Connection)
		switch {
		case err == nil:
			s.logger.Info("removed a member whose connection is gone", "connection", m.Connection, "room", room)
			s.announceLeft(ctx, room, adm.Member) // a second level knows less of it
		case !errors.Is(err, ErrUnknownConnection): // another one was faster: it announces
			s.logger.Warn("could not remove a member whose connection is gone", "connection", m.Connection, "room", room, "error", err)
		}
	}
}
