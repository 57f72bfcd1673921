package pebblestore_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/pebblestore"
	"github.com/symphony-rt/symphony/internal/room"
)

// ledger is what writers were told: per room, the data of each acknowledged
// sequence number.
type ledger struct {
	mu    sync.Mutex
	rooms map[room.ID]map[room.Seq]string
	metas map[room.ID]uint64
	refs  map[room.SnapshotRef]string
}

func newLedger() *ledger {
	return &ledger{rooms: map[room.ID]map[room.Seq]string{}, metas: map[room.ID]uint64{}, refs: map[room.SnapshotRef]string{}}
}

func (l *ledger) appended(id room.ID, seq room.Seq, data string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.rooms[id] == nil {
		l.rooms[id] = map[room.Seq]string{}
	}
	if other, taken := l.rooms[id][seq]; taken {
		panic(fmt.Sprintf("%s: number %d given to %q and to %q", id, seq, other, data))
	}
	l.rooms[id][seq] = data
}

func (l *ledger) swapped(id room.ID, version uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.metas[id] = max(l.metas[id], version)
}

func (l *ledger) stored(ref room.SnapshotRef, data string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refs[ref] = data
}

// copy returns what has been acknowledged so far.
func (l *ledger) copy() *ledger {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := newLedger()
	for id, entries := range l.rooms {
		c.rooms[id] = map[room.Seq]string{}
		for seq, data := range entries {
			c.rooms[id][seq] = data
		}
	}
	for id, v := range l.metas {
		c.metas[id] = v
	}
	for ref, data := range l.refs {
		c.refs[ref] = data
	}
	return c
}

// check demands of a recovered store: what was acknowledged is there, under
// its number, and the log has no gap (N1).
func (l *ledger) check(t testing.TB, s *pebblestore.Store) {
	t.Helper()
	ctx := context.Background()
	for id, entries := range l.rooms {
		got := map[room.Seq]string{}
		err := s.Log().Read(ctx, id, 0, func(u room.Update) error {
			got[u.Seq] = string(u.Data)
			return nil
		})
		require.NoError(t, err, "room %s: gapless", id)
		for seq, data := range entries {
			require.Equal(t, data, got[seq], "room %s: acknowledged entry %d", id, seq)
		}
		tail, err := s.Log().Tail(ctx, id, 0)
		require.NoError(t, err)
		require.EqualValues(t, len(got), tail)
		next, err := s.Log().Append(ctx, id, 0, room.Update{Data: []byte("next")})
		require.NoError(t, err)
		require.Equal(t, tail+1, next)
	}
	for id, version := range l.metas {
		m, err := s.Metas().Get(ctx, id)
		require.NoError(t, err)
		require.GreaterOrEqual(t, m.Version, version, "room %s: acknowledged record", id)
	}
	for ref, data := range l.refs {
		got, err := s.Snapshots().Get(ctx, ref)
		require.NoError(t, err)
		require.True(t, data == string(got), "object %s", ref.Key)
	}
}

// session writes to s from several goroutines until rounds are done or stop
// is set, and notes in l what was acknowledged.
func session(s *pebblestore.Store, l *ledger, name string, writers, rounds int, stop *atomic.Bool) {
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			id := room.ID(fmt.Sprint("room/", w%3))
			for i := 0; i < rounds && !stop.Load(); i++ {
				if err := oneRound(s, l, id, fmt.Sprintf("%s-%d-%d", name, w, i), i); err != nil {
					return
				}
			}
		})
	}
	wg.Wait()
}

func oneRound(s *pebblestore.Store, l *ledger, id room.ID, tag string, i int) error {
	ctx := context.Background()
	data := tag + strings.Repeat("·", i%50)
	seq, err := s.Log().Append(ctx, id, 0, room.Update{Data: []byte(data)})
	if err != nil {
		return err
	}
	l.appended(id, seq, data)
	switch i % 8 {
	case 1:
		m, err := s.Metas().Get(ctx, id)
		if err != nil {
			return err
		}
		m.Epoch, m.State = tag, room.Dirty
		if err := s.Metas().Swap(ctx, id, m); errors.Is(err, room.ErrConflict) {
			return nil
		} else if err != nil {
			return err
		}
		l.swapped(id, m.Version+1)
	case 3:
		object := strings.Repeat(tag, 300_000/len(tag)*(i%11))
		ref, err := s.Snapshots().Put(ctx, id, seq, tag, []byte(object))
		if err != nil {
			return err
		}
		l.stored(ref, object)
	case 5:
		return s.Members().Add(ctx, id, room.Member{Connection: room.ConnectionID(tag), ConnectedAt: time.Now()})
	}
	return nil
}

// TestN1PowerCut cuts the power again and again while eight writers write:
// each time a clone of the file system keeps what was synced and a random part
// of what was not.
func TestN1PowerCut(t *testing.T) {
	rng := newRand(t)
	fs := vfs.NewCrashableMem()
	l := newLedger()
	for cut := range 12 {
		s, err := pebblestore.Open("/data", pebblestore.Options{FS: fs})
		require.NoError(t, err)
		var stop atomic.Bool
		done := make(chan struct{})
		go func() {
			defer close(done)
			session(s, l, fmt.Sprint("cut", cut), 8, 200, &stop)
		}()
		time.Sleep(time.Duration(rng.IntN(60)) * time.Millisecond)
		acknowledged := l.copy() // before the cut
		after := crashed(fs, rng)
		stop.Store(true)
		<-done
		require.NoError(t, s.Close())

		s, err = pebblestore.Open("/data", pebblestore.Options{FS: after})
		require.NoError(t, err)
		acknowledged.check(t, s)
		require.NoError(t, s.Close())
		fs, l = after, acknowledged
		l.rooms = map[room.ID]map[room.Seq]string{} // check has appended: read anew
		reread(t, fs, l)
	}
}

// reread fills l with the log as it is in fs.
func reread(t *testing.T, fs vfs.FS, l *ledger) {
	s, err := pebblestore.Open("/data", pebblestore.Options{FS: fs})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	for r := range 3 {
		id := room.ID(fmt.Sprint("room/", r))
		require.NoError(t, s.Log().Read(context.Background(), id, 0, func(u room.Update) error {
			l.appended(id, u.Seq, string(u.Data))
			return nil
		}))
	}
}

// failFrom makes the file system fail every write and sync from the nth on.
type failFrom struct {
	n     atomic.Int64
	count atomic.Int64
	err   error
}

func failingFrom(n int64, err error) *failFrom {
	f := &failFrom{err: err}
	f.n.Store(n)
	return f
}

func (f *failFrom) String() string { return fmt.Sprintf("fail from %d", f.n.Load()) }

func (f *failFrom) MaybeError(op errorfs.Op) error {
	if op.Kind.ReadOrWrite() != errorfs.OpIsWrite {
		return nil
	}
	if f.count.Add(1) >= f.n.Load() {
		return f.err
	}
	return nil
}

// TestN1EveryWriteFails lets the disk fail from write number N on, for N in
// random steps of one to three through a whole session: the process survives, every call returns, nothing is acknowledged
// after a hole, and a restart on a mended disk finds what was acknowledged.
func TestN1EveryWriteFails(t *testing.T) {
	broken := errors.New("the disk has failed")
	rng := newRand(t)
	reached := 0
	for n := int64(1); ; n += 1 + rng.Int64N(3) {
		fs := vfs.NewCrashableMem()
		fail := failingFrom(n, broken)
		l := newLedger()
		s, err := pebblestore.Open("/data", pebblestore.Options{FS: errorfs.Wrap(fs, fail)})
		if err == nil {
			reached++
			session(s, l, "s", 4, 12, new(atomic.Bool))
			if fail.count.Load() >= n {
				_, err := s.Log().Append(context.Background(), "room/0", 0, room.Update{Data: []byte("x")})
				if s.Err() != nil {
					require.ErrorIs(t, err, room.ErrUnavailable)
					_, err = s.Log().Tail(context.Background(), "room/0", 0)
					require.ErrorIs(t, err, room.ErrUnavailable, "reads stop too")
				}
			}
			_ = s.Close() // may well fail
		}
		after := crashed(fs, rng)
		s, err = pebblestore.Open("/data", pebblestore.Options{FS: after})
		require.NoError(t, err, "after failing from write %d on", n)
		l.check(t, s)
		require.NoError(t, s.Close())
		if fail.count.Load() < n {
			require.NotZero(t, reached)
			t.Logf("%d writes in a session, %d sessions got past opening", n, reached)
			return
		}
	}
}

// TestASyncFailureStopsTheStore: a single failed sync, then a healthy disk. The
// number is not given out again in this process: nobody knows what is on disk.
func TestASyncFailureStopsTheStore(t *testing.T) {
	fs := vfs.NewCrashableMem()
	var broken atomic.Bool
	inj := errorfs.InjectorFunc(func(op errorfs.Op) error {
		if (op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData) && strings.HasSuffix(op.Path, ".log") && broken.CompareAndSwap(true, false) {
			return errors.New("sync failed")
		}
		return nil
	})
	s, err := pebblestore.Open("/data", pebblestore.Options{FS: errorfs.Wrap(fs, inj)})
	require.NoError(t, err)
	ctx := context.Background()
	seq, err := s.Log().Append(ctx, "r", 0, room.Update{Data: []byte("1")})
	require.NoError(t, err)
	require.EqualValues(t, 1, seq)
	broken.Store(true)
	_, err = s.Log().Append(ctx, "r", 0, room.Update{Data: []byte("2")})
	require.ErrorIs(t, err, room.ErrUnavailable)
	<-s.Failed()
	require.ErrorContains(t, s.Err(), "sync failed")
	for range 3 {
		_, err = s.Log().Append(ctx, "r", 0, room.Update{Data: []byte("3")})
		require.ErrorIs(t, err, room.ErrUnavailable)
	}
	_ = s.Close()
	s, err = pebblestore.Open("/data", pebblestore.Options{FS: fs.CrashClone(vfs.CrashCloneCfg{})})
	require.NoError(t, err)
	tail, err := s.Log().Tail(ctx, "r", 0)
	require.NoError(t, err)
	require.EqualValues(t, 1, tail)
	require.NoError(t, s.Close())
}

// slowSync holds back the sync of the log until it is let go.
type slowSync struct {
	armed   atomic.Bool
	started chan struct{}
	release chan struct{}
}

func (h *slowSync) String() string { return "hold syncs" }

func (h *slowSync) MaybeError(op errorfs.Op) error {
	if (op.Kind == errorfs.OpFileSync || op.Kind == errorfs.OpFileSyncData) && strings.HasSuffix(op.Path, ".log") && h.armed.CompareAndSwap(true, false) {
		close(h.started)
		<-h.release
	}
	return nil
}

// impatient is a context whose time is up as soon as somebody waits for it, and
// not before: what is waited for is under way then.
type impatient struct {
	context.Context
	over atomic.Bool
}

func (c *impatient) Done() <-chan struct{} {
	c.over.Store(true)
	over := make(chan struct{})
	close(over)
	return over
}

func (c *impatient) Err() error {
	if c.over.Load() {
		return context.DeadlineExceeded
	}
	return nil
}

// TestReadersSeeOnlyWhatIsDurable holds a sync back: the entry and the record
// under way are shown to nobody, because a crash could still take them back.
func TestReadersSeeOnlyWhatIsDurable(t *testing.T) {
	hold := &slowSync{started: make(chan struct{}), release: make(chan struct{})}
	s, err := pebblestore.Open("/data", pebblestore.Options{FS: errorfs.Wrap(vfs.NewMem(), hold)})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	ctx := context.Background()
	_, err = s.Log().Append(ctx, "r", 0, room.Update{Data: []byte("1")})
	require.NoError(t, err)
	hold.armed.Store(true)
	results := make(chan error, 2)
	go func() {
		_, err := s.Log().Append(ctx, "r", 0, room.Update{Data: []byte("2")})
		results <- err
	}()
	go func() { results <- s.Metas().Swap(ctx, "r", room.Meta{Epoch: "new"}) }()
	<-hold.started

	count := func() (n int) {
		require.NoError(t, s.Log().Read(ctx, "r", 0, func(room.Update) error { n++; return nil }))
		return n
	}
	require.Equal(t, 1, count())
	tail, err := s.Log().Tail(ctx, "r", 0)
	require.NoError(t, err)
	require.EqualValues(t, 1, tail)
	m, err := s.Metas().Get(ctx, "r")
	require.NoError(t, err)
	require.Zero(t, m.Version)

	// A caller that cannot wait is told that nothing is certain.
	_, err = s.Log().Append(&impatient{Context: ctx}, "r", 0, room.Update{Data: []byte("3")})
	require.ErrorIs(t, err, room.ErrUnavailable)
	require.ErrorIs(t, err, context.DeadlineExceeded)

	close(hold.release)
	require.NoError(t, <-results)
	require.NoError(t, <-results)
	seq, err := s.Log().Append(ctx, "r", 0, room.Update{Data: []byte("4")})
	require.NoError(t, err)
	require.EqualValues(t, 4, seq, "the one that was given up on was stored after all")
	require.Equal(t, 4, count())
	m, err = s.Metas().Get(ctx, "r")
	require.NoError(t, err)
	require.Equal(t, "new", m.Epoch)
}
