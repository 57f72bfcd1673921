package pebblestore_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/pebblestore"
	"github.com/symphony-rt/symphony/internal/room"
)

// roleFill makes a store with entries both in tables and in the log, says so,
// and waits to be killed.
func roleFill(dir string) int {
	ctx := context.Background()
	s, err := pebblestore.Open(dir, pebblestore.Options{})
	for i := 0; err == nil && i < filled; i++ {
		size := 1 << 20 // past the memory table, so that tables exist
		if i >= filled-100 {
			size = 1000
		}
		_, err = s.Log().Append(ctx, "r", 0, room.Update{Data: incompressible(size)})
	}
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("filled")
	select {}
}

// filled is how many entries roleFill leaves in room r.
const filled = 140

// fill makes a store in dir and leaves it as a kill does.
func fill(t *testing.T, dir string) {
	t.Helper()
	cmd := role(t, "fill", dir)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "filled\n", line)
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
}

var noise = newNoise()

func newNoise() func([]byte) {
	x := uint64(88172645463325252)
	return func(b []byte) {
		for i := range b {
			x ^= x << 13
			x ^= x >> 7
			x ^= x << 17
			b[i] = byte(x)
		}
	}
}

func incompressible(n int) []byte {
	b := make([]byte, n)
	noise(b)
	return b
}

func copyTree(t *testing.T, from, to string) {
	t.Helper()
	require.NoError(t, os.CopyFS(to, os.DirFS(from)))
}

func glob(t *testing.T, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	require.NoError(t, err)
	require.NotEmpty(t, names, pattern)
	return names
}

func flip(t *testing.T, name string, at func(size int) int) {
	t.Helper()
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	b[at(len(b))] ^= 0x40
	require.NoError(t, os.WriteFile(name, b, 0o644))
}

func middle(size int) int { return size / 2 }

// lastLog is the log in use, and where what was written to it ends: the file
// is preallocated, and may have been another log before.
func lastLog(t *testing.T, dir string) (name string, end int) {
	t.Helper()
	names := glob(t, dir+"/store/*.log")
	name = names[len(names)-1]
	b, err := os.ReadFile(name)
	require.NoError(t, err)
	last := lastEntry(t, dir)
	end = bytes.LastIndex(b, last)
	require.Positive(t, end)
	return name, end + len(last)
}

// lastEntry returns the end of the last entry's bytes, as fill left it.
func lastEntry(t *testing.T, dir string) []byte {
	t.Helper()
	copied := filepath.Join(t.TempDir(), "copy")
	copyTree(t, dir, copied)
	s, err := pebblestore.Open(copied, pebblestore.Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	var last []byte
	require.NoError(t, s.Log().Read(t.Context(), "r", filled-1, func(u room.Update) error {
		last = bytes.Clone(u.Data[len(u.Data)-16:])
		return nil
	}))
	return last
}

// TestDamage spoils a folder in every way and demands that Open either says
// ErrDamaged and leaves every file as it was, or opens a store that says
// ErrCorrupt when the spoilt entry is read, or has every entry nevertheless.
// Never an empty room (G5).
func TestDamage(t *testing.T) {
	original := filepath.Join(t.TempDir(), "original")
	fill(t, original)
	for name, spoil := range map[string]func(t *testing.T, dir string){
		"the store is gone":   func(t *testing.T, dir string) { require.NoError(t, os.RemoveAll(dir+"/store")) },
		"the marker is gone":  func(t *testing.T, dir string) { require.NoError(t, os.Remove(dir+"/symphony.json")) },
		"the marker is empty": func(t *testing.T, dir string) { require.NoError(t, os.Truncate(dir+"/symphony.json", 0)) },
		"the marker is nonsense": func(t *testing.T, dir string) {
			require.NoError(t, os.WriteFile(dir+"/symphony.json", []byte("x"), 0o644))
		},
		"the store is empty": func(t *testing.T, dir string) {
			require.NoError(t, os.RemoveAll(dir+"/store"))
			require.NoError(t, os.Mkdir(dir+"/store", 0o755))
		},
		"the manifest's marker is gone": func(t *testing.T, dir string) {
			for _, n := range glob(t, dir+"/store/marker.manifest*") {
				require.NoError(t, os.Remove(n))
			}
		},
		"the format's marker is gone": func(t *testing.T, dir string) {
			for _, n := range glob(t, dir+"/store/marker.format*") {
				require.NoError(t, os.Remove(n))
			}
		},
		"the manifest is gone": func(t *testing.T, dir string) {
			for _, n := range glob(t, dir+"/store/MANIFEST*") {
				require.NoError(t, os.Remove(n))
			}
		},
		"a bit of the manifest": func(t *testing.T, dir string) {
			for _, n := range glob(t, dir+"/store/MANIFEST*") {
				flip(t, n, middle)
			}
		},
		"a table is gone":  func(t *testing.T, dir string) { require.NoError(t, os.Remove(glob(t, dir+"/store/*.sst")[0])) },
		"a table is short": func(t *testing.T, dir string) { require.NoError(t, os.Truncate(glob(t, dir+"/store/*.sst")[0], 1000)) },
		"a bit of a table": func(t *testing.T, dir string) { flip(t, glob(t, dir+"/store/*.sst")[0], middle) },
		"a bit of the log": func(t *testing.T, dir string) {
			n, end := lastLog(t, dir)
			flip(t, n, func(int) int { return end / 2 })
		},
		"the log's first": func(t *testing.T, dir string) { n, _ := lastLog(t, dir); flip(t, n, func(int) int { return 20 }) },
		"the options' file": func(t *testing.T, dir string) {
			require.NoError(t, os.WriteFile(glob(t, dir+"/store/OPTIONS*")[0], []byte("x"), 0o644))
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "data")
			copyTree(t, original, dir)
			spoil(t, dir)
			before := listing(t, dir)
			s, err := pebblestore.Open(dir, pebblestore.Options{})
			if err != nil {
				require.ErrorIs(t, err, pebblestore.ErrDamaged)
				require.ErrorContains(t, err, dir)
				require.ErrorContains(t, err, "move it away")
				require.Subset(t, listing(t, dir), before, "nothing was deleted")
				return
			}
			defer func() { require.NoError(t, s.Close()) }()
			n := 0
			err = s.Log().Read(context.Background(), "r", 0, func(room.Update) error { n++; return nil })
			if n < filled {
				require.ErrorIs(t, err, room.ErrCorrupt)
			}
		})
	}
}

func listing(t *testing.T, dir string) (names []string) {
	t.Helper()
	require.NoError(t, filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if name := strings.TrimPrefix(path, dir); name != "/lock" && name != "/pid" && name != "/store/LOCK" {
			names = append(names, name)
		}
		return err
	}))
	return names
}

// TestALostLogIsDamage: whoever deletes the log in use takes acknowledged
// entries with it.
func TestALostLogIsDamage(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	s, err := pebblestore.Open(dir, pebblestore.Options{Clock: &steppingClock{now: time.Now()}})
	require.NoError(t, err)
	for range 10 {
		_, err := s.Log().Append(context.Background(), "r", 0, room.Update{Data: []byte("x")})
		require.NoError(t, err)
	}
	require.NoError(t, s.Close())
	for _, n := range glob(t, dir+"/store/*.log") {
		require.NoError(t, os.Remove(n))
	}
	for range 2 {
		_, err = pebblestore.Open(dir, pebblestore.Options{})
		require.ErrorIs(t, err, pebblestore.ErrDamaged)
		require.ErrorContains(t, err, "10 commits were acknowledged, 0 are there")
	}
}

// TestATornLogIsNoDamage: the end of the log that a kill cut short was never
// acknowledged.
func TestATornLogIsNoDamage(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	fill(t, dir)
	name, end := lastLog(t, dir)
	require.NoError(t, os.Truncate(name, int64(end-500)))
	s, err := pebblestore.Open(dir, pebblestore.Options{})
	require.NoError(t, err)
	n := 0
	require.NoError(t, s.Log().Read(context.Background(), "r", 0, func(room.Update) error { n++; return nil }))
	require.Equal(t, filled-1, n)
	require.NoError(t, s.Close())
}
