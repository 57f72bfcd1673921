package series

import (
	"math"
	"time"
)

// The histogram's classes grow by a sixth root of two, 12 %: quantiles are
// known that exactly. The first ends at firstMS, the last, at over two minutes,
// takes everything longer.
const (
	classes      = 128
	firstMS      = 0.05
	perDoubling  = 6
	microseconds = float64(time.Millisecond / time.Microsecond)
)

// Histogram counts durations by class. It is not safe for concurrent use.
type Histogram struct {
	Counts [classes]uint32
}

func class(ms float64) int {
	if ms <= firstMS {
		return 0
	}
	return min(classes-1, 1+int(math.Log2(ms/firstMS)*perDoubling))
}

// Observe counts one duration.
func (h *Histogram) Observe(d time.Duration) {
	h.Counts[class(float64(d.Microseconds())/microseconds)]++
}

// Merge adds the counts of another.
func (h *Histogram) Merge(o *Histogram) {
	for i, n := range o.Counts {
		h.Counts[i] += n
	}
}

// Count is how many durations were observed.
func (h *Histogram) Count() uint64 {
	total := uint64(0)
	for _, n := range h.Counts {
		total += uint64(n)
	}
	return total
}

// Quantile returns the q-quantile in milliseconds: the middle of its class,
// within 6 %. NaN when nothing was observed.
func (h *Histogram) Quantile(q float64) float64 {
	total := h.Count()
	if total == 0 {
		return math.NaN()
	}
	rank := uint64(math.Ceil(q * float64(total)))
	rank = max(rank, 1)
	seen := uint64(0)
	for i, n := range h.Counts {
		if seen += uint64(n); seen >= rank {
			return middle(i)
		}
	}
	return middle(classes - 1)
}

func middle(i int) float64 {
	if i == 0 {
		return firstMS
	}
	return firstMS * math.Exp2((float64(i)-0.5)/perDoubling)
}
