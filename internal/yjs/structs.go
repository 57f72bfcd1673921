package yjs

// Struct references: the low five bits of the info byte (yjs src/structs/Item.js contentRefs).
const (
	refGC      = 0
	refDeleted = 1
	refJSON    = 2
	refBinary  = 3
	refString  = 4
	refEmbed   = 5
	refFormat  = 6
	refType    = 7
	refAny     = 8
	refDoc     = 9
	refSkip    = 10
)

// Bits of the info byte.
const (
	infoRef       = 0x1f
	infoParentSub = 0x20 // the item is the value of a map key
	infoRight     = 0x40 // a right origin follows
	infoOrigin    = 0x80 // an origin follows
)

// Type references of shared types (yjs src/structs/ContentType.js typeRefs).
const (
	typeArray       = 0
	typeMap         = 1
	typeText        = 2
	typeXMLElement  = 3
	typeXMLFragment = 4
	typeXMLHook     = 5
	typeXMLText     = 6
)

// parentKind says how an item names the type it is in.
type parentKind uint8

const (
	parentCopied parentKind = iota // not written: the parent of origin, or else of right origin
	parentRoot                     // a root type, by name
	parentItem                     // the type made by an item, by id
)

// block is one struct of an update, parsed lazily: numbers are read, content stays raw bytes that share memory with
// the update.
type block struct {
	client uint64
	clock  uint64
	length uint64 // clocks occupied; never zero, except for Skip
	ref    uint8  // refGC to refSkip

	hasOrigin bool
	hasRight  bool
	parent    parentKind
	hasSub    bool // sub is meaningful; only with a parent that is not copied

	origin     ID     // the unit to the left when it was inserted, if hasOrigin
	right      ID     // the unit to the right when it was inserted, if hasRight
	parentID   ID     // if parent is parentItem
	parentName []byte // if parent is parentRoot
	sub        []byte // parentSub, the map key; may be empty ('' is a key)

	// content by ref: refString: the UTF-8 bytes without their length. refAny, refJSON: the elements one after
	// another without their count (which is length). refDeleted, refGC, refSkip: empty. Others: all of it as written.
	content []byte
}

// end is the clock after the block.
func (b *block) end() uint64 { return b.clock + b.length }

// isItem is true for what has an origin, a parent and content: not for GC and Skip.
func (b *block) isItem() bool { return b.ref != refGC && b.ref != refSkip }

// splittable is true for blocks that can be longer than one.
func (b *block) splittable() bool {
	switch b.ref {
	case refGC, refSkip, refDeleted, refString, refAny, refJSON:
		return true
	}
	return false
}

// dropLeft removes the first n clocks (0 <= n < length) as Yjs does: the new origin is the unit before, the right
// origin stays, and the half of a surrogate pair becomes U+FFFD. Only splittable blocks may be given n > 0.
func (b *block) dropLeft(n uint64) {
	if n == 0 {
		return
	}
	var s slicer
	s.reset(b)
	s.skip(n)
	*b = s.cut(s.rest.length)
}

// keepLeft removes all but the first n clocks (0 < n <= length).
func (b *block) keepLeft(n uint64) {
	if n >= b.length {
		return
	}
	var s slicer
	s.reset(b)
	*b = s.cut(n)
}

// elementOffset returns the byte at which element n of validated refAny or refJSON content begins.
func elementOffset(ref uint8, content []byte, n uint64) int {
	r := reader{buf: content, maxDepth: len(content) + 1, trusted: true}
	for ; n > 0 && r.err == nil; n-- {
		r.element(ref)
	}
	return r.pos
}
