package local

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// A small heap is collected often: with 20 MB alive and 100 MB of garbage a
// second five times, and each time every connection's stack is scanned. So the
// heap may grow by heapRoom at least before it is collected, which is nothing
// to a server and a third of the work to a few thousand connections.
const (
	heapRoom = 64 << 20
	// heapPace is how often the collector's percentage is looked at.
	heapPace = 500 * time.Millisecond
	// leastBase is taken for a process that has not been collected yet.
	leastBase = 8 << 20
	// defaultPercent is Go's own GOGC.
	defaultPercent = 100
)

// paceCollector keeps GOGC such that heapRoom fits between two collections,
// until ctx ends. A GOGC or GOMEMLIMIT from the environment stands.
func paceCollector(ctx context.Context) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	// What the percentage is of: https://go.dev/doc/gc-guide, "GOGC".
	samples := []metrics.Sample{{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/stack:bytes"}, {Name: "/gc/scan/globals:bytes"}}
	in := defaultPercent
	defer func() { debug.SetGCPercent(defaultPercent) }()
	tick := time.NewTicker(heapPace)
	defer tick.Stop()
	for {
		metrics.Read(samples)
		var base uint64
		for _, s := range samples {
			base += s.Value.Uint64()
		}
		if want := collectorPercent(base); want > in+in/8 || want < in-in/8 {
			debug.SetGCPercent(want)
			in = want
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

// collectorPercent is the GOGC with which a heap of base bytes grows by heapRoom,
// and never less than Go's own.
func collectorPercent(base uint64) int {
	return int(max(defaultPercent, defaultPercent*heapRoom/max(base, leastBase)))
}
