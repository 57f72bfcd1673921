package pebblestore

import (
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"
)

func TestACompactionRestsUnlessItIsBehind(t *testing.T) {
	p := newPace()
	fs := vfs.NewMem()
	create := func(c vfs.DiskWriteCategory) vfs.File {
		f, err := fs.Create("000001.sst", c)
		require.NoError(t, err)
		return p.file(f, c)
	}
	_, paced := create("pebble-memtable-flush").(*pacedFile)
	require.False(t, paced, "a flush is what writers wait for")
	f, paced := create(compactionCategory).(*pacedFile)
	require.True(t, paced)

	require.Zero(t, f.due(time.Millisecond), "not worth a timer yet")
	require.Equal(t, 6*time.Millisecond, f.due(time.Millisecond))
	require.Zero(t, f.due(time.Millisecond), "it has rested")
	require.Equal(t, paceMost, f.due(time.Minute))
	for range paceFlushes {
		p.flushed()
	}
	require.Zero(t, f.due(time.Second), "flushes come faster")
	p.compacted()
	require.Equal(t, 30*time.Millisecond, f.due(10*time.Millisecond))

	// Close waits for no rest.
	p.stop()
	f.owed = time.Hour
	_, err := f.Write([]byte("x"))
	require.NoError(t, err)
}

// The name under which compactions are known here is Pebble's own: a store that
// compacts does it through a paced file.
func TestPebbleNamesItsCompactions(t *testing.T) {
	seen := map[vfs.DiskWriteCategory]bool{}
	fs := namedFS{vfs.NewMem(), seen}
	db, err := pebble.Open("db", &pebble.Options{FS: fs, DisableAutomaticCompactions: true})
	require.NoError(t, err)
	for _, value := range []string{"a", "b"} {
		require.NoError(t, db.Set([]byte("k"), []byte(value), nil))
		require.NoError(t, db.Flush())
	}
	require.NoError(t, db.Compact(t.Context(), []byte("a"), []byte("z"), false))
	require.NoError(t, db.Close())
	require.True(t, seen[compactionCategory], "%v", seen)
}

type namedFS struct {
	vfs.FS
	seen map[vfs.DiskWriteCategory]bool
}

func (f namedFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f.seen[c] = true
	return f.FS.Create(name, c)
}
