// Package simulate is a discrete-event model of a deployment: users, API
// Gateway's account quotas, Lambda's concurrency and its ramp, DynamoDB's and
// the management API's latencies. It shows which quota is reached first, and
// what batching and slower presence change. docs/SCALING.md has its tables and
// says what the model leaves out.
package simulate

import (
	"container/heap"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"time"
)

// Scenario is one run.
type Scenario struct {
	Name            string
	Users, RoomSize int
	// EditEvery and PresenceEvery are the mean times between a user's messages,
	// after merging; 0: none.
	EditEvery, PresenceEvery time.Duration
	// ConnectOver is how long the connects are spread over; 0: everybody is there
	// from the start, warm functions included.
	ConnectOver time.Duration
	Duration    time.Duration
	// Slice is the members one fan-out invocation posts to, 0: the message's own
	// function posts to all. PostsAtOnce is how many posts a function has under way.
	Slice, PostsAtOnce int
	// Audience is the most members one presence is posted to, 0: all others.
	Audience  int
	Quotas    Quotas
	Latencies Latencies
	Seed      uint64
}

// Outcome is what a run saw.
type Outcome struct {
	// Requests wanted a second, of the account's quota, retries not counted.
	Wanted float64
	// Messages, posts and connects that were made, and those that were refused
	// at first for the request quota, the connect quota, or for want of an
	// environment.
	Messages, Posts, Connects                          int
	MessagesThrottled, PostsThrottled, ConnectsRefused int
	ConcurrencyRefused, PostsLost                      int
	PeakConcurrency                                    int
	AllConnected                                       time.Duration
	DeliveryP50, DeliveryP99, DeliveryMax, HandlerP50  time.Duration
	deliveries, handlers                               []float64
}

// ThrottledShare is the share of messages and posts refused at first.
func (o *Outcome) ThrottledShare() float64 {
	if o.Messages+o.Posts == 0 {
		return 0
	}
	return float64(o.MessagesThrottled+o.PostsThrottled+o.ConcurrencyRefused) / float64(o.Messages+o.Posts)
}

// FirstQuota names what was refused most, "" when nothing was.
func (o *Outcome) FirstQuota() string {
	first, most := "", 0
	for _, q := range []struct {
		name string
		n    int
	}{{"requests", o.MessagesThrottled + o.PostsThrottled}, {"connects", o.ConnectsRefused}, {"concurrency", o.ConcurrencyRefused}} {
		if q.n > most {
			first, most = q.name, q.n
		}
	}
	return first
}

type world struct {
	s        Scenario
	r        *rand.Rand
	q        queue
	n        uint64
	requests bucket
	connects bucket
	message  pool
	fanout   pool
	out      Outcome
	waiting  int // users that are not connected yet
}

// maxEvents bounds a run: a scenario far over its quotas retries without end.
const maxEvents = 200_000_000

// Run simulates s. The same seed gives the same outcome.
func Run(s Scenario) Outcome {
	w := &world{s: s, r: rand.New(rand.NewPCG(s.Seed, 1))}
	w.requests = bucket{rate: s.Quotas.RequestRate, burst: s.Quotas.RequestBurst, tokens: s.Quotas.RequestBurst}
	w.connects = bucket{rate: s.Quotas.ConnectRate, burst: s.Quotas.ConnectRate, tokens: s.Quotas.ConnectRate}
	w.message, w.fanout = pool{q: s.Quotas}, pool{q: s.Quotas}
	w.waiting = s.Users
	for range s.Users {
		if s.ConnectOver > 0 {
			w.at(w.r.Float64()*s.ConnectOver.Seconds(), func(now float64) { w.connect(now, 0) })
		} else {
			w.waiting--
			w.begin(0)
		}
	}
	if s.ConnectOver == 0 {
		// Warm: as many environments as the load needs on average, and a half more.
		w.message.idle = min(s.Quotas.Concurrency, int(1.5*w.wanted()/float64(s.RoomSize)*w.holding()))
		w.fanout.idle = w.message.idle
	}
	for events := 0; len(w.q) > 0 && events < maxEvents; events++ {
		e := heap.Pop(&w.q).(event)
		if e.at > s.Duration.Seconds() {
			break
		}
		e.run(e.at)
	}
	return w.finish()
}

// wanted is the requests a second that the users make of the account.
func (w *world) wanted() float64 {
	per := 0.0
	if w.s.EditEvery > 0 {
		per += float64(w.s.RoomSize) / w.s.EditEvery.Seconds()
	}
	if w.s.PresenceEvery > 0 {
		per += float64(1+w.receivers(false)) / w.s.PresenceEvery.Seconds()
	}
	return float64(w.s.Users) * per
}

// receivers is how many members a message is posted to.
func (w *world) receivers(edit bool) int {
	others := w.s.RoomSize - 1
	if !edit && w.s.Audience > 0 {
		return min(others, w.s.Audience)
	}
	return others
}

// holding is how long a message keeps its environment, about.
func (w *world) holding() float64 {
	l := w.s.Latencies
	return (l.Admit.Median + l.Append.Median + l.List.Median + 2*l.Post.Median).Seconds()
}

func (w *world) at(at float64, run func(float64)) {
	w.n++
	heap.Push(&w.q, event{at, w.n, run})
}

// connect is one attempt; refused, the client backs off with full jitter from
// 0.5 s up to 30 s (docs/PROTOCOL.md).
func (w *world) connect(now float64, try int) {
	if !w.connects.take(now) || !w.requests.take(now) {
		w.out.ConnectsRefused++
		w.at(now+w.r.Float64()*min(30, 0.5*math.Pow(2, float64(try))), func(now float64) { w.connect(now, min(try+1, 10)) })
		return
	}
	w.out.Connects++
	w.waiting--
	if w.waiting == 0 {
		w.out.AllConnected = seconds(now)
	}
	w.begin(now)
}

// begin starts a connected user's messages.
func (w *world) begin(now float64) {
	for _, m := range []struct {
		every time.Duration
		edit  bool
	}{{w.s.EditEvery, true}, {w.s.PresenceEvery, false}} {
		if m.every > 0 {
			var next func(now float64)
			next = func(now float64) {
				w.send(now, now, m.edit, 0)
				w.at(now+w.r.ExpFloat64()*m.every.Seconds(), next)
			}
			w.at(now+w.r.ExpFloat64()*m.every.Seconds(), next)
		}
	}
}

// resendAfter: a client that reads "Too Many Requests" sends its edits again
// after 1 to 1.5 s, doubled each time; presence is not sent again.
const resendAfter = 1.0

// send is one message of a client, made at first; it may be refused.
func (w *world) send(now, first float64, edit bool, try int) {
	if try == 0 {
		w.out.Messages++
	}
	again := func() {
		if edit {
			w.at(now+resendAfter*math.Pow(2, float64(try))*(1+w.r.Float64()/2), func(now float64) { w.send(now, first, edit, min(try+1, 5)) })
		}
	}
	if !w.requests.take(now) {
		w.out.MessagesThrottled++
		again()
		return
	}
	cold, ok := w.message.start(now)
	if !ok {
		w.out.ConcurrencyRefused++
		again()
		return
	}
	l := w.s.Latencies
	t := now + l.Gateway.draw(w.r) + l.Admit.draw(w.r)
	if cold {
		t += l.Cold.draw(w.r)
	}
	if edit {
		t += l.Append.draw(w.r)
	}
	t += l.List.draw(w.r)
	w.at(t, func(t float64) { w.fan(t, now, first, w.receivers(edit)) })
}

// fan posts to the other members: the first slice itself, the others by
// functions that it invokes meanwhile.
func (w *world) fan(now, began, first float64, others int) {
	if w.s.Slice == 0 || others <= w.s.Slice {
		w.post(now, first, others, func(now float64) { w.message.end(); w.handled(now - began) })
		return
	}
	asked := now + w.s.Latencies.Admit.draw(w.r) // Lambda takes the asynchronous invocations
	for left := others - w.s.Slice; left > 0; left -= w.s.Slice {
		n := min(left, w.s.Slice)
		w.at(asked, func(now float64) { w.slice(now, first, n, 0) })
	}
	w.post(now, first, w.s.Slice, func(now float64) { w.message.end(); w.handled(now - began) })
}

// slice is one fan-out invocation; Lambda's queue tries again for it.
func (w *world) slice(now, first float64, members, try int) {
	cold, ok := w.fanout.start(now)
	if !ok {
		w.out.ConcurrencyRefused++
		w.at(now+math.Pow(2, float64(try)), func(now float64) { w.slice(now, first, members, min(try+1, 6)) })
		return
	}
	t := now + w.s.Latencies.Gateway.draw(w.r)
	if cold {
		t += w.s.Latencies.Cold.draw(w.r)
	}
	w.at(t, func(now float64) { w.post(now, first, members, func(float64) { w.fanout.end() }) })
}

// post posts to n members, PostsAtOnce at a time, and calls done.
func (w *world) post(now, first float64, n int, done func(float64)) {
	if n == 0 {
		done(now)
		return
	}
	lanes := make([]float64, min(max(1, w.s.PostsAtOnce), n))
	for i := range lanes {
		lanes[i] = now
	}
	left := n
	var lane func(now float64, try int)
	running := len(lanes)
	lane = func(now float64, try int) {
		if try == 0 {
			if left == 0 {
				if running--; running == 0 {
					done(now)
				}
				return
			}
			left--
			w.out.Posts++
		}
		if !w.requests.take(now) {
			w.out.PostsThrottled++
			if try+1 < postTries {
				w.at(now+w.r.Float64()*postPause*math.Pow(2, float64(try+1)), func(now float64) { lane(now, try+1) })
				return
			}
			w.out.PostsLost++ // a gap that the receiver sees and asks for
			lane(now, 0)
			return
		}
		took := w.s.Latencies.Post.draw(w.r)
		w.at(now+took, func(now float64) {
			w.delivered(now - first)
			lane(now, 0)
		})
	}
	for range lanes {
		lane(now, 0)
	}
}

// A throttled post is tried again as the sender does.
const (
	postTries = 4
	postPause = 0.025
)

func (w *world) delivered(late float64) { w.out.deliveries = append(w.out.deliveries, late) }
func (w *world) handled(took float64)   { w.out.handlers = append(w.out.handlers, took) }

func (w *world) finish() Outcome {
	o := w.out
	o.Wanted = w.wanted()
	o.PeakConcurrency = w.message.peak + w.fanout.peak
	slices.Sort(o.deliveries)
	slices.Sort(o.handlers)
	o.DeliveryP50, o.DeliveryP99, o.DeliveryMax = quantile(o.deliveries, 0.5), quantile(o.deliveries, 0.99), quantile(o.deliveries, 1)
	o.HandlerP50 = quantile(o.handlers, 0.5)
	o.deliveries, o.handlers = nil, nil
	return o
}

func quantile(sorted []float64, q float64) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	return seconds(sorted[min(len(sorted)-1, int(q*float64(len(sorted))))])
}

func seconds(s float64) time.Duration {
	return time.Duration(s * float64(time.Second)).Round(time.Millisecond)
}

// Capacity is the most users (to one part in fifty) of whose messages and posts
// less than one in a thousand is refused.
func Capacity(s Scenario) int {
	low, high := s.RoomSize, s.RoomSize
	fine := func(users int) bool {
		s.Users = users
		o := Run(s)
		return o.ThrottledShare() < 0.001
	}
	for high < 4_000_000 && fine(high) {
		low, high = high, high*2
	}
	for high-low > max(s.RoomSize, low/50) {
		middle := (low + high) / 2
		if fine(middle) {
			low = middle
		} else {
			high = middle
		}
	}
	return low
}

// String is for the log of a run.
func (o Outcome) String() string {
	return fmt.Sprintf("%.0f requests/s wanted, %.2f%% refused (%s), peak concurrency %d, delivery p50 %s p99 %s",
		o.Wanted, o.ThrottledShare()*100, o.FirstQuota(), o.PeakConcurrency, o.DeliveryP50, o.DeliveryP99)
}
