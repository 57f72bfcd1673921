package yjs

import (
	"cmp"
	"fmt"
	"slices"
)

// list is where the structs of one client are inside an update, found by a strict pass over all of it.
type list struct {
	client uint64
	clock  uint64 // of the first struct
	end    uint64 // after the last struct
	count  uint64
	at     int   // byte offset of the first struct
	src    int32 // index of the update
	kinds  uint8 // kindsContent and so on
}

// What a list holds.
const (
	kindContent uint8 = 1 << iota // items with content
	kindDeleted                   // items whose content is gone
	kindGC
	kindSkip
)

// kindOf returns the kind bit of a struct reference.
func kindOf(ref uint8) uint8 {
	switch ref {
	case refGC:
		return kindGC
	case refSkip:
		return kindSkip
	case refDeleted:
		return kindDeleted
	}
	return kindContent
}

// index is what a strict pass over one or more updates leaves behind: small next to the updates when lists are long,
// 56 bytes a list and 24 a delete range.
type index struct {
	updates [][]byte
	lists   []list
	deletes deleteSet // not normalised until sort
}

// indexOf reads the updates strictly and returns their lists by client descending, clock ascending, update ascending,
// and their delete sets in one.
func indexOf(limits Limits, updates ...[]byte) (*index, error) {
	x := &index{updates: updates, lists: make([]list, 0, len(updates))}
	for i, update := range updates {
		if err := x.add(limits, update, int32(i)); err != nil {
			if len(updates) > 1 {
				err = fmt.Errorf("update %d: %w", i, err)
			}
			return nil, err
		}
	}
	x.sort()
	return x, nil
}

// sort puts lists and delete ranges in their order, once all updates have been added.
func (x *index) sort() {
	byPlace := func(a, b list) int {
		if a.client != b.client {
			return cmp.Compare(b.client, a.client)
		}
		if a.clock != b.clock {
			return cmp.Compare(a.clock, b.clock)
		}
		return cmp.Compare(a.src, b.src)
	}
	if !slices.IsSortedFunc(x.lists, byPlace) {
		slices.SortFunc(x.lists, byPlace)
	}
	x.deletes = normalise(x.deletes)
}

// add reads one update.
func (x *index) add(limits Limits, update []byte, src int32) error {
	var u updateReader
	u.start(update, limits)
	first, sorted := len(x.lists), true
	var b block
	for u.nextClient() {
		l := list{client: u.client, clock: u.clock, count: u.structsLeft, at: u.pos, src: src}
		for u.next(&b) {
			l.kinds |= kindOf(b.ref)
		}
		l.end = u.clock
		if n := len(x.lists); n > first && x.lists[n-1].client <= l.client {
			sorted = false
		}
		x.lists = append(x.lists, l)
	}
	var d deleteRange
	for u.nextDelete(&d) {
		x.deletes = append(x.deletes, d)
	}
	if err := u.finish(); err != nil {
		return err
	}
	if !sorted {
		slices.SortFunc(x.lists[first:], func(a, b list) int { return cmp.Compare(b.client, a.client) })
		for i := first + 1; i < len(x.lists); i++ {
			if x.lists[i].client == x.lists[i-1].client {
				return &DecodeError{Offset: max(x.lists[i].at, x.lists[i-1].at), Err: ErrDuplicateClient}
			}
		}
	}
	kept := x.lists[:first]
	for _, l := range x.lists[first:] {
		if l.kinds&^kindSkip != 0 {
			kept = append(kept, l)
		}
	}
	x.lists = kept
	return nil
}

// size is the number of bytes of all updates.
func (x *index) size() int {
	n := 0
	for _, u := range x.updates {
		n += len(u)
	}
	return n
}

// cursor reads the structs of one list that has been read strictly before.
type cursor struct {
	reader
	block block
	left  uint64
	src   int32
	clock uint64 // of the next struct
}

// open starts c at the beginning of l. The first block is read by next.
func (c *cursor) open(x *index, l list) {
	*c = cursor{
		reader: reader{buf: x.updates[l.src], pos: l.at, maxDepth: len(x.updates[l.src]), trusted: true},
		left:   l.count, src: l.src, clock: l.clock,
	}
	c.block.client = l.client
}

// next reads the next struct that is no Skip into c.block.
func (c *cursor) next() bool {
	for c.left > 0 {
		c.left--
		c.readBlock(&c.block, c.block.client, c.clock)
		c.clock = c.block.end()
		if c.err != nil {
			return false
		}
		if c.block.ref != refSkip {
			return true
		}
	}
	return false
}
