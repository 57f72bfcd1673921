package yjs

// Diff returns the part of update that a peer with the given state vector does not have, as Y.diffUpdate: the structs
// from the peer's clock on, the first one cut where it has to be, and the whole delete set, because a state vector says
// nothing about deletes. A struct cut inside a surrogate pair begins with U+FFFD, as it does in Yjs.
//
// It returns a *DecodeError when update or stateVector is not valid.
func Diff(update, stateVector []byte) ([]byte, error) {
	state, err := readStateVector(stateVector)
	if err != nil {
		return nil, err
	}
	x, err := indexOf(DefaultLimits(), update)
	if err != nil {
		return nil, err
	}
	return x.diff(state), nil
}

// diff writes what lies beyond state. The lists of a client must not overlap.
func (x *index) diff(state stateVector) []byte {
	w := newUpdateWriter(0)
	var c cursor
	for _, l := range x.lists {
		known := state.clock(l.client)
		if l.end <= known {
			continue
		}
		c.open(x, l)
		for c.next() {
			b := &c.block
			if b.end() <= known {
				continue
			}
			if b.clock < known {
				cut := *b
				cut.dropLeft(known - b.clock)
				w.add(&cut)
				continue
			}
			w.add(b)
		}
	}
	return w.finish(x.deletes)
}
