package yjs

// updateWriter writes a v1 update. Blocks have to arrive by client, clocks ascending within a client; each client may
// come once. Clocks left out become a Skip, Skips passed in are ignored, and blocks that continue the one before are
// joined with it. It holds the output and nothing else.
type updateWriter struct {
	out     []byte // headRoom bytes, then finished clients, then the open one
	clients uint64

	open      bool
	client    uint64
	start     uint64 // clock of the first block of the open client
	next      uint64 // clock after the last block of the open client
	blocks    uint64
	bodyStart int // where the open client's blocks begin in out, headRoom bytes behind the end of the last one

	run run
}

// run is the last block written, as long as more may be joined to it.
type run struct {
	open      bool
	ref       uint8
	hasRight  bool
	right     ID
	length    uint64
	lengthPos int // where its length or count goes in out, one byte being reserved
	list      bool
}

// headRoom is kept free where a number has to be written later that is not known yet: the number of clients, or the
// number of blocks, client and clock.
const headRoom = 3 * maxVarintBytes

// newUpdateWriter starts an update that is expected to take about sizeHint bytes.
func newUpdateWriter(sizeHint int) *updateWriter {
	return &updateWriter{out: make([]byte, headRoom, headRoom+sizeHint+headRoom)}
}

// add writes one block.
func (w *updateWriter) add(b *block) {
	if b.ref == refSkip || b.length == 0 {
		return
	}
	if !w.open || w.client != b.client {
		w.closeClient()
		w.open, w.client, w.start, w.next = true, b.client, b.clock, b.clock
		w.bodyStart = len(w.out) + headRoom
		w.out = append(w.out, make([]byte, headRoom)...)
		w.run.list = false
	} else if w.next < b.clock {
		w.closeRun()
		w.run.list = false
		w.out = appendUvarint(append(w.out, refSkip), b.clock-w.next)
		w.blocks++
		w.next = b.clock
	}
	w.next = b.end()
	continues := b.hasOrigin && b.origin == ID{b.client, b.clock - 1}
	list := b.parent != parentCopied && !b.hasSub || continues && w.run.list
	if w.joins(b, continues, list) {
		w.out = append(w.out, b.content...)
		w.run.length += b.length
	} else {
		w.closeRun()
		w.writeBlock(b)
	}
	w.run.list = list
}

// joins says whether b can become part of the open run. Splitting what was joined gives back the same origins, so
// nothing is lost. Values are joined only where they are known to be in a list: a chain of values under one map key
// has the same origins, and joined values would no longer replace each other.
func (w *updateWriter) joins(b *block, continues, list bool) bool {
	r := &w.run
	if !r.open || r.ref != b.ref {
		return false
	}
	switch b.ref {
	case refGC:
		return true
	case refString, refDeleted:
	case refAny, refJSON:
		if !list {
			return false
		}
	default:
		return false
	}
	return continues && r.hasRight == b.hasRight && r.right == b.right
}

// writeBlock appends b and opens a run when more may be joined.
func (w *updateWriter) writeBlock(b *block) {
	w.blocks++
	w.out = appendPosition(w.out, b)
	if !b.splittable() {
		w.out = append(w.out, b.content...)
		return
	}
	w.run = run{
		open: true, ref: b.ref, hasRight: b.hasRight, right: b.right,
		length: b.length, lengthPos: len(w.out), list: w.run.list,
	}
	w.out = append(append(w.out, 0), b.content...)
}

// appendPosition appends info byte, origins, parent and key (yjs src/structs/Item.js write).
func appendPosition(out []byte, b *block) []byte {
	info := b.ref
	if b.hasOrigin {
		info |= infoOrigin
	}
	if b.hasRight {
		info |= infoRight
	}
	if b.hasSub {
		info |= infoParentSub
	}
	out = append(out, info)
	if b.hasOrigin {
		out = appendUvarint(appendUvarint(out, b.origin.Client), b.origin.Clock)
	}
	if b.hasRight {
		out = appendUvarint(appendUvarint(out, b.right.Client), b.right.Clock)
	}
	switch b.parent {
	case parentRoot:
		out = appendVarBytes(append(out, 1), b.parentName)
	case parentItem:
		out = appendUvarint(appendUvarint(append(out, 0), b.parentID.Client), b.parentID.Clock)
	}
	if b.hasSub {
		out = appendVarBytes(out, b.sub)
	}
	return out
}

// closeRun fills in the length of the open run.
func (w *updateWriter) closeRun() {
	r := &w.run
	if !r.open {
		return
	}
	r.open = false
	length := r.length
	if r.ref == refString {
		length = uint64(len(w.out) - r.lengthPos - 1)
	}
	if extra := uvarintLen(length) - 1; extra > 0 {
		w.out = append(w.out, make([]byte, extra)...)
		copy(w.out[r.lengthPos+1+extra:], w.out[r.lengthPos+1:])
	}
	appendUvarint(w.out[r.lengthPos:r.lengthPos], length)
}

// closeClient writes the head of the open client and moves its blocks up to it.
func (w *updateWriter) closeClient() {
	if !w.open {
		return
	}
	w.closeRun()
	head := w.bodyStart - headRoom
	body := w.out[w.bodyStart:]
	w.out = appendUvarint(appendUvarint(appendUvarint(w.out[:head], w.blocks), w.client), w.start)
	w.out = append(w.out, body...)
	w.open, w.blocks = false, 0
	w.clients++
}

// finish closes the update with a delete set and returns it. The writer must not be used again.
func (w *updateWriter) finish(deletes deleteSet) []byte {
	w.closeClient()
	w.out = deletes.appendTo(w.out)
	start := headRoom - uvarintLen(w.clients)
	appendUvarint(w.out[start:start], w.clients)
	return w.out[start:]
}
