package yjs

// causalOrder calls emit with the place of every struct of s in an order in which each comes after those it needs: the one before it
// of its client, its origins and its parent. Structs that can never be placed, because something they need is missing
// or needs them, come last, by client descending. It returns the number of those. It stops early, returning the first
// error of emit.
//
// It takes the order in which Yjs integrates (yjs src/utils/encoding.js integrateStructs): greatest client first, going
// to another client only when a struct needs it.
func (s *store) causalOrder(emit func(client, i int, placed bool) error) error {
	w := causalWalk{s: s, emit: emit, progress: make([]causalProgress, len(s.clients))}
	for client := range s.clients {
		for w.progress[client].next < len(s.clients[client].blocks) && !w.progress[client].blocked {
			if err := w.place(client); err != nil {
				return err
			}
		}
	}
	for client := range s.clients {
		for i := w.progress[client].next; i < len(s.clients[client].blocks); i++ {
			if s.clients[client].blocks[i].ref == refSkip {
				continue
			}
			if err := emit(client, i, false); err != nil {
				return err
			}
		}
	}
	return nil
}

// causalProgress is how far a client has been placed.
type causalProgress struct {
	next    int    // index of the next struct
	clock   uint64 // clocks below are placed
	blocked bool   // the next struct can never be placed
	waiting bool   // the next struct is on the stack
}

type causalWalk struct {
	s        *store
	emit     func(client, i int, placed bool) error
	progress []causalProgress
	stack    []int
	block    block
}

// place places the next struct of a client after whatever it needs, or blocks the client.
func (w *causalWalk) place(client int) error {
	w.stack = append(w.stack[:0], client)
	w.progress[client].waiting = true
	for len(w.stack) > 0 {
		top := w.stack[len(w.stack)-1]
		p := &w.progress[top]
		w.s.readHead(top, p.next, &w.block)
		needed, ok := w.missing(&w.block)
		if w.block.clock != p.clock || w.block.ref == refSkip || !ok {
			for _, c := range w.stack {
				w.progress[c].blocked, w.progress[c].waiting = true, false
			}
			return nil
		}
		if needed >= 0 {
			w.progress[needed].waiting = true
			w.stack = append(w.stack, needed)
			continue
		}
		if err := w.emit(top, p.next, true); err != nil {
			return err
		}
		p.next++
		p.clock, p.waiting = w.block.end(), false
		w.stack = w.stack[:len(w.stack)-1]
	}
	return nil
}

// missing returns a client of which more has to be placed before b, or -1. ok is false when that is not possible.
func (w *causalWalk) missing(b *block) (needed int, ok bool) {
	for _, id := range [...]struct {
		ID
		used bool
	}{{b.origin, b.hasOrigin}, {b.right, b.hasRight}, {b.parentID, b.parent == parentItem}} {
		if !id.used || id.Client == b.client {
			continue
		}
		client, found := w.s.client(id.Client)
		if !found {
			return 0, false
		}
		p := &w.progress[client]
		if id.Clock < p.clock {
			continue
		}
		if p.blocked || p.waiting || id.Clock >= w.s.clients[client].end {
			return 0, false
		}
		return client, true
	}
	return -1, true
}
