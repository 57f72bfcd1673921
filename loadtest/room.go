package loadtest

import (
	"math"
	"sort"
	"sync"
	"time"
)

// ledger is what one room's members sent, and what each of them received. Times
// are since the run's start.
type ledger struct {
	mu      sync.Mutex
	authors []author
	// received is by receiver and author.
	received [][]receipt
	// online is since when a receiver has been connected without a break; never
	// while it is not.
	online []time.Duration
	count  *counters
}

const never = time.Duration(math.MaxInt64)

// author is the edits of one member. Its edit n has the clocks from starts[n] up
// to the next one's.
type author struct {
	starts []uint64
	sent   []time.Duration
	clock  uint64
	// seqs are the numbers under which the edits were first delivered; 0: none.
	seqs []uint64
}

// receipt is which edits of an author a receiver has: all before next, and some
// ahead of it.
type receipt struct {
	next  int
	ahead map[int]struct{}
}

func newLedger(members int, c *counters) *ledger {
	l := &ledger{authors: make([]author, members), received: make([][]receipt, members), online: make([]time.Duration, members), count: c}
	for i := range l.received {
		l.received[i] = make([]receipt, members)
		l.online[i] = never
	}
	return l
}

// write notes that an author is about to send length clocks, which was due at
// `at`, and returns their first.
func (l *ledger) write(who int, length int, at time.Duration) (clock uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	a := &l.authors[who]
	clock = a.clock
	a.starts = append(a.starts, clock)
	a.sent = append(a.sent, at)
	a.seqs = append(a.seqs, 0)
	a.clock += uint64(length)
	return clock
}

// came notes that a receiver got an update as the room's number seq (0: it has
// none), now. A single edit that was there before is a duplicate, or, when it
// comes under another number, was stored twice: its author was cut off before it
// was told, and sent it again. In a catch-up, which is merged, it is a repeat.
func (l *ledger) came(receiver int, seq uint64, update []byte, now time.Duration) {
	stretches, err := scan(update)
	if err != nil {
		l.count.fail("undecodable update")
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	edits, again, twice := 0, 0, false
	for _, s := range stretches {
		if s.client < firstClient || s.client-firstClient >= uint64(len(l.authors)) {
			l.count.fail("update of a stranger")
			continue
		}
		who := int(s.client - firstClient)
		a := &l.authors[who]
		for n := a.at(s.from); n < len(a.starts) && a.end(n) <= s.to; n++ {
			if a.starts[n] < s.from {
				continue // a part of it
			}
			edits++
			if !l.mark(receiver, who, n, now) {
				again++
				twice = seq != 0 && a.seqs[n] != 0 && a.seqs[n] != seq
			} else if seq != 0 && a.seqs[n] == 0 {
				a.seqs[n] = seq
			}
		}
	}
	switch {
	case twice && edits == 1:
		l.count.storedTwice.Add(1)
	case again > 0 && edits == 1:
		l.count.duplicates.Add(1)
	case again > 0:
		l.count.repeats.Add(int64(again))
	}
}

// mark notes one edit and reports whether it is new to the receiver. Its own
// edits are kept apart: they come back in catch-ups only.
func (l *ledger) mark(receiver, who, n int, now time.Duration) bool {
	r := &l.received[receiver][who]
	if _, early := r.ahead[n]; n < r.next || early {
		return who == receiver
	}
	if n > r.next {
		if r.ahead == nil {
			r.ahead = map[int]struct{}{}
		}
		r.ahead[n] = struct{}{}
	} else {
		if len(r.ahead) > 0 && who != receiver {
			l.count.reordered.Add(1)
		}
		r.next++
		for len(r.ahead) > 0 {
			if _, ok := r.ahead[r.next]; !ok {
				break
			}
			delete(r.ahead, r.next)
			r.next++
		}
	}
	if who == receiver {
		return true
	}
	l.count.delivered.Add(1)
	if sent := l.authors[who].sent[n]; l.online[receiver] <= sent {
		l.count.deliveredLive(now, now-sent)
	} else {
		l.count.caughtUp.Add(1)
	}
	return true
}

// at is the edit that clock is in.
func (a *author) at(clock uint64) int {
	return max(0, sort.Search(len(a.starts), func(i int) bool { return a.starts[i] > clock })-1)
}

func (a *author) end(n int) uint64 {
	if n+1 < len(a.starts) {
		return a.starts[n+1]
	}
	return a.clock
}

// connected and disconnected note a receiver's connection.
func (l *ledger) connected(receiver int, now time.Duration) {
	l.mu.Lock()
	l.online[receiver] = now
	l.mu.Unlock()
}

func (l *ledger) disconnected(receiver int) {
	l.mu.Lock()
	l.online[receiver] = never
	l.mu.Unlock()
}

// forget begins a receiver anew: it left, and comes back with nothing.
func (l *ledger) forget(receiver int) {
	l.mu.Lock()
	for i := range l.received[receiver] {
		l.received[receiver][i] = receipt{}
	}
	l.online[receiver] = never
	l.mu.Unlock()
}

// missing is how many edits of others a receiver has not got.
func (l *ledger) missing(receiver int) (n int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for who := range l.authors {
		if who != receiver {
			r := &l.received[receiver][who]
			n += len(l.authors[who].starts) - r.next - len(r.ahead)
		}
	}
	return n
}

// vector is the Yjs state vector of what a receiver has without a gap, its own
// edits included.
func (l *ledger) vector(receiver int) map[uint64]uint64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	clocks := map[uint64]uint64{}
	for who := range l.authors {
		a := &l.authors[who]
		clock := a.clock
		if next := l.received[receiver][who].next; who != receiver && next < len(a.starts) {
			clock = a.starts[next]
		}
		if clock > 0 {
			clocks[firstClient+uint64(who)] = clock
		}
	}
	return clocks
}

// late checks a fresh user's document: how many edits it lacks.
func (l *ledger) late(updates [][]byte) (missing int, err error) {
	fresh := newLedger(len(l.authors)+1, &counters{})
	l.mu.Lock()
	copy(fresh.authors, l.authors)
	l.mu.Unlock()
	for _, u := range updates {
		if _, err := scan(u); err != nil {
			return 0, err
		}
		fresh.came(len(l.authors), 0, u, 0)
	}
	return fresh.missing(len(l.authors)), nil
}
