package loadtest

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"time"
)

// generator is one worker: the users of its rooms and their schedule.
type generator struct {
	p     Profile
	dial  dialer
	count *counters
	users []*user
	rooms []*ledger
	tape  *recording
	start time.Time
	// dials bounds the connects under way at once.
	dials chan struct{}
	after sync.WaitGroup // churn under way
}

// maxDials bounds the connects under way at once in one process.
const maxDials = 128

// user is one member of one room.
type user struct {
	g      *generator
	room   *ledger
	name   string
	url    string
	member int

	// mu is held while an edit is written and sent, so that a user's edits are
	// sent in their order.
	mu       sync.Mutex
	session  session
	started  time.Duration // of the present session
	presence uint64
	taped    int
	ackTimes []time.Duration // when each submit of this session was sent
}

func newGenerator(p Profile) (*generator, error) {
	g := &generator{p: p, dial: newDialer(&p), count: newCounters(), start: p.Start, dials: make(chan struct{}, maxDials)}
	if p.Arrival == ArrivalReplay {
		tape, err := loadRecording()
		if err != nil {
			return nil, err
		}
		g.tape = tape
	}
	for r := range p.Rooms() {
		if r%p.Of != p.Index {
			continue
		}
		members := min(p.RoomSize, p.Users-r*p.RoomSize)
		l := newLedger(members, g.count)
		g.rooms = append(g.rooms, l)
		for m := range members {
			g.users = append(g.users, &user{
				g: g, room: l, member: m, name: fmt.Sprintf("load-%s-%d", p.Run, r), url: p.URLs[r%len(p.URLs)],
			})
		}
	}
	return g, nil
}

// now is the time since the run's start.
func (g *generator) now() time.Duration { return time.Since(g.start) }

// wait waits until `at`; false when ctx ended first.
func (g *generator) wait(ctx context.Context, at time.Duration) bool {
	d := at - g.now()
	if d <= 0 {
		return ctx.Err() == nil
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// connectAll connects the users, evenly over the ramp. The users of all workers
// interleave. stop ends it early.
func (g *generator) connectAll(stop context.Context) {
	var all sync.WaitGroup
	for i, u := range g.users {
		if !g.wait(stop, time.Duration(float64(g.p.Ramp)*float64(i)/float64(len(g.users)))) {
			break
		}
		g.dials <- struct{}{}
		all.Go(func() {
			defer func() { <-g.dials }()
			if err := u.connect(stop); err != nil {
				g.count.fail("connect: " + errorKind(err))
			}
		})
	}
	all.Wait()
}

// connect opens the user's session, trying again as a client does.
func (u *user) connect(stop context.Context) error {
	begun := time.Now()
	for try := 0; ; try++ {
		ctx, cancel := context.WithTimeout(stop, dialTime)
		s, err := u.g.dial(ctx, u.url, u.name, u.client(), u)
		cancel()
		if err == nil {
			u.mu.Lock()
			u.session, u.started = s, u.g.now()
			u.mu.Unlock()
			u.g.count.connects.Add(1)
			u.g.count.recordTo(u.g.count.dials, time.Since(begun))
			return nil
		}
		if try == connectTries-1 || stop.Err() != nil {
			return err
		}
		u.g.count.fail("connect, tried again: " + errorKind(err))
		select {
		case <-time.After(time.Duration(rand.Float64() * float64(connectPause<<try))):
		case <-stop.Done():
		}
	}
}

const (
	connectTries = 6
	connectPause = 500 * time.Millisecond
)

func (u *user) client() uint64 { return firstClient + uint64(u.member) }

// The listener's methods.

func (u *user) update(seq uint64, update []byte) { u.room.came(u.member, seq, update, u.g.now()) }
func (u *user) presenceCame()                    { u.g.count.gotPresence(u.g.now()) }
func (u *user) vector() map[uint64]uint64        { return u.room.vector(u.member) }

func (u *user) synced(again bool) {
	u.g.count.connected.Add(1)
	if again {
		u.g.count.reconnects.Add(1)
	}
	u.room.connected(u.member, u.g.now())
}

func (u *user) lost(error) {
	u.g.count.connected.Add(-1)
	u.g.count.disconnects.Add(1)
	u.room.disconnected(u.member)
}

func (u *user) rejected(err error) { u.g.count.fail("rejected: " + errorKind(err)) }

func (u *user) acked(n int) {
	u.g.count.acked.Add(1)
	u.room.mu.Lock()
	var sent time.Duration
	known := n < len(u.ackTimes)
	if known {
		sent = u.ackTimes[n]
	}
	u.room.mu.Unlock()
	if known {
		u.g.count.recordTo(u.g.count.acks, u.g.now()-sent)
	}
}

// type writes and sends one edit that was due at `at`. A user who is not there
// types nothing.
func (u *user) edit(text string, at time.Duration) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.session == nil {
		return
	}
	clock := u.room.write(u.member, len(text), at)
	u.send(edit(u.client(), clock, text), clock, at)
}

func (u *user) send(update []byte, clock uint64, at time.Duration) {
	u.room.mu.Lock()
	u.ackTimes = append(u.ackTimes, at)
	u.room.mu.Unlock()
	now := u.g.now()
	u.session.edit(update, clock)
	u.g.count.sentEdit(now, now-at)
}

func (u *user) show(r *rand.Rand) {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.session == nil {
		return
	}
	u.presence++
	u.session.presence(presence(u.client(), u.presence, r.IntN(1920), r.IntN(1080)))
	u.g.count.presenceSent.Add(1)
}

// fill writes the room's document before the edits begin.
func (u *user) fill(size int) {
	for left := size; left > 0; {
		n := min(left, maxText)
		u.edit(marker(u.client(), 0, n), u.g.now())
		left -= n
	}
}

// churn cuts the user's connection, or lets it leave and come back with
// nothing, as somebody does who reloads the page.
func (u *user) churn(stop context.Context, leave bool) {
	u.mu.Lock()
	s := u.session
	if s == nil {
		u.mu.Unlock()
		return
	}
	if !leave || s.pending() > 0 {
		s.drop()
		u.mu.Unlock()
		return
	}
	u.session = nil
	u.mu.Unlock()
	s.close()
	u.g.count.connected.Add(-1)
	u.g.count.disconnects.Add(1)
	u.room.forget(u.member)
	u.room.mu.Lock()
	u.ackTimes = nil
	u.room.mu.Unlock()
	if err := u.connect(stop); err != nil && stop.Err() == nil {
		u.g.count.fail("reconnect: " + errorKind(err))
	}
}

// run is the worker's whole run. The context's end stops it early; what it has
// counted is returned all the same.
func (g *generator) run(ctx context.Context) *Result {
	defer g.closeAll()
	g.wait(ctx, 0)
	g.connectAll(ctx)
	if g.p.DocumentBytes > 0 {
		for _, u := range g.users {
			if u.member == 0 {
				u.fill(g.p.DocumentBytes)
			}
		}
	}
	stop, cancel := context.WithDeadline(ctx, g.start.Add(g.p.editStart()+g.p.Duration))
	defer cancel()
	var all sync.WaitGroup
	shards := runtime.GOMAXPROCS(0)
	for shard := range shards {
		var mine []*user
		for i := shard; i < len(g.users); i += shards {
			mine = append(mine, g.users[i])
		}
		all.Go(func() {
			g.act(stop, mine, rand.New(rand.NewPCG(g.p.Seed, uint64(g.p.Index*shards+shard))))
		})
	}
	all.Wait()
	g.after.Wait()
	result := g.drain()
	g.lateJoiners(context.WithoutCancel(ctx), result) // each has its own time, and they are few
	g.collect(result)
	return result
}

// closeAll ends the sessions.
func (g *generator) closeAll() {
	var all sync.WaitGroup
	for _, u := range g.users {
		u.mu.Lock()
		s := u.session
		u.session = nil
		u.mu.Unlock()
		if s == nil {
			continue
		}
		g.dials <- struct{}{}
		all.Go(func() {
			defer func() { <-g.dials }()
			s.close()
		})
	}
	all.Wait()
}

// drain waits until everybody has everything, or the time for it is over.
func (g *generator) drain() *Result {
	end := time.Now().Add(g.p.Drain)
	for {
		r := &Result{}
		for _, u := range g.users {
			u.mu.Lock()
			if u.session != nil {
				r.Receivers++
				r.Lost += int64(u.room.missing(u.member))
				r.Unacknowledged += int64(u.session.pending())
			}
			u.mu.Unlock()
		}
		if r.Lost == 0 && r.Unacknowledged == 0 || time.Now().After(end) {
			r.Absent = int64(len(g.users)) - r.Receivers
			return r
		}
		time.Sleep(drainPoll)
	}
}

const drainPoll = 100 * time.Millisecond
