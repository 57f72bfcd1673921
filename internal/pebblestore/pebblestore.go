// Package pebblestore keeps rooms in one Pebble database in a folder: the
// store of `make local`. It implements the store ports of internal/room with
// the promises DynamoDB and S3 give in the cloud: an append is durable when it
// returns, sequence numbers are gapless, reads are strongly consistent, and
// nothing is shown to a reader that a crash could take back.
//
// # Writing
//
// All writes go through one goroutine (committer) that commits what has
// queued up meanwhile as one batch with one sync of the write-ahead log: group
// commit, across rooms and within one. An append takes its number under its
// room's lock, which it does not hold while it waits for the disk.
//
// # Failing
//
// When a sync fails nobody knows what is on disk. The store then stops for
// good: every call from then on returns room.ErrUnavailable, so that no
// acknowledged entry can follow a hole; opening the folder again recovers
// exactly what the log holds. A nearly full disk is noticed before that (see
// Options.MinFree) and only refuses writes while it lasts.
package pebblestore

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"
	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/symphony-rt/symphony/internal/room"
)

const (
	// DefaultMinFree is how much disk must stay free: enough for Pebble to
	// flush its memory tables and to finish a compaction.
	DefaultMinFree = 64 << 20
	// memTableBytes bounds what a restart must replay from the log, and with it
	// how long opening takes.
	memTableBytes = 16 << 20
	cacheBytes    = 32 << 20
	// SweepConcurrency is how many rooms a checkpoint should work on at a time on
	// this store, where its writes wait for those of others, and SweepCPUs how
	// many of them may keep a CPU busy: those who edit want the others.
	SweepConcurrency = 16
	SweepCPUs        = 1
	// SweepSpread is over how long at most a checkpoint should spread its rooms on
	// this store: what it takes of the CPUs and of the disk's syncs is then a
	// small part at any time.
	SweepSpread = 12 * time.Second
)

// Options say how to open a Store. The zero value is for production.
type Options struct {
	// FS is where the folder is; the operating system's by default.
	FS vfs.FS
	// Clock tells when a member is too old; the system's by default.
	Clock room.Clock
	// Logger gets what Pebble has to say; discarded by default.
	Logger *slog.Logger
	// MinFree is how many bytes must stay free on the disk for a write to be
	// accepted; DefaultMinFree when 0, negative for no check.
	MinFree int64
	// OnChange, when set, is called with every committed change, one at a time
	// and in the order of commits, by a goroutine that no write waits for: what
	// it does not keep up with queues in memory. Close waits for it, so it must
	// not call Close. See room.Change for what is promised.
	OnChange func(room.Change)
}

// Store is an open data folder. Its methods Log, Metas, Members and Snapshots
// give the ports; all are safe for concurrent use.
type Store struct {
	db       *pebble.DB
	folder   *folder
	clock    room.Clock
	logger   *slog.Logger
	onChange func(room.Change)

	rooms   roomCache
	members stripes // by connection
	objects stripes // by name
	space   space
	commits committer
	witness witness
	feed    feed

	life   sync.Mutex
	closed bool
	active sync.WaitGroup
	fault  fault
	pace   *pace
}

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

// Open opens the store in the folder dir, creating it when the folder is new.
// The errors are ErrLocked (a *LockedError), ErrDamaged, ErrFormat and
// ErrUnwritable.
func Open(dir string, o Options) (*Store, error) {
	if o.FS == nil {
		o.FS = vfs.Default
	}
	if o.Clock == nil {
		o.Clock = systemClock{}
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.FS == vfs.Default {
		// The lock knows a folder by its name: give it one.
		if abs, err := filepath.Abs(dir); err == nil {
			dir = abs
		}
	}
	f, err := openFolder(o.FS, dir, os.Getpid())
	if err != nil {
		return nil, err
	}
	s := &Store{folder: f, pace: newPace(), clock: o.Clock, logger: o.Logger, onChange: o.OnChange}
	s.fault.init(o.Logger)
	s.space.init(o.FS, dir, o.MinFree, o.Clock)
	if err := f.checkRecords(); err != nil {
		return nil, s.abandon(err)
	}
	if s.db, err = s.openPebble(); err != nil {
		return nil, s.abandon(err)
	}
	if err := errors.Join(s.openWitness(), f.ready()); err != nil {
		return nil, s.abandon(errors.Join(err, s.closePebble()))
	}
	s.rooms.init()
	s.commits.start(s)
	s.feed.start(s.onChange)
	if err := s.dropPending(); err != nil {
		return nil, errors.Join(f.explain(err), s.Close())
	}
	return s, nil
}

// abandon gives the folder back after a failed Open, unless a Pebble that has
// failed still has it.
func (s *Store) abandon(err error) error {
	if s.fault.get() != nil {
		return err
	}
	return errors.Join(err, s.folder.close())
}

// openPebble returns as soon as the store's fault is raised, even if Pebble
// never does. Its errors are those of Open.
func (s *Store) openPebble() (*pebble.DB, error) {
	cache := pebble.NewCache(cacheBytes)
	defer cache.Unref()
	opts := &pebble.Options{
		FS:           guardedFS{s.folder.fs, &s.fault, s.pace},
		Cache:        cache,
		MemTableSize: memTableBytes,
		// A compaction rewrites most of what there is, since updates of all rooms
		// come in turn: half as often as by default, and see pace.
		L0CompactionThreshold: 8,
		L0StopWritesThreshold: 24,
		ErrorIfNotExists:      !s.folder.fresh,
		Logger:                pebbleLogger{s},
		EventListener:         s.listener(),
		// The first format whose log tells a torn end from damage in its midst.
		FormatMajorVersion: pebble.FormatWALSyncChunks,
	}
	var db *pebble.DB
	var err error
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if r := recover(); r != nil {
				err = fmt.Errorf("pebble panicked while opening: %v", r)
			}
		}()
		db, err = pebble.Open(s.folder.path(storeDir), opts)
	}()
	if !s.fault.await(done) {
		return nil, fmt.Errorf("%w: %s: %w", ErrUnwritable, s.folder.dir, s.fault.get())
	}
	if err != nil {
		return nil, s.folder.explain(err)
	}
	return db, nil
}

// Close waits for the calls under way, lets OnChange see every change and
// gives the folder back. It is safe to call twice. A store that has stopped
// (see Err) cannot be closed: Close says so and leaves the folder locked until
// the process ends, because Pebble may not have let go of it.
func (s *Store) Close() error {
	s.life.Lock()
	if s.closed {
		s.life.Unlock()
		return nil
	}
	s.closed = true
	s.life.Unlock()
	idle := make(chan struct{})
	go func() {
		s.active.Wait()
		close(idle)
	}()
	s.fault.await(idle)
	s.commits.stop()
	s.feed.stop()
	s.pace.stop()
	err := s.closePebble()
	if cause := s.fault.get(); cause != nil { // the committer may still run
		return fmt.Errorf("pebblestore: %s stays locked until the process ends: %w", s.folder.dir, cause)
	}
	return errors.Join(err, s.witness.close(), s.folder.close())
}

func (s *Store) closePebble() (err error) {
	if err := s.fault.get(); err != nil {
		return err
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if r := recover(); r != nil {
				err = fmt.Errorf("pebble panicked while closing: %v", r)
			}
		}()
		err = s.db.Close()
	}()
	if !s.fault.await(done) {
		return s.fault.get()
	}
	return err
}

// Err returns why the store has stopped for good, nil while it works.
func (s *Store) Err() error { return s.fault.get() }

// Failed is closed when the store stops for good; see Err.
func (s *Store) Failed() <-chan struct{} { return s.fault.raised }

var errClosed = errors.New("the store is closed")

// enter begins a call; leave must be called at its end.
func (s *Store) enter(ctx context.Context) (leave func(), err error) {
	if err := ctx.Err(); err != nil {
		return nil, unavailable(err)
	}
	if err := s.fault.get(); err != nil {
		return nil, unavailable(err)
	}
	s.life.Lock()
	defer s.life.Unlock()
	if s.closed {
		return nil, unavailable(errClosed)
	}
	s.active.Add(1)
	return s.active.Done, nil
}

func unavailable(cause error) error {
	return fmt.Errorf("%w: %w", room.ErrUnavailable, cause)
}

// failure classifies an error of Pebble's reading side.
func failure(err error) error {
	switch {
	case err == nil:
		return nil
	case pebble.IsCorruptionError(err):
		return fmt.Errorf("%w: %w", room.ErrCorrupt, err)
	default:
		return unavailable(err)
	}
}

// get returns a copy of the value under key, nil when there is none.
func (s *Store) get(key []byte) ([]byte, error) {
	v, closer, err := s.db.Get(key)
	if errors.Is(err, pebble.ErrNotFound) {
		return nil, nil
	}
	if err != nil {
		return nil, failure(err)
	}
	value := append(make([]byte, 0, len(v)), v...)
	return value, failure(closer.Close())
}

// scan calls fn for every key in [lower, upper) in order. Neither key nor
// value may be kept. It stops with fn's error.
func (s *Store) scan(ctx context.Context, lower, upper []byte, fn func(key, value []byte) error) error {
	iter, err := s.db.NewIterWithContext(ctx, &pebble.IterOptions{LowerBound: lower, UpperBound: upper})
	if err != nil {
		return failure(err)
	}
	defer iter.Close()
	for ok := iter.First(); ok; ok = iter.Next() {
		if err := ctx.Err(); err != nil {
			return unavailable(err)
		}
		value, err := iter.ValueAndErr()
		if err != nil {
			return failure(err)
		}
		if err := fn(iter.Key(), value); err != nil {
			return err
		}
	}
	return failure(iter.Error())
}
