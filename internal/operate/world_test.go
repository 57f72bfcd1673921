package operate_test

import (
	"bytes"
	"context"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/operate"
	"github.com/symphony-rt/symphony/internal/pebblestore"
	"github.com/symphony-rt/symphony/internal/room"
)

type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) step(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// nobody is a gateway without connections.
type nobody struct{}

func (nobody) Post(context.Context, []room.ConnectionID, []byte) []room.Failure { return nil }
func (nobody) Disconnect(context.Context, room.ConnectionID) error              { return nil }

// world is a store in memory with its operations.
type world struct {
	t       *testing.T
	clock   *clock
	fs      vfs.FS
	store   *pebblestore.Store
	service *room.Service
	rooms   *operate.Direct
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, clock: &clock{now: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)}, fs: vfs.NewMem()}
	w.open()
	t.Cleanup(func() { require.NoError(t, w.store.Close()) })
	return w
}

func (w *world) open() {
	w.t.Helper()
	var err error
	w.store, err = pebblestore.Open("data", pebblestore.Options{Clock: w.clock, FS: w.fs, MinFree: -1})
	require.NoError(w.t, err)
	w.service, err = room.NewService(room.Ports{
		Log: w.store.Log(), Metas: w.store.Metas(), Members: w.store.Members(), Snapshots: w.store.Snapshots(), Sender: nobody{}, Clock: w.clock,
	}, room.Options{})
	require.NoError(w.t, err)
	w.rooms = operate.NewDirect(w.service, operate.Recounted{
		Rooms: w.store.Rooms, Log: w.store.Log(), Metas: w.store.Metas(), Members: w.store.Members(),
	}, room.User{ID: "operator"})
	w.rooms.SetPause(time.Millisecond)
}

// tamper changes what is stored behind the store's back.
func (w *world) tamper(change func(db *pebble.DB)) {
	w.t.Helper()
	require.NoError(w.t, w.store.Close())
	db, err := pebble.Open("data/store", &pebble.Options{FS: w.fs, ErrorIfNotExists: true, FormatMajorVersion: pebble.FormatWALSyncChunks, Logger: quiet{}})
	require.NoError(w.t, err)
	change(db)
	require.NoError(w.t, db.Close())
	w.open()
}

// quiet is a logger that says nothing.
type quiet struct{}

func (quiet) Infof(string, ...any)         {}
func (quiet) Errorf(string, ...any)        {}
func (quiet) Fatalf(f string, args ...any) { panic(f) }

// keys returns the keys that begin and contain so.
func keys(t *testing.T, db *pebble.DB, prefix, part string) (found [][]byte) {
	t.Helper()
	iter, err := db.NewIter(&pebble.IterOptions{LowerBound: []byte(prefix)})
	require.NoError(t, err)
	for ok := iter.First(); ok && bytes.HasPrefix(iter.Key(), []byte(prefix)); ok = iter.Next() {
		if bytes.Contains(iter.Key(), []byte(part)) {
			found = append(found, bytes.Clone(iter.Key()))
		}
	}
	require.NoError(t, iter.Close())
	require.NotEmpty(t, found, "%s … %s", prefix, part)
	return found
}

// settle checkpoints a room until there is nothing left to do: its log is in the
// archive.
func (w *world) settle(id room.ID) {
	w.t.Helper()
	for range 4 {
		require.NoError(w.t, w.service.Checkpoint(w.t.Context(), id))
		w.clock.step(room.DefaultGrace + time.Second)
	}
}
