package pebblestore

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strconv"
	"strings"
	"syscall"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// What Open says about a folder it cannot use. Their texts are for the person
// in front of the terminal: they name the folder and what to do.
var (
	// ErrLocked: another process (or another Store of this one) has the folder.
	ErrLocked = errors.New("the data folder is in use")
	// ErrDamaged: the folder holds a store that cannot be read, or only half of
	// one. Open never creates a new store over it.
	ErrDamaged = errors.New("the data folder is damaged")
	// ErrFormat: a later version of Symphony wrote the folder.
	ErrFormat = errors.New("the data folder has a format this version does not know")
	// ErrUnwritable: the folder cannot be created or written.
	ErrUnwritable = errors.New("the data folder cannot be written")
)

// LockedError is an ErrLocked that says who has the folder.
type LockedError struct {
	Dir string
	// PID is the process that has it, 0 when that is not known.
	PID int
}

func (e *LockedError) Error() string {
	who := "another process"
	if e.PID != 0 {
		who = fmt.Sprintf("process %d", e.PID)
	}
	return fmt.Sprintf("%v: %s is held by %s; stop that one or choose another folder", ErrLocked, e.Dir, who)
}

// Is makes errors.Is(err, ErrLocked) true.
func (e *LockedError) Is(target error) bool { return target == ErrLocked }

// The files of a data folder.
const (
	markerFile = "symphony.json" // format and state, see marker
	lockFile   = "lock"          // locked while a Store is open
	pidFile    = "pid"           // of the process that has the lock
	// and witnessFile
	storeDir = "store" // Pebble's files
)

// format is the version of everything below the folder: keys, records, values.
const format = 1

// The states of a folder. It is "creating" until Pebble's first files are
// durable, when nothing can have been acknowledged yet; from then on a missing
// store is damage, never a reason to start anew.
const (
	stateCreating = "creating"
	stateReady    = "ready"
)

type marker struct {
	Format int    `json:"format"`
	State  string `json:"state"`
}

// folder is an open, locked data folder.
type folder struct {
	fs   vfs.FS
	dir  string
	lock io.Closer
	// fresh is true while the marker says "creating".
	fresh bool
}

// openFolder creates dir if need be, locks it and reads its marker.
func openFolder(fsys vfs.FS, dir string, pid int) (*folder, error) {
	f := &folder{fs: fsys, dir: dir}
	if err := fsys.MkdirAll(dir, 0o755); err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrUnwritable, dir, err)
	}
	if err := f.acquire(pid); err != nil {
		return nil, err
	}
	if err := f.readMarker(); err != nil {
		f.close()
		return nil, err
	}
	return f, nil
}

func (f *folder) path(name string) string { return f.fs.PathJoin(f.dir, name) }

func (f *folder) acquire(pid int) error {
	lock, err := f.fs.Lock(f.path(lockFile))
	var onPath *fs.PathError
	switch {
	case errors.As(err, &onPath): // the lock file could not even be opened
		return fmt.Errorf("%w: %s: %w", ErrUnwritable, f.dir, err)
	case err != nil:
		return &LockedError{Dir: f.dir, PID: f.readPID()}
	}
	f.lock = lock
	if err := f.writeFile(pidFile, []byte(strconv.Itoa(pid)+"\n")); err != nil {
		f.close()
		return fmt.Errorf("%w: %s: %w", ErrUnwritable, f.dir, err)
	}
	return nil
}

// readPID is best effort: the holder may be about to write it.
func (f *folder) readPID() int {
	b, err := f.readFile(pidFile)
	if err != nil {
		return 0
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || pid <= 0 {
		return 0
	}
	return pid
}

func (f *folder) readMarker() error {
	b, err := f.readFile(markerFile)
	if errors.Is(err, fs.ErrNotExist) {
		return f.initialise()
	}
	if err != nil {
		return f.damaged(err)
	}
	var m marker
	if err := json.Unmarshal(b, &m); err != nil || m.Format < 1 || m.State != stateCreating && m.State != stateReady {
		return f.damaged(fmt.Errorf("%s holds %q", markerFile, b))
	}
	if m.Format > format {
		return fmt.Errorf("%w: %s has format %d, this version knows %d; use the version that wrote it or another folder",
			ErrFormat, f.dir, m.Format, format)
	}
	f.fresh = m.State == stateCreating
	if f.fresh {
		// What a crash has left of a store that was being made may lack any of its
		// files, and nobody was told that anything is in it.
		if err := f.fs.RemoveAll(f.path(storeDir)); err != nil {
			return fmt.Errorf("%w: %s: %w", ErrUnwritable, f.dir, err)
		}
	}
	return nil
}

// initialise marks a folder without a marker as new, unless it holds a store.
func (f *folder) initialise() error {
	switch _, err := f.fs.Stat(f.path(storeDir)); {
	case err == nil:
		return f.damaged(fmt.Errorf("there is %s but no %s", storeDir, markerFile))
	case !errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %s: %w", ErrUnwritable, f.dir, err)
	}
	f.fresh = true
	return f.writeMarker(stateCreating)
}

// ready records that the store exists.
func (f *folder) ready() error {
	if !f.fresh {
		return nil
	}
	if err := f.writeMarker(stateReady); err != nil {
		return err
	}
	f.fresh = false
	return nil
}

func (f *folder) writeMarker(state string) error {
	b, err := json.Marshal(marker{Format: format, State: state})
	if err != nil {
		return err
	}
	if err := f.replaceFile(markerFile, append(b, '\n')); err != nil {
		return fmt.Errorf("%w: %s: %w", ErrUnwritable, f.dir, err)
	}
	return nil
}

func (f *folder) damaged(cause error) error {
	return fmt.Errorf("%w: %s: %w. Nothing was changed. Restore the folder from a copy, or move it away to start empty: mv %s %s.damaged",
		ErrDamaged, f.dir, cause, f.dir, f.dir)
}

func (f *folder) readFile(name string) ([]byte, error) {
	file, err := f.fs.Open(f.path(name))
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return io.ReadAll(file)
}

// replaceFile writes name durably and atomically.
func (f *folder) replaceFile(name string, b []byte) error {
	if err := f.writeFile(name+".new", b); err != nil {
		return err
	}
	if err := f.fs.Rename(f.path(name+".new"), f.path(name)); err != nil {
		return err
	}
	if err := f.syncDir(f.dir); err != nil {
		return err
	}
	return f.syncDir(f.fs.PathDir(f.dir))
}

func (f *folder) writeFile(name string, b []byte) error {
	file, err := f.fs.Create(f.path(name), vfs.WriteCategoryUnspecified)
	if err != nil {
		return err
	}
	_, err = file.Write(b)
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

func (f *folder) syncDir(dir string) error {
	d, err := f.fs.OpenDir(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// close gives the folder back.
func (f *folder) close() error {
	err := f.fs.Remove(f.path(pidFile))
	if errors.Is(err, fs.ErrNotExist) {
		err = nil
	}
	return errors.Join(err, f.lock.Close())
}

// explain turns Pebble's error at opening into one of this package's.
func (f *folder) explain(err error) error {
	for _, e := range []error{fs.ErrPermission, syscall.EROFS, syscall.ENOSPC, syscall.EDQUOT} {
		if errors.Is(err, e) {
			return fmt.Errorf("%w: %s: %w", ErrUnwritable, f.dir, err)
		}
	}
	for _, e := range []error{syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM} {
		if errors.Is(err, e) {
			return fmt.Errorf("pebblestore: open %s: %w", f.dir, err)
		}
	}
	return f.damaged(err)
}
