package yjs

import (
	"bytes"
	"cmp"
	"container/heap"
	"slices"
)

// stretch is consecutive structs of one client from one update, being integrated or waiting.
type stretch struct {
	client *docClient
	clock  uint64 // of the first struct
	end    uint64
	count  uint64
	bytes  []byte // of the structs
	own    bool   // bytes are not the caller's
	serial uint64 // Doc.serial of the Apply that brought it
	state  stretchState
}

type stretchState uint8

const (
	stretchReady   stretchState = iota // in Doc.ready, or being integrated
	stretchWaiting                     // until its client gets to its clock, or a neighbour or parent comes
	stretchDone
)

// waiting is what waits at one client.
type waiting struct {
	queue   stretchHeap           // stretches of the client that begin behind its end
	blocked blockedHeap           // stretches of any client that need more of this one
	parked  map[uint64][]*stretch // all stretches of the client that wait, by clock
	deletes rangeHeap             // deletes behind its end
	joined  int                   // how many deletes there were when they were last joined
	woken   bool                  // it is in Doc.woken
}

func (c *docClient) wait() *waiting {
	if c.waiting == nil {
		c.waiting = &waiting{}
	}
	return c.waiting
}

// integrateUpdate integrates the stretches that are ready, applies the delete set that begins at a byte of the update, and
// then takes up what has waited before, as Yjs does. The order shows in which formats it tidies (see inDeleteOrder).
func (d *Doc) integrateUpdate(update []byte, deletes int) {
	d.deferring = true
	d.integrateReady()
	d.applyDeletes(update, deletes)
	d.applyWaitingDeletes()
	d.deferring = false
	if len(d.deferred) > 0 {
		slices.SortFunc(d.deferred, func(a, b *stretch) int { // the last is next
			return cmp.Or(cmp.Compare(a.client.id, b.client.id), cmp.Compare(b.clock, a.clock))
		})
		d.ready = append(d.ready, d.deferred...)
		clear(d.deferred)
		d.deferred = d.deferred[:0]
		d.integrateReady()
		d.applyWaitingDeletes()
	}
}

// integrateReady integrates the stretches that are ready as far as possible, and those that become ready by that.
func (d *Doc) integrateReady() {
	for len(d.ready) > 0 {
		last := len(d.ready) - 1
		r := d.ready[last]
		d.ready[last] = nil
		d.ready = d.ready[:last]
		d.integrateStretch(r)
	}
	for _, r := range d.suspended {
		if r.state == stretchWaiting && !r.own {
			r.bytes, r.own = bytes.Clone(r.bytes), true
		}
	}
	clear(d.suspended)
	d.suspended = d.suspended[:0]
}

// integrateStretch integrates a stretch until it ends, has to wait, or makes others ready, which then go first.
func (d *Doc) integrateStretch(r *stretch) {
	c, b := r.client, &d.block
	in := reader{buf: r.bytes, maxDepth: len(r.bytes), trusted: true}
	for r.count > 0 {
		at := in.pos
		in.readBlock(b, c.id, r.clock)
		if b.ref != refSkip && b.end() > c.end {
			if b.clock > c.end {
				d.suspend(r, at, c, b.clock)
				return
			}
			if on, clock, missing := d.missing(b); missing {
				d.suspend(r, at, on, clock)
				d.hurry(on)
				return
			}
			if d.visits > d.budget {
				d.failed = ErrTooComplex
				d.ready = d.ready[:0]
				return
			}
			end := b.end()
			d.integrate(c, b)
			r.clock, r.count = end, r.count-1
			if c.waiting != nil && d.wakes(c) {
				r.bytes = r.bytes[in.pos:]
				d.ready = append(d.ready, r)
				d.wake(c)
				return
			}
			continue
		}
		r.clock, r.count = b.end(), r.count-1
	}
	r.state = stretchDone
}

// suspend lets a stretch wait, with the structs from byte at on, until on gets to a clock (when that is the client of the
// run) or beyond it. A stretch that waits already is not kept twice.
func (d *Doc) suspend(r *stretch, at int, on *docClient, clock uint64) {
	r.bytes = r.bytes[at:]
	w := r.client.wait()
	for _, other := range w.parked[r.clock] {
		if bytes.Equal(other.bytes, r.bytes) {
			r.state = stretchDone
			return
		}
	}
	if w.parked == nil {
		w.parked = map[uint64][]*stretch{}
	}
	w.parked[r.clock] = append(w.parked[r.clock], r)
	r.state = stretchWaiting
	d.pendingBytes += len(r.bytes)
	d.suspended = append(d.suspended, r)
	if on == r.client {
		heap.Push(&w.queue, r)
	} else {
		heap.Push(&on.wait().blocked, blockedStretch{clock, r})
	}
}

// resume makes a stretch ready that waited.
func (d *Doc) resume(r *stretch) {
	parked := r.client.waiting.parked
	same := parked[r.clock]
	if i := slices.Index(same, r); len(same) == 1 {
		delete(parked, r.clock)
	} else {
		parked[r.clock] = slices.Delete(same, i, i+1)
	}
	d.pendingBytes -= len(r.bytes)
	r.state = stretchReady
	if d.deferring && r.serial != d.serial {
		d.deferred = append(d.deferred, r)
		return
	}
	d.ready = append(d.ready, r)
}

// wakes says whether something that waits at c can go on. It notes c for the deletes that wait.
func (d *Doc) wakes(c *docClient) bool {
	w := c.waiting
	if len(w.deletes) > 0 && !w.woken {
		w.woken = true
		d.woken = append(d.woken, c)
	}
	return len(w.queue) > 0 && w.queue[0].clock <= c.end || len(w.blocked) > 0 && w.blocked[0].clock < c.end
}

// wake makes ready what can go on.
func (d *Doc) wake(c *docClient) {
	w := c.waiting
	for len(w.queue) > 0 && w.queue[0].clock <= c.end {
		d.resume(heap.Pop(&w.queue).(*stretch))
	}
	for len(w.blocked) > 0 && w.blocked[0].clock < c.end {
		d.resume(heap.Pop(&w.blocked).(blockedStretch).stretch)
	}
}

// hurry puts a stretch of c that is ready before the others, as Yjs does with what a struct needs. It looks at few, because
// that changes nothing but the order in which keys of a map are listed.
func (d *Doc) hurry(c *docClient) {
	const few = 32
	for i := len(d.ready) - 1; i >= max(0, len(d.ready)-few); i-- {
		if d.ready[i].client == c {
			r := d.ready[i]
			copy(d.ready[i:], d.ready[i+1:])
			d.ready[len(d.ready)-1] = r
			return
		}
	}
}

// applyDeletes applies the delete set that begins at a byte of an update read before.
func (d *Doc) applyDeletes(update []byte, at int) {
	u := updateReader{reader: reader{buf: update, pos: at, trusted: true}}
	var r deleteRange
	for u.nextDelete(&r) {
		d.applyDelete(d.client(r.client), r)
	}
}

// applyWaitingDeletes applies the deletes that waited for what has come.
func (d *Doc) applyWaitingDeletes() {
	slices.SortFunc(d.woken, func(a, b *docClient) int { return cmp.Compare(b.id, a.id) })
	for _, c := range d.woken {
		w := c.waiting
		w.woken = false
		for len(w.deletes) > 0 && w.deletes[0].clock < c.end {
			d.applyDelete(c, heap.Pop(&w.deletes).(deleteRange))
		}
	}
	d.woken = d.woken[:0]
}

// applyDelete applies a delete as far as the client has come, and keeps the rest.
func (d *Doc) applyDelete(c *docClient, r deleteRange) {
	if r.clock < c.end {
		d.deleteRange(c, r.clock, min(r.end, c.end))
	}
	if r.end <= c.end {
		return
	}
	r.clock = max(r.clock, c.end)
	w := c.wait()
	heap.Push(&w.deletes, r)
	if len(w.deletes) > 2*w.joined+16 { // the same deletes may come again and again
		w.deletes = rangeHeap(normalise(w.deletes))
		w.joined = len(w.deletes)
	}
}

// Pending says what a document has been given but cannot use yet.
type Pending struct {
	// Structs is the number of clocks that wait for others.
	Structs uint64
	// Deletes is the number of deleted clocks of which the content has not come.
	Deletes uint64
	// Missing has the first clock that is missing of each client something waits for, clients descending.
	Missing []ID
}

// IsZero is true when nothing waits.
func (p Pending) IsZero() bool { return p.Structs == 0 && p.Deletes == 0 }

// Pending reports what waits for updates that have not come.
func (d *Doc) Pending() Pending {
	var p Pending
	waiting, err := Merge(d.encodeWaiting(d.state())...)
	if err == nil {
		var c coverage
		if c, err = readCoverage(waiting, DefaultLimits()); err == nil {
			p.Structs, p.Deletes = c.structs.size(), c.deletes.size()
		}
	}
	for _, c := range d.clients {
		if w := c.waiting; w != nil && w.needsMore(c) {
			p.Missing = append(p.Missing, ID{c.id, c.end})
		}
	}
	slices.SortFunc(p.Missing, func(a, b ID) int {
		if a.Client > b.Client {
			return -1
		}
		return 1
	})
	return p
}

// needsMore says whether anything waits for structs of c that are not there, not even waiting.
func (w *waiting) needsMore(c *docClient) bool {
	wanted := len(w.deletes) > 0
	has := false
	for _, same := range w.parked {
		for _, r := range same {
			wanted = wanted || r.end > c.end
			has = has || r.clock <= c.end && r.end > c.end
		}
	}
	for _, b := range w.blocked {
		wanted = wanted || b.stretch.end > b.stretch.client.end
	}
	return wanted && !has
}

// encodeWaiting returns what waits as updates, without what known has.
func (d *Doc) encodeWaiting(known stateVector) [][]byte {
	var out [][]byte
	var deletes []deleteRange
	for _, c := range d.clients {
		if c.waiting == nil {
			continue
		}
		deletes = append(deletes, c.waiting.deletes...)
		from := max(known.clock(c.id), c.end)
		for _, same := range c.waiting.parked {
			for _, r := range same {
				if r.end > from {
					out = append(out, r.encode(from))
				}
			}
		}
	}
	slices.SortFunc(out, bytes.Compare)
	if len(deletes) > 0 {
		out = append(out, normalise(slices.Clone(deletes)).appendTo([]byte{0}))
	}
	return out
}

// encode returns the structs of a stretch from a clock on as an update.
func (r *stretch) encode(from uint64) []byte {
	w := newUpdateWriter(len(r.bytes))
	in := reader{buf: r.bytes, maxDepth: len(r.bytes), trusted: true}
	clock := r.clock
	var b block
	for range r.count {
		in.readBlock(&b, r.client.id, clock)
		if clock = b.end(); clock <= from {
			continue
		}
		if b.clock < from {
			b.dropLeft(from - b.clock)
		}
		w.add(&b)
	}
	return w.finish(nil)
}

// stretchHeap orders stretches by clock.
type stretchHeap []*stretch

func (h stretchHeap) Len() int           { return len(h) }
func (h stretchHeap) Less(i, j int) bool { return h[i].clock < h[j].clock }
func (h stretchHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *stretchHeap) Push(r any)        { *h = append(*h, r.(*stretch)) }
func (h *stretchHeap) Pop() any          { return popLast((*[]*stretch)(h)) }

// blockedStretch is a stretch that needs a clock of another client.
type blockedStretch struct {
	clock   uint64
	stretch *stretch
}

// blockedHeap orders blocked stretches by the clock they need.
type blockedHeap []blockedStretch

func (h blockedHeap) Len() int           { return len(h) }
func (h blockedHeap) Less(i, j int) bool { return h[i].clock < h[j].clock }
func (h blockedHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *blockedHeap) Push(r any)        { *h = append(*h, r.(blockedStretch)) }
func (h *blockedHeap) Pop() any          { return popLast((*[]blockedStretch)(h)) }

// rangeHeap orders deletes of one client by clock.
type rangeHeap []deleteRange

func (h rangeHeap) Len() int           { return len(h) }
func (h rangeHeap) Less(i, j int) bool { return h[i].clock < h[j].clock }
func (h rangeHeap) Swap(i, j int)      { h[i], h[j] = h[j], h[i] }
func (h *rangeHeap) Push(r any)        { *h = append(*h, r.(deleteRange)) }
func (h *rangeHeap) Pop() any          { return popLast((*[]deleteRange)(h)) }

// popLast removes the last element.
func popLast[T any](s *[]T) T {
	last := len(*s) - 1
	v := (*s)[last]
	var zero T
	(*s)[last] = zero
	*s = (*s)[:last]
	return v
}

// newStretch returns the stretch of a list.
func newStretch(serial uint64, c *docClient, l scannedList, update []byte) *stretch {
	return &stretch{client: c, clock: l.clock, end: l.end, count: l.count, bytes: update[l.from:l.to], serial: serial}
}
