package operate_test

import (
	"context"
	"sync"
	"testing"
	"time"

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
	store   *pebblestore.Store
	service *room.Service
	rooms   *operate.Direct
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, clock: &clock{now: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)}}
	var err error
	w.store, err = pebblestore.Open("data", pebblestore.Options{Clock: w.clock, FS: vfs.NewMem(), MinFree: -1})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.store.Close()) })
	w.service, err = room.NewService(room.Ports{
		Log: w.store.Log(), Metas: w.store.Metas(), Members: w.store.Members(), Snapshots: w.store.Snapshots(), Sender: nobody{}, Clock: w.clock,
	}, room.Options{})
	require.NoError(t, err)
	w.rooms = operate.NewDirect(w.service, operate.Recounted{
		Rooms: w.store.Rooms, Log: w.store.Log(), Metas: w.store.Metas(), Members: w.store.Members(),
	}, room.User{ID: "operator"})
	return w
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
