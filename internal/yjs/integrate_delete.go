package yjs

// delete deletes an item, and everything in it if it is a type (Item.js delete, ContentType.js delete).
func (d *Doc) delete(it *item) {
	d.deleteOne(it)
	if it.nested == nil {
		return
	}
	types := []*branch{it.nested}
	for len(types) > 0 {
		b := types[len(types)-1]
		types = types[:len(types)-1]
		remove := func(it *item) {
			if it.nested != nil && !it.deleted {
				types = append(types, it.nested)
			}
			d.deleteOne(it)
		}
		for o := b.start; o != nil; o = o.right {
			remove(o)
		}
		for _, e := range b.order {
			if e.last != nil {
				remove(e.last)
			}
		}
	}
}

// deleteOne deletes an item alone.
func (d *Doc) deleteOne(it *item) {
	if it.deleted {
		return
	}
	if it.entry == nil && it.countable() {
		it.parent.length -= it.length
	}
	it.deleted = true
	if it.leaf != nil {
		it.parent.positions.hide(it)
	}
	d.edit.deleted = append(d.edit.deleted, it)
	d.noteGone(it)
	if d.edit.local {
		d.edit.undo = append(d.edit.undo, change{kind: changeDeleted, item: it})
		d.edit.ranges = append(d.edit.ranges, deleteRange{it.client.id, it.clock, it.end()})
	}
}

// deleteRange deletes what a client has of [clock, end), which it must have (DeleteSet.js readAndApplyDeleteSet).
func (d *Doc) deleteRange(c *docClient, clock, end uint64) {
	p := c.structs.find(clock)
	it := c.structs.at(p)
	if !it.deleted && it.clock < clock {
		it, p = d.split(it, p, clock)
	}
	for ; it != nil && it.clock < end; it = c.structs.at(p) {
		if !it.deleted {
			if end < it.end() {
				d.split(it, p, end)
			}
			d.delete(it)
		}
		p = c.structs.next(p)
	}
}

// collect drops the content of what was deleted: items keep their place, what is in a deleted type becomes GC. Then it
// joins what has become alike (Transaction.js tryGc).
func (d *Doc) collect() {
	deleted := d.edit.deleted
	for _, it := range deleted {
		if it.isGC() || it.ref == refDeleted {
			continue
		}
		if it.nested != nil {
			collectInside(it.nested)
		}
		it.ref, it.content, it.ruler, it.nested, it.lead, it.trail = refDeleted, nil, nil, nil, false, false
	}
	for _, it := range deleted {
		if it.client == nil {
			continue // joined already
		}
		c := it.client
		p := c.structs.find(it.clock)
		if next := c.structs.next(p); c.structs.at(next) != nil {
			c.join(next)
		}
		c.join(p)
	}
	clear(deleted)
	d.edit.deleted = deleted[:0]
}

// collectInside turns everything in a deleted type into GC structs.
func collectInside(b *branch) {
	types := []*branch{b}
	for len(types) > 0 {
		b := types[len(types)-1]
		types = types[:len(types)-1]
		remove := func(it *item) {
			if it.nested != nil {
				types = append(types, it.nested)
			}
			*it = item{client: it.client, clock: it.clock, length: it.length, ref: refGC, deleted: true}
		}
		for o := b.start; o != nil; {
			next := o.right
			remove(o)
			o = next
		}
		for _, e := range b.order {
			for o := e.last; o != nil; {
				next := o.left
				remove(o)
				o = next
			}
		}
		b.start, b.entries, b.order, b.positions = nil, nil, nil, nil
	}
}

// join makes the struct at p part of the one before it, if neither has content and Yjs would join them.
func (c *docClient) join(p place) {
	it, left := c.structs.at(p), c.structs.prev(p)
	if left == nil || left.ref != it.ref {
		return
	}
	switch {
	case it.isGC():
	case it.ref == refDeleted && left.right == it && it.hasOrigin && it.origin == left.lastID() && left.sameRight(it):
		left.right = it.right
		if it.right != nil {
			it.right.left = left
		} else if it.entry != nil {
			it.entry.last = left
		}
		if it.leaf != nil {
			it.parent.positions.remove(it)
		}
	default:
		return
	}
	left.length += it.length
	c.structs.removeAt(p)
	*it = item{deleted: true} // a handle may still ask
}
