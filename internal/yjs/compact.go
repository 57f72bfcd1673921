package yjs

// Compact returns update without the content of what it deletes: a document that loads the result equals one that loads
// update, also after later updates from clients that still have everything. Deleted items become ContentDeleted and
// keep their place; items in a deleted type become GC, at any depth and whether the delete set names them or not, as
// they do in Yjs. The clocks covered and the delete set stay as they are.
//
// Structs that wait for something update does not have are left alone, deleted or not. Content that is not certainly
// deleted is never touched: not, for example, the old value of a map key that only its successor deletes.
//
// It takes O(n log n) time and, beside the result, 16 bytes for each struct. It returns a *DecodeError when update is
// not valid.
func Compact(update []byte) ([]byte, error) {
	x, err := indexOf(DefaultLimits(), update)
	if err != nil {
		return nil, err
	}
	return x.compact(), nil
}

// compact writes the only update of x without deleted content.
func (x *index) compact() []byte {
	s := storeOf(x)
	c := compactor{store: s, deletes: x.deletes, w: newUpdateWriter(0)}
	c.resolve()
	for client := range s.clients {
		c.cursor = x.deletes.of(s.clients[client].client)
		for i := range s.clients[client].blocks {
			c.writeBlock(client, i)
		}
	}
	return c.w.finish(x.deletes)
}

// States of a struct while its container is looked for.
const (
	statePending uint8 = iota // waits for something the update does not have
	stateNew                  // placed, container not looked for
	stateAlive                // in a type that is not deleted as far as the update says
	stateDead                 // in a deleted type
	stateWaiting              // on the stack
)

// compactor drops deleted content from one update.
type compactor struct {
	*store
	deletes deleteSet
	w       *updateWriter
	cursor  deleteSet // ranges of the client being written that have not been passed

	keepTypes bool // keep deleted types, see crossing
}

// resolve finds out which structs are placed, and which of those are in deleted types.
func (c *compactor) resolve() {
	c.causalOrder(func(client, i int, placed bool) error {
		if placed {
			c.clients[client].blocks[i].state = stateNew
		}
		return nil
	})
	if !c.hasNested() {
		return
	}
	dead := false
	for client := range c.clients {
		for i := range c.clients[client].blocks {
			if c.clients[client].blocks[i].state == stateNew {
				c.resolveFrom(client, i)
			}
			dead = dead || c.clients[client].blocks[i].state == stateDead
		}
	}
	c.keepTypes = dead && c.crossing()
}

// hasNested says whether any struct can be inside a deleted type.
func (c *compactor) hasNested() bool {
	for client := range c.clients {
		for _, p := range c.clients[client].blocks {
			switch p.ref {
			case refGC, refDeleted:
				return true
			case refType:
				if c.deletes.contains(ID{c.clients[client].client, p.clock}) {
					return true
				}
			}
		}
	}
	return false
}

// visit is a struct whose state is being looked for.
type visit struct{ client, i int }

// resolveFrom settles the state of one struct and of those it depends on, without recursion.
func (c *compactor) resolveFrom(client, i int) {
	stack := []visit{{client, i}}
	for len(stack) > 0 {
		v := stack[len(stack)-1]
		p := &c.clients[v.client].blocks[v.i]
		state, on, known := c.containerOf(v)
		if !known {
			p.state = stateWaiting
			stack = append(stack, on)
			continue
		}
		p.state = state
		stack = stack[:len(stack)-1]
	}
}

// containerOf says whether v is in a deleted type. known is false when that depends on a struct not settled yet.
func (c *compactor) containerOf(v visit) (state uint8, on visit, known bool) {
	var b block
	c.readHead(v.client, v.i, &b)
	if !b.isItem() {
		return stateAlive, on, true
	}
	id := b.parentID
	switch {
	case b.parent == parentRoot:
		return stateAlive, on, true
	case b.hasOrigin:
		id = b.origin
	case b.hasRight:
		id = b.right
	}
	client, i, found := c.find(id)
	if !found {
		return stateAlive, on, true
	}
	target := &c.clients[client].blocks[i]
	if target.ref == refGC {
		return stateDead, on, true // Yjs makes it GC as well
	}
	if b.parent == parentItem {
		switch {
		case target.ref == refDeleted:
			return stateDead, on, true
		case target.ref != refType:
			return stateAlive, on, true
		case c.deletes.contains(id):
			return stateDead, on, true
		}
	}
	switch state := target.state; state {
	case stateNew:
		return 0, visit{client, i}, false
	case stateWaiting, statePending:
		return stateAlive, on, true // cannot be: v is placed, so this is
	default:
		return state, on, true
	}
}

// crossing says whether an item outside every deleted type names one inside as its right neighbour. Yjs never makes
// such an item. While the inside one is an item, the outside one lives; once it is GC, the outside one would be lost.
// The types are kept then, so that what is in them stays an item until everything has been placed.
func (c *compactor) crossing() bool {
	var b block
	for client := range c.clients {
		for i, p := range c.clients[client].blocks {
			if p.state != stateAlive {
				continue
			}
			c.readHead(client, i, &b)
			if !b.hasOrigin || !b.hasRight {
				continue
			}
			if rc, ri, found := c.find(b.right); found && c.clients[rc].blocks[ri].state == stateDead {
				return true
			}
		}
	}
	return false
}

// writeBlock writes one struct, cut where deletes begin and end.
func (c *compactor) writeBlock(client, i int) {
	var b block
	c.read(client, i, &b)
	state := c.clients[client].blocks[i].state
	switch {
	case state == stateDead:
		c.writeDeleted(b, !c.keepTypes)
		return
	case state == statePending || b.ref == refDeleted || !b.isItem():
		c.w.add(&b)
		return
	}
	for len(c.cursor) > 0 && c.cursor[0].end <= b.clock {
		c.cursor = c.cursor[1:]
	}
	if len(c.cursor) == 0 || c.cursor[0].clock >= b.end() {
		c.w.add(&b)
		return
	}
	c.writeCut(&b)
}

// writeCut writes a struct that is deleted in part or as a whole.
func (c *compactor) writeCut(b *block) {
	var s slicer
	s.reset(b)
	for s.rest.length > 0 {
		for len(c.cursor) > 0 && c.cursor[0].end <= s.rest.clock {
			c.cursor = c.cursor[1:]
		}
		switch {
		case len(c.cursor) == 0 || c.cursor[0].clock >= s.rest.end():
			piece := s.cut(s.rest.length)
			c.w.add(&piece)
		case c.cursor[0].clock > s.rest.clock:
			piece := s.cut(c.cursor[0].clock - s.rest.clock)
			c.w.add(&piece)
		default:
			piece := s.cut(min(c.cursor[0].end, s.rest.end()) - s.rest.clock)
			c.writeDeleted(piece, false)
		}
	}
}

// writeDeleted writes a deleted struct.
func (c *compactor) writeDeleted(b block, gc bool) {
	switch {
	case gc:
		b = block{client: b.client, clock: b.clock, length: b.length, ref: refGC}
	case b.ref != refType || !c.keepTypes:
		b.ref, b.content = refDeleted, nil
	}
	c.w.add(&b)
}
