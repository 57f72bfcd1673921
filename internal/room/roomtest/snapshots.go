package roomtest

import (
	"bytes"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/room"
)

// RunSnapshots runs the contract of room.Snapshots.
func RunSnapshots(t *testing.T, h Harness) {
	for _, c := range []struct {
		name string
		run  func(t *testing.T, s *store)
	}{
		{"put, got, reopened, crashed, deleted", snapshotsLife},
		{"what is not there", snapshotsMissing},
		{"what is not what was put (N3)", snapshotsCorrupt},
		{"the same sequence under two nonces is two objects (G6)", snapshotsNonces},
		{"listing", snapshotsList},
		{"archiving a stretch of log", snapshotsArchive},
		{"archives are found and read back (N2)", snapshotsReadBack},
		{"ten megabytes, and nothing at all", snapshotsSizes},
		{"memory is not shared", snapshotsAliasing},
		{"a context that has ended", snapshotsContext},
		{"rooms do not leak into each other", snapshotsIsolation},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t, h)) })
	}
}

func put(t testing.TB, p Ports, id room.ID, seq room.Seq, nonce string, data []byte) room.SnapshotRef {
	t.Helper()
	ref, err := p.Snapshots.Put(t.Context(), id, seq, nonce, data)
	require.NoError(t, err)
	require.NotEmpty(t, ref.Key)
	require.Equal(t, seq, ref.Seq)
	require.EqualValues(t, len(data), ref.Size)
	require.NotZero(t, ref.SHA256)
	return ref
}

func wantObject(t testing.TB, p Ports, ref room.SnapshotRef, want []byte) {
	t.Helper()
	got, err := p.Snapshots.Get(t.Context(), ref)
	require.NoError(t, err)
	require.True(t, bytes.Equal(want, got), "%d bytes instead of %d", len(got), len(want))
}

func wantNoObject(t testing.TB, p Ports, ref room.SnapshotRef) {
	t.Helper()
	_, err := p.Snapshots.Get(t.Context(), ref)
	require.ErrorIs(t, err, room.ErrNotFound)
}

// listObjects returns the room's snapshots by key.
func listObjects(t testing.TB, p Ports, id room.ID) map[string]room.Object {
	t.Helper()
	return listKind(t, p, id, room.ObjectSnapshot)
}

// listKind returns the room's objects of a kind by key.
func listKind(t testing.TB, p Ports, id room.ID, kind room.ObjectKind) map[string]room.Object {
	t.Helper()
	found := map[string]room.Object{}
	last := room.Seq(0)
	require.NoError(t, p.Snapshots.List(t.Context(), id, kind, func(o room.Object) error {
		require.Equal(t, kind, o.Kind)
		require.False(t, o.Stored.IsZero(), "when it was stored")
		require.NotContains(t, found, o.Key)
		require.GreaterOrEqual(t, o.To, last, "in the order of their numbers")
		found[o.Key], last = o, o.To
		return nil
	}))
	return found
}

func wantOpened(t testing.TB, p Ports, key string, want []byte) {
	t.Helper()
	got, err := p.Snapshots.Open(t.Context(), key)
	require.NoError(t, err)
	require.True(t, bytes.Equal(want, got), "%d bytes instead of %d", len(got), len(want))
}

func snapshotsLife(t *testing.T, s *store) {
	data := pattern(1, 5000)
	ref := put(t, s.Ports, theRoom, 7, "n-1_A", data)
	wantObject(t, s.Ports, ref, data)
	s.reopen()
	wantObject(t, s.Ports, ref, data)
	s.crash()
	wantObject(t, s.another(), ref, data)
	for range 2 { // idempotent
		require.NoError(t, s.Snapshots.Delete(t.Context(), ref))
	}
	wantNoObject(t, s.Ports, ref)
	s.crash()
	wantNoObject(t, s.Ports, ref)
	require.Empty(t, listObjects(t, s.Ports, theRoom))
}

func snapshotsMissing(t *testing.T, s *store) {
	ref := put(t, s.Ports, theRoom, 7, "n", []byte("x"))
	require.NoError(t, s.Snapshots.Delete(t.Context(), ref))
	wantNoObject(t, s.Ports, ref)
	require.NoError(t, s.Snapshots.Delete(t.Context(), ref))
	require.Empty(t, listObjects(t, s.Ports, "never"))
}

func snapshotsCorrupt(t *testing.T, s *store) {
	ref := put(t, s.Ports, theRoom, 7, "n", []byte("abc"))
	for name, spoil := range map[string]func(*room.SnapshotRef){
		"another hash": func(r *room.SnapshotRef) { r.SHA256[31] ^= 1 },
		"shorter":      func(r *room.SnapshotRef) { r.Size-- },
		"longer":       func(r *room.SnapshotRef) { r.Size++ },
	} {
		spoiled := ref
		spoil(&spoiled)
		_, err := s.Snapshots.Get(t.Context(), spoiled)
		require.ErrorIs(t, err, room.ErrCorrupt, name)
	}
	wantObject(t, s.Ports, ref, []byte("abc"))
}

func snapshotsNonces(t *testing.T, s *store) {
	one := put(t, s.Ports, theRoom, 7, "one", []byte("1"))
	two := put(t, s.another(), theRoom, 7, "two", []byte("2"))
	same := put(t, s.Ports, theRoom, 7, "three", []byte("1"))
	require.NotEqual(t, one.Key, two.Key)
	require.NotEqual(t, one.Key, same.Key, "equal bytes, but an object of its own")
	wantObject(t, s.Ports, one, []byte("1"))
	wantObject(t, s.Ports, two, []byte("2"))
	require.NoError(t, s.Snapshots.Delete(t.Context(), one))
	wantObject(t, s.Ports, two, []byte("2"))
	wantObject(t, s.Ports, same, []byte("1"))
}

func snapshotsList(t *testing.T, s *store) {
	want := map[string]room.SnapshotRef{}
	for i := range 25 {
		ref := put(t, s.Ports, theRoom, room.Seq(i*i), fmt.Sprint("n", i), pattern(i, i))
		want[ref.Key] = ref
	}
	_, err := s.Snapshots.Archive(t.Context(), theRoom, 1, 2, []byte("archive"))
	require.NoError(t, err)
	got := listObjects(t, s.another(), theRoom)
	require.Len(t, got, len(want), "archives are not listed")
	for key, ref := range want {
		require.Equal(t, ref.Seq, got[key].To)
		require.Equal(t, ref.Size, got[key].Size)
		require.NoError(t, s.Snapshots.Delete(t.Context(), got[key].Ref()), "what List says is enough to delete")
	}
	require.Empty(t, listObjects(t, s.Ports, theRoom))

	put(t, s.Ports, theRoom, 1, "a", nil)
	put(t, s.Ports, theRoom, 2, "b", nil)
	stop := errors.New("stop")
	calls := 0
	err = s.Snapshots.List(t.Context(), theRoom, room.ObjectSnapshot, func(room.Object) error { calls++; return stop })
	require.ErrorIs(t, err, stop)
	require.Equal(t, 1, calls)
}

func snapshotsArchive(t *testing.T, s *store) {
	one, err := s.Snapshots.Archive(t.Context(), theRoom, 1, 10, []byte("1 to 10"))
	require.NoError(t, err)
	two, err := s.Snapshots.Archive(t.Context(), theRoom, 11, 12, []byte("11 and 12"))
	require.NoError(t, err)
	again, err := s.Snapshots.Archive(t.Context(), theRoom, 1, 10, []byte("1 to 10"))
	require.NoError(t, err)
	require.Equal(t, one.Key, again.Key, "archiving again overwrites")
	require.NotEqual(t, one.Key, two.Key)
	s.crash()
	wantObject(t, s.Ports, one, []byte("1 to 10"))
	wantObject(t, s.Ports, two, []byte("11 and 12"))
	require.NoError(t, s.Snapshots.Delete(t.Context(), one))
	wantNoObject(t, s.Ports, one)
	wantObject(t, s.Ports, two, []byte("11 and 12"))
}

// Whoever restores or verifies a room (N2, N3) finds its archives, in order,
// with what they hold, and reads them knowing nothing but what the list says.
func snapshotsReadBack(t *testing.T, s *store) {
	want := map[string][]byte{}
	for i := range 12 {
		from, to := room.Seq(i*i+1), room.Seq((i+1)*(i+1))
		data := pattern(i, 100*i)
		ref, err := s.Snapshots.Archive(t.Context(), theRoom, from, to, data)
		require.NoError(t, err)
		want[ref.Key] = data
	}
	snapshot := put(t, s.Ports, theRoom, 7, "n", []byte("no archive"))
	s.crash()
	next := room.Seq(1)
	require.NoError(t, s.Snapshots.List(t.Context(), theRoom, room.ObjectArchive, func(o room.Object) error {
		require.Equal(t, next, o.From)
		require.EqualValues(t, len(want[o.Key]), o.Size)
		next = o.To + 1
		return nil
	}))
	require.EqualValues(t, 12*12+1, next)
	require.Len(t, listKind(t, s.another(), theRoom, room.ObjectArchive), len(want))
	for key, data := range want {
		wantOpened(t, s.Ports, key, data)
	}
	wantOpened(t, s.Ports, snapshot.Key, []byte("no archive"))
	for _, kind := range []room.ObjectKind{room.ObjectUpdate, room.ObjectUpload} {
		require.Empty(t, listKind(t, s.Ports, theRoom, kind))
	}
	for key, o := range listKind(t, s.Ports, theRoom, room.ObjectArchive) {
		require.NoError(t, s.Snapshots.Delete(t.Context(), o.Ref()))
		_, err := s.Snapshots.Open(t.Context(), key)
		require.ErrorIs(t, err, room.ErrNotFound)
	}
	require.Empty(t, listKind(t, s.Ports, theRoom, room.ObjectArchive))
	require.Len(t, listObjects(t, s.Ports, theRoom), 1)
}

func snapshotsSizes(t *testing.T, s *store) {
	large := pattern(3, 10<<20)
	a := put(t, s.Ports, theRoom, 1, "large", large)
	b := put(t, s.Ports, theRoom, 2, "empty", nil)
	s.reopen()
	wantObject(t, s.Ports, a, large)
	wantObject(t, s.Ports, b, nil)
}

func snapshotsAliasing(t *testing.T, s *store) {
	data := []byte("abc")
	ref := put(t, s.Ports, theRoom, 1, "n", data)
	data[0] = 'X'
	for range 2 {
		got, err := s.Snapshots.Get(t.Context(), ref)
		require.NoError(t, err)
		require.Equal(t, "abc", string(got))
		got[1] = 'Y'
	}
}

func snapshotsContext(t *testing.T, s *store) {
	ref := put(t, s.Ports, theRoom, 1, "n", []byte("abc"))
	ctx := canceled()
	_, err := s.Snapshots.Put(ctx, theRoom, 2, "m", []byte("x"))
	require.True(t, isUnavailable(err), "put: %v", err)
	_, err = s.Snapshots.Archive(ctx, theRoom, 1, 2, []byte("x"))
	require.True(t, isUnavailable(err), "archive: %v", err)
	_, err = s.Snapshots.Get(ctx, ref)
	require.True(t, isUnavailable(err), "get: %v", err)
	err = s.Snapshots.Delete(ctx, ref)
	require.True(t, isUnavailable(err), "delete: %v", err)
	err = s.Snapshots.List(ctx, theRoom, room.ObjectArchive, func(room.Object) error { return nil })
	require.True(t, isUnavailable(err), "list: %v", err)
	_, err = s.Snapshots.Open(ctx, ref.Key)
	require.True(t, isUnavailable(err), "open: %v", err)
	wantObject(t, s.Ports, ref, []byte("abc"))
	require.Len(t, listObjects(t, s.Ports, theRoom), 1)
}

func snapshotsIsolation(t *testing.T, s *store) {
	ids := s.trickyRooms()
	refs := make([]room.SnapshotRef, len(ids))
	keys := map[string]bool{}
	for i, id := range ids {
		refs[i] = put(t, s.Ports, id, 1, "n", fmt.Appendf(nil, "snapshot of %d", i))
		archive, err := s.Snapshots.Archive(t.Context(), id, 1, 1, fmt.Appendf(nil, "archive of %d", i))
		require.NoError(t, err)
		keys[refs[i].Key], keys[archive.Key] = true, true
		wantObject(t, s.Ports, archive, fmt.Appendf(nil, "archive of %d", i))
	}
	require.Len(t, keys, 2*len(ids), "every object has a key of its own")
	for i, id := range ids {
		wantObject(t, s.Ports, refs[i], fmt.Appendf(nil, "snapshot of %d", i))
		list := listObjects(t, s.Ports, id)
		require.Len(t, list, 1)
		require.Contains(t, list, refs[i].Key)
		require.Len(t, listKind(t, s.Ports, id, room.ObjectArchive), 1)
	}
}
