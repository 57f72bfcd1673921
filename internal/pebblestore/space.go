package pebblestore

import (
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/symphony-rt/symphony/internal/room"
)

// spaceInterval is how old the last look at the disk may be, and spaceBytes
// how much may be written meanwhile.
const (
	spaceInterval = time.Second
	spaceBytes    = 8 << 20
)

var errDiskFull = errors.New("the disk is full")

// space refuses writes before the disk is full: a log that cannot be written
// would stop the store for good.
type space struct {
	fs      vfs.FS
	dir     string
	minFree int64
	clock   room.Clock

	mu     sync.Mutex
	looked time.Time
	free   int64 // at looked, less what was accepted since
}

func (sp *space) init(fs vfs.FS, dir string, minFree int64, clock room.Clock) {
	if minFree == 0 {
		minFree = DefaultMinFree
	}
	sp.fs, sp.dir, sp.minFree, sp.clock = fs, dir, minFree, clock
}

// reserve reports ErrUnavailable when n more bytes would fill the disk. A file
// system that cannot tell is trusted.
func (sp *space) reserve(n int) error {
	if sp.minFree < 0 {
		return nil
	}
	sp.mu.Lock()
	defer sp.mu.Unlock()
	now := sp.clock.Now()
	age := now.Sub(sp.looked)
	if sp.looked.IsZero() || age < 0 || age > spaceInterval || sp.free-int64(n) < sp.minFree+spaceBytes {
		usage, err := sp.fs.GetDiskUsage(sp.dir)
		if err != nil {
			return nil
		}
		sp.looked, sp.free = now, int64(min(usage.AvailBytes, 1<<62))
	}
	if sp.free-int64(n) < sp.minFree {
		return unavailable(fmt.Errorf("%w: %d MiB are free, %d MiB must stay free", errDiskFull, sp.free>>20, sp.minFree>>20))
	}
	sp.free -= int64(n)
	return nil
}
