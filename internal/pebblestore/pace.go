package pebblestore

import (
	"sync/atomic"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"
)

// Pebble compacts in bursts: once in a few flushes it rewrites a hundred
// megabytes as fast as it can, and on a small machine those who edit wait for
// a CPU as long. pace stretches the bursts: a compaction rests after each write
// of its files. When flushes come faster than compactions end, it does not.
type pace struct {
	// flushes since the last compaction ended.
	flushes atomic.Int32
	closing chan struct{}
}

const (
	// paceRest is how many times as long as it worked a compaction rests: it
	// takes a quarter of one CPU.
	paceRest = 3
	// paceLeast and paceMost bound one rest: a timer costs something, and a write
	// may have waited for the disk.
	paceLeast = 5 * time.Millisecond
	paceMost  = 50 * time.Millisecond
	// paceFlushes is from how many flushes on compactions are behind.
	paceFlushes = 8
	// compactionCategory is how Pebble names a compaction's files to its FS.
	compactionCategory = "pebble-compaction"
)

func newPace() *pace { return &pace{closing: make(chan struct{})} }

func (p *pace) flushed()   { p.flushes.Add(1) }
func (p *pace) compacted() { p.flushes.Store(0) }

// stop ends all rests.
func (p *pace) stop() { close(p.closing) }

// file paces what a compaction writes to f.
func (p *pace) file(f vfs.File, c vfs.DiskWriteCategory) vfs.File {
	if c != compactionCategory {
		return f
	}
	return &pacedFile{File: f, pace: p, since: time.Now()}
}

type pacedFile struct {
	vfs.File
	pace  *pace
	since time.Time     // when the compaction went to work again
	owed  time.Duration // rest
}

// Write implements vfs.File.
func (f *pacedFile) Write(b []byte) (int, error) {
	n, err := f.File.Write(b)
	if rest := f.due(time.Since(f.since)); rest > 0 {
		timer := time.NewTimer(rest)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-f.pace.closing:
		}
	}
	f.since = time.Now()
	return n, err
}

// due is how long to rest now, after so much further work.
func (f *pacedFile) due(worked time.Duration) (rest time.Duration) {
	if f.owed += paceRest * worked; f.owed < paceLeast {
		return 0
	}
	rest, f.owed = min(f.owed, paceMost), 0
	if f.pace.flushes.Load() >= paceFlushes {
		return 0
	}
	return rest
}
