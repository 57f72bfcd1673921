package yjs

import "sort"

// structList is the structs of one client by clock, without gaps, in chunks, so that adding one in the middle moves few.
type structList struct {
	chunks []structChunk
}

type structChunk struct {
	clock uint64 // of the first
	items []*item
}

// chunkSize keeps a chunk within 2 KiB.
const chunkSize = 256

// place is where a struct is in a structList. It is void once the list changes.
type place struct{ chunk, i int }

// last returns the last struct, nil when there is none.
func (s *structList) last() *item {
	if len(s.chunks) == 0 {
		return nil
	}
	items := s.chunks[len(s.chunks)-1].items
	return items[len(items)-1]
}

// push adds a struct at the end.
func (s *structList) push(it *item) {
	if n := len(s.chunks); n > 0 && len(s.chunks[n-1].items) < chunkSize {
		s.chunks[n-1].items = append(s.chunks[n-1].items, it)
		return
	}
	items := make([]*item, 1, 4)
	if len(s.chunks) > 0 {
		items = make([]*item, 1, chunkSize)
	}
	items[0] = it
	s.chunks = append(s.chunks, structChunk{it.clock, items})
}

// pop removes the last struct.
func (s *structList) pop() {
	n := len(s.chunks) - 1
	s.removeAt(place{n, len(s.chunks[n].items) - 1})
}

// find returns where the struct with a clock is. The list must have it.
func (s *structList) find(clock uint64) place {
	c := len(s.chunks) - 1
	if s.chunks[c].clock > clock {
		c = sort.Search(c, func(i int) bool { return s.chunks[i].clock > clock }) - 1
	}
	items := s.chunks[c].items
	i := len(items) - 1
	if items[i].clock > clock {
		i = sort.Search(i, func(i int) bool { return items[i].clock > clock }) - 1
	}
	return place{c, i}
}

// at returns the struct at a place, nil behind the end.
func (s *structList) at(p place) *item {
	if p.chunk >= len(s.chunks) {
		return nil
	}
	return s.chunks[p.chunk].items[p.i]
}

// next returns the place after p.
func (s *structList) next(p place) place {
	if p.i+1 < len(s.chunks[p.chunk].items) {
		return place{p.chunk, p.i + 1}
	}
	return place{p.chunk + 1, 0}
}

// prev returns the struct before p, nil at the beginning.
func (s *structList) prev(p place) *item {
	if p.i > 0 {
		return s.chunks[p.chunk].items[p.i-1]
	}
	if p.chunk == 0 {
		return nil
	}
	items := s.chunks[p.chunk-1].items
	return items[len(items)-1]
}

// insertAfter adds a struct behind p and returns its place.
func (s *structList) insertAfter(p place, it *item) place {
	c := &s.chunks[p.chunk]
	if len(c.items) >= chunkSize {
		half := len(c.items) / 2
		right := append(make([]*item, 0, chunkSize), c.items[half:]...)
		clear(c.items[half:])
		c.items = c.items[:half]
		s.chunks = append(s.chunks, structChunk{})
		copy(s.chunks[p.chunk+2:], s.chunks[p.chunk+1:])
		s.chunks[p.chunk+1] = structChunk{right[0].clock, right}
		if p.i >= half {
			p = place{p.chunk + 1, p.i - half}
		}
		c = &s.chunks[p.chunk]
	}
	c.items = append(c.items, nil)
	copy(c.items[p.i+2:], c.items[p.i+1:])
	c.items[p.i+1] = it
	return place{p.chunk, p.i + 1}
}

// removeAt removes a struct. The one before has to take over its clocks, unless it is the last.
func (s *structList) removeAt(p place) {
	c := &s.chunks[p.chunk]
	copy(c.items[p.i:], c.items[p.i+1:])
	c.items[len(c.items)-1] = nil
	c.items = c.items[:len(c.items)-1]
	if len(c.items) == 0 {
		s.chunks = append(s.chunks[:p.chunk], s.chunks[p.chunk+1:]...)
	} else if p.i == 0 {
		c.clock = c.items[0].clock
	}
}
