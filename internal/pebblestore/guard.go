package pebblestore

import (
	"fmt"
	"path"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// guardedFS stands between Pebble and the disk. Pebble answers a failure to
// write its log, its manifest or its folder with a panic, some of them on
// goroutines of its own or with a lock in a state no recover can mend, which
// would take the process down. Here such a failure stops the store (fault) and
// the call that met it never returns: Pebble does nothing more with a log it
// could not write, and everybody who waits is woken by the fault.
//
// Failures with other files (tables, which Pebble writes anew) pass.
type guardedFS struct {
	vfs.FS
	fault *fault
	pace  *pace
}

// vital says whether Pebble cannot live with a failed write to this file: the
// log (000123.log), the manifest (MANIFEST-000123), or a marker of the
// manifest in use or the format (marker.…).
func vital(name string) bool {
	base := path.Base(strings.ReplaceAll(name, `\`, "/"))
	return strings.HasSuffix(base, ".log") || strings.HasPrefix(base, "MANIFEST") || strings.HasPrefix(base, "marker")
}

// hold returns err, or never when the file is vital and err is not nil.
func (g guardedFS) hold(name string, err error) error {
	if err == nil || !vital(name) {
		return err
	}
	return g.stop(name, err)
}

func (g guardedFS) stop(name string, err error) error {
	g.fault.raise(fmt.Errorf("write %s: %w", name, err))
	select {}
}

func (g guardedFS) wrap(name string, f vfs.File, err error) (vfs.File, error) {
	if err = g.hold(name, err); err != nil {
		return nil, err
	}
	if !vital(name) {
		return f, nil
	}
	return guardedFile{f, name, g}, nil
}

func (g guardedFS) Create(name string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := g.FS.Create(name, c)
	if err == nil {
		f = g.pace.file(f, c)
	}
	return g.wrap(name, f, err)
}

func (g guardedFS) OpenReadWrite(name string, c vfs.DiskWriteCategory, opts ...vfs.OpenOption) (vfs.File, error) {
	f, err := g.FS.OpenReadWrite(name, c, opts...)
	return g.wrap(name, f, err)
}

func (g guardedFS) ReuseForWrite(oldname, newname string, c vfs.DiskWriteCategory) (vfs.File, error) {
	f, err := g.FS.ReuseForWrite(oldname, newname, c)
	return g.wrap(newname, f, err)
}

func (g guardedFS) Rename(oldname, newname string) error {
	return g.hold(newname, g.FS.Rename(oldname, newname))
}

// OpenDir guards the folder too: a new log exists only once its folder is
// synced.
func (g guardedFS) OpenDir(name string) (vfs.File, error) {
	d, err := g.FS.OpenDir(name)
	if err != nil {
		return nil, err
	}
	return guardedDir{d, name, g}, nil
}

func (g guardedFS) Unwrap() vfs.FS { return g.FS }

type guardedFile struct {
	vfs.File
	name string
	fs   guardedFS
}

func (f guardedFile) Write(b []byte) (int, error) {
	n, err := f.File.Write(b)
	return n, f.fs.hold(f.name, err)
}

func (f guardedFile) WriteAt(b []byte, at int64) (int, error) {
	n, err := f.File.WriteAt(b, at)
	return n, f.fs.hold(f.name, err)
}

func (f guardedFile) Sync() error { return f.fs.hold(f.name, f.File.Sync()) }

func (f guardedFile) SyncData() error { return f.fs.hold(f.name, f.File.SyncData()) }

func (f guardedFile) SyncTo(length int64) (bool, error) {
	full, err := f.File.SyncTo(length)
	return full, f.fs.hold(f.name, err)
}

func (f guardedFile) Close() error { return f.fs.hold(f.name, f.File.Close()) }

type guardedDir struct {
	vfs.File
	name string
	fs   guardedFS
}

func (d guardedDir) Sync() error {
	if err := d.File.Sync(); err != nil {
		return d.fs.stop(d.name, err)
	}
	return nil
}
