package series

import (
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var start = time.Unix(1_700_000_000, 0)

func sample(key string, v float64) Sample { return Sample{Values: map[string]float64{key: v}} }

func read(t *testing.T, s *Store, w Window, now time.Time, key string) []float64 {
	t.Helper()
	lines, ok := s.Read(w, now)
	require.True(t, ok)
	require.Contains(t, lines.Values, key)
	return lines.Values[key]
}

func TestWhatWasNotMeasuredIsUnknown(t *testing.T) {
	s := New([]Metric{{"level", Gauge}, {"events", Count}, {"lag", Peak}, {"time", Timing}})
	s.Record(start, time.Second, sample("level", 3))
	for _, key := range []string{"events", "lag", "timeP50", "timeP99"} {
		for _, v := range read(t, s, Hour, start, key) {
			require.True(t, math.IsNaN(v), key)
		}
	}
	known := 0
	for _, v := range read(t, s, Hour, start, "level") {
		if !math.IsNaN(v) {
			known++
			require.EqualValues(t, 3, v)
		}
	}
	require.Equal(t, 1, known)
	_, ok := s.Read("2h", start)
	require.False(t, ok)
}

func TestKinds(t *testing.T) {
	s := New([]Metric{{"level", Gauge}, {"events", Count}, {"lag", Peak}})
	at := start.Truncate(15 * time.Minute)
	for i, v := range []float64{1, 5, 3} {
		s.Record(at.Add(time.Duration(i)*time.Second), time.Second, Sample{Values: map[string]float64{"level": v, "events": v, "lag": v}})
	}
	last := func(key string) float64 { v := read(t, s, Day, at, key); return v[len(v)-1] }
	require.EqualValues(t, 3, last("level"), "the mean")
	require.EqualValues(t, 3, last("events"), "nine events in three seconds")
	require.EqualValues(t, 5, last("lag"), "the highest")
}

// Sums over any window equal what was recorded in it, whatever the gaps.
func TestCountsAddUp(t *testing.T) {
	dice := rand.New(rand.NewPCG(1, 2))
	s := New([]Metric{{"events", Count}})
	now, total := start, 0.0
	for range 3000 { // within one hour
		now = now.Add(time.Second)
		if dice.IntN(10) == 0 {
			now = now.Add(100 * time.Millisecond)
			continue // nobody measured
		}
		n := float64(dice.IntN(50))
		s.Record(now, time.Second, sample("events", n))
		total += n
	}
	for _, r := range s.rings {
		sum := 0.0
		for _, b := range r.buckets["events"] {
			sum += b.Sum
		}
		require.Equal(t, total, sum, r.shape.Window)
	}
}

func TestOldBucketsGo(t *testing.T) {
	s := New([]Metric{{"level", Gauge}})
	s.Record(start, time.Second, sample("level", 1))
	later := start.Add(61 * time.Minute)
	for _, v := range read(t, s, Hour, later, "level") {
		require.True(t, math.IsNaN(v))
	}
	require.True(t, slices.ContainsFunc(read(t, s, Day, later, "level"), func(v float64) bool { return v == 1 }))
	s.Record(later, time.Second, sample("level", 2))
	s.Record(start, time.Second, sample("level", 9)) // too late: its slot may be taken
	require.False(t, slices.Contains(read(t, s, Hour, later, "level"), 9))
}

func TestQuantiles(t *testing.T) {
	var h Histogram
	require.True(t, math.IsNaN(h.Quantile(0.5)))
	for ms := 1; ms <= 1000; ms++ {
		h.Observe(time.Duration(ms) * time.Millisecond)
	}
	require.InEpsilon(t, 500, h.Quantile(0.5), 0.07)
	require.InEpsilon(t, 990, h.Quantile(0.99), 0.07)
	h = Histogram{}
	h.Observe(time.Hour)
	h.Observe(0)
	require.EqualValues(t, 2, h.Count())
	require.Greater(t, h.Quantile(1), 100_000.0)
	require.Equal(t, firstMS, h.Quantile(0.1))
}

func TestSaveAndLoad(t *testing.T) {
	metrics := []Metric{{"level", Gauge}, {"lag", Peak}, {"time", Timing}}
	path := filepath.Join(t.TempDir(), "series")
	s := New(metrics)
	require.NoError(t, s.Load(path), "no file yet")
	h := &Histogram{}
	h.Observe(20 * time.Millisecond)
	s.Record(start, time.Second, Sample{Values: map[string]float64{"level": 4, "lag": 7}, Timings: map[string]*Histogram{"time": h}})
	require.NoError(t, s.Save(path))
	again := New(append(metrics, Metric{"new", Count}))
	require.NoError(t, again.Load(path))
	for _, shape := range Shapes {
		for _, key := range []string{"level", "lag", "timeP50", "timeP99"} {
			require.Equal(t, known(read(t, s, shape.Window, start, key)), known(read(t, again, shape.Window, start, key)), key)
			require.Len(t, known(read(t, again, shape.Window, start, key)), 1)
		}
	}
	require.NoError(t, os.WriteFile(path, []byte("not gzip"), 0o600))
	require.ErrorIs(t, New(metrics).Load(path), ErrFile)
	left, err := filepath.Glob(path + ".*")
	require.NoError(t, err)
	require.Empty(t, left, "no half-written file")
}

func known(values []float64) []float64 {
	return slices.DeleteFunc(slices.Clone(values), math.IsNaN)
}
