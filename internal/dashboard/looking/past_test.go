package looking

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/memstore"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/yjs"
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

type nobody struct{}

func (nobody) Post(context.Context, []room.ConnectionID, []byte) []room.Failure { return nil }
func (nobody) Disconnect(context.Context, room.ConnectionID) error              { return nil }

// counted counts what is read, and fails to on demand.
type counted struct {
	room.Snapshots
	mu    sync.Mutex
	opens int
	fail  error
}

func (c *counted) Open(ctx context.Context, key string) ([]byte, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.opens++
	if c.fail != nil {
		return nil, c.fail
	}
	return c.Snapshots.Open(ctx, key)
}

type world struct {
	t         *testing.T
	clock     *clock
	service   *room.Service
	snapshots *counted
	rooms     *Rooms
	doc       *yjs.Doc
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{t: t, clock: &clock{now: time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)}, doc: yjs.NewDoc()}
	store := memstore.New(w.clock)
	w.snapshots = &counted{Snapshots: store.Snapshots()}
	ports := room.Ports{Log: store.Log(), Metas: store.Metas(), Members: store.Members(), Snapshots: w.snapshots, Sender: nobody{}, Clock: w.clock}
	var err error
	w.service, err = room.NewService(ports, room.Options{})
	require.NoError(t, err)
	w.rooms = New(nil, ports)
	return w
}

// write makes n edits, a second apart.
func (w *world) write(n int) {
	w.t.Helper()
	for range n {
		u, err := w.doc.Transact(7, func(tx *yjs.Tx) error { return tx.Array("list").Push("some text") })
		require.NoError(w.t, err)
		_, err = w.service.Write(w.t.Context(), "a", room.User{ID: "ann"}, u)
		require.NoError(w.t, err)
		w.clock.step(time.Second)
	}
}

// settle archives the whole log.
func (w *world) settle() {
	w.t.Helper()
	for range 3 {
		require.NoError(w.t, w.service.Checkpoint(w.t.Context(), "a"))
		w.clock.step(room.DefaultGrace + time.Second)
	}
}

// P31: a room's edits over time reach back through the archives, each counted
// once, and an archive is read once.
func TestPastReachesBackThroughTheArchives(t *testing.T) {
	w := newWorld(t)
	began := w.clock.Now()
	for i := range 4 {
		w.write(10)
		w.settle()
		p, err := w.rooms.Past(t.Context(), "a")
		require.NoError(t, err)
		require.Len(t, p.Edits, 10*(i+1))
		require.True(t, p.Whole)
		require.NotEmpty(t, p.Sizes)
		require.Equal(t, i+1, w.snapshots.opens)
	}
	w.write(5) // not archived
	p, err := w.rooms.Past(t.Context(), "a")
	require.NoError(t, err)
	require.Len(t, p.Edits, 45)
	require.Equal(t, began, p.Edits[0].At)
	for i, e := range p.Edits {
		require.Positive(t, e.Bytes)
		require.True(t, i == 0 || e.At.After(p.Edits[i-1].At), i)
	}
	require.Equal(t, 4, w.snapshots.opens)
	meta, err := w.service.Metas.Get(t.Context(), "a")
	require.NoError(t, err)
	require.Equal(t, meta.Snapshot.Size, p.Sizes[len(p.Sizes)-1].Size)

	_, err = w.service.Erase(t.Context(), "a", room.User{ID: "ann"})
	require.NoError(t, err)
	p, err = w.rooms.Past(t.Context(), "a")
	require.NoError(t, err)
	require.LessOrEqual(t, len(p.Edits), 1, "what was erased is not shown")
}

// What cannot be read is a gap that is told; what could not be read this time is
// an error, and not remembered.
func TestPastWithAGap(t *testing.T) {
	w := newWorld(t)
	var archives []room.Object
	for range 3 {
		w.write(10)
		w.settle()
	}
	require.NoError(t, w.snapshots.List(t.Context(), "a", room.ObjectArchive, func(o room.Object) error { archives = append(archives, o); return nil }))
	require.Len(t, archives, 3)
	w.snapshots.fail = errors.New("throttled")
	_, err := w.rooms.Past(t.Context(), "a")
	require.ErrorIs(t, err, w.snapshots.fail)
	w.snapshots.fail = nil
	require.NoError(t, w.snapshots.Delete(t.Context(), archives[1].Ref()))
	p, err := w.rooms.Past(t.Context(), "a")
	require.NoError(t, err)
	require.Len(t, p.Edits, 10)
	require.False(t, p.Whole)
}

// However long a room was edited, a look reads only so much.
func TestPastIsBounded(t *testing.T) {
	var list []room.Object
	for i := range 1000 {
		list = append(list, room.Object{From: room.Seq(i + 1), To: room.Seq(i + 1), Size: 1000})
	}
	got := newest(list)
	require.Len(t, got, maxArchives)
	require.EqualValues(t, 1000, got[len(got)-1].To)
	for i := range list {
		list[i].Size = maxArchiveBytes / 4
	}
	require.Len(t, newest(list), 4)
	for i := range list {
		list[i].Size = 2 * maxArchiveBytes
	}
	require.Len(t, newest(list), 1)

	p := pasts{kept: map[room.ID]*past{}}
	for i := range 3 * maxPasts {
		p.keep(room.ID(string(rune('a'+i))), &past{used: time.Unix(int64(i), 0)})
	}
	require.Len(t, p.kept, maxPasts)
	require.Contains(t, p.kept, room.ID(string(rune('a'+3*maxPasts-1))))
}
