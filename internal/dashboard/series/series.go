// Package series keeps time series in little memory: for each metric one ring
// of buckets per window, fine for the last hour, coarse for the last week. What
// was not measured stays unknown; it never turns into a zero.
package series

import (
	"math"
	"sync"
	"time"
)

// Window is a length of time that is shown at once.
type Window string

// The windows.
const (
	Hour Window = "1h"
	Day  Window = "24h"
	Week Window = "7d"
)

// Shape is a window's length and the width of its buckets. Each has about 700:
// more than a chart has pixels for is of no use.
type Shape struct {
	Window Window
	Length time.Duration
	Step   time.Duration
}

// Shapes are all windows, the shortest first.
var Shapes = []Shape{
	{Hour, time.Hour, 5 * time.Second},
	{Day, 24 * time.Hour, 2 * time.Minute},
	{Week, 7 * 24 * time.Hour, 15 * time.Minute},
}

// ShapeOf returns a window's shape; false for one that does not exist.
func ShapeOf(w Window) (Shape, bool) {
	for _, s := range Shapes {
		if s.Window == w {
			return s, true
		}
	}
	return Shape{}, false
}

// Kind says how values of a metric in one bucket become one.
type Kind uint8

const (
	// Gauge is a level, such as open connections: the mean over time.
	Gauge Kind = iota
	// Count is a number of events: events a second.
	Count
	// Peak is a level of which the highest matters, such as a lag.
	Peak
	// Timing is how long something took: quantiles.
	Timing
)

// Metric is one series to keep.
type Metric struct {
	Key  string
	Kind Kind
}

// Sample is what was measured in some time. What was not measured is absent.
type Sample struct {
	// Values are levels, and for a Count the number of events.
	Values map[string]float64
	// Timings are of Timing metrics.
	Timings map[string]*Histogram
}

// bucket is one metric in one stretch of time. sum and cover are weighted with
// the seconds that the samples cover; for a Count sum is the events.
type bucket struct {
	Sum, Cover, Peak float64
	Timing           *Histogram
}

func (b *bucket) add(kind Kind, value, seconds float64) {
	switch kind {
	case Count:
		b.Sum += value
	case Peak:
		if b.Cover == 0 || value > b.Peak {
			b.Peak = value
		}
	default:
		b.Sum += value * seconds
	}
	b.Cover += seconds
}

func (b *bucket) value(kind Kind) float64 {
	switch {
	case b.Cover == 0:
		return math.NaN()
	case kind == Peak:
		return b.Peak
	default:
		return b.Sum / b.Cover
	}
}

// ring is a window of all metrics. Slot n holds bucket number n modulo its
// size; at says which number it is, as older ones are overwritten lazily.
type ring struct {
	shape   Shape
	at      []int64
	buckets map[string][]bucket
}

func newRing(shape Shape, metrics []Metric) *ring {
	n := int(shape.Length / shape.Step)
	r := &ring{shape: shape, at: make([]int64, n), buckets: map[string][]bucket{}}
	for i := range r.at {
		r.at[i] = math.MinInt64
	}
	for _, m := range metrics {
		r.buckets[m.Key] = make([]bucket, n)
	}
	return r
}

// slot returns where bucket number n lies, emptied when it held an older one;
// false when it already holds a newer one.
func (r *ring) slot(n int64) (int, bool) {
	i := r.index(n)
	switch {
	case r.at[i] > n:
		return 0, false
	case r.at[i] < n:
		for _, b := range r.buckets {
			b[i] = bucket{}
		}
		r.at[i] = n
	}
	return i, true
}

func (r *ring) number(t time.Time) int64 { return t.UnixNano() / int64(r.shape.Step) }

// Store keeps the series of some metrics. It is safe for concurrent use.
type Store struct {
	mu      sync.Mutex
	metrics []Metric
	rings   []*ring
}

// New returns an empty store of these metrics.
func New(metrics []Metric) *Store {
	s := &Store{metrics: metrics}
	for _, shape := range Shapes {
		s.rings = append(s.rings, newRing(shape, metrics))
	}
	return s
}

// Record adds what was measured in the time `over` that ended at `at`.
func (s *Store) Record(at time.Time, over time.Duration, sample Sample) {
	if over <= 0 {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.rings {
		i, ok := r.slot(r.number(at))
		if !ok {
			continue
		}
		for _, m := range s.metrics {
			if v, ok := sample.Values[m.Key]; ok {
				r.buckets[m.Key][i].add(m.Kind, v, over.Seconds())
			}
			if h := sample.Timings[m.Key]; h != nil {
				b := &r.buckets[m.Key][i]
				b.Cover += over.Seconds()
				if h.Count() == 0 {
					continue
				}
				if b.Timing == nil {
					b.Timing = &Histogram{}
				}
				b.Timing.Merge(h)
			}
		}
	}
}

// Lines are the values of a window, the oldest first, NaN where nothing was
// measured.
type Lines struct {
	// From is the beginning of the first bucket.
	From time.Time
	Step time.Duration
	// Values are by key; a Timing has two, "<key>P50" and "<key>P99", in
	// milliseconds.
	Values map[string][]float64
}

// Read returns the window that ends at now.
func (s *Store) Read(w Window, now time.Time) (Lines, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, r := range s.rings {
		if r.shape.Window == w {
			return s.read(r, now), true
		}
	}
	return Lines{}, false
}

func (s *Store) read(r *ring, now time.Time) Lines {
	size := int64(len(r.at))
	first := r.number(now) - size + 1
	lines := Lines{From: time.Unix(0, first*int64(r.shape.Step)), Step: r.shape.Step, Values: map[string][]float64{}}
	for _, m := range s.metrics {
		names := []string{m.Key}
		if m.Kind == Timing {
			names = []string{m.Key + "P50", m.Key + "P99"}
		}
		for i, name := range names {
			values := make([]float64, size)
			for k := range values {
				values[k] = r.valueAt(m, first+int64(k), i)
			}
			lines.Values[name] = values
		}
	}
	return lines
}

// quantiles are those that a Timing is read as.
var quantiles = [...]float64{0.5, 0.99}

func (r *ring) valueAt(m Metric, number int64, quantile int) float64 {
	i := r.index(number)
	if r.at[i] != number {
		return math.NaN()
	}
	b := &r.buckets[m.Key][i]
	if m.Kind != Timing {
		return b.value(m.Kind)
	}
	if b.Timing == nil {
		return math.NaN()
	}
	return b.Timing.Quantile(quantiles[quantile])
}

// Total is a metric over a whole window.
type Total struct {
	// Sum is the events of a Count; Peak the highest of a Peak.
	Sum, Peak float64
	// Cover is the seconds measured; 0 when nothing was.
	Cover  float64
	Timing Histogram
}

// Totals returns every metric over the window that ends at now.
func (s *Store) Totals(w Window, now time.Time) map[string]Total {
	s.mu.Lock()
	defer s.mu.Unlock()
	all := map[string]Total{}
	for _, r := range s.rings {
		if r.shape.Window != w {
			continue
		}
		last := r.number(now)
		first := last - int64(len(r.at)) + 1
		for _, m := range s.metrics {
			var t Total
			for i := range r.at {
				if r.at[i] >= first && r.at[i] <= last {
					t.add(&r.buckets[m.Key][i])
				}
			}
			all[m.Key] = t
		}
	}
	return all
}

// Recent returns one metric over the last length of time, rounded up to whole
// buckets of the hour.
func (s *Store) Recent(key string, now time.Time, length time.Duration) Total {
	s.mu.Lock()
	defer s.mu.Unlock()
	r := s.rings[0]
	last := r.number(now)
	var t Total
	for n := last - int64(length/r.shape.Step); n <= last; n++ {
		i := r.index(n)
		if r.at[i] != n || r.buckets[key] == nil {
			continue
		}
		t.add(&r.buckets[key][i])
	}
	return t
}

func (t *Total) add(b *bucket) {
	t.Sum, t.Cover, t.Peak = t.Sum+b.Sum, t.Cover+b.Cover, max(t.Peak, b.Peak)
	if b.Timing != nil {
		t.Timing.Merge(b.Timing)
	}
}

// index is where bucket number n would lie.
func (r *ring) index(n int64) int {
	size := int64(len(r.at))
	return int((n%size + size) % size)
}
