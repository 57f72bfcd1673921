package pebblestore

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/symphony-rt/symphony/internal/layout"
	"github.com/symphony-rt/symphony/internal/room"
)

const (
	// uploadLife is how long an upload stays, as the bucket's lifecycle rule
	// has it in the cloud.
	uploadLife = 24 * time.Hour
	// linkLife is how long a URL is good for: a 50 MB upload on a slow line.
	linkLife = 15 * time.Minute
	// uploadSweep is how often uploads past their life are looked for.
	uploadSweep = time.Hour
)

// Uploads implements room.Uploads and room.Links with URLs that it serves itself, as an
// http.Handler, where S3 has presigned ones.
type Uploads struct {
	s    *Store
	base string
	sign signer

	mu    sync.Mutex
	swept time.Time
}

var (
	_ room.Uploads = (*Uploads)(nil)
	_ room.Links   = (*Uploads)(nil)
	_ http.Handler = (*Uploads)(nil)
)

// Uploads returns the store's uploads. base is the URL under which the caller
// mounts the returned handler, without a slash at its end; the handler must
// see paths relative to it (http.StripPrefix).
func (s *Store) Uploads(base string) (*Uploads, error) {
	secret, err := s.secret()
	if err != nil {
		return nil, err
	}
	return &Uploads{s: s, base: base, sign: signer{secret, s.clock}}, nil
}

// Offer implements room.Uploads. layout.ErrKey when u.ID is not 1 to
// layout.MaxNameBytes of [A-Za-z0-9_-].
func (p *Uploads) Offer(ctx context.Context, u room.Upload) (room.UploadTarget, error) {
	leave, err := p.s.enter(ctx)
	if err != nil {
		return room.UploadTarget{}, err
	}
	defer leave()
	if err := u.Room.Validate(); err != nil {
		return room.UploadTarget{}, err
	}
	if u.Size > room.MaxUpdateBytes {
		return room.UploadTarget{}, fmt.Errorf("%w: an upload of %d bytes, at most %d", room.ErrTooLarge, u.Size, room.MaxUpdateBytes)
	}
	name, err := layout.UploadObject(u.Room, u.ID)
	if err != nil {
		return room.UploadTarget{}, err
	}
	if err := p.sweep(ctx); err != nil {
		return room.UploadTarget{}, err
	}
	o := p.s.newOp()
	key := offerKey(name)
	rec := offerRecord{Size: u.Size, SHA256: hex.EncodeToString(u.SHA256[:]), Offered: p.s.clock.Now().UTC()}
	if err := o.batch.Set(key, sealJSON(key, rec), nil); err != nil {
		return room.UploadTarget{}, unavailable(err)
	}
	p.s.commits.submit(ctx, o)
	if err := p.s.commits.wait(ctx, o); err != nil {
		return room.UploadTarget{}, err
	}
	return room.UploadTarget{
		URL:     p.url(http.MethodPut, u.Room, u.ID),
		Headers: []room.UploadHeader{{Name: "Content-Type", Value: uploadType}},
	}, nil
}

func (p *Uploads) url(method string, id room.ID, upload string) string {
	path := layout.EscapeRoom(id) + "/" + upload
	return p.base + "/" + path + "?" + p.sign.query(method, path, linkLife)
}

// Fetch implements room.Uploads.
func (p *Uploads) Fetch(ctx context.Context, id room.ID, upload string) ([]byte, error) {
	leave, err := p.s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	name, rec, err := p.offer(id, upload)
	if err != nil {
		return nil, err
	}
	sum, err := parseSum(rec.SHA256)
	if err != nil {
		return nil, err
	}
	return p.s.getObject(ctx, name, rec.Size, sum)
}

// offer returns what was announced, ErrNotFound when nothing was.
func (p *Uploads) offer(id room.ID, upload string) (name string, rec offerRecord, err error) {
	if err := id.Validate(); err != nil {
		return "", rec, err
	}
	if name, err = layout.UploadObject(id, upload); err != nil {
		return "", rec, fmt.Errorf("%w: %w", room.ErrNotFound, err)
	}
	key := offerKey(name)
	value, err := p.s.get(key)
	if err != nil {
		return "", rec, err
	}
	if value == nil {
		return "", rec, fmt.Errorf("%w: upload %q", room.ErrNotFound, upload)
	}
	return name, rec, unsealJSON(key, value, &rec)
}

// Link implements room.Uploads.
func (p *Uploads) Link(ctx context.Context, id room.ID, upload string) (string, error) {
	leave, err := p.s.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	if _, _, err := p.offer(id, upload); err != nil {
		return "", err
	}
	return p.url(http.MethodGet, id, upload), nil
}

// Discard implements room.Uploads.
func (p *Uploads) Discard(ctx context.Context, id room.ID, upload string) error {
	leave, err := p.s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	name, err := layout.UploadObject(id, upload)
	if err != nil {
		return nil // such an upload cannot be there
	}
	return p.discard(ctx, name)
}

func (p *Uploads) discard(ctx context.Context, name string) error {
	if err := p.s.deleteObject(ctx, name); err != nil {
		return err
	}
	o := p.s.newOp()
	if err := o.batch.Delete(offerKey(name), nil); err != nil {
		return unavailable(err)
	}
	p.s.commits.submit(ctx, o)
	return p.s.commits.wait(ctx, o)
}

// sweep discards uploads past their life, once every uploadSweep.
func (p *Uploads) sweep(ctx context.Context) error {
	p.mu.Lock()
	now := p.s.clock.Now()
	due := now.Sub(p.swept) >= uploadSweep
	if due {
		p.swept = now
	}
	p.mu.Unlock()
	if !due {
		return nil
	}
	return p.s.scan(ctx, []byte(offerSpace), after(offerSpace), func(key, value []byte) error {
		var rec offerRecord
		if err := unsealJSON(key, value, &rec); err != nil {
			return err
		}
		if now.Sub(rec.Offered) < uploadLife {
			return nil
		}
		return p.discard(ctx, string(key[len(offerSpace):]))
	})
}
