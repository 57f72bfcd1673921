package gateway

import (
	"runtime"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWorkersRunEverythingAtOnceAndEnd(t *testing.T) {
	before := runtime.NumGoroutine()
	var w workers
	for range 3 {
		// All of them wait for all of them: none may wait for another to end.
		const n = 3 * maxIdleWorkers
		var all, done sync.WaitGroup
		all.Add(n)
		for range n {
			done.Add(1)
			w.run(func() { defer done.Done(); all.Done(); all.Wait() })
		}
		done.Wait()
	}
	w.mu.Lock()
	require.LessOrEqual(t, len(w.idle), maxIdleWorkers)
	w.mu.Unlock()
	w.stop()
	ran := make(chan struct{})
	w.run(func() { close(ran) })
	<-ran
	require.Eventually(t, func() bool { return runtime.NumGoroutine() <= before }, testPatience, 1)
}
