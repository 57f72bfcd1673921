package room

import (
	"context"
	"fmt"

	"github.com/symphony-rt/symphony/internal/protocol"
)

// link makes a catch-up with a document, of which the client lacks a lot, one
// with a URL of its snapshot and the log after it. Everything else stays as it
// is, to be sent in pieces: a document whose bulk is still in the log, or one
// for which there is no link.
//
// The document was read first, so a snapshot that is missing or damaged has
// failed by now and is never linked to (guarantee 5). The link lives for half the
// grace: the record that names the snapshot is younger than the other half
// (checkFresh), and the snapshot stays for a grace after it is replaced, so as long
// as the link lives the object is there. Whoever still comes too late gets an HTTP
// error, and says hello again.
func (s *Service) link(ctx context.Context, v *visit, c *catchUp, d document) error {
	if s.Links == nil || len(c.update) < LinkBytes || d.snapshot.Size < LinkBytes {
		return nil
	}
	url, err := s.Links.LinkSnapshot(ctx, d.snapshot, s.grace/2)
	if err != nil {
		s.logger.Warn("a snapshot is sent in pieces: it has no link", "room", v.Room, "key", d.snapshot.Key, "error", err)
		return nil
	}
	rest, err := merge(d.log)
	if err != nil {
		return fmt.Errorf("room %q: %w", v.Room, err)
	}
	c.update = rest
	c.snapshot = &protocol.SnapshotByURL{
		Seq: uint64(d.snapshot.Seq), Size: uint64(d.snapshot.Size), SHA256: d.snapshot.SHA256, URL: url,
	}
	return nil
}

// deliverLink posts the link, ahead of what follows it.
func (s *Service) deliverLink(ctx context.Context, v *visit, c catchUp) error {
	if c.snapshot == nil {
		return nil
	}
	return s.deliver(ctx, v, protocol.EncodeFrame(c.snapshot))
}
