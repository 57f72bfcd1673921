package yjs

import (
	"errors"
	"fmt"
	"slices"
)

var (
	// ErrReadOnly says that a handle does not belong to an open transaction.
	ErrReadOnly = errors.New("yjs: the handle belongs to no open transaction")
	// ErrRange says that an index or length is outside the list.
	ErrRange = errors.New("yjs: index out of range")
	// ErrDeleted says that a type has been deleted and cannot be edited.
	ErrDeleted = errors.New("yjs: the type has been deleted")
	// ErrClient says that a client id cannot write to this document: it is above 2^53-1, or something waits for edits of
	// that client which the document has not seen, so that new ones would get clocks that are taken.
	ErrClient = errors.New("yjs: the client id cannot write here")
	// ErrInTransaction says that a document was changed in the middle of a transaction by other means.
	ErrInTransaction = errors.New("yjs: a transaction is open")
)

// Tx is an open transaction. The first error of any edit in it stays: later edits return it and do nothing, so that an
// edit function may leave errors to the end.
type Tx struct {
	doc    *Doc
	client *docClient
	err    error
	closed bool
}

// Transact edits the document as a client: edit gets handles from the Tx and changes them. It returns the update for
// everybody else, nil if nothing has changed: only what edit has done, valid by itself, and integrated by Yjs to the same
// content.
//
// Edits are made whole or not at all. If edit returns an error, or an edit in it had one that it did not return, the
// document is as before and Transact returns that error.
//
// A client id must have one writer at a time, and a writer must have all updates of its id: a random id for each writer
// does, as in Yjs.
func (d *Doc) Transact(client uint64, edit func(*Tx) error) (update []byte, err error) {
	switch {
	case d.edit.local:
		return nil, ErrInTransaction
	case d.failed != nil:
		return nil, d.failed
	}
	if client > maxSafe {
		return nil, fmt.Errorf("%w: %d", ErrClient, client)
	}
	c := d.client(client)
	if c.waiting != nil && !c.waiting.empty() {
		return nil, fmt.Errorf("%w: edits of client %d are missing", ErrClient, client)
	}
	before := c.end
	d.edit.local = true
	d.serial++
	d.typeOpened()
	tx := &Tx{doc: d, client: c}
	done := false
	defer func() {
		tx.closed = true
		if !done {
			d.rollback()
		}
		d.edit.local, d.edit.undo, d.edit.ranges = false, nil, nil
	}()
	if err = edit(tx); err == nil {
		err = tx.err
	}
	if err != nil {
		return nil, err
	}
	done = true
	return d.commit(c, before), nil
}

// empty is true when nothing waits any more.
func (w *waiting) empty() bool {
	return len(w.queue) == 0 && len(w.blocked) == 0 && len(w.parked) == 0 && len(w.deletes) == 0
}

// commit finishes a transaction and returns its update.
func (d *Doc) commit(c *docClient, before uint64) []byte {
	d.joinPairs()
	if c.end == before && len(d.edit.ranges) == 0 {
		return nil
	}
	d.collect()
	w := newUpdateWriter(0)
	d.encodeClient(w, c, before)
	update := w.finish(normalise(d.edit.ranges))
	c.joinFrom(before)
	return update
}

// joinPairs puts surrogate pairs together again that were split for nothing, as by a format that was there already. Others
// do not hear of such a split.
func (d *Doc) joinPairs() {
	for _, step := range slices.Backward(d.edit.undo) {
		right := step.right
		if step.kind != changeSplit || step.pair == nil || !right.lead || right.deleted || right.left == nil {
			continue
		}
		left := right.left
		if left.client != right.client || left.end() != right.clock || left.deleted || !left.trail {
			continue
		}
		left.absorb(right, slices.Concat(left.content, step.pair, right.content))
	}
}

// joinFrom joins the structs of a client from a clock on with those before them, as Yjs does. It goes from left to right, so
// that content is copied O(1) times.
func (c *docClient) joinFrom(clock uint64) {
	if c.end == clock {
		return
	}
	left := c.structs.at(c.structs.find(max(clock, 1) - 1))
	for left.end() < c.end {
		it := c.structs.at(c.structs.find(left.end()))
		if !joinContent(left, it) {
			left = it
		}
	}
}

// joinContent appends the content of it to the struct before it, if Yjs would.
func joinContent(left, it *item) bool {
	if left.ref != it.ref || left.deleted || it.deleted || it.entry != nil || left.right != it ||
		!it.hasOrigin || it.origin != left.lastID() || !left.sameRight(it) || left.trail || it.lead {
		return false
	}
	if it.ref != refString && it.ref != refAny && it.ref != refJSON || len(left.content)+len(it.content) > maxJoined {
		return false
	}
	left.absorb(it, append(left.content, it.content...))
	return true
}

// absorb takes over the clocks of right, the neighbour in the list and next struct of the client, and gets new content.
// Both are visible.
func (it *item) absorb(right *item, content []byte) {
	if it.right = right.right; it.right != nil {
		it.right.left = it
	} else if it.entry != nil {
		it.entry.last = it
	}
	if right.leaf != nil {
		it.parent.positions.remove(right)
		it.leaf.grow(int64(right.length))
	}
	it.content, it.trail, it.length = content, right.trail, it.length+right.length
	structs := &it.client.structs
	structs.removeAt(structs.find(right.clock))
	*right = item{deleted: true}
}

// change is one step of a writer that can be undone.
type change struct {
	kind    changeKind
	item    *item
	right   *item  // cut off, for changeSplit
	content []byte // before, for changeSplit
	pair    []byte // the surrogate pair that was split, if there was one
	trail   bool   // before, for changeSplit
}

type changeKind uint8

const (
	changeInserted changeKind = iota
	changeDeleted
	changeSplit
)

// rollback undoes all changes of a transaction, the last first.
func (d *Doc) rollback() {
	for i := len(d.edit.undo) - 1; i >= 0; i-- {
		switch step := &d.edit.undo[i]; step.kind {
		case changeInserted:
			step.item.unlink()
		case changeDeleted:
			step.item.undelete()
		case changeSplit:
			step.unsplit()
		}
	}
	clear(d.edit.deleted)
	d.edit.deleted = d.edit.deleted[:0]
}

// unlink takes out an item that is the last of its client.
func (it *item) unlink() {
	if it.left != nil {
		it.left.right = it.right
	} else if it.entry == nil {
		it.parent.start = it.right
	} else {
		it.entry.first = it.right
	}
	if it.right != nil {
		it.right.left = it.left
	} else if it.entry != nil {
		it.entry.last = it.left
	}
	if it.entry == nil && it.visible() {
		it.parent.length -= it.length
	}
	if it.leaf != nil {
		it.parent.positions.remove(it)
	}
	it.client.structs.pop()
	it.client.end = it.clock
	it.deleted = true // for handles of what is in it
}

// undelete makes an item visible again.
func (it *item) undelete() {
	it.deleted = false
	if it.entry == nil && it.countable() {
		it.parent.length += it.length
	}
	if it.leaf != nil {
		it.parent.positions.show(it)
	}
}

// unsplit joins what was split.
func (s *change) unsplit() {
	left, right := s.item, s.right
	left.absorb(right, s.content)
	left.trail = s.trail
}

// Text returns a handle for a root as a text, made when there is none.
func (tx *Tx) Text(name string) *Text {
	t := &Text{tx.root(name)}
	tx.doc.open(name)
	tx.doc.typeOpened()
	return t
}

// Array returns a handle for a root as an array, made when there is none.
func (tx *Tx) Array(name string) *Array { return &Array{tx.root(name)} }

// Map returns a handle for a root as a map, made when there is none.
func (tx *Tx) Map(name string) *Map { return &Map{tx.root(name)} }

// XML returns a handle for a root as an XML fragment, made when there is none.
func (tx *Tx) XML(name string) *XML { return &XML{tx.root(name)} }

// root returns a root. Its name has to be UTF-8.
func (tx *Tx) root(name string) Type {
	if s, err := wireString(name); err != nil || s != name {
		tx.fail(ErrUTF8)
	}
	return Type{doc: tx.doc, tx: tx, branch: tx.doc.root(name)}
}

// fail notes the first error and returns it.
func (tx *Tx) fail(err error) error {
	if tx.err == nil {
		tx.err = err
	}
	return tx.err
}

// write begins an edit of a type: it returns the reason why that is not possible.
func (t Type) write() error {
	switch {
	case t.tx == nil || t.tx.closed:
		return ErrReadOnly
	case t.tx.err == nil && t.branch.gone():
		return t.tx.fail(ErrDeleted)
	}
	return t.tx.err
}

// insert puts a new item of the transaction's client to the right of left (nil: first), in the list or under a key.
func (tx *Tx) insert(b *branch, e *entry, left *item, content content) *item {
	it := tx.doc.newItem()
	*it = item{
		client: tx.client, clock: tx.client.end, length: content.length, ref: content.ref, parent: b, entry: e,
		content: content.bytes,
	}
	var right *item
	if left != nil {
		it.hasOrigin, it.origin = true, left.lastID()
		right = left.right
	} else if e == nil {
		right = b.start
	}
	if right != nil {
		it.hasRight, it.rightOrigin = true, right.id()
	}
	if it.ref == refType {
		it.nested = newBranch(it, it.content)
		it.nested.born = tx.doc.serial
	}
	tx.doc.link(it, left)
	return it
}

// span checks that a range lies in a list.
func (t Type) span(index, length int) error {
	if index < 0 || length < 0 || index > t.Len() || length > t.Len()-index {
		return t.tx.fail(fmt.Errorf("%w: %d+%d of %d", ErrRange, index, length, t.Len()))
	}
	return nil
}

// leftOf returns the item after which an element gets an index, cutting the one that has it inside.
func (t Type) leftOf(index int) *item {
	if index == 0 {
		return nil
	}
	it, at := t.branch.index().find(uint64(index - 1))
	if at+1 < it.length {
		t.doc.split(it, it.client.structs.find(it.clock), it.clock+at+1)
	}
	return it
}

// startingAt returns the visible item that begins with an element, cutting the one that has it inside.
func (t Type) startingAt(index int) *item {
	it, at := t.branch.index().find(uint64(index))
	if at > 0 {
		it, _ = t.doc.split(it, it.client.structs.find(it.clock), it.clock+at)
	}
	return it
}

// deleteElements deletes elements of a list.
func (t Type) deleteElements(index, length int) error {
	if err := t.write(); err != nil {
		return err
	}
	if err := t.span(index, length); err != nil || length == 0 {
		return err
	}
	for it, left := t.startingAt(index), uint64(length); left > 0; it = it.right {
		if !it.visible() {
			continue
		}
		left -= t.deleteUpTo(it, left)
	}
	return nil
}

// deleteUpTo deletes at most n elements of a visible item, cutting it when it has more, and returns how many.
func (t Type) deleteUpTo(it *item, n uint64) uint64 {
	if n < it.length {
		t.doc.split(it, it.client.structs.find(it.clock), it.clock+n)
	}
	t.doc.delete(it)
	return it.length
}
