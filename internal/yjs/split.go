package yjs

import (
	"fmt"
	"slices"
)

// SplitError says that one struct (or the smallest piece of it) or one delete range does not fit into an update of the
// size asked for. It matches ErrTooLarge.
type SplitError struct {
	ID   ID  // the first clock of what does not fit
	Size int // bytes of the smallest update that holds it
	Max  int // bytes asked for
}

func (e *SplitError) Error() string {
	return fmt.Sprintf("yjs: the smallest update with client %d clock %d takes %d bytes, more than %d",
		e.ID.Client, e.ID.Clock, e.Size, e.Max)
}

// Is makes errors.Is(err, ErrTooLarge) true.
func (e *SplitError) Is(target error) bool { return target == ErrTooLarge }

// Split cuts update into valid updates of at most maxBytes each, which together are Equal to it once merged. They come
// in causal order: a document that applies them one after another never has anything pending, unless it would with
// update itself. Structs come before deletes. Text is cut between characters, never inside a surrogate pair; arrays
// between elements. An update that fits gives one piece, also when it is empty.
//
// It returns a *SplitError when something cannot be cut small enough, and a *DecodeError when update is not valid. It
// takes O(n log n) time.
func Split(update []byte, maxBytes int) ([][]byte, error) {
	x, err := indexOf(DefaultLimits(), update)
	if err != nil {
		return nil, err
	}
	joined := x.merge()
	if len(joined) <= maxBytes {
		return [][]byte{joined}, nil
	}
	if x, err = indexOf(DefaultLimits(), joined); err != nil {
		return nil, err
	}
	s := splitter{store: storeOf(x), max: maxBytes}
	s.inPiece = make([]int, len(s.clients))
	if err := s.causalOrder(s.addStruct); err != nil {
		return nil, err
	}
	for _, d := range x.deletes {
		if err := s.addDelete(d); err != nil {
			return nil, err
		}
	}
	s.flush()
	return s.pieces, nil
}

// pieceClient is the structs of one client in the piece being filled.
type pieceClient struct {
	client int // index in the store
	start  uint64
	next   uint64
	count  uint64
	parts  []part
}

// part is encoded structs in splitter.scratch.
type part struct{ from, to int }

// splitter fills one piece after another.
type splitter struct {
	*store
	max    int
	pieces [][]byte

	scratch []byte        // the structs of the piece, in the order they came
	byOrder []pieceClient // the clients of the piece, in the order they came
	inPiece []int         // per client of the store: 1 + its index in byOrder, or 0
	heads   int           // bytes of the heads of byOrder

	deletes     deleteSet
	deleteBytes int // bytes of the ranges, without heads
	deleteHeads int
	deleteCount uint64 // ranges of the last client
	deleteNum   uint64 // clients
}

// size is the length of the piece as it is.
func (s *splitter) size() int {
	return uvarintLen(uint64(len(s.byOrder))) + s.heads + len(s.scratch) +
		uvarintLen(s.deleteNum) + s.deleteHeads + s.deleteBytes
}

func (s *splitter) empty() bool { return len(s.byOrder) == 0 && len(s.deletes) == 0 }

// headSize is the bytes of a client's head.
func headSize(client, start, count uint64) int {
	return uvarintLen(count) + uvarintLen(client) + uvarintLen(start)
}

// room is how many bytes of structs of a client the piece can still take when they are one struct at clock.
func (s *splitter) room(client int, clock uint64) int {
	grown := uvarintLen(uint64(len(s.byOrder)+1)) - uvarintLen(uint64(len(s.byOrder)))
	id := s.clients[client].client
	if i := s.inPiece[client]; i > 0 {
		pc := &s.byOrder[i-1]
		grown = headSize(id, pc.start, pc.count+1) - headSize(id, pc.start, pc.count)
		if pc.next != clock {
			return 0 // a gap: begins a piece of its own
		}
	} else {
		grown += headSize(id, clock, 1)
	}
	return s.max - s.size() - grown
}

// addStruct adds a struct to the piece, or to as many pieces as it takes.
func (s *splitter) addStruct(client, i int, _ bool) error {
	var b block
	s.read(client, i, &b)
	if encodedSize(&b) <= s.room(client, b.clock) {
		s.put(client, &b)
		return nil
	}
	if s.alone(client, &b) <= s.max {
		s.flush()
		s.put(client, &b)
		return nil
	}
	var rest slicer
	rest.reset(&b)
	for rest.rest.length > 0 {
		room := s.room(client, rest.rest.clock)
		n := fitting(&rest, room)
		sliver := n < rest.rest.length && room < s.max/4 // not worth a cut only to fill a piece
		switch {
		case (n == 0 || sliver) && !s.empty():
			s.flush()
		case n == 0:
			return s.unsplittable(client, &rest)
		default:
			piece := rest.cut(n)
			s.put(client, &piece)
		}
	}
	return nil
}

// alone is the size of an update with nothing but b.
func (s *splitter) alone(client int, b *block) int {
	return 2 + headSize(s.clients[client].client, b.clock, 1) + encodedSize(b)
}

// unsplittable reports the smallest piece of a struct.
func (s *splitter) unsplittable(client int, rest *slicer) error {
	b := rest.rest
	if b.splittable() && b.length > 1 {
		n := uint64(1)
		if at, inside := rest.offset(1); inside || b.ref == refString && at == 0 {
			n = 2 // a pair
		}
		b = rest.cut(min(n, b.length))
	}
	return &SplitError{ID: ID{b.client, b.clock}, Size: s.alone(client, &b), Max: s.max}
}

// put adds a struct that fits.
func (s *splitter) put(client int, b *block) {
	i := s.inPiece[client]
	if i == 0 {
		s.byOrder = append(s.byOrder, pieceClient{client: client, start: b.clock, next: b.clock})
		i = len(s.byOrder)
		s.inPiece[client] = i
	} else {
		pc := &s.byOrder[i-1]
		s.heads -= headSize(s.clients[client].client, pc.start, pc.count)
	}
	pc := &s.byOrder[i-1]
	from := len(s.scratch)
	s.scratch = appendBlock(s.scratch, b)
	if n := len(pc.parts); n > 0 && pc.parts[n-1].to == from {
		pc.parts[n-1].to = len(s.scratch)
	} else {
		pc.parts = append(pc.parts, part{from, len(s.scratch)})
	}
	pc.count++
	pc.next = b.end()
	s.heads += headSize(s.clients[client].client, pc.start, pc.count)
}

// addDelete adds a delete range to the piece, or begins a new piece with it.
func (s *splitter) addDelete(d deleteRange) error {
	if !s.putDelete(d) {
		s.flush()
		if !s.putDelete(d) {
			size := 3 + uvarintLen(d.client) + uvarintLen(d.clock) + uvarintLen(d.end-d.clock)
			return &SplitError{ID: ID{d.client, d.clock}, Size: size, Max: s.max}
		}
	}
	return nil
}

// putDelete adds a delete range if it fits.
func (s *splitter) putDelete(d deleteRange) bool {
	saved := *s
	s.deleteBytes += uvarintLen(d.clock) + uvarintLen(d.end-d.clock)
	if n := len(s.deletes); n > 0 && s.deletes[n-1].client == d.client {
		s.deleteHeads += uvarintLen(s.deleteCount+1) - uvarintLen(s.deleteCount)
		s.deleteCount++
	} else {
		s.deleteHeads += uvarintLen(d.client) + 1
		s.deleteNum, s.deleteCount = s.deleteNum+1, 1
	}
	if s.size() > s.max {
		*s = saved
		return false
	}
	s.deletes = append(s.deletes, d)
	return true
}

// flush finishes the piece, if there is anything in it.
func (s *splitter) flush() {
	if s.empty() {
		return
	}
	out := appendUvarint(make([]byte, 0, s.size()), uint64(len(s.byOrder)))
	for _, pc := range s.byOrder {
		s.inPiece[pc.client] = 0
	}
	slices.SortFunc(s.byOrder, func(a, b pieceClient) int { return a.client - b.client }) // ids descend
	for _, pc := range s.byOrder {
		out = appendUvarint(appendUvarint(appendUvarint(out, pc.count), s.clients[pc.client].client), pc.start)
		for _, p := range pc.parts {
			out = append(out, s.scratch[p.from:p.to]...)
		}
	}
	s.pieces = append(s.pieces, s.deletes.appendTo(out))
	s.scratch, s.byOrder, s.heads = s.scratch[:0], s.byOrder[:0], 0
	s.deletes, s.deleteBytes, s.deleteHeads, s.deleteCount, s.deleteNum = nil, 0, 0, 0, 0
}

// encodedSize is the number of bytes appendBlock appends.
func encodedSize(b *block) int {
	return positionSize(b) + prefixSize(b) + len(b.content)
}

// positionSize is the number of bytes appendPosition appends.
func positionSize(b *block) int {
	n := 1
	if b.hasOrigin {
		n += uvarintLen(b.origin.Client) + uvarintLen(b.origin.Clock)
	}
	if b.hasRight {
		n += uvarintLen(b.right.Client) + uvarintLen(b.right.Clock)
	}
	switch b.parent {
	case parentRoot:
		n += 1 + uvarintLen(uint64(len(b.parentName))) + len(b.parentName)
	case parentItem:
		n += 1 + uvarintLen(b.parentID.Client) + uvarintLen(b.parentID.Clock)
	}
	if b.hasSub {
		n += uvarintLen(uint64(len(b.sub))) + len(b.sub)
	}
	return n
}

// prefixSize is the bytes of the length or count that stands before the content of splittable blocks.
func prefixSize(b *block) int {
	switch {
	case !b.splittable():
		return 0
	case b.ref == refString:
		return uvarintLen(uint64(len(b.content)))
	}
	return uvarintLen(b.length)
}

// appendBlock appends one struct as it is.
func appendBlock(out []byte, b *block) []byte {
	out = appendPosition(out, b)
	switch {
	case !b.splittable():
	case b.ref == refString:
		out = appendUvarint(out, uint64(len(b.content)))
	default:
		out = appendUvarint(out, b.length)
	}
	return append(out, b.content...)
}

// fitting returns how many clocks of the rest fit into room bytes as one struct, zero if none.
func fitting(s *slicer, room int) uint64 {
	b := &s.rest
	if encodedSize(b) <= room {
		return b.length
	}
	if !b.splittable() {
		return 0
	}
	room -= positionSize(b)
	room -= uvarintLen(uint64(max(room, 0)))
	if room <= 0 {
		return 0
	}
	switch b.ref {
	case refString:
		at := min(room, len(b.content))
		for at > 0 && at < len(b.content) && b.content[at]&0xc0 == 0x80 {
			at--
		}
		return uint64(utf16Len(b.content[:at]))
	case refAny, refJSON:
		return elementsWithin(b.ref, b.content, room)
	}
	return 0 // no content: cutting it saves nothing
}

// elementsWithin returns how many elements take at most room bytes.
func elementsWithin(ref uint8, content []byte, room int) uint64 {
	r := reader{buf: content, maxDepth: len(content) + 1, trusted: true}
	n := uint64(0)
	for r.pos < len(content) && r.err == nil {
		r.element(ref)
		if r.pos > room {
			break
		}
		n++
	}
	return n
}
