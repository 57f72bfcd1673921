package pebblestore_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/pebblestore"
	"github.com/symphony-rt/symphony/internal/room"
)

// syncCounter counts the syncs of logs.
type syncCounter struct{ n atomic.Int64 }

func (c *syncCounter) String() string { return "count syncs" }

func (c *syncCounter) MaybeError(op errorfs.Op) error {
	switch op.Kind {
	case errorfs.OpFileSync, errorfs.OpFileSyncData, errorfs.OpFileSyncTo:
		if strings.HasSuffix(op.Path, ".log") {
			c.n.Add(1)
		}
	}
	return nil
}

// appendAll appends n updates of 200 bytes from writers in rooms rooms.
func appendAll(s *pebblestore.Store, n, writers, rooms int) error {
	var next atomic.Int64
	var wg sync.WaitGroup
	errs := make(chan error, writers)
	for w := range writers {
		wg.Go(func() {
			u := room.Update{Data: make([]byte, 200), Author: "user", Connection: "connection"}
			for next.Add(1) <= int64(n) {
				if _, err := s.Log().Append(context.Background(), room.ID(fmt.Sprint("room", w%rooms)), 0, u); err != nil {
					errs <- err
					return
				}
			}
		})
	}
	wg.Wait()
	close(errs)
	return <-errs
}

// TestGroupCommit: 64 writers share syncs, whether they are in 64 rooms or in
// one; a lone writer cannot.
func TestGroupCommit(t *testing.T) {
	for _, c := range []struct{ writers, rooms, n, atMost int }{
		{64, 64, 3200, 3200 / 8},
		{64, 1, 3200, 3200 / 8},
		{1, 1, 100, 110},
	} {
		var syncs syncCounter
		s, err := pebblestore.Open(t.TempDir(), pebblestore.Options{FS: errorfs.Wrap(vfs.Default, &syncs)})
		require.NoError(t, err)
		before := syncs.n.Load()
		require.NoError(t, appendAll(s, c.n, c.writers, c.rooms))
		got := int(syncs.n.Load() - before)
		t.Logf("%d writers in %d rooms: %d appends, %d syncs", c.writers, c.rooms, c.n, got)
		require.LessOrEqual(t, got, c.atMost)
		require.NotZero(t, got)
		require.NoError(t, s.Close())
	}
}

// BenchmarkAppend reports appends per sync and per second.
func BenchmarkAppend(b *testing.B) {
	for _, c := range []struct{ writers, rooms int }{{1, 1}, {64, 1}, {64, 64}, {1024, 1024}} {
		b.Run(fmt.Sprintf("writers=%d/rooms=%d", c.writers, c.rooms), func(b *testing.B) {
			var syncs syncCounter
			s, err := pebblestore.Open(b.TempDir(), pebblestore.Options{FS: errorfs.Wrap(vfs.Default, &syncs)})
			require.NoError(b, err)
			b.ResetTimer()
			before := syncs.n.Load()
			require.NoError(b, appendAll(s, b.N, c.writers, c.rooms))
			b.StopTimer()
			b.ReportMetric(float64(b.N)/float64(max(1, syncs.n.Load()-before)), "appends/sync")
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "appends/s")
			require.NoError(b, s.Close())
		})
	}
}
