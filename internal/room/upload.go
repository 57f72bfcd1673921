package room

import (
	"context"
	"errors"
	"fmt"

	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/yjs"
)

// An update larger than a message goes around the gateway: the client asks for
// a place (110), puts the bytes there with HTTP, and commits (112). Nothing is
// in the log until the commit, which appends the whole update as one entry: it
// is there or it is not (N6).

// uploadRequest offers a place. Its id is random, so it is known only to the
// connection it is told to, and it lies in the room's own folder: a commit is
// authorised by the room it is made in and by knowing the id.
func (s *Service) uploadRequest(ctx context.Context, v *visit, m *protocol.UploadRequest) (protocol.Message, error) {
	if err := s.checkUploads(v); err != nil {
		return nil, err
	}
	if m.Size == 0 || m.Size > MaxUpdateBytes {
		return nil, fmt.Errorf("%w: an upload of %d bytes, at most %d", ErrTooLarge, m.Size, MaxUpdateBytes)
	}
	id, err := s.newID()
	if err != nil {
		return nil, err
	}
	target, err := s.Uploads.Offer(ctx, Upload{Room: v.Room, ID: id, Size: int64(m.Size), SHA256: m.SHA256})
	if err != nil {
		return nil, err
	}
	offer := &protocol.UploadOffer{ID: m.ID, Upload: id, URL: target.URL}
	for _, h := range target.Headers {
		offer.Headers = append(offer.Headers, protocol.UploadHeader(h))
	}
	return offer, nil
}

// uploadCommit reads what was put and stores it like a submitted update. The
// object is left to expire: the other members fetch it.
func (s *Service) uploadCommit(ctx context.Context, v *visit, m *protocol.UploadCommit) (protocol.Message, error) {
	if err := s.checkUploads(v); err != nil {
		return nil, err
	}
	if !isID(m.Upload) {
		return nil, fmt.Errorf("%w: upload id %q", ErrMalformed, m.Upload)
	}
	update, err := s.Uploads.Fetch(ctx, v.Room, m.Upload)
	switch {
	case errors.Is(err, ErrNotFound):
		return nil, fmt.Errorf("%w: nothing was put for upload %q", ErrMalformed, m.Upload)
	case errors.Is(err, ErrCorrupt):
		err = fmt.Errorf("%w: %w", ErrInvalidUpdate, err)
	case err != nil:
		return nil, err
	default:
		err = checkDeliverable(update)
	}
	if err != nil {
		if derr := s.Uploads.Discard(ctx, v.Room, m.Upload); derr != nil {
			s.logger.Warn("a refused upload stays until it expires", "room", v.Room, "upload", m.Upload, "error", derr)
		}
		return nil, err
	}
	seq, err := s.edit(ctx, v, update, m.Upload)
	if err != nil {
		return nil, err
	}
	return &protocol.Ack{ID: m.ID, Seq: uint64(seq)}, nil
}

// checkUploads says whether v may upload here at all.
func (s *Service) checkUploads(v *visit) error {
	if s.Uploads == nil {
		return fmt.Errorf("%w: uploads", ErrUnsupported)
	}
	return v.checkWrite()
}

// checkDeliverable refuses an update that could not be sent to those who join
// later: text and arrays are cut into messages, but one single value (a binary,
// a JSON value, a format) cannot be. What came in a message is smaller anyway.
func checkDeliverable(update []byte) error {
	if err := validate(update); err != nil {
		return err
	}
	_, err := yjs.Split(update, minPiece)
	if errors.Is(err, yjs.ErrTooLarge) {
		return fmt.Errorf("%w: %w", ErrTooLarge, err)
	}
	if err != nil {
		return fmt.Errorf("%w: %w", ErrInvalidUpdate, err)
	}
	return nil
}

// minPiece leaves space for what a value may gain by being cut off from its
// neighbours later: ids of two origins.
const minPiece = maxUpdateInMessage - 64

// isID says whether id looks like one of newID's.
func isID(id string) bool {
	if len(id) != 2*idBytes {
		return false
	}
	for _, c := range id {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}
