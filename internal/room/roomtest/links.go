package roomtest

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/room"
)

// RunLinks runs the contract of room.Links.
func RunLinks(t *testing.T, h Harness) {
	for _, c := range []struct {
		name string
		run  func(t *testing.T, s *store)
	}{
		{"a link gives the bytes, until the object is deleted", linksLife},
		{"rooms do not leak into each other", linksIsolation},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t, h)) })
	}
}

func link(t testing.TB, p Ports, ref room.SnapshotRef) string {
	t.Helper()
	url, err := p.Links.LinkSnapshot(t.Context(), ref, time.Minute)
	require.NoError(t, err)
	return url
}

func linksLife(t *testing.T, s *store) {
	data := pattern(1, 3<<20)
	ref := put(t, s.Ports, theRoom, 7, "nonce", data)
	url := link(t, s.Ports, ref)
	for range 2 {
		require.True(t, bytes.Equal(data, getURL(t, s.Ports, url)))
	}
	require.True(t, bytes.Equal(data, getURL(t, s.Ports, link(t, s.another(), ref))), "made by another instance")
	other := put(t, s.Ports, theRoom, 7, "another", []byte("other"))
	require.Equal(t, "other", string(getURL(t, s.Ports, link(t, s.Ports, other))))

	require.Error(t, tryURL(t, s.Ports, url[:len(url)-1]), "not the whole URL")
	require.NoError(t, s.Snapshots.Delete(t.Context(), ref))
	require.Error(t, tryURL(t, s.Ports, url), "deleted")
	require.NoError(t, tryURL(t, s.Ports, link(t, s.Ports, other)))
}

// tryURL says why a GET of u brings nothing.
func tryURL(t testing.TB, p Ports, u string) error {
	t.Helper()
	if client, ok := p.Links.(HTTPClient); ok {
		_, err := client.GetURL(u)
		return err
	}
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, u, nil)
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("GET: %s", res.Status)
	}
	return nil
}

func linksIsolation(t *testing.T, s *store) {
	ids := s.trickyRooms()
	urls := make([]string, len(ids))
	for i, id := range ids {
		urls[i] = link(t, s.Ports, put(t, s.Ports, id, 1, "n", fmt.Appendf(nil, "snapshot of %d", i)))
	}
	for i := range ids {
		require.Equal(t, fmt.Sprintf("snapshot of %d", i), string(getURL(t, s.Ports, urls[i])))
	}
}
