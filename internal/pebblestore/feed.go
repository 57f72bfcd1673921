package pebblestore

import (
	"sync"

	"github.com/symphony-rt/symphony/internal/room"
)

// feed hands committed changes to Options.OnChange, in order.
type feed struct {
	onChange func(room.Change)

	mu      sync.Mutex
	ready   sync.Cond
	queue   []room.Change
	stopped bool
	ended   chan struct{}
}

func (f *feed) start(onChange func(room.Change)) {
	f.ready.L = &f.mu
	f.onChange = onChange
	f.ended = make(chan struct{})
	if onChange == nil {
		close(f.ended)
		return
	}
	go f.run()
}

func (f *feed) push(changes []room.Change) {
	if f.onChange == nil || len(changes) == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.queue = append(f.queue, changes...)
	f.ready.Signal()
}

func (f *feed) run() {
	defer close(f.ended)
	for {
		f.mu.Lock()
		for len(f.queue) == 0 && !f.stopped {
			f.ready.Wait()
		}
		changes := f.queue
		f.queue = nil
		f.mu.Unlock()
		if len(changes) == 0 {
			return
		}
		for _, c := range changes {
			f.onChange(c)
		}
	}
}

// stop delivers what is queued and ends the goroutine.
func (f *feed) stop() {
	f.mu.Lock()
	f.stopped = true
	f.ready.Signal()
	f.mu.Unlock()
	<-f.ended
}
