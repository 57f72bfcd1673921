package pebblestore

import (
	"context"
	"encoding/hex"
	"net/http"
	"time"

	"github.com/symphony-rt/symphony/internal/room"
)

// objectsPath is before the key of a linked object. No upload has such a path:
// an escaped room has no tilde (see layout.EscapeRoom).
const objectsPath = "~/"

// LinkSnapshot implements room.Links.
func (p *Uploads) LinkSnapshot(ctx context.Context, ref room.SnapshotRef, life time.Duration) (string, error) {
	leave, err := p.s.enter(ctx)
	if err != nil {
		return "", err
	}
	defer leave()
	path := objectsPath + hex.EncodeToString([]byte(ref.Key))
	return p.base + "/" + path + "?" + p.sign.query(http.MethodGet, path, life), nil
}

// serveObject gives what was linked. Only links are signed, and only for GET.
func (p *Uploads) serveObject(w http.ResponseWriter, r *http.Request, object string) {
	key, err := hex.DecodeString(object)
	if err != nil {
		http.Error(w, "no such object", http.StatusNotFound)
		return
	}
	data, err := p.s.Snapshots().Open(r.Context(), string(key))
	p.answer(w, data, err)
}
