package pebblestore_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/pebblestore"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/room/roomtest"
)

func open(t *testing.T, fs vfs.FS, o pebblestore.Options) *pebblestore.Store {
	t.Helper()
	o.FS = fs
	s, err := pebblestore.Open("/data", o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

// TestForgetMembers: the connections of a process that died are forgotten,
// rooms and their logs are not.
func TestForgetMembers(t *testing.T) {
	ctx := context.Background()
	fs := vfs.NewMem()
	s := open(t, fs, pebblestore.Options{})
	for i := range 2500 {
		m := room.Member{Connection: room.ConnectionID(fmt.Sprint("c", i)), ConnectedAt: time.Now()}
		require.NoError(t, s.Members().Add(ctx, room.ID(fmt.Sprint("room", i%7)), m))
		if i == 100 {
			_, err := s.Log().Append(ctx, "room1", 0, room.Update{Data: []byte("x")})
			require.NoError(t, err)
		}
	}
	require.NoError(t, s.Close())
	s = open(t, fs, pebblestore.Options{})
	n, err := s.ForgetMembers(ctx)
	require.NoError(t, err)
	require.Equal(t, 2500, n)
	for i := range 7 {
		list, err := s.Members().List(ctx, room.ID(fmt.Sprint("room", i)))
		require.NoError(t, err)
		require.Empty(t, list)
	}
	_, err = s.Members().Admit(ctx, "", "c1")
	require.ErrorIs(t, err, room.ErrUnknownConnection)
	tail, err := s.Log().Tail(ctx, "room1", 0)
	require.NoError(t, err)
	require.EqualValues(t, 1, tail)
	n, err = s.ForgetMembers(ctx)
	require.NoError(t, err)
	require.Zero(t, n)
}

// TestManyRooms: rooms beyond those remembered are read anew, with the same
// answers, also while their appends are under way.
func TestManyRooms(t *testing.T) {
	ctx := context.Background()
	s := open(t, vfs.NewMem(), pebblestore.Options{})
	s.SetCachedRooms(3)
	var wg sync.WaitGroup
	errs := make(chan error, 8)
	for w := range 8 {
		wg.Go(func() {
			for i := range 200 {
				id := room.ID(fmt.Sprint("room", (i*7+w)%25))
				seq, err := s.Log().Append(ctx, id, 0, room.Update{Data: fmt.Append(nil, w, i)})
				if err != nil {
					errs <- err
					return
				}
				if tail, err := s.Log().Tail(ctx, id, 0); err != nil || tail < seq {
					errs <- fmt.Errorf("tail %d after append of %d: %w", tail, seq, err)
					return
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	require.NoError(t, <-errs)
	total := 0
	for i := range 25 {
		require.NoError(t, s.Log().Read(ctx, room.ID(fmt.Sprint("room", i)), 0, func(room.Update) error { total++; return nil }))
	}
	require.Equal(t, 8*200, total)
	require.LessOrEqual(t, s.CachedRooms(), 3)
}

// model is a room as its changes tell it.
type model struct {
	members map[room.ConnectionID]room.Member
	meta    *room.Meta
	updates map[room.Seq]room.UpdateImage
}

// apply demands that the old image is what the model has.
func (m *model) apply(t *testing.T, c room.Change) {
	t.Helper()
	kinds := 0
	if im := c.Meta; im.Old != nil || im.New != nil {
		kinds++
		require.Equal(t, m.meta, im.Old)
		m.meta = im.New
	}
	if im := c.Member; im.Old != nil || im.New != nil {
		kinds++
		if im.Old != nil {
			require.Equal(t, m.members[im.Old.Connection], *im.Old)
			delete(m.members, im.Old.Connection)
		}
		if im.New != nil {
			require.NotContains(t, m.members, im.New.Connection)
			m.members[im.New.Connection] = *im.New
		}
	}
	if im := c.Update; im.Old != nil || im.New != nil {
		kinds++
		if im.New != nil {
			require.Nil(t, im.Old)
			m.updates[im.New.Seq] = *im.New
		} else {
			require.Equal(t, m.updates[im.Old.Seq], *im.Old)
			delete(m.updates, im.Old.Seq)
		}
	}
	require.Equal(t, 1, kinds, "one kind of change")
}

// TestChanges rebuilds rooms from nothing but their changes and compares them
// with the store (P26 needs that).
func TestChanges(t *testing.T) {
	ctx := context.Background()
	clock := roomtest.NewClock()
	var changes []room.Change // OnChange is never called twice at once
	fs := vfs.NewMem()
	s := open(t, fs, pebblestore.Options{Clock: clock, OnChange: func(c room.Change) { changes = append(changes, c) }})
	var wg sync.WaitGroup
	for w := range 6 {
		wg.Go(func() {
			id := room.ID(fmt.Sprint("room", w%2))
			for i := range 30 {
				m := room.Member{Connection: room.ConnectionID(fmt.Sprint("c", w)), ConnectedAt: clock.Now()}
				_ = s.Members().Add(ctx, id, m)
				_, _ = s.Log().Append(ctx, id, 0, room.Update{Data: bytes.Repeat([]byte{1}, i), Author: "a", At: clock.Now()})
				m.Symphony = true
				_ = s.Members().Update(ctx, id, m)
				if meta, err := s.Metas().Get(ctx, id); err == nil {
					meta.Trimmed++
					_ = s.Metas().Swap(ctx, id, meta) // some lose
				}
				if i%3 == 0 {
					_, _ = s.Members().Remove(ctx, "", m.Connection)
				}
			}
		})
	}
	wg.Wait()
	require.NoError(t, s.Log().Trim(ctx, "room0", 20))
	require.NoError(t, s.Members().Add(ctx, "room1", room.Member{Connection: "c0", ConnectedAt: clock.Now()}), "moves c0")
	require.NoError(t, s.Members().Add(ctx, "room1", room.Member{Connection: "old", ConnectedAt: clock.Now().Add(-room.MemberTTL - 1)}))
	_, err := s.Members().List(ctx, "room1") // removes "old"
	require.NoError(t, err)
	require.NoError(t, s.Close())

	models := map[room.ID]*model{}
	for _, c := range changes {
		m := models[c.Room]
		if m == nil {
			m = &model{members: map[room.ConnectionID]room.Member{}, updates: map[room.Seq]room.UpdateImage{}}
			models[c.Room] = m
		}
		m.apply(t, c)
	}
	require.Len(t, models, 2)
	s = open(t, fs, pebblestore.Options{Clock: clock})
	for id, m := range models {
		list, err := s.Members().List(ctx, id)
		require.NoError(t, err)
		require.Len(t, list, len(m.members))
		for _, member := range list {
			require.Equal(t, m.members[member.Connection], member)
		}
		meta, err := s.Metas().Get(ctx, id)
		require.NoError(t, err)
		require.Equal(t, *m.meta, meta)
		first := room.Seq(0)
		if id == "room0" {
			first = 20
		}
		n := 0
		require.NoError(t, s.Log().Read(ctx, id, first, func(u room.Update) error {
			n++
			require.Equal(t, m.updates[u.Seq], room.UpdateImage{Seq: u.Seq, Size: len(u.Data), Author: u.Author, At: u.At})
			return nil
		}))
		require.Len(t, m.updates, n)
	}
}

// TestObjectsCutShort: what a crash leaves of a half-written object is gone
// after opening, and no list ever shows it.
func TestObjectsCutShort(t *testing.T) {
	ctx := context.Background()
	rng := newRand(t)
	data := incompressible(5 << 20)
	cut := 0
	for range 40 {
		mem := vfs.NewCrashableMem()
		fail := failingFrom(1<<60, io.ErrShortWrite)
		s, err := pebblestore.Open("/data", pebblestore.Options{FS: errorfs.Wrap(mem, fail)})
		require.NoError(t, err)
		fail.n.Store(fail.count.Load() + 1 + rng.Int64N(40))
		ref, putErr := s.Snapshots().Put(ctx, "r", 1, "n", data)
		after := crashed(mem, rng)
		_ = s.Close()
		again, err := pebblestore.Open("/data", pebblestore.Options{FS: after})
		require.NoError(t, err)
		heads, parts, pending, err := again.CountKeys()
		require.NoError(t, err)
		require.Zero(t, pending)
		require.Equal(t, heads*5, parts, "no parts without a head")
		if putErr == nil {
			got, err := again.Snapshots().Get(ctx, ref)
			require.NoError(t, err)
			require.True(t, bytes.Equal(data, got))
		} else {
			cut++
		}
		require.NoError(t, again.Close())
	}
	require.NotZero(t, cut)
}

// TestFiftyMegabytes is the largest update there is, as entry and as object.
func TestFiftyMegabytes(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	s, err := pebblestore.Open(dir, pebblestore.Options{})
	require.NoError(t, err)
	data := incompressible(room.MaxUpdateBytes)
	for _, d := range [][]byte{{1}, data, {2}} {
		_, err := s.Log().Append(ctx, "r", 0, room.Update{Data: d})
		require.NoError(t, err)
	}
	ref, err := s.Snapshots().Put(ctx, "r", 3, "n", data)
	require.NoError(t, err)
	require.NoError(t, s.Close())
	s, err = pebblestore.Open(dir, pebblestore.Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	require.NoError(t, s.Log().Read(ctx, "r", 1, func(u room.Update) error {
		require.True(t, u.Seq == 3 || bytes.Equal(data, u.Data))
		return nil
	}))
	got, err := s.Snapshots().Get(ctx, ref)
	require.NoError(t, err)
	require.True(t, bytes.Equal(data, got))
}

// TestUploadURLs: a URL is good for its method, its upload and its time only.
func TestUploadURLs(t *testing.T) {
	ctx := context.Background()
	clock := roomtest.NewClock()
	s := open(t, vfs.NewMem(), pebblestore.Options{Clock: clock})
	var uploads *pebblestore.Uploads
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { uploads.ServeHTTP(w, r) }))
	defer server.Close()
	uploads, err := s.Uploads(server.URL)
	require.NoError(t, err)
	data := []byte("some update")
	status := func(method, url string, body []byte, header ...string) int {
		t.Helper()
		req, err := http.NewRequest(method, url, bytes.NewReader(body))
		require.NoError(t, err)
		req.Header.Set("Content-Type", "application/octet-stream")
		for i := 0; i+1 < len(header); i += 2 {
			req.Header.Set(header[i], header[i+1])
		}
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		require.Equal(t, "*", res.Header.Get("Access-Control-Allow-Origin"))
		return res.StatusCode
	}
	u := room.Upload{Room: "a/b", ID: "u1", Size: int64(len(data)), SHA256: sha256.Sum256(data)}
	target, err := uploads.Offer(ctx, u)
	require.NoError(t, err)
	require.Equal(t, []room.UploadHeader{{Name: "Content-Type", Value: "application/octet-stream"}}, target.Headers)

	require.Equal(t, http.StatusNoContent, status(http.MethodOptions, target.URL, nil))
	require.Equal(t, http.StatusForbidden, status(http.MethodGet, target.URL, nil), "signed for PUT")
	require.Equal(t, http.StatusMethodNotAllowed, status(http.MethodDelete, target.URL, nil))
	require.Equal(t, http.StatusForbidden, status(http.MethodPut, strings.Replace(target.URL, "/u1?", "/u2?", 1), data))
	require.Equal(t, http.StatusForbidden, status(http.MethodPut, strings.Replace(target.URL, "expires=", "expires=9", 1), data))
	require.Equal(t, http.StatusForbidden, status(http.MethodPut, server.URL+"/a.2Fb/u1", data), "not signed")
	require.Equal(t, http.StatusBadRequest, status(http.MethodPut, target.URL, data, "Content-Type", "text/html"))
	require.Equal(t, http.StatusBadRequest, status(http.MethodPut, target.URL, []byte("some upDate")))
	require.Equal(t, http.StatusOK, status(http.MethodPut, target.URL, data))
	require.Equal(t, http.StatusOK, status(http.MethodPut, target.URL, data), "again")
	link, err := uploads.Link(ctx, "a/b", "u1")
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status(http.MethodGet, link, nil))
	clock.Advance(16 * time.Minute)
	require.Equal(t, http.StatusForbidden, status(http.MethodGet, link, nil), "expired")
	require.Equal(t, http.StatusForbidden, status(http.MethodPut, target.URL, data), "expired")

	// A day later it goes away with the next offer; ids are checked.
	clock.Advance(24 * time.Hour)
	_, err = uploads.Offer(ctx, room.Upload{Room: "r", ID: "u2"})
	require.NoError(t, err)
	_, err = uploads.Fetch(ctx, "a/b", "u1")
	require.ErrorIs(t, err, room.ErrNotFound)
	_, err = uploads.Link(ctx, "a/b", "u1")
	require.ErrorIs(t, err, room.ErrNotFound)
	for _, id := range []string{"", "../u2", strings.Repeat("x", 65)} {
		_, err = uploads.Offer(ctx, room.Upload{Room: "r", ID: id})
		require.Error(t, err)
		_, err = uploads.Fetch(ctx, "r", id)
		require.ErrorIs(t, err, room.ErrNotFound)
		require.NoError(t, uploads.Discard(ctx, "r", id))
	}
	_, err = uploads.Offer(ctx, room.Upload{Room: "r", ID: "x", Size: room.MaxUpdateBytes + 1})
	require.ErrorIs(t, err, room.ErrTooLarge)
}

// TestAfterClose: every port says unavailable, nothing panics.
func TestAfterClose(t *testing.T) {
	ctx := context.Background()
	s, err := pebblestore.Open("/data", pebblestore.Options{FS: vfs.NewMem()})
	require.NoError(t, err)
	require.NoError(t, s.Close())
	_, err = s.Log().Append(ctx, "r", 0, room.Update{})
	require.ErrorIs(t, err, room.ErrUnavailable)
	require.ErrorIs(t, s.Log().Read(ctx, "r", 0, nil), room.ErrUnavailable)
	_, err = s.Metas().Get(ctx, "r")
	require.ErrorIs(t, err, room.ErrUnavailable)
	_, err = s.Members().List(ctx, "r")
	require.ErrorIs(t, err, room.ErrUnavailable)
	_, err = s.Snapshots().Get(ctx, room.SnapshotRef{Key: "x"})
	require.ErrorIs(t, err, room.ErrUnavailable)
}
