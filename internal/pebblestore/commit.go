package pebblestore

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/cockroachdb/pebble/v2"

	"github.com/symphony-rt/symphony/internal/room"
)

// groupBytes bounds what one commit gathers, so that a 50 MB update does not
// make everybody behind it wait for more than itself.
const groupBytes = 4 << 20

// After a commit of at least groupCrowd ops the committer rests as long as the
// commit took, groupRest at most, so that the next has more: a sync costs some
// tenths of a millisecond of a CPU and everybody some of the disk.
const (
	groupCrowd = 64
	groupRest  = 10 * time.Millisecond
)

// op is one write: a batch that is committed whole or not at all.
type op struct {
	batch *pebble.Batch
	// committed, when set, runs on the committer after the batch is durable and
	// before the writer hears of it.
	committed func()
	changes   []room.Change

	// unhurried ops wait for others, at most for unhurriedTime.
	unhurried bool
	done      chan struct{} // closed when err is set
	err       error
}

// unhurriedTime is how long a write of a checkpoint waits for somebody else's, so
// that a sweep of thousands of rooms does not keep the disk at syncing while
// people edit (room.Unhurried).
const unhurriedTime = 20 * time.Millisecond

// newOp returns an op whose batch the caller fills before submitting it.
func (s *Store) newOp() *op {
	return &op{batch: s.db.NewBatch(), done: make(chan struct{})}
}

// committer is the one goroutine that writes. While it waits for a sync, ops
// queue up; the next commit takes them all.
type committer struct {
	store *Store

	mu    sync.Mutex
	ready sync.Cond
	queue []*op
	// hurry says that the queue is to be committed now.
	hurry   bool
	stopped bool
	ended   chan struct{}
}

func (c *committer) start(s *Store) {
	c.store = s
	c.ready.L = &c.mu
	c.ended = make(chan struct{})
	go c.run()
}

// submit queues o. Ops are committed in the order they were submitted, so a
// caller that must keep an order submits under its lock.
func (c *committer) submit(ctx context.Context, o *op) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.store.fault.get(); err != nil {
		o.finish(unavailable(err))
		return
	}
	o.unhurried = room.IsUnhurried(ctx)
	c.queue = append(c.queue, o)
	switch {
	case !o.unhurried:
		c.hurryLocked()
	case len(c.queue) == 1:
		time.AfterFunc(unhurriedTime, func() { c.overdue(o) })
	}
}

// overdue has o committed now, unless it is already.
func (c *committer) overdue(o *op) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.queue) > 0 && c.queue[0] == o {
		c.hurryLocked()
	}
}

// hurryUp has what is queued committed now.
func (c *committer) hurryUp() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.hurryLocked()
}

func (c *committer) hurryLocked() {
	c.hurry = true
	c.ready.Signal()
}

func (o *op) finish(err error) {
	o.err = err
	close(o.done)
}

// wait returns when o is committed, or ErrUnavailable when it failed, when ctx
// ends first, or when the store stops: then o may or may not be stored.
func (c *committer) wait(ctx context.Context, o *op) error {
	select {
	case <-o.done:
		return o.err
	default:
	}
	if o.unhurried && !room.IsUnhurried(ctx) { // somebody else's op
		c.hurryUp()
	}
	select {
	case <-o.done:
		return o.err
	case <-ctx.Done():
		return unavailable(fmt.Errorf("waiting for the disk: %w", ctx.Err()))
	case <-c.store.fault.raised:
		select {
		case <-o.done: // it may have made it just before
			return o.err
		default:
			return unavailable(c.store.fault.get())
		}
	}
}

func (c *committer) run() {
	var group []*op
	// Nobody may be left waiting when Pebble panics.
	defer func() {
		if r := recover(); r != nil {
			c.store.fault.raise(fmt.Errorf("pebble panicked: %v", r))
		}
		c.abandon(group)
		close(c.ended)
	}()
	for {
		if group = c.take(); group == nil {
			return
		}
		began := time.Now()
		if err := c.commit(group); err != nil {
			c.store.fault.raise(err)
			return
		}
		took := time.Since(began)
		for _, o := range group {
			if o.committed != nil {
				o.committed()
			}
			c.store.feed.push(o.changes)
			o.finish(nil)
		}
		crowd := len(group) >= groupCrowd
		group = nil
		if crowd {
			time.Sleep(min(took, groupRest))
		}
	}
}

// abandon fails the group that was under way and everything behind it.
func (c *committer) abandon(group []*op) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, o := range append(group, c.queue...) {
		select {
		case <-o.done:
		default:
			o.finish(unavailable(c.store.fault.get()))
		}
	}
	c.queue = nil
}

// take waits for ops and returns those that fit one commit, nil at the end.
func (c *committer) take() []*op {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.queue) == 0 || !c.hurry && !c.stopped {
		switch {
		case c.stopped:
			return nil
		case len(c.queue) == 0:
			c.hurry = false // it was for what is committed already
		}
		c.ready.Wait()
	}
	n, size := 1, c.queue[0].batch.Len()
	for n < len(c.queue) && size+c.queue[n].batch.Len() <= groupBytes {
		size += c.queue[n].batch.Len()
		n++
	}
	group := c.queue[:n:n]
	if c.queue = c.queue[n:]; len(c.queue) == 0 {
		c.queue, c.hurry = nil, false // let go of the array
	}
	return group
}

// commit writes the group as one batch and waits for its sync, apart from
// Apply, which would call Fatalf if it failed. It never begins a batch before
// the one before is durable: checkRecords relies on that.
func (c *committer) commit(group []*op) error {
	batch := group[0].batch
	for _, o := range group[1:] {
		if err := batch.Apply(o.batch, nil); err != nil {
			return err
		}
		if err := o.batch.Close(); err != nil {
			return err
		}
	}
	if err := c.store.witness.next(batch); err != nil {
		return err
	}
	if err := c.store.db.ApplyNoSyncWait(batch, pebble.Sync); err != nil {
		return err
	}
	if err := batch.SyncWait(); err != nil {
		return err
	}
	c.store.witness.durable(c.store.clock.Now())
	return batch.Close()
}

// stop commits what is queued and ends the goroutine, unless the store has
// stopped: then the goroutine may be held for ever.
func (c *committer) stop() {
	c.mu.Lock()
	c.stopped = true
	c.ready.Signal()
	c.mu.Unlock()
	c.store.fault.await(c.ended)
}
