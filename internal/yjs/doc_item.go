package yjs

// item is one struct of a document: content in its place, or a GC struct, which has only its clocks. A document has many
// of them, so what is rare is behind a pointer.
type item struct {
	client *docClient
	clock  uint64
	length uint64

	left, right *item   // neighbours in the list of parent, or in the history of a key
	parent      *branch // nil for GC
	entry       *entry  // the key it is a value of; nil for what is in a list
	nested      *branch // the type it makes, for refType
	leaf        *node   // where it is in the position index of parent, if there is one

	origin, rightOrigin ID
	content             []byte // as in block, but see lead and trail
	ruler               *ruler // finds units in long content, once needed

	visit uint64 // see Doc.position

	base      uint32 // where content begins, in the bytes that ruler measures
	ref       uint8
	hasOrigin bool
	hasRight  bool
	deleted   bool
	// lead and trail say that the text begins or ends with half of a surrogate pair, which is U+FFFD and not in content.
	lead, trail bool
}

func (it *item) end() uint64   { return it.clock + it.length }
func (it *item) lastID() ID    { return ID{it.client.id, it.clock + it.length - 1} }
func (it *item) id() ID        { return ID{it.client.id, it.clock} }
func (it *item) isGC() bool    { return it.ref == refGC }
func (it *item) visible() bool { return !it.deleted && it.countable() }

// countable is true for what has a place among the elements of a list: all but formats and what is gone.
func (it *item) countable() bool {
	return it.ref != refFormat && it.ref != refDeleted && it.ref != refGC
}

// text returns the UTF-8 of refString content.
func (it *item) text() []byte {
	if it.lead || it.trail {
		return padded(it.content, it.lead, it.trail)
	}
	return it.content
}

// sameRight is compareIDs of Yjs.
func (it *item) sameRight(o *item) bool {
	return it.hasRight == o.hasRight && it.rightOrigin == o.rightOrigin
}

// asBlock gives it as a struct of an update. Content is shared unless it has to be put together.
func (it *item) asBlock(b *block) {
	*b = block{client: it.client.id, clock: it.clock, length: it.length, ref: it.ref, content: it.content}
	if it.isGC() {
		return
	}
	if it.ref == refString {
		b.content = it.text()
	}
	b.hasOrigin, b.origin, b.hasRight, b.right = it.hasOrigin, it.origin, it.hasRight, it.rightOrigin
	if it.hasOrigin || it.hasRight {
		return
	}
	if it.parent.item == nil {
		b.parent, b.parentName = parentRoot, []byte(it.parent.name)
	} else {
		b.parent, b.parentID = parentItem, it.parent.item.id()
	}
	if it.entry != nil {
		b.hasSub, b.sub = true, []byte(it.entry.key)
	}
}

// entry is a key of a branch with its values: the last is the present one, unless it is deleted.
type entry struct {
	key         string
	first, last *item
}

// branch is a shared type: a list, keys with values, or both.
type branch struct {
	item   *item  // that makes it; nil for a root
	name   string // of a root, or the node name of an XML element or hook
	kind   Kind
	start  *item
	length uint64 // visible elements of the list

	entries   map[string]*entry
	order     []*entry // as they came
	formatted bool     // has had formats
	positions *positions
	tidying
}

// entryOf returns the entry of a key, made when there is none.
func (b *branch) entryOf(key string) *entry {
	if e := b.entries[key]; e != nil {
		return e
	}
	if b.entries == nil {
		b.entries = make(map[string]*entry)
	}
	e := &entry{key: key}
	b.entries[key] = e
	b.order = append(b.order, e)
	return e
}

// gone is true for a type that is deleted.
func (b *branch) gone() bool { return b.item != nil && b.item.deleted }
