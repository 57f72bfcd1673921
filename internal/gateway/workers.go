package gateway

import "sync"

// maxIdleWorkers bounds the goroutines that wait for the next message: each
// keeps a stack of 16 to 32 KB, which the collector halves while it is idle. Under
// load some hundreds of messages wait for the disk at a time.
const maxIdleWorkers = 512

// workers runs functions on goroutines that are used again, the last one that
// was busy first. A new goroutine's stack is small and is copied several times
// on the way down into a handler and a store; that was a third of what a
// message cost.
type workers struct {
	mu      sync.Mutex
	idle    []chan func()
	stopped bool
}

// run calls f on another goroutine, at once.
func (w *workers) run(f func()) {
	w.mu.Lock()
	if last := len(w.idle) - 1; last >= 0 {
		next := w.idle[last]
		w.idle = w.idle[:last]
		w.mu.Unlock()
		next <- f
		return
	}
	w.mu.Unlock()
	go w.work(f)
}

func (w *workers) work(f func()) {
	var next chan func()
	for {
		f()
		f = nil
		if next == nil {
			next = make(chan func(), 1)
		}
		w.mu.Lock()
		if w.stopped || len(w.idle) >= maxIdleWorkers {
			w.mu.Unlock()
			return
		}
		w.idle = append(w.idle, next)
		w.mu.Unlock()
		if f = <-next; f == nil {
			return
		}
	}
}

// stop ends the idle workers; those at work end with their work.
func (w *workers) stop() {
	w.mu.Lock()
	idle := w.idle
	w.idle, w.stopped = nil, true
	w.mu.Unlock()
	for _, next := range idle {
		next <- nil
	}
}
