// Package collector paces Go's garbage collector in a process that serves many
// connections from a small heap.
package collector

import (
	"context"
	"os"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// A small heap is collected often: with 20 MB alive and 50 MB of garbage a
// second three times, and each time the stack of every connection is scanned.
// So while much is going on the heap may grow by what collectEvery makes of
// garbage, up to heapRoom; when it is quiet again Go's own rule holds.
const (
	collectEvery = 2 * time.Second
	heapRoom     = 128 << 20
	// heapPace is how often the collector's percentage is looked at.
	heapPace = 500 * time.Millisecond
	// defaultPercent is Go's own GOGC, mostPercent bounds what is set.
	defaultPercent = 100
	mostPercent    = 800
)

// Pace keeps GOGC so until ctx ends. A GOGC or GOMEMLIMIT from the
// environment stands.
func Pace(ctx context.Context) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return
	}
	// The first three are what the percentage is of: https://go.dev/doc/gc-guide, "GOGC".
	samples := []metrics.Sample{
		{Name: "/gc/heap/live:bytes"}, {Name: "/gc/scan/stack:bytes"}, {Name: "/gc/scan/globals:bytes"}, {Name: "/gc/heap/allocs:bytes"},
	}
	in := defaultPercent
	defer func() { debug.SetGCPercent(defaultPercent) }()
	tick := time.NewTicker(heapPace)
	defer tick.Stop()
	metrics.Read(samples)
	for {
		before := samples[3].Value.Uint64()
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
		metrics.Read(samples)
		base := samples[0].Value.Uint64() + samples[1].Value.Uint64() + samples[2].Value.Uint64()
		want := percentFor(base, samples[3].Value.Uint64()-before)
		if want > in+in/8 || want < in-in/8 {
			debug.SetGCPercent(want)
			in = want
		}
	}
}

// percentFor is GOGC for a heap of which base bytes are alive and to which
// allocated bytes came in heapPace.
func percentFor(base, allocated uint64) int {
	room := min(heapRoom, allocated*uint64(collectEvery/heapPace))
	return int(min(mostPercent, max(defaultPercent, defaultPercent*room/max(base, 1))))
}
