package gateway

import (
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestWorkersRunEverythingAtOnceAndEnd(t *testing.T) {
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
	idle := slices.Clone(w.idle)
	w.mu.Unlock()
	w.stop()
	ran := make(chan struct{})
	w.run(func() { close(ran) })
	<-ran
	for _, told := range idle { // to end, and each has heard it
		require.Eventually(t, func() bool { return len(told) == 0 }, testPatience, 1)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	require.Empty(t, w.idle, "nobody waits for more")
}
