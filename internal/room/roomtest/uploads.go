package roomtest

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/room"
)

// HTTPClient makes the requests a browser would. A handle whose URLs are no
// http or https ones implements it on its Uploads.
type HTTPClient interface {
	// PutURL is an HTTP PUT of b to u.
	PutURL(u string, b []byte) error
	// GetURL is an HTTP GET of u.
	GetURL(u string) ([]byte, error)
}

// RunUploads runs the contract of room.Uploads.
func RunUploads(t *testing.T, h Harness) {
	for _, c := range []struct {
		name string
		run  func(t *testing.T, s *store)
	}{
		{"offered, put, fetched, linked, discarded (N6)", uploadsLife},
		{"only the announced bytes are taken", uploadsRefused},
		{"what is not there", uploadsMissing},
		{"a context that has ended", uploadsContext},
		{"rooms do not leak into each other", uploadsIsolation},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t, h)) })
	}
}

func uploadOf(id room.ID, name string, data []byte) room.Upload {
	return room.Upload{Room: id, ID: name, Size: int64(len(data)), SHA256: sha256.Sum256(data)}
}

func offer(t testing.TB, p Ports, u room.Upload) room.UploadTarget {
	t.Helper()
	target, err := p.Uploads.Offer(t.Context(), u)
	require.NoError(t, err)
	_, err = url.Parse(target.URL)
	require.NoError(t, err)
	return target
}

func putUpload(t testing.TB, p Ports, target room.UploadTarget, data []byte) error {
	t.Helper()
	if client, ok := p.Uploads.(HTTPClient); ok {
		return client.PutURL(target.URL, data)
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, target.URL, bytes.NewReader(data))
	require.NoError(t, err)
	for _, h := range target.Headers {
		req.Header.Set(h.Name, h.Value)
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	if res.StatusCode/100 != 2 {
		return fmt.Errorf("PUT: %s", res.Status)
	}
	return nil
}

func getURL(t testing.TB, p Ports, u string) []byte {
	t.Helper()
	if client, ok := p.Uploads.(HTTPClient); ok {
		b, err := client.GetURL(u)
		require.NoError(t, err)
		return b
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, u, nil)
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	require.Equal(t, http.StatusOK, res.StatusCode)
	b, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	return b
}

func uploadsLife(t *testing.T, s *store) {
	data := pattern(1, 1<<20)
	target := offer(t, s.Ports, uploadOf(theRoom, "upload-1_A", data))
	_, err := s.Uploads.Fetch(t.Context(), theRoom, "upload-1_A")
	require.ErrorIs(t, err, room.ErrNotFound, "offered, not put yet")
	require.NoError(t, putUpload(t, s.Ports, target, data))
	got, err := s.Uploads.Fetch(t.Context(), theRoom, "upload-1_A")
	require.NoError(t, err)
	require.True(t, bytes.Equal(data, got))
	link, err := s.Uploads.Link(t.Context(), theRoom, "upload-1_A")
	require.NoError(t, err)
	require.True(t, bytes.Equal(data, getURL(t, s.Ports, link)))
	for range 2 {
		require.NoError(t, s.Uploads.Discard(t.Context(), theRoom, "upload-1_A"))
	}
	_, err = s.Uploads.Fetch(t.Context(), theRoom, "upload-1_A")
	require.ErrorIs(t, err, room.ErrNotFound)
}

func uploadsRefused(t *testing.T, s *store) {
	data := pattern(1, 1000)
	target := offer(t, s.Ports, uploadOf(theRoom, "u", data))
	other := bytes.Clone(data)
	other[500] ^= 1
	require.Error(t, putUpload(t, s.Ports, target, other), "other bytes")
	require.Error(t, putUpload(t, s.Ports, target, data[:999]), "fewer")
	require.Error(t, putUpload(t, s.Ports, target, append(other, 1)), "more")
	_, err := s.Uploads.Fetch(t.Context(), theRoom, "u")
	require.ErrorIs(t, err, room.ErrNotFound)
	require.NoError(t, putUpload(t, s.Ports, target, data))
}

func uploadsMissing(t *testing.T, s *store) {
	_, err := s.Uploads.Fetch(t.Context(), theRoom, "never")
	require.ErrorIs(t, err, room.ErrNotFound)
	require.NoError(t, s.Uploads.Discard(t.Context(), theRoom, "never"))
}

func uploadsContext(t *testing.T, s *store) {
	data := []byte("abc")
	require.NoError(t, putUpload(t, s.Ports, offer(t, s.Ports, uploadOf(theRoom, "u", data)), data))
	_, err := s.Uploads.Fetch(canceled(), theRoom, "u")
	require.True(t, isUnavailable(err), "fetch: %v", err)
	err = s.Uploads.Discard(canceled(), theRoom, "u")
	require.True(t, isUnavailable(err), "discard: %v", err)
	_, err = s.Uploads.Fetch(t.Context(), theRoom, "u")
	require.NoError(t, err)
}

func uploadsIsolation(t *testing.T, s *store) {
	ids := s.trickyRooms()
	for i, id := range ids {
		data := fmt.Appendf(nil, "upload %d", i)
		require.NoError(t, putUpload(t, s.Ports, offer(t, s.Ports, uploadOf(id, "u", data)), data))
	}
	for i, id := range ids {
		got, err := s.Uploads.Fetch(t.Context(), id, "u")
		require.NoError(t, err)
		require.Equal(t, fmt.Sprintf("upload %d", i), string(got))
		link, err := s.Uploads.Link(t.Context(), id, "u")
		require.NoError(t, err)
		require.Equal(t, fmt.Sprintf("upload %d", i), string(getURL(t, s.Ports, link)))
	}
}
