package operate_test

import (
	"context"
	"errors"
	"testing"

	"github.com/cockroachdb/pebble/v2"
	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/operate"
	"github.com/symphony-rt/symphony/internal/room"
)

// lived makes a room with a snapshot, an archive, and a log after it.
func lived(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	updates, _ := edits(t, 30)
	for i, u := range updates {
		_, err := w.rooms.Import(t.Context(), "a", u, true)
		require.NoError(t, err)
		if i == 9 || i == 19 {
			w.settle("a")
		}
	}
	require.NoError(t, w.service.Checkpoint(t.Context(), "a"))
	return w
}

func verify(t *testing.T, rooms operate.Rooms, id room.ID) operate.Report {
	t.Helper()
	r, err := rooms.Verify(t.Context(), id)
	require.NoError(t, err)
	return r
}

// N3: a room that is whole has no doubt, before and after every step of its life.
func TestVerifyWholeRooms(t *testing.T) {
	w := lived(t)
	r := verify(t, w.rooms, "a")
	require.Empty(t, r.Problems)
	require.Equal(t, room.Seq(30), r.Seq)
	require.Equal(t, []string{"2 archives", "10 log entries", "snapshot through 30", "replay of 30 updates", "directory"}, r.Checked)
	w.settle("a")
	require.Empty(t, verify(t, w.rooms, "a").Problems)
	require.NoError(t, w.rooms.Delete(t.Context(), "a"))
	require.Empty(t, verify(t, w.rooms, "a").Problems)
	w.settle("a")
	require.Empty(t, verify(t, w.rooms, "a").Problems)
	_, err := w.rooms.Document(t.Context(), "a", operate.Point{})
	require.ErrorIs(t, err, operate.ErrNoRoom)
	_, err = w.rooms.Verify(t.Context(), "never")
	require.ErrorIs(t, err, operate.ErrNoRoom)
}

// N3: each kind of damage is found, and named.
func TestVerifyFindsDamage(t *testing.T) {
	flip := func(db *pebble.DB, key []byte) error {
		value, closer, err := db.Get(key)
		if err != nil {
			return err
		}
		changed := append([]byte(nil), value...)
		if err := closer.Close(); err != nil {
			return err
		}
		changed[len(changed)/2] ^= 1
		return db.Set(key, changed, pebble.Sync)
	}
	for name, c := range map[string]struct {
		kind   string
		damage func(t *testing.T, db *pebble.DB) error
	}{
		"a flipped byte in the snapshot": {operate.ProblemSnapshot, func(t *testing.T, db *pebble.DB) error {
			list := keys(t, db, "part\x00", "/snapshots/")
			return flip(db, list[len(list)-1])
		}},
		"a missing part of the snapshot": {operate.ProblemSnapshot, func(t *testing.T, db *pebble.DB) error {
			list := keys(t, db, "part\x00", "/snapshots/")
			return db.Delete(list[len(list)-1], pebble.Sync)
		}},
		"a pointer to a missing object": {operate.ProblemSnapshot, func(t *testing.T, db *pebble.DB) error {
			list := keys(t, db, "head\x00", "/snapshots/")
			return db.Delete(list[len(list)-1], pebble.Sync)
		}},
		"a missing entry in the log": {operate.ProblemLog, func(t *testing.T, db *pebble.DB) error {
			return db.Delete(keys(t, db, "room#", "update#")[4], pebble.Sync)
		}},
		"a missing first entry": {operate.ProblemLog, func(t *testing.T, db *pebble.DB) error {
			return db.Delete(keys(t, db, "room#", "update#")[0], pebble.Sync)
		}},
		"a missing last entry": {operate.ProblemLog, func(t *testing.T, db *pebble.DB) error {
			list := keys(t, db, "room#", "update#")
			return db.Delete(list[len(list)-1], pebble.Sync)
		}},
		"a whole log missing": {operate.ProblemLog, func(t *testing.T, db *pebble.DB) error {
			for _, k := range keys(t, db, "room#", "update#") {
				if err := db.Delete(k, pebble.Sync); err != nil {
					return err
				}
			}
			return nil
		}},
		"a flipped byte in an entry": {operate.ProblemLog, func(t *testing.T, db *pebble.DB) error {
			return flip(db, keys(t, db, "room#", "update#")[2])
		}},
		"a flipped byte in an archive": {operate.ProblemArchive, func(t *testing.T, db *pebble.DB) error {
			return flip(db, keys(t, db, "part\x00", "/log/")[0])
		}},
		"a missing archive": {operate.ProblemArchive, func(t *testing.T, db *pebble.DB) error {
			return db.Delete(keys(t, db, "head\x00", "/log/")[0], pebble.Sync)
		}},
		"a flipped byte in the record": {operate.ProblemRecord, func(t *testing.T, db *pebble.DB) error {
			return flip(db, keys(t, db, "room#", "\x00meta")[0])
		}},
	} {
		t.Run(name, func(t *testing.T) {
			w := lived(t)
			w.tamper(func(db *pebble.DB) { require.NoError(t, c.damage(t, db)) })
			r := verify(t, w.rooms, "a")
			require.False(t, r.OK())
			require.Equal(t, c.kind, r.Problems[0].Kind, "%+v", r.Problems)
			require.NotEmpty(t, r.Problems[0].What)
		})
	}
}

// A snapshot with a good checksum that is not what the log says.
func TestVerifyReplaysTheLog(t *testing.T) {
	w := lived(t)
	updates, _ := edits(t, 29)
	other := newWorld(t)
	for _, u := range updates {
		_, err := other.rooms.Import(t.Context(), "a", u, true)
		require.NoError(t, err)
	}
	e, err := other.rooms.Export(t.Context(), "a", operate.Point{})
	require.NoError(t, err)
	ref, err := w.store.Snapshots().Put(t.Context(), "a", 30, "ffff", e.Update)
	require.NoError(t, err)
	m, err := w.store.Metas().Get(t.Context(), "a")
	require.NoError(t, err)
	old := m.Snapshot
	m.Snapshot = ref
	require.NoError(t, w.store.Metas().Swap(t.Context(), "a", m))
	require.NoError(t, w.store.Snapshots().Delete(t.Context(), old))
	r := verify(t, w.rooms, "a")
	require.Equal(t, operate.ProblemSnapshot, r.Problems[0].Kind)
	require.Contains(t, r.Problems[0].What, "replayed")
}

// An object that nothing refers to is a doubt once it is no checkpoint's any more.
func TestVerifyFindsOrphans(t *testing.T) {
	w := lived(t)
	ref, err := w.store.Snapshots().Put(t.Context(), "a", 30, "ffff", []byte{0, 0})
	require.NoError(t, err)
	r := verify(t, w.rooms, "a")
	require.Len(t, r.Problems, 1)
	require.Equal(t, operate.ProblemOrphan, r.Problems[0].Kind)
	require.Equal(t, ref.Key, r.Problems[0].Key)
}

// A checkpoint under way is no damage: Verify looks again.
func TestVerifyDuringCheckpoints(t *testing.T) {
	w := newWorld(t)
	updates, _ := edits(t, 200)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() {
		for ctx.Err() == nil {
			if err := w.service.Checkpoint(t.Context(), "a"); err != nil {
				done <- err
				return
			}
			w.clock.step(room.DefaultGrace / 20)
		}
		done <- nil
	}()
	for _, u := range updates {
		_, err := w.rooms.Import(t.Context(), "a", u, true)
		for errors.Is(err, room.ErrUnavailable) { // the clock runs fast here
			_, err = w.rooms.Import(t.Context(), "a", u, true)
		}
		require.NoError(t, err)
		require.Empty(t, verify(t, w.rooms, "a").Problems)
	}
	stop()
	require.NoError(t, <-done)
}
