package loadtest

import (
	"container/heap"
	"context"
	"math/rand/v2"
	"time"
)

// An event is something a user is about to do.
type event struct {
	at   time.Duration
	user *user
	kind eventKind
}

type eventKind uint8

const (
	eventEdit eventKind = iota
	eventPresence
	eventChurn
)

type schedule []event

func (s schedule) Len() int           { return len(s) }
func (s schedule) Less(i, j int) bool { return s[i].at < s[j].at }
func (s schedule) Swap(i, j int)      { s[i], s[j] = s[j], s[i] }
func (s *schedule) Push(e any)        { *s = append(*s, e.(event)) }
func (s *schedule) Pop() any {
	old := *s
	e := old[len(old)-1]
	*s = old[:len(old)-1]
	return e
}

// act runs the schedule of some of the users until the duration is over.
func (g *generator) act(stop context.Context, users []*user, r *rand.Rand) {
	begin := g.p.editStart()
	end := begin + g.p.Duration
	var s schedule
	for _, u := range users {
		if g.p.EditEvery > 0 || g.tape != nil {
			if at, ok := g.nextEdit(u, begin, r, true); ok {
				s = append(s, event{at, u, eventEdit})
			}
		}
		if g.p.PresenceEvery > 0 {
			s = append(s, event{begin + g.first(g.p.PresenceEvery, r), u, eventPresence})
		}
		if g.p.Churn > 0 {
			s = append(s, event{begin + g.churnAfter(r), u, eventChurn})
		}
	}
	heap.Init(&s)
	for len(s) > 0 {
		e := s[0]
		if e.at >= end || !g.wait(stop, e.at) {
			return
		}
		next, ok := g.do(stop, e, r)
		if ok {
			s[0].at = next
			heap.Fix(&s, 0)
		} else {
			heap.Pop(&s)
		}
	}
}

// do lets a user do what it is about to, and returns when it does so again.
func (g *generator) do(stop context.Context, e event, r *rand.Rand) (next time.Duration, again bool) {
	switch e.kind {
	case eventEdit:
		if g.tape != nil {
			e.user.replay(g.tape, e.at)
		} else {
			e.user.edit(marker(e.user.client(), int(e.at/time.Millisecond), g.p.EditBytes), e.at)
		}
		return g.nextEdit(e.user, e.at, r, false)
	case eventPresence:
		e.user.show(r)
		return e.at + g.gap(g.p.PresenceEvery, r), true
	default:
		g.after.Go(func() { e.user.churn(stop, r.Uint64()&1 == 0) })
		return e.at + g.churnAfter(r), true
	}
}

// nextEdit is when a user edits next, after its edit at `at`.
func (g *generator) nextEdit(u *user, at time.Duration, r *rand.Rand, first bool) (time.Duration, bool) {
	if g.tape != nil {
		if first {
			return at + time.Duration(r.Float64()*float64(g.tape.pause())), true
		}
		d, ok := g.tape.after(u.taped)
		return at + d, ok
	}
	every := time.Duration(float64(g.p.EditEvery) / g.p.rate(at-g.p.editStart()))
	if first {
		return at + g.first(every, r), true
	}
	return at + g.gap(every, r), true
}

// first is when the first of a user's events comes, so that the rate is right
// from the start.
func (g *generator) first(mean time.Duration, r *rand.Rand) time.Duration {
	if g.p.Arrival == ArrivalFixed {
		return time.Duration(r.Float64() * float64(mean))
	}
	return g.gap(mean, r)
}

func (g *generator) gap(mean time.Duration, r *rand.Rand) time.Duration {
	if g.p.Arrival == ArrivalFixed {
		return mean
	}
	return time.Duration(r.ExpFloat64() * float64(mean))
}

func (g *generator) churnAfter(r *rand.Rand) time.Duration {
	return time.Duration(r.ExpFloat64() / g.p.Churn * float64(time.Minute))
}
