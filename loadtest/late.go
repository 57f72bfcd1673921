package loadtest

import (
	"context"
	"math/rand/v2"
	"sync"
	"time"
)

// lateJoiners lets fresh users join some of the rooms and compares what they
// are given with what was written.
func (g *generator) lateJoiners(ctx context.Context, result *Result) {
	n := (g.p.Sample + g.p.Of - 1) / g.p.Of
	if n > len(g.rooms) {
		n = len(g.rooms)
	}
	firsts := map[*ledger]*user{}
	for _, u := range g.users {
		if _, ok := firsts[u.room]; !ok {
			firsts[u.room] = u
		}
	}
	latency := newHistogram(runDigits)
	var mu sync.Mutex
	var all sync.WaitGroup
	r := rand.New(rand.NewPCG(g.p.Seed, ^uint64(g.p.Index)))
	limit := make(chan struct{}, lateAtOnce)
	for _, i := range r.Perm(len(g.rooms))[:n] {
		if ctx.Err() != nil {
			break
		}
		u := firsts[g.rooms[i]]
		limit <- struct{}{}
		all.Go(func() {
			defer func() { <-limit }()
			begun := time.Now()
			missing, err := g.joinLate(ctx, u)
			mu.Lock()
			defer mu.Unlock()
			result.Late.Joined++
			record(latency, time.Since(begun))
			switch {
			case err != nil:
				g.count.fail("late joiner: " + errorKind(err))
			case missing > 0:
				result.Late.Missing += int64(missing)
			default:
				result.Late.Complete++
			}
		})
	}
	all.Wait()
	result.Late.Latency = encode(latency)
}

// lateAtOnce bounds the late joiners under way.
const lateAtOnce = 16

// joinLate joins u's room as somebody new and returns how many edits it was not
// given.
func (g *generator) joinLate(ctx context.Context, u *user) (missing int, err error) {
	ctx, cancel := context.WithTimeout(ctx, dialTime)
	defer cancel()
	l := &lateUser{}
	stranger := uint64(firstClient) + uint64(len(u.room.authors)) + 1
	s, err := g.dial(ctx, u.url, u.name, stranger, l)
	if err != nil {
		return 0, err
	}
	defer s.close()
	l.mu.Lock()
	defer l.mu.Unlock()
	return u.room.late(l.updates)
}

// lateUser keeps what it is given.
type lateUser struct {
	mu      sync.Mutex
	updates [][]byte
}

func (l *lateUser) update(_ uint64, update []byte) {
	l.mu.Lock()
	l.updates = append(l.updates, update)
	l.mu.Unlock()
}
func (l *lateUser) presenceCame()             {}
func (l *lateUser) synced(bool)               {}
func (l *lateUser) lost(error)                {}
func (l *lateUser) rejected(error)            {}
func (l *lateUser) acked(int)                 {}
func (l *lateUser) vector() map[uint64]uint64 { return nil }
