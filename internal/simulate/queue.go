package simulate

// event is something that happens at a time; run is called then.
type event struct {
	at  float64
	n   uint64 // keeps events of one moment in their order
	run func(now float64)
}

type queue []event

func (q queue) Len() int { return len(q) }
func (q queue) Less(i, j int) bool {
	return q[i].at < q[j].at || q[i].at == q[j].at && q[i].n < q[j].n
}
func (q queue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }
func (q *queue) Push(e any)   { *q = append(*q, e.(event)) }
func (q *queue) Pop() any {
	old := *q
	e := old[len(old)-1]
	old[len(old)-1] = event{}
	*q = old[:len(old)-1]
	return e
}

// bucket is a token bucket, as API Gateway's throttles are.
type bucket struct{ rate, burst, tokens, last float64 }

func (b *bucket) take(now float64) bool {
	b.tokens = min(b.burst, b.tokens+(now-b.last)*b.rate)
	b.last = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// pool is a function's execution environments.
type pool struct {
	q          Quotas
	idle, busy int
	added      int
	window     float64 // when the present ramp window began
	peak       int
}

// start takes an environment and says whether it is a new, cold one.
func (p *pool) start(now float64) (cold, ok bool) {
	switch {
	case p.idle > 0:
		p.idle--
	case p.idle+p.busy >= p.q.Concurrency:
		return false, false
	default:
		if now-p.window >= p.q.RampEvery.Seconds() {
			p.window, p.added = now, 0
		}
		if p.added >= p.q.RampStep {
			return false, false
		}
		p.added++
		cold = true
	}
	p.busy++
	p.peak = max(p.peak, p.busy)
	return cold, true
}

func (p *pool) end() { p.busy--; p.idle++ }
