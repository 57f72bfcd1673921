package pebblestore_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
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
