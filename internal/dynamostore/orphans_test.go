package dynamostore_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/awstest"
	"github.com/symphony-rt/symphony/internal/dynamostore"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/room/roomtest"
	"github.com/symphony-rt/symphony/internal/s3store"
)

// largeFixture is a room with large updates and a Service whose clock moves.
type largeFixture struct {
	fixture
	objects *s3store.Store
	clock   *roomtest.Clock
	service *room.Service
	text    roomtest.Author
}

func newLargeFixture(t *testing.T) *largeFixture {
	f := &largeFixture{fixture: newFixture(t), clock: roomtest.NewClock(), text: roomtest.Author{Client: 7}}
	f.objects = s3store.New(s3store.NewClient(awstest.Config(f.stack.S3), true), f.bucket, s3store.Options{})
	service, err := room.NewService(room.Ports{
		Log: f.Store, Metas: f.Store, Members: f.Store, Snapshots: f.objects, Sender: roomtest.NewGateway(), Clock: f.clock,
	}, room.Options{})
	require.NoError(t, err)
	f.service = service
	require.NoError(t, f.Swap(t.Context(), "r", room.Meta{Epoch: "e", State: room.Dirty, Created: f.clock.Now()}))
	return f
}

// update returns one that does not fit a table item.
func (f *largeFixture) update() room.Update {
	return room.Update{Data: f.text.Insert(string(make([]byte, dynamostore.MaxInline))), At: f.clock.Now()}
}

// die stores the bytes of an update and dies before its entry.
func (f *largeFixture) die(t *testing.T) {
	t.Helper()
	lost := f.open(func(op string) awstest.Fault {
		if op == "PutItem" {
			return awstest.Refuse
		}
		return awstest.Pass
	})
	_, err := lost.Append(t.Context(), "r", 0, f.update())
	require.ErrorIs(t, err, room.ErrUnavailable)
}

func (f *largeFixture) updates(t *testing.T) (keys []string) {
	t.Helper()
	require.NoError(t, f.objects.List(t.Context(), "r", room.ObjectUpdate, func(o room.Object) error {
		keys = append(keys, o.Key)
		return nil
	}))
	return keys
}

// TestOrphansOfLargeAppends: what an append that died has left under updates/
// goes with a later checkpoint (guarantee 6's clean-up), what an entry names
// stays, and what may still be named is waited for.
func TestOrphansOfLargeAppends(t *testing.T) {
	t.Parallel()
	f := newLargeFixture(t)
	f.die(t)
	f.text.Clock = 0 // it was never stored: its author sends the same again
	_, err := f.Append(t.Context(), "r", 0, f.update())
	require.NoError(t, err)
	f.die(t)
	require.Len(t, f.updates(t), 3)
	var named []string
	require.NoError(t, f.Large(t.Context(), "r", func(key string) error { named = append(named, key); return nil }))
	require.Len(t, named, 1)
	orphans, err := f.service.Orphans(t.Context(), "r")
	require.NoError(t, err)
	require.Len(t, orphans, 2)
	for _, o := range orphans {
		require.Equal(t, room.ObjectUpdate, o.Kind)
		require.NotEqual(t, named[0], o.Key)
	}

	// Young ones may be those of an append under way: the room stays unclean.
	require.NoError(t, f.service.Checkpoint(t.Context(), "r"))
	require.Len(t, f.updates(t), 3)
	for passes := 0; ; passes++ {
		m, err := f.Get(t.Context(), "r")
		require.NoError(t, err)
		if m.State == room.Clean {
			break
		}
		require.Less(t, passes, 10)
		f.clock.Advance(room.DefaultGrace + time.Second)
		require.NoError(t, f.service.Checkpoint(t.Context(), "r"))
	}
	require.Empty(t, f.updates(t), "the named one was trimmed with its entry")
	orphans, err = f.service.Orphans(t.Context(), "r")
	require.NoError(t, err)
	require.Empty(t, orphans)
}

// TestOrphansOfABusyRoom: the room is never clean, and the entry is still there.
func TestOrphansOfABusyRoom(t *testing.T) {
	t.Parallel()
	f := newLargeFixture(t)
	f.die(t)
	f.text.Clock = 0
	_, err := f.Append(t.Context(), "r", 0, f.update())
	require.NoError(t, err)
	require.NoError(t, f.service.Checkpoint(t.Context(), "r"))
	require.Len(t, f.updates(t), 2)
	// The next pass is in another hour, but the log was not trimmed meanwhile.
	f.clock.Advance(time.Hour)
	m, err := f.Get(t.Context(), "r")
	require.NoError(t, err)
	m.Superseded[0].At = f.clock.Now()
	require.NoError(t, f.Swap(t.Context(), "r", m))
	_, err = f.Append(t.Context(), "r", 1, room.Update{Data: f.text.Insert("x"), At: f.clock.Now()})
	require.NoError(t, err)
	require.NoError(t, f.service.Checkpoint(t.Context(), "r"))
	var named []string
	require.NoError(t, f.Large(t.Context(), "r", func(key string) error { named = append(named, key); return nil }))
	require.Equal(t, named, f.updates(t))
	require.Len(t, f.read(t, "r"), 2, "and can be read")
}

// TestAFrozenAppendNamesNoOrphan: a process that was frozen between the object
// and the entry must not name what a checkpoint has deleted since.
func TestAFrozenAppendNamesNoOrphan(t *testing.T) {
	t.Parallel()
	f := newLargeFixture(t)
	blobs := &freezing{Blobs: f.objects, thaw: func() {
		f.clock.Advance(room.DefaultGrace + time.Second)
		orphans, err := f.service.Orphans(t.Context(), "r")
		require.NoError(t, err)
		require.Len(t, orphans, 1)
		require.NoError(t, f.objects.Delete(t.Context(), orphans[0].Ref()))
	}}
	store := dynamostore.New(dynamostore.NewClient(awstest.Config(f.stack.DynamoDB)), f.table, blobs, dynamostore.Options{Clock: f.clock})
	_, err := store.Append(t.Context(), "r", 0, f.update())
	require.ErrorIs(t, err, room.ErrUnavailable)
	require.Empty(t, f.read(t, "r"))
}

// freezing stops the process once an object is stored.
type freezing struct {
	dynamostore.Blobs
	thaw func()
}

func (b *freezing) PutUpdate(ctx context.Context, id room.ID, nonce string, data []byte) (room.SnapshotRef, error) {
	ref, err := b.Blobs.PutUpdate(ctx, id, nonce, data)
	b.thaw()
	return ref, err
}
