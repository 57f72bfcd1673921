package yjs

import "container/heap"

// Merge returns one update that does what all of updates do, in whichever order, as Y.mergeUpdates: gaps become Skip
// structs, structs and delete ranges that wait for others are kept. No updates give the empty update.
//
// Where updates disagree about a clock (which happens when one of them comes from a peer that has already forgotten
// deleted content), an item with content wins over one without, and that over GC. Where two have content, the struct
// that begins earlier wins, then the earlier update. The order of updates has no other influence on the result.
//
// Merge takes O(n log n) time for n structs in all, and beside the result 56 bytes for each client in each update and
// 24 for each delete range.
func Merge(updates ...[]byte) ([]byte, error) {
	x, err := indexOf(DefaultLimits(), updates...)
	if err != nil {
		return nil, err
	}
	return x.merge(), nil
}

// merge writes the union of all updates.
func (x *index) merge() []byte {
	w := newUpdateWriter(x.size())
	m := merger{x: x, w: w}
	for i := 0; i < len(x.lists); {
		// A cluster is a run of lists of one client that overlap. Most have one list.
		end := x.lists[i].end
		j := i + 1
		for j < len(x.lists) && x.lists[j].client == x.lists[i].client && x.lists[j].clock < end {
			end = max(end, x.lists[j].end)
			j++
		}
		if j == i+1 {
			m.copy(x.lists[i])
		} else {
			m.overlay(x.lists[i:j])
		}
		i = j
	}
	return w.finish(x.deletes)
}

// merger merges lists of an index into a writer.
type merger struct {
	x      *index
	w      *updateWriter
	single cursor
	free   []*cursor
}

// copy writes one list.
func (m *merger) copy(l list) {
	m.single.open(m.x, l)
	for m.single.next() {
		m.w.add(&m.single.block)
	}
}

// overlay writes the union of lists of one client that overlap. It merges items with content, items without, and GC
// structs by themselves, and lets each fill what the ones before leave open.
func (m *merger) overlay(lists []list) {
	var layers []*layer
	for _, kind := range []uint8{kindContent, kindDeleted, kindGC} {
		if l := m.newLayer(lists, kind); l.next() {
			layers = append(layers, l)
		}
	}
	pos := uint64(0)
	for len(layers) > 0 {
		// The layer that begins first; of those that begin together, the best.
		best := 0
		for i, l := range layers {
			if l.block.clock < layers[best].block.clock {
				best = i
			}
		}
		l := layers[best]
		end := l.block.end()
		for _, better := range layers[:best] {
			end = min(end, better.block.clock)
		}
		if best == 0 && l.kind == kindContent {
			m.w.add(&l.block)
		} else {
			piece := l.block
			piece.keepLeft(end - piece.clock)
			m.w.add(&piece)
		}
		pos = end
		kept := layers[:0]
		for _, l := range layers {
			if l.skipTo(pos) {
				kept = append(kept, l)
			}
		}
		layers = kept
	}
}

// layer yields the blocks of one kind from several lists of one client, disjoint and ascending.
type layer struct {
	m       *merger
	kind    uint8
	lists   []list // not opened yet
	open    cursorHeap
	block   block
	covered uint64 // blocks up to here have been yielded
}

func (m *merger) newLayer(lists []list, kind uint8) *layer {
	return &layer{m: m, kind: kind, lists: lists}
}

// next moves to the next block.
func (l *layer) next() bool {
	for {
		l.openUpTo()
		if len(l.open) == 0 {
			return false
		}
		c := l.open[0]
		b := c.block
		if c.nextOf(l.kind) {
			heap.Fix(&l.open, 0)
		} else {
			l.m.free = append(l.m.free, c)
			heap.Pop(&l.open)
		}
		if b.end() <= l.covered {
			continue
		}
		if b.clock < l.covered {
			b.dropLeft(l.covered - b.clock)
		}
		l.block, l.covered = b, b.end()
		return true
	}
}

// openUpTo opens the lists that may hold the next block.
func (l *layer) openUpTo() {
	for len(l.lists) > 0 && (len(l.open) == 0 || l.lists[0].clock <= l.open[0].block.clock) {
		next := l.lists[0]
		l.lists = l.lists[1:]
		if next.kinds&l.kind == 0 {
			continue
		}
		c := l.m.cursor()
		c.open(l.m.x, next)
		if c.nextOf(l.kind) {
			heap.Push(&l.open, c)
		}
	}
}

// skipTo drops what is before pos. It returns false when nothing is left.
func (l *layer) skipTo(pos uint64) bool {
	for l.block.end() <= pos {
		if !l.next() {
			return false
		}
	}
	if l.block.clock < pos {
		l.block.dropLeft(pos - l.block.clock)
	}
	return true
}

// cursor returns a cursor that is not in use.
func (m *merger) cursor() *cursor {
	if n := len(m.free); n > 0 {
		c := m.free[n-1]
		m.free = m.free[:n-1]
		return c
	}
	return new(cursor)
}

// nextOf moves to the next block of a kind.
func (c *cursor) nextOf(kind uint8) bool {
	for c.next() {
		if kindOf(c.block.ref) == kind {
			return true
		}
	}
	return false
}

// cursorHeap orders open cursors by the clock of their block, then by update.
type cursorHeap []*cursor

func (h cursorHeap) Len() int { return len(h) }
func (h cursorHeap) Less(i, j int) bool {
	if h[i].block.clock != h[j].block.clock {
		return h[i].block.clock < h[j].block.clock
	}
	return h[i].src < h[j].src
}
func (h cursorHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *cursorHeap) Push(c any)   { *h = append(*h, c.(*cursor)) }
func (h *cursorHeap) Pop() any {
	old := *h
	c := old[len(old)-1]
	*h = old[:len(old)-1]
	return c
}
