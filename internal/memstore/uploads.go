package memstore

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/symphony-rt/symphony/internal/room"
)

// scheme is that of the URLs Uploads gives out: nothing but PutURL and GetURL serves
// them.
const scheme = "memory"

type uploadKey struct {
	room room.ID
	id   string
}

type upload struct {
	room.Upload
	bytes []byte // nil until the client has put them
}

// Uploads returns the store's room.Uploads. Its URLs are no HTTP ones: PutURL
// and GetURL stand for the client's requests.
func (s *Store) Uploads() Uploads { return Uploads{s} }

// Uploads implements room.Uploads.
type Uploads struct{ s *Store }

var (
	_ room.Uploads = Uploads{}
	_ room.Links   = Uploads{}
)

// Offer implements room.Uploads.
func (p Uploads) Offer(ctx context.Context, u room.Upload) (room.UploadTarget, error) {
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

// Fetch implements room.Uploads.
func (p Uploads) Fetch(ctx context.Context, id room.ID, uploadID string) ([]byte, error) {
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

// Link implements room.Uploads.
func (p Uploads) Link(ctx context.Context, id room.ID, uploadID string) (string, error) {
	if err := p.s.lock(ctx); err != nil {
		return "", err
	}
	defer p.s.mu.Unlock()
	return uploadURL(id, uploadID), nil
}

// Discard implements room.Uploads.
func (p Uploads) Discard(ctx context.Context, id room.ID, uploadID string) error {
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
func (p Uploads) PutURL(u string, b []byte) error {
	key, err := parseUploadURL(u)
	if err != nil {
		return err
	}
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	up, ok := p.s.uploads[key]
	if !ok || int64(len(b)) != up.Size || sha256.Sum256(b) != up.SHA256 {
		return fmt.Errorf("memstore: %q was not offered for these bytes", u)
	}
	up.bytes = bytes.Clone(b)
	p.s.uploads[key] = up
	return nil
}

// linkScheme is that of the URLs LinkSnapshot gives out.
const linkScheme = scheme + "-object"

// LinkSnapshot implements room.Links.
func (p Uploads) LinkSnapshot(ctx context.Context, ref room.SnapshotRef, life time.Duration) (string, error) {
	if err := p.s.lock(ctx); err != nil {
		return "", err
	}
	defer p.s.mu.Unlock()
	return fmt.Sprintf("%s:%d/%s", linkScheme, p.s.clock.Now().Add(life).UnixMilli(), url.PathEscape(ref.Key)), nil
}

// getLinked returns the object behind a link of LinkSnapshot, less its scheme.
func (p Uploads) getLinked(link string) ([]byte, error) {
	until, escaped, _ := strings.Cut(link, "/")
	ms, err := strconv.ParseInt(until, 10, 64)
	if err != nil || p.s.clock.Now().After(time.UnixMilli(ms)) {
		return nil, fmt.Errorf("memstore: the link %q is too old", link)
	}
	key, err := url.PathUnescape(escaped)
	if err != nil {
		return nil, fmt.Errorf("memstore: %q is not an object's URL", link)
	}
	return p.s.Snapshots().Open(context.Background(), key)
}

// GetURL is a client's HTTP GET of a linked URL.
func (p Uploads) GetURL(u string) ([]byte, error) {
	if link, ok := strings.CutPrefix(u, linkScheme+":"); ok {
		return p.getLinked(link)
	}
	key, err := parseUploadURL(u)
	if err != nil {
		return nil, err
	}
	return p.Fetch(context.Background(), key.room, key.id)
}
