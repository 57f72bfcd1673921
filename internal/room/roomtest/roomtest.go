// Package roomtest holds the contract suites of the ports in internal/room.
// Every adapter runs them from its own tests, so that what the domain relies
// on is checked in one place and means the same for all of them.
//
// A suite only uses the ports. Where a promise is about durability it closes
// or crashes the handle it used and opens another one on the same store.
package roomtest

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/room"
)

// Harness says how to make the store under test.
type Harness struct {
	// New returns an empty store. Whatever in it depends on time goes by clock,
	// as far as the store lets it.
	New func(t testing.TB, clock *Clock) Backend
	// Several says that more than one handle may be open at a time, as several
	// functions share one table. A store that belongs to one process says no.
	Several bool
	// MaxRoom is the longest room id, in bytes, that the engine under the
	// store takes, 0 for room.MaxIDBytes. Only for engines that are not the
	// one a deployment has: a store itself takes all.
	MaxRoom int
	// Schedules bounds how many runs each scenario of RunInterleavings gets:
	// DefaultSchedules when 0, AllSchedules for as many as there are. What the
	// Service does in which order is the same on every store, so one that is
	// fast explores everything and the others a part.
	Schedules int
}

const (
	// DefaultSchedules keeps the exploration to seconds on a store that syncs
	// every write.
	DefaultSchedules = 40
	// AllSchedules explores to the end.
	AllSchedules = -1
)

// Backend is a store's data, which outlives the handles opened on it.
type Backend interface {
	// Open returns a handle on the data.
	Open(t testing.TB) Ports
}

// Ports is one handle. The suites of ports that are nil are not run.
type Ports struct {
	Log       room.Log
	Metas     room.Metas
	Members   room.Members
	Snapshots room.Snapshots
	Uploads   room.Uploads
	Links     room.Links
	// Close ends the handle as a shutdown does; nil: there is nothing to end.
	Close func() error
	// Crash ends the handle as kill -9 or a power cut does: what was not
	// durable is gone. nil: the adapter cannot do that to itself.
	Crash func()
}

// Run runs the suite of every port the harness's handles have.
func Run(t *testing.T, h Harness) {
	ports := h.New(t, NewClock()).Open(t)
	if ports.Close != nil {
		require.NoError(t, ports.Close())
	}
	rooms := ports.Log != nil && ports.Metas != nil && ports.Members != nil && ports.Snapshots != nil
	suites := []struct {
		name string
		has  bool
		run  func(t *testing.T, h Harness)
	}{
		{"Log", ports.Log != nil, RunLog},
		{"Metas", ports.Metas != nil, RunMetas},
		{"Members", ports.Members != nil && ports.Metas != nil, RunMembers},
		{"Snapshots", ports.Snapshots != nil, RunSnapshots},
		{"Uploads", ports.Uploads != nil, RunUploads},
		{"Links", ports.Links != nil && ports.Snapshots != nil, RunLinks},
		{"Rooms", rooms, RunRooms},
		{"Traps", rooms, RunTraps},
	}
	ran := 0
	for _, s := range suites {
		if s.has {
			ran++
			t.Run(s.name, func(t *testing.T) { s.run(t, h) })
		}
	}
	require.NotZero(t, ran, "the harness offers no port")
}

// Clock is a clock that tests move. It starts at the present, so that a store
// which also looks at the real time does not see everything as long past.
type Clock struct {
	mu  sync.Mutex
	now time.Time
}

// NewClock returns a clock that stands still at the present, in whole
// milliseconds: no store needs to keep more.
func NewClock() *Clock { return &Clock{now: time.Now().UTC().Truncate(time.Millisecond)} }

// Now implements room.Clock.
func (c *Clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

// Advance moves the clock forward.
func (c *Clock) Advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// store is one test's store and the handle in use.
type store struct {
	Ports
	t       *testing.T
	harness Harness
	clock   *Clock
	backend Backend
}

// open makes an empty store for one test.
func open(t *testing.T, h Harness) *store {
	s := &store{t: t, harness: h, clock: NewClock()}
	s.backend = h.New(t, s.clock)
	s.Ports = s.backend.Open(t)
	t.Cleanup(func() { s.close() })
	return s
}

func (s *store) close() {
	if s.Close != nil {
		require.NoError(s.t, s.Close())
		s.Close = nil
	}
}

// reopen closes the handle and opens another one.
func (s *store) reopen() {
	s.close()
	s.Ports = s.backend.Open(s.t)
}

// crash ends the handle without a goodbye, if the adapter can, and opens
// another one.
func (s *store) crash() {
	if s.Crash == nil {
		s.reopen()
		return
	}
	s.Crash()
	s.Ports = s.backend.Open(s.t)
}

// another returns a second handle on the same store: one more beside the
// first, or, when the store allows only one, the first again.
func (s *store) another() Ports {
	if !s.harness.Several {
		return s.Ports
	}
	p := s.backend.Open(s.t)
	if p.Close != nil {
		s.t.Cleanup(func() { require.NoError(s.t, p.Close()) })
	}
	return p
}

// TrickyRooms are room ids that try to leave their room: separators of keys
// and paths, ids that are the beginning of others, what needs escaping, and
// the longest one. No two of them may share anything.
func TrickyRooms() []room.ID {
	long := make([]byte, room.MaxIDBytes)
	for i := range long {
		long[i] = '/'
	}
	longer := append([]byte(nil), long...)
	longer[len(longer)-1] = '#'
	return []room.ID{
		"a", "a#b", "a/b", "a.2Fb", "a%2Fb", "a%2fb", "A", "a ", " a", "a.", "a\x00", "a\x00b", "a\nb", "a\r", "a\\b", "a\"b",
		".", "..", "../a", "/", "//", "#", "%", "%00", "a#meta", "a#update#00000000000000000001", "member#a", "a/snapshots/",
		"é", "e\u0301", "😀", "\u202e", "\ufeff", "\U0010ffff", "\x7f", "-", "_", "~",
		room.ID(long), room.ID(longer), room.ID(long[:room.MaxIDBytes-1]),
	}
}

// trickyRooms returns TrickyRooms, as far as the engine takes them.
func (s *store) trickyRooms() []room.ID {
	ids := TrickyRooms()
	if s.harness.MaxRoom == 0 {
		return ids
	}
	return slices.DeleteFunc(ids, func(id room.ID) bool { return len(id) > s.harness.MaxRoom })
}

// isUnavailable says whether err is what a port returns for an ended context.
func isUnavailable(err error) bool {
	return errors.Is(err, room.ErrUnavailable) || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// canceled returns a context that has ended.
func canceled() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	return ctx
}

// pattern returns n bytes that differ from those of any other seed.
func pattern(seed, n int) []byte {
	b := make([]byte, n)
	x := uint32(seed)*2654435761 + 1
	for i := range b {
		x ^= x << 13
		x ^= x >> 17
		x ^= x << 5
		b[i] = byte(x)
	}
	return b
}

// inParallel runs fn(0) to fn(n-1) at once and returns their errors joined.
func inParallel(n int, fn func(i int) error) error {
	errs := make([]error, n)
	var wg sync.WaitGroup
	for i := range n {
		wg.Go(func() {
			if err := fn(i); err != nil {
				errs[i] = fmt.Errorf("%d: %w", i, err)
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// Seeded is a source of randomness that is the same for the same seed. It is
// safe for concurrent use.
func Seeded(seed uint64) io.Reader { return &seeded{r: rand.New(rand.NewPCG(seed, 7))} }

type seeded struct {
	mu sync.Mutex
	r  *rand.Rand
}

func (s *seeded) Read(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range b {
		b[i] = byte(s.r.Uint32())
	}
	return len(b), nil
}
