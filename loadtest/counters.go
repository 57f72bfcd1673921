package loadtest

import (
	"sync"
	"sync/atomic"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

// Histograms count microseconds from 1 to a minute: three significant digits
// for the whole run, two for each second of it.
const (
	minLatency    = 1
	maxLatency    = 60_000_000
	runDigits     = 3
	secondsDigits = 2
)

func newHistogram(digits int) *hdr.Histogram { return hdr.New(minLatency, maxLatency, digits) }

func record(h *hdr.Histogram, d time.Duration) {
	_ = h.RecordValue(min(max(d.Microseconds(), minLatency), maxLatency)) // in range, so never an error
}

// counters is what a worker counts.
type counters struct {
	edits, acked, delivered, caughtUp            atomic.Int64
	duplicates, storedTwice, repeats, reordered  atomic.Int64
	presenceSent, presenceDelivered              atomic.Int64
	connected, connects, reconnects, disconnects atomic.Int64

	mu      sync.Mutex
	errors  map[string]int64
	latency *hdr.Histogram
	// acks is from an edit's send to its acknowledgement, dials from a connect's
	// begin to having everything, lag how much later than due an edit was sent.
	acks, dials, lag *hdr.Histogram
	seconds          []*second
}

// second is one second of the run.
type second struct {
	edits, deliveries, presence int64
	latency                     *hdr.Histogram
}

func newCounters() *counters {
	return &counters{latency: newHistogram(runDigits), acks: newHistogram(runDigits), dials: newHistogram(runDigits), lag: newHistogram(runDigits)}
}

// fail counts an error by what it was.
func (c *counters) fail(what string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.errors == nil {
		c.errors = map[string]int64{}
	}
	c.errors[what]++
}

// maxSeconds bounds the timeline: a day.
const maxSeconds = 24 * 60 * 60

// at returns the second that now is in. Called with mu held.
func (c *counters) at(now time.Duration) *second {
	i := min(max(0, int(now/time.Second)), maxSeconds)
	for len(c.seconds) <= i {
		c.seconds = append(c.seconds, &second{})
	}
	return c.seconds[i]
}

// deliveredLive notes an edit that reached a receiver at now, late after it was
// due.
func (c *counters) deliveredLive(now, late time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.latency == nil {
		return // a late joiner's: it is not measured
	}
	record(c.latency, late)
	s := c.at(now)
	s.deliveries++
	if s.latency == nil {
		s.latency = newHistogram(secondsDigits)
	}
	record(s.latency, late)
}

func (c *counters) sentEdit(now, late time.Duration) {
	c.edits.Add(1)
	c.mu.Lock()
	defer c.mu.Unlock()
	record(c.lag, late)
	c.at(now).edits++
}

func (c *counters) gotPresence(now time.Duration) {
	c.presenceDelivered.Add(1)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.at(now).presence++
}

func (c *counters) recordTo(h *hdr.Histogram, d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	record(h, d)
}
