package pebblestore

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/symphony-rt/symphony/internal/layout"
	"github.com/symphony-rt/symphony/internal/room"
)

// uploadType is the only content type an upload may have.
const uploadType = "application/octet-stream"

// ServeHTTP takes what was offered and gives what was linked:
//
//	PUT /<escaped room>/<upload>?expires=…&signature=…
//	GET /<escaped room>/<upload>?expires=…&signature=…
//	GET /~/<key in hex>?expires=…&signature=…
//
// A URL that is not signed for the method, or too old, gets 403; bytes that
// are not those announced 400; what is not there 404. Pages of any origin may
// use it: the URL is the permission.
func (p *Uploads) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Access-Control-Allow-Origin", "*")
	if r.Method == http.MethodOptions {
		w.Header().Set("Access-Control-Allow-Methods", "GET, PUT")
		w.Header().Set("Access-Control-Allow-Headers", "Content-Type")
		w.WriteHeader(http.StatusNoContent)
		return
	}
	if r.Method != http.MethodPut && r.Method != http.MethodGet {
		http.Error(w, "only GET and PUT", http.StatusMethodNotAllowed)
		return
	}
	path := strings.TrimPrefix(r.URL.EscapedPath(), "/")
	if !p.sign.verify(r.Method, path, r.URL.Query()) {
		http.Error(w, "not signed, or expired", http.StatusForbidden)
		return
	}
	if object, ok := strings.CutPrefix(path, objectsPath); ok {
		p.serveObject(w, r, object)
		return
	}
	escaped, upload, _ := strings.Cut(path, "/")
	id, err := layout.UnescapeRoom(escaped)
	if err != nil {
		http.Error(w, "no such upload", http.StatusNotFound)
		return
	}
	if r.Method == http.MethodPut {
		p.servePut(w, r, id, upload)
	} else {
		p.serveGet(w, r, id, upload)
	}
}

func (p *Uploads) serveGet(w http.ResponseWriter, r *http.Request, id room.ID, upload string) {
	data, err := p.Fetch(r.Context(), id, upload)
	p.answer(w, data, err)
}

func (p *Uploads) answer(w http.ResponseWriter, data []byte, err error) {
	if err != nil {
		p.refuse(w, err)
		return
	}
	w.Header().Set("Content-Type", uploadType)
	w.Header().Set("Content-Length", strconv.Itoa(len(data)))
	_, _ = w.Write(data) // nobody left to tell
}

var errNotAnnounced = errors.New("not the bytes that were announced")

func (p *Uploads) servePut(w http.ResponseWriter, r *http.Request, id room.ID, upload string) {
	leave, err := p.s.enter(r.Context())
	if err != nil {
		p.refuse(w, err)
		return
	}
	defer leave()
	name, rec, err := p.offer(id, upload)
	if err != nil {
		p.refuse(w, err)
		return
	}
	data, err := readAnnounced(r, rec)
	if err != nil {
		http.Error(w, errNotAnnounced.Error(), http.StatusBadRequest)
		return
	}
	if _, err := p.s.putObject(r.Context(), name, data); err != nil {
		p.refuse(w, err)
	}
}

// readAnnounced reads the body if it is what rec says.
func readAnnounced(r *http.Request, rec offerRecord) ([]byte, error) {
	if r.ContentLength != rec.Size || r.Header.Get("Content-Type") != uploadType {
		return nil, errNotAnnounced
	}
	data := make([]byte, rec.Size)
	if _, err := io.ReadFull(r.Body, data); err != nil {
		return nil, err
	}
	if sum := sha256.Sum256(data); hex.EncodeToString(sum[:]) != rec.SHA256 {
		return nil, errNotAnnounced
	}
	return data, nil
}

// refuse answers with the status for err; its text stays in the log.
func (p *Uploads) refuse(w http.ResponseWriter, err error) {
	switch {
	case errors.Is(err, room.ErrNotFound), errors.Is(err, room.ErrRoomID):
		http.Error(w, "no such object", http.StatusNotFound)
	case errors.Is(err, room.ErrUnavailable):
		p.s.logger.Warn("upload", "err", err)
		http.Error(w, "try again later", http.StatusServiceUnavailable)
	default:
		p.s.logger.Error("upload", "err", err)
		http.Error(w, "the upload cannot be read or stored", http.StatusInternalServerError)
	}
}

// signer makes URLs that only this store can have made.
type signer struct {
	secret []byte
	clock  room.Clock
}

func (g signer) query(method, path string, life time.Duration) string {
	expires := strconv.FormatInt(g.clock.Now().Add(life).Unix(), 10)
	return url.Values{"expires": {expires}, "signature": {g.signature(method, path, expires)}}.Encode()
}

func (g signer) signature(method, path, expires string) string {
	mac := hmac.New(sha256.New, g.secret)
	fmt.Fprintf(mac, "%s\n%s\n%s", method, path, expires)
	return hex.EncodeToString(mac.Sum(nil))
}

func (g signer) verify(method, path string, query url.Values) bool {
	expires := query.Get("expires")
	until, err := strconv.ParseInt(expires, 10, 64)
	if err != nil || g.clock.Now().After(time.Unix(until, 0)) {
		return false
	}
	return hmac.Equal([]byte(query.Get("signature")), []byte(g.signature(method, path, expires)))
}

// secretBytes is the size of the key that signs URLs: that of the hash.
const secretBytes = sha256.Size

// secret returns the key of this folder, made at its first use.
func (s *Store) secret() ([]byte, error) {
	lock := s.objects.of(secretKey)
	lock.Lock()
	defer lock.Unlock()
	key := []byte(secretKey)
	value, err := s.get(key)
	if err != nil {
		return nil, err
	}
	if value != nil {
		return unseal(key, value)
	}
	secret := make([]byte, secretBytes, secretBytes+sumBytes)
	if _, err := rand.Read(secret); err != nil {
		return nil, unavailable(err)
	}
	o := s.newOp()
	if err := o.batch.Set(key, seal(key, secret), nil); err != nil {
		return nil, unavailable(err)
	}
	s.commits.submit(context.Background(), o)
	return secret, s.commits.wait(context.Background(), o)
}
