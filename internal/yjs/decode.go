package yjs

// updateReader reads a v1 update struct by struct, client by client, and then its delete set:
//
//	u := newUpdateReader(update, limits)
//	for u.nextClient() {
//		for u.next(&b) { ... }
//	}
//	for u.nextDelete(&d) { ... }
//	if err := u.finish(); err != nil { ... }
//
// All loops end at the first error, which finish returns. Memory does not grow with the update.
type updateReader struct {
	reader
	clientsLeft uint64
	structsLeft uint64
	client      uint64
	clock       uint64 // clock of the next struct of client

	inDeletes         bool
	deleteClientsLeft uint64
	deletesLeft       uint64
	deleteClient      uint64
}

// newUpdateReader starts reading update. limits must be filled.
func newUpdateReader(update []byte, limits Limits) *updateReader {
	u := new(updateReader)
	u.start(update, limits)
	return u
}

// start does what newUpdateReader does, with a reader that need not be on the heap.
func (u *updateReader) start(update []byte, limits Limits) {
	*u = updateReader{reader: reader{buf: update, maxDepth: limits.MaxDepth}}
	if len(update) > limits.MaxBytes {
		u.fail(ErrTooLarge)
		return
	}
	u.clientsLeft = u.count(3) // struct count, client, clock
}

// nextClient moves to the next list of structs and sets client, clock and structsLeft. What is left of the list before
// is read over. A list may be empty.
func (u *updateReader) nextClient() bool {
	var b block
	for u.structsLeft > 0 && u.next(&b) {
	}
	if u.err != nil || u.clientsLeft == 0 {
		return false
	}
	u.clientsLeft--
	u.structsLeft = u.count(2) // info and at least one more byte
	u.client = u.uvarint()
	u.clock = u.uvarint()
	if u.structsLeft > uint64(u.remaining()/2) {
		u.fail(ErrTruncated)
	}
	return u.err == nil
}

// next reads the next struct of the client into b. It returns false at the end of the list and at an error.
func (u *updateReader) next(b *block) bool {
	if u.structsLeft == 0 || u.err != nil {
		return false
	}
	u.structsLeft--
	u.readBlock(b, u.client, u.clock)
	u.clock += b.length
	return u.err == nil
}

// readBlock reads one struct (yjs src/utils/updates.js lazyStructReaderGenerator).
func (r *reader) readBlock(b *block, client, clock uint64) {
	*b = block{client: client, clock: clock}
	info := r.byte()
	b.ref = info & infoRef
	switch {
	case b.ref == refGC:
		b.length = r.uvarint()
	case b.ref == refSkip:
		// applyUpdate takes a Skip with flags, mergeUpdates throws on it.
		if info != refSkip {
			r.fail(ErrContent)
		}
		b.length = r.uvarint()
	default:
		r.readPosition(b, info)
		r.readContent(b)
	}
	if b.length > maxSafe-clock {
		r.fail(ErrNumber)
	}
	if b.length == 0 && b.ref != refSkip {
		r.fail(ErrEmptyStruct)
	}
	if r.err != nil {
		b.length = 0
	}
}

// readPosition reads origin, right origin, parent and key.
func (r *reader) readPosition(b *block, info byte) {
	if info&infoOrigin != 0 {
		b.hasOrigin, b.origin = true, r.readID(b)
	}
	if info&infoRight != 0 {
		b.hasRight, b.right = true, r.readID(b)
	}
	if b.hasOrigin || b.hasRight {
		return // parent and key are those of the neighbour
	}
	if r.uvarint() == 1 {
		b.parent, b.parentName = parentRoot, r.varString()
	} else {
		b.parent, b.parentID = parentItem, r.readID(b)
	}
	if info&infoParentSub != 0 {
		b.hasSub, b.sub = true, r.varString()
	}
}

// readID reads the id of a neighbour or parent of b, which has to be older than b when it is of the same client: Yjs
// would otherwise throw in the middle of applying the update.
func (r *reader) readID(b *block) ID {
	id := ID{Client: r.uvarint(), Clock: r.uvarint()}
	if id.Client == b.client && id.Clock >= b.clock {
		r.fail(ErrSelfReference)
	}
	return id
}

// readContent reads the content that b.ref announces and sets b.content and b.length.
func (r *reader) readContent(b *block) {
	start := r.pos
	b.length = 1
	switch b.ref {
	case refDeleted:
		b.length = r.uvarint()
		return
	case refString:
		b.content = r.varString()
		b.length = uint64(utf16Len(b.content))
		return
	case refJSON:
		b.length = r.count(1)
		start = r.pos
		r.skipJSONElements(b.length)
	case refAny:
		b.length = r.count(1)
		start = r.pos
		for i := uint64(0); i < b.length && r.err == nil; i++ {
			r.skipAny()
		}
	case refBinary:
		r.varBytes()
	case refEmbed:
		r.varJSON()
	case refFormat:
		r.varString()
		r.varJSON()
	case refType:
		r.skipType()
	case refDoc:
		r.varString()
		if tag := r.skipAny(); tag == anyUndefined || tag == anyNull {
			r.fail(ErrContent) // Yjs reads a property of the options
		}
	default:
		r.fail(ErrContent)
	}
	if r.err == nil {
		b.content = r.buf[start:r.pos:r.pos]
	}
}

// skipJSONElements moves over n elements of ContentJSON, each a string of JSON or the word undefined.
func (r *reader) skipJSONElements(n uint64) {
	for ; n > 0 && r.err == nil; n-- {
		s := r.varString()
		if r.trusted || r.err != nil || string(s) == "undefined" {
			continue
		}
		if err := checkJSON(s, r.maxDepth); err != nil {
			r.fail(err)
		}
	}
}

// skipType moves over the content of a shared type: its reference, and a name for XML elements and hooks.
func (r *reader) skipType() {
	switch ref := r.uvarint(); {
	case ref == typeXMLElement || ref == typeXMLHook:
		r.varString()
	case ref > typeXMLText:
		r.fail(ErrContent)
	}
}

// deleteRange is a run of deleted clocks [clock, end) of one client.
type deleteRange struct {
	client uint64
	clock  uint64
	end    uint64
}

// nextDelete reads the next delete range. Structs that have not been read are read over first. Ranges come in the
// order of the update: clients may repeat, ranges may overlap.
func (u *updateReader) nextDelete(d *deleteRange) bool {
	if !u.inDeletes {
		for u.nextClient() {
		}
		u.inDeletes = true
		u.deleteClientsLeft = u.count(2)
	}
	for u.deletesLeft == 0 && u.deleteClientsLeft > 0 && u.err == nil {
		u.deleteClientsLeft--
		u.deleteClient = u.uvarint()
		u.deletesLeft = u.count(2)
	}
	if u.deletesLeft == 0 || u.err != nil {
		return false
	}
	u.deletesLeft--
	clock, length := u.uvarint(), u.uvarint()
	if length > maxSafe-clock {
		u.fail(ErrNumber)
	} else if length == 0 && u.err == nil {
		u.fail(ErrEmptyStruct)
	}
	*d = deleteRange{client: u.deleteClient, clock: clock, end: clock + length}
	return u.err == nil
}

// finish reads what is left and returns the first error, ErrTrailing for bytes after the delete set included.
func (u *updateReader) finish() error {
	var d deleteRange
	for u.nextDelete(&d) {
	}
	if u.err == nil && u.remaining() > 0 {
		u.fail(ErrTrailing)
	}
	return u.err
}
