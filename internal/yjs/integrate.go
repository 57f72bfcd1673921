package yjs

// edit is what happens to a document between two states: one Apply, or one transaction of a writer.
type edit struct {
	deleted []*item // everything deleted in it, to be garbage at the end
	untidy          // what Apply may have to tidy
	undo    []change
	ranges  []deleteRange // what a writer has deleted
	local   bool          // by a writer: structs are kept apart, and what is done can be undone, until the end
}

// split cuts an item so that a new one begins with a clock that is inside it, and returns the new one.
func (d *Doc) split(it *item, p place, clock uint64) (*item, place) {
	right := d.newItem()
	at, inside := it.cutContent(clock)
	if d.edit.local {
		step := change{kind: changeSplit, item: it, right: right, content: it.content, trail: it.trail}
		if inside {
			step.pair = it.content[at : at+4]
		}
		d.edit.undo = append(d.edit.undo, step)
	}
	*right = item{
		client: it.client, clock: clock, length: it.end() - clock,
		left: it, right: it.right, parent: it.parent, entry: it.entry,
		hasOrigin: true, origin: ID{it.client.id, clock - 1}, hasRight: it.hasRight, rightOrigin: it.rightOrigin,
		content: it.content[at:], ruler: it.ruler, base: it.base + uint32(at),
		ref: it.ref, deleted: it.deleted, lead: inside, trail: it.trail,
	}
	if inside {
		right.content, right.base = it.content[at+4:], right.base+4
	}
	it.content, it.length, it.trail = it.content[:at:at], clock-it.clock, inside
	it.right = right
	if right.right != nil {
		right.right.left = right
	} else if right.entry != nil {
		right.entry.last = right
	}
	if it.leaf != nil {
		it.parent.positions.cut(it, right)
	}
	if right.deleted && right.ref != refDeleted {
		d.edit.deleted = append(d.edit.deleted, right)
	}
	return right, it.client.structs.insertAfter(p, right)
}

// startingAt returns the item that begins with an id, cutting the one that holds it. GC structs are not cut.
func (d *Doc) startingAt(c *docClient, clock uint64) *item {
	p := c.structs.find(clock)
	it := c.structs.at(p)
	if it.clock == clock || it.isGC() {
		return it
	}
	right, _ := d.split(it, p, clock)
	return right
}

// endingAt returns the item that ends with an id, cutting the one that holds it. GC structs are not cut.
func (d *Doc) endingAt(c *docClient, clock uint64) *item {
	p := c.structs.find(clock)
	it := c.structs.at(p)
	if it.end() != clock+1 && !it.isGC() {
		d.split(it, p, clock+1)
	}
	return it
}

// missing returns the first id that has to be in the document before b, if there is one that is not.
func (d *Doc) missing(b *block) (*docClient, uint64, bool) {
	if b.hasOrigin && b.origin.Client != b.client {
		if c := d.client(b.origin.Client); b.origin.Clock >= c.end {
			return c, b.origin.Clock, true
		}
	}
	if b.hasRight && b.right.Client != b.client {
		if c := d.client(b.right.Client); b.right.Clock >= c.end {
			return c, b.right.Clock, true
		}
	}
	if b.parent == parentItem && b.parentID.Client != b.client {
		if c := d.client(b.parentID.Client); b.parentID.Clock >= c.end {
			return c, b.parentID.Clock, true
		}
	}
	return nil, 0, false
}

// surroundings is what an item is about to be put between.
type surroundings struct {
	left, right *item
	parent      *branch // nil: the place is gone, it becomes GC
	entry       *entry
}

// resolve finds the surroundings of b, all of which are in the document (yjs src/structs/Item.js getMissing).
func (d *Doc) resolve(c *docClient, b *block) (s surroundings) {
	if b.hasOrigin {
		oc := c
		if b.origin.Client != c.id {
			oc = d.client(b.origin.Client)
		}
		if last := oc.structs.last(); last.end() == b.origin.Clock+1 {
			s.left = last
		} else {
			s.left = d.endingAt(oc, b.origin.Clock)
		}
	}
	if b.hasRight {
		s.right = d.startingAt(d.client(b.right.Client), b.right.Clock)
	}
	switch {
	case s.left != nil && s.left.isGC() || s.right != nil && s.right.isGC():
	case s.left != nil:
		s.parent, s.entry = s.left.parent, s.left.entry
	case s.right != nil:
		s.parent, s.entry = s.right.parent, s.right.entry
	default:
		if s.parent = d.parentOf(b); s.parent != nil && b.hasSub {
			s.entry = s.parent.entryOf(string(b.sub))
		}
	}
	return s
}

// parentOf returns the type that b names, nil when that is gone or no type.
func (d *Doc) parentOf(b *block) *branch {
	if b.parent == parentRoot {
		return d.root(string(b.parentName))
	}
	c := d.client(b.parentID.Client)
	return c.structs.at(c.structs.find(b.parentID.Clock)).nested
}

// integrate puts b into the document. Its client must be at or behind its clock; of what the document has already, which
// is its first offset clocks, nothing is taken (Item.js integrate). It keeps the bytes of b only as copies.
func (d *Doc) integrate(c *docClient, b *block) {
	if b.ref == refGC {
		d.integrateGC(c, b.end())
		return
	}
	s := d.resolve(c, b)
	if offset := c.end - b.clock; offset > 0 {
		s.left = c.structs.last() // ends where b is cut, and is in the same place: nil if it is GC
		if s.parent != nil {
			s.parent, s.entry = s.left.parent, s.left.entry
		}
		b.dropLeft(offset)
	}
	if s.parent == nil {
		d.integrateGC(c, b.end())
		return
	}
	left := d.position(c, b, &s)
	if d.extend(c, b, left, &s) {
		c.end = b.end()
		return
	}
	it := d.newItem()
	*it = item{
		client: c, clock: b.clock, length: b.length, ref: b.ref, parent: s.parent, entry: s.entry,
		hasOrigin: b.hasOrigin, origin: b.origin, hasRight: b.hasRight, rightOrigin: b.right,
		content: d.keep(b.content),
	}
	if b.ref == refType {
		it.nested = newBranch(it, b.content)
		it.nested.born = d.serial
	}
	d.link(it, left)
}

// integrateGC adds a GC struct from the end of a client up to a clock.
func (d *Doc) integrateGC(c *docClient, end uint64) {
	if last := c.structs.last(); last != nil && last.isGC() && !d.edit.local {
		last.length += end - c.end
	} else {
		it := d.newItem()
		*it = item{client: c, clock: c.end, length: end - c.end, ref: refGC, deleted: true}
		c.structs.push(it)
	}
	c.end = end
}

// position returns the item to the left of which b comes: the rules of YATA for items that were inserted at the same
// place without knowing of each other.
func (d *Doc) position(c *docClient, b *block, s *surroundings) *item {
	left, o := s.left, (*item)(nil)
	if left != nil {
		if left.right == s.right {
			return left
		}
		o = left.right
	} else {
		if s.right != nil && s.right.left == nil {
			return nil
		}
		o = s.parent.first(s.entry)
	}
	// visit orders the items met here. Those from before on are the items before the origin of others, those from
	// conflicts on are in conflict with b.
	before := d.visits + 1
	conflicts := before
	for ; o != nil && o != s.right; o = o.right {
		d.visits++
		o.visit = d.visits
		if o.hasOrigin == b.hasOrigin && o.origin == b.origin {
			if o.client.id < c.id {
				left, conflicts = o, d.visits+1
			} else if o.hasRight == b.hasRight && o.rightOrigin == b.right {
				break
			}
			continue
		}
		if !o.hasOrigin {
			break
		}
		oc := d.client(o.origin.Client)
		visit := oc.structs.at(oc.structs.find(o.origin.Clock)).visit
		if visit < before {
			break
		}
		if visit < conflicts {
			left, conflicts = o, d.visits+1
		}
	}
	return left
}

// first returns the first item of the list, or of the history of a key.
func (b *branch) first(e *entry) *item {
	if e == nil {
		return b.start
	}
	return e.first
}

// extend appends b to the item on its left if that is the struct before it and Yjs would join them.
func (d *Doc) extend(c *docClient, b *block, left *item, s *surroundings) bool {
	if left == nil || s.entry != nil || d.edit.local || left.ref != b.ref || left.client != c || left.end() != b.clock ||
		!b.hasOrigin || b.origin != left.lastID() || left.hasRight != b.hasRight ||
		left.rightOrigin != b.right || left.trail {
		return false
	}
	switch b.ref {
	case refDeleted:
		left.length += b.length
		d.noteGone(left)
		return true
	case refString, refAny, refJSON:
	default:
		return false
	}
	if left.deleted || s.parent.gone() || uint64(len(left.content)+len(b.content)) > maxJoined {
		return false
	}
	left.content = append(left.content, b.content...)
	left.length += b.length
	s.parent.length += b.length
	d.touch(s.parent)
	if left.leaf != nil {
		left.leaf.grow(int64(b.length))
	}
	return true
}

// maxJoined is 256 MiB: the ruler counts bytes in 31 bits.
const maxJoined = 1 << 28

// link puts a new item to the right of left (nil: first) and adds it to its client.
func (d *Doc) link(it *item, left *item) {
	p, e := it.parent, it.entry
	it.left = left
	switch {
	case left != nil:
		it.right, left.right = left.right, it
	case e != nil:
		it.right, e.first = e.first, it
	default:
		it.right, p.start = p.start, it
	}
	replaced := false
	if it.right != nil {
		it.right.left = it
	} else if e != nil {
		e.last = it
		replaced = left != nil
	}
	it.client.structs.push(it)
	it.client.end = it.end()
	if d.edit.local {
		d.edit.undo = append(d.edit.undo, change{kind: changeInserted, item: it})
	}
	d.touch(p)
	switch it.ref {
	case refDeleted:
		it.deleted = true
		d.noteGone(it)
	case refFormat:
		p.formatted = true
		d.noteFormat(it)
	}
	if e == nil && it.visible() {
		p.length += it.length
	}
	if e == nil && p.positions != nil {
		p.positions.insert(it)
	}
	if replaced {
		d.delete(left)
	}
	if p.gone() || e != nil && it.right != nil {
		d.delete(it)
	}
}
