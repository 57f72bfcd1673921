package memstore

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"net/url"
	"strings"

	"github.com/symphony-rt/symphony/internal/room"
)

// scheme is that of the URLs Uploads gives out: nothing serves them, Put and
// Fetch of this package do.
const scheme = "memory"

type uploadKey struct {
	room room.ID
	id   string
}

type upload struct {
	room.Upload
	bytes []byte // nil until the client has put them
}

// Uploads returns the store's room.Uploads. Its URLs are for Store.PutURL and
// Store.GetURL, which stand for the client's HTTP requests.
func (s *Store) Uploads() room.Uploads { return uploads{s} }

type uploads struct{ s *Store }

func (p uploads) Offer(ctx context.Context, u room.Upload) (room.UploadTarget, error) {
	if err := p.s.lock(ctx); err != nil {
		return room.UploadTarget{}, err
	}
	defer p.s.mu.Unlock()
	p.s.uploads[uploadKey{u.Room, u.ID}] = upload{Upload: u}
	return room.UploadTarget{
		URL:     uploadURL(u.Room, u.ID),
		Headers: []room.UploadHeader{{Name: "Content-Type", Value: "application/octet-stream"}},
	}, nil
}

func (p uploads) Fetch(ctx context.Context, id room.ID, uploadID string) ([]byte, error) {
	if err := p.s.lock(ctx); err != nil {
		return nil, err
	}
	defer p.s.mu.Unlock()
	u, ok := p.s.uploads[uploadKey{id, uploadID}]
	if !ok || u.bytes == nil {
		return nil, fmt.Errorf("memstore: %w: upload %q", room.ErrNotFound, uploadID)
	}
	return bytes.Clone(u.bytes), nil
}

func (p uploads) Link(ctx context.Context, id room.ID, uploadID string) (string, error) {
	if err := p.s.lock(ctx); err != nil {
		return "", err
	}
	defer p.s.mu.Unlock()
	return uploadURL(id, uploadID), nil
}

func (p uploads) Discard(ctx context.Context, id room.ID, uploadID string) error {
	if err := p.s.lock(ctx); err != nil {
		return err
	}
	defer p.s.mu.Unlock()
	delete(p.s.uploads, uploadKey{id, uploadID})
	return nil
}

func uploadURL(id room.ID, uploadID string) string {
	return scheme + ":" + url.PathEscape(string(id)) + "/" + url.PathEscape(uploadID)
}

func parseUploadURL(s string) (uploadKey, error) {
	rest, ok := strings.CutPrefix(s, scheme+":")
	id, upload, ok2 := strings.Cut(rest, "/")
	id, err1 := url.PathUnescape(id)
	upload, err2 := url.PathUnescape(upload)
	if !ok || !ok2 || err1 != nil || err2 != nil {
		return uploadKey{}, fmt.Errorf("memstore: %q is not an upload's URL", s)
	}
	return uploadKey{room.ID(id), upload}, nil
}

// PutURL is the client's HTTP PUT to an offered URL. Like S3 with a signed
// length and checksum, it takes only the bytes that were announced.
func (s *Store) PutURL(u string, b []byte) error {
	key, err := parseUploadURL(u)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	up, ok := s.uploads[key]
	if !ok || int64(len(b)) != up.Size || sha256.Sum256(b) != up.SHA256 {
		return fmt.Errorf("memstore: %q was not offered for these bytes", u)
	}
	up.bytes = bytes.Clone(b)
	s.uploads[key] = up
	return nil
}

// GetURL is a client's HTTP GET of a linked URL.
func (s *Store) GetURL(u string) ([]byte, error) {
	key, err := parseUploadURL(u)
	if err != nil {
		return nil, err
	}
	return uploads{s}.Fetch(context.Background(), key.room, key.id)
}
