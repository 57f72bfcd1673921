package pebblestore_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/errorfs"
	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/pebblestore"
	"github.com/symphony-rt/symphony/internal/room"
)

// The test binary plays other processes: with this variable set it runs the
// named role in the folder given as its argument instead of the tests.
const roleVariable = "PEBBLESTORE_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(roleVariable) {
	case "":
		os.Exit(m.Run())
	case "hold":
		os.Exit(roleHold(os.Args[1]))
	case "fill":
		os.Exit(roleFill(os.Args[1]))
	case "append":
		os.Exit(roleAppend(os.Args[1]))
	}
}

func role(t *testing.T, name, dir string) *exec.Cmd {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], dir)
	cmd.Env = append(os.Environ(), roleVariable+"="+name)
	cmd.Stderr = os.Stderr
	return cmd
}

// roleHold opens the folder, says so, and waits for its input to end.
func roleHold(dir string) int {
	s, err := pebblestore.Open(dir, pebblestore.Options{})
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println("open")
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	if err := s.Close(); err != nil {
		return 1
	}
	return 0
}

func TestLockedByAnotherProcess(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data")
	cmd := role(t, "hold", dir)
	in, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "open\n", line)

	_, err = pebblestore.Open(dir, pebblestore.Options{})
	require.ErrorIs(t, err, pebblestore.ErrLocked)
	var locked *pebblestore.LockedError
	require.ErrorAs(t, err, &locked)
	require.Equal(t, cmd.Process.Pid, locked.PID)
	require.ErrorContains(t, err, strconv.Itoa(cmd.Process.Pid))
	require.ErrorContains(t, err, dir)

	require.NoError(t, in.Close())
	require.NoError(t, cmd.Wait())
	s, err := pebblestore.Open(dir, pebblestore.Options{})
	require.NoError(t, err, "free again")
	require.NoError(t, s.Close())
}

func TestLockedByThisProcess(t *testing.T) {
	dir := t.TempDir()
	s, err := pebblestore.Open(dir, pebblestore.Options{})
	require.NoError(t, err)
	t.Chdir(filepath.Dir(dir))
	for _, name := range []string{dir, dir + "/.", filepath.Base(dir)} {
		_, err = pebblestore.Open(name, pebblestore.Options{})
		require.ErrorIs(t, err, pebblestore.ErrLocked, name)
		require.ErrorContains(t, err, strconv.Itoa(os.Getpid()))
	}
	require.NoError(t, s.Close())
	require.NoError(t, s.Close(), "closing twice")
}

func TestAKilledHolderLocksNothing(t *testing.T) {
	dir := t.TempDir()
	cmd := role(t, "hold", dir)
	_, err := cmd.StdinPipe()
	require.NoError(t, err)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	_, err = bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
	s, err := pebblestore.Open(dir, pebblestore.Options{})
	require.NoError(t, err)
	require.NoError(t, s.Close())
}

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

func TestALaterFormat(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, os.WriteFile(dir+"/symphony.json", []byte(`{"format":2,"state":"ready"}`), 0o644))
	_, err := pebblestore.Open(dir, pebblestore.Options{})
	require.ErrorIs(t, err, pebblestore.ErrFormat)
}

// TestAHalfMadeFolder: a kill while the folder was being made leaves nothing
// that stands in the way.
func TestAHalfMadeFolder(t *testing.T) {
	rng := newRand(t)
	for n := int64(1); ; n++ {
		mem := vfs.NewCrashableMem()
		fail := failingFrom(n, errors.New("killed"))
		s, err := pebblestore.Open("/data", pebblestore.Options{FS: errorfs.Wrap(mem, fail)})
		after := crashed(mem, rng)
		again, err2 := pebblestore.Open("/data", pebblestore.Options{FS: after})
		require.NoError(t, err2, "after failing from write %d on", n)
		require.NoError(t, again.Close())
		if err == nil {
			_ = s.Close()
			if fail.count.Load() < n {
				return
			}
		}
	}
}

func TestUnwritable(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o644))
	for _, dir := range []string{file, file + "/below"} {
		_, err := pebblestore.Open(dir, pebblestore.Options{})
		require.ErrorIs(t, err, pebblestore.ErrUnwritable)
		require.ErrorContains(t, err, dir)
	}
	for _, cause := range []error{syscall.EACCES, syscall.EROFS, syscall.ENOSPC} {
		for n := int64(1); n < 60; n += 3 {
			fail := failingFrom(n, &fs.PathError{Op: "write", Path: "x", Err: cause})
			s, err := pebblestore.Open("/data", pebblestore.Options{FS: errorfs.Wrap(vfs.NewMem(), fail)})
			if err == nil {
				_ = s.Close()
				continue
			}
			require.ErrorIs(t, err, pebblestore.ErrUnwritable, "%v from write %d on", cause, n)
			require.ErrorIs(t, err, cause)
		}
	}
}

// meteredFS says how much space is left.
type meteredFS struct {
	vfs.FS
	free atomic.Uint64
}

func (m *meteredFS) GetDiskUsage(string) (vfs.DiskUsage, error) {
	return vfs.DiskUsage{AvailBytes: m.free.Load()}, nil
}

// steppingClock is two seconds on whenever it is asked.
type steppingClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *steppingClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(2 * time.Second)
	return c.now
}

// TestANearlyFullDisk refuses writes in good time, and takes them again.
func TestANearlyFullDisk(t *testing.T) {
	disk := &meteredFS{FS: vfs.NewMem()}
	disk.free.Store(1 << 30)
	s, err := pebblestore.Open("/data", pebblestore.Options{FS: disk, Clock: &steppingClock{now: time.Now()}})
	require.NoError(t, err)
	ctx := context.Background()
	write := func(n int) error {
		_, err := s.Log().Append(ctx, "r", 0, room.Update{Data: make([]byte, n)})
		return err
	}
	require.NoError(t, write(1000))
	disk.free.Store(pebblestore.DefaultMinFree + 1<<20)
	require.ErrorIs(t, write(10<<20), room.ErrUnavailable, "too large for what is left")
	require.NoError(t, write(1000), "small enough")
	disk.free.Store(pebblestore.DefaultMinFree - 1)
	require.ErrorIs(t, write(1), room.ErrUnavailable)
	require.ErrorContains(t, write(1), "disk is full")
	_, err = s.Snapshots().Put(ctx, "r", 1, "n", []byte("x"))
	require.ErrorIs(t, err, room.ErrUnavailable)
	require.ErrorIs(t, s.Members().Add(ctx, "r", room.Member{Connection: "c"}), room.ErrUnavailable)
	require.NoError(t, s.Log().Trim(ctx, "r", 1), "making room is allowed")
	tail, err := s.Log().Tail(ctx, "r", 0)
	require.NoError(t, err, "and so is reading")
	require.EqualValues(t, 2, tail)
	disk.free.Store(1 << 30)
	require.NoError(t, write(10<<20))
	tail, err = s.Log().Tail(ctx, "r", 0)
	require.NoError(t, err)
	require.EqualValues(t, 3, tail, "refused writes took no number")
	require.NoError(t, s.Err())
	require.NoError(t, s.Close())
}
