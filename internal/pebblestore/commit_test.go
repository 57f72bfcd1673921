package pebblestore

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/room"
)

func openForCommits(t *testing.T) *Store {
	t.Helper()
	s, err := Open("store", Options{FS: vfs.NewMem()})
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, s.Close()) })
	return s
}

func appendTo(ctx context.Context, s *Store, id room.ID) error {
	_, err := s.Log().Append(ctx, id, 0, room.Update{Data: []byte("x"), At: time.Unix(1, 0)})
	return err
}

// An unhurried write is as durable as any when it returns, whether somebody else
// writes or nobody does.
func TestUnhurriedWritesAreCommitted(t *testing.T) {
	s := openForCommits(t)
	ctx := room.Unhurried(t.Context())
	require.True(t, room.IsUnhurried(ctx))
	require.False(t, room.IsUnhurried(t.Context()))
	var all sync.WaitGroup
	for w := range 8 {
		all.Go(func() {
			for i := range 20 {
				id := room.ID(fmt.Sprint("room-", w))
				if w%2 == 0 || i < 3 {
					require.NoError(t, appendTo(ctx, s, id))
				} else {
					require.NoError(t, appendTo(t.Context(), s, id))
				}
				st, err := s.room(id)
				require.NoError(t, err)
				require.EqualValues(t, i+1, st.durableTail())
				s.rooms.release(st)
			}
		})
	}
	all.Wait()
}

// One that waits is taken along by the next that does not, in the order they came.
func TestAHurriedWriteTakesWaitingOnesAlong(t *testing.T) {
	s := openForCommits(t)
	done := make(chan error, 1)
	c := &s.commits
	o := s.newOp()
	require.NoError(t, o.batch.Set([]byte("k"), []byte("v"), nil))
	c.mu.Lock()
	o.unhurried = true
	c.queue = append(c.queue, o) // and no timer, so that only another write can take it along
	c.mu.Unlock()
	go func() { done <- c.wait(room.Unhurried(context.Background()), o) }()
	select {
	case <-done:
		t.Fatal("nobody was in a hurry")
	case <-time.After(50 * time.Millisecond):
	}
	require.NoError(t, appendTo(t.Context(), s, "plan"))
	require.NoError(t, <-done)
}

// Who waits for somebody else's unhurried write, an edit for a checkpoint's swap
// of the same record, has it hurried.
func TestWaitingForAnUnhurriedWriteHurriesIt(t *testing.T) {
	s := openForCommits(t)
	c := &s.commits
	o := s.newOp()
	require.NoError(t, o.batch.Set([]byte("k"), []byte("v"), nil))
	c.mu.Lock()
	o.unhurried = true
	c.queue = append(c.queue, o)
	c.mu.Unlock()
	require.NoError(t, c.wait(t.Context(), o))
}

// A store that closes commits what waits.
func TestClosingCommitsUnhurriedWrites(t *testing.T) {
	fs := vfs.NewMem()
	s, err := Open("store", Options{FS: fs})
	require.NoError(t, err)
	c := &s.commits
	o := s.newOp()
	key := updateKey("plan", 1)
	require.NoError(t, o.batch.Set(key, encodeUpdate(key, room.Update{Data: []byte("x"), At: time.Unix(1, 0)}), nil))
	c.mu.Lock()
	o.unhurried = true
	c.queue = append(c.queue, o)
	c.mu.Unlock()
	require.NoError(t, s.Close())
	<-o.done
	require.NoError(t, o.err)
	again, err := Open("store", Options{FS: fs})
	require.NoError(t, err)
	tail, err := again.Log().Tail(t.Context(), "plan", 0)
	require.NoError(t, err)
	require.EqualValues(t, 1, tail)
	require.NoError(t, again.Close())
}
