package yjs

import (
	"bytes"
	"slices"
)

// sameContent is CheckContent. It walks over the structs of all inputs and compares each, piece by piece, with what the
// result has at the same clocks.
func sameContent(in, out *index) error {
	v := contentCheck{in: in, result: newSeekable(out)}
	for _, l := range in.lists {
		if err := v.compareList(l, nil); err != nil {
			return err
		}
	}
	if err := v.settleDoubts(); err != nil {
		return err
	}
	return v.settleGone()
}

// contentCheck compares inputs with a result.
type contentCheck struct {
	in     *index
	result *seekable

	doubts []deleteRange // pieces on which an input and the result do not agree: another input has to
	gone   []deleteRange // pieces without content in the result, which have to be in deleted types
	halves []half        // units that agree if their partner does
	cursor cursor
	walker slicer
}

// half is a unit that is half of a surrogate pair in an input and U+FFFD in the result. That is right only when the
// other half comes from another input, in which the pair was split before.
type half struct {
	clock   uint64
	partner ID
}

// verdict is what comparing one piece of an input with the result says.
type verdict uint8

const (
	same     verdict = iota // place and content are the same
	dropped                 // the place is the same, the content is gone
	erased                  // place and content are gone: the result has GC
	differs                 // anything else
	restored                // the input has less than the result: the content is gone there
)

// judge compares one piece.
func judge(input, result *block) verdict {
	switch {
	case samePiece(input, result):
		return same
	case result.ref == refGC:
		return erased
	case input.ref == refGC:
		return restored
	case !samePlace(input, result):
		return differs
	case result.ref == refDeleted:
		return dropped
	case input.ref == refDeleted:
		return restored
	}
	return differs
}

// compareList compares one list with the result. When agreed is not nil it only collects there the pieces that agree.
func (v *contentCheck) compareList(l list, agreed *[]deleteRange) error {
	for v.cursor.open(v.in, l); v.cursor.next(); {
		v.walker.reset(&v.cursor.block)
		for v.walker.rest.length > 0 {
			clock := v.walker.rest.clock
			theirs, err := v.result.piece(l.client, clock, v.walker.rest.end())
			if err != nil {
				return err
			}
			ours := v.walker.cut(theirs.length)
			r := deleteRange{l.client, clock, theirs.end()}
			switch what := judge(&ours, &theirs); {
			case agreed != nil && what == differs:
				v.agreeUnits(&ours, &theirs, agreed)
			case agreed != nil:
				if what == same || what == dropped || what == erased {
					*agreed = append(*agreed, r)
				}
			case what == dropped:
				v.addUndeleted(r)
			case what == erased:
				v.gone = append(v.gone, r)
			case what == differs || what == restored:
				v.doubts = append(v.doubts, r)
			}
		}
	}
	return nil
}

// addUndeleted adds to gone what the delete set does not have of r.
func (v *contentCheck) addUndeleted(r deleteRange) {
	d := v.in.deletes
	for i := d.search(r.client, r.clock); i < len(d) && d[i].client == r.client && d[i].clock < r.end; i++ {
		if r.clock < d[i].clock {
			v.gone = append(v.gone, deleteRange{r.client, r.clock, d[i].clock})
		}
		r.clock = max(r.clock, d[i].end)
	}
	if r.clock < r.end {
		v.gone = append(v.gone, r)
	}
}

// settleDoubts makes sure that on each piece in doubt some input agrees with the result.
func (v *contentCheck) settleDoubts() error {
	if len(v.doubts) == 0 {
		return nil
	}
	doubts := normalise(v.doubts)
	var agreed []deleteRange
	for _, l := range v.in.lists {
		if !doubts.intersects(deleteSet{{l.client, l.clock, l.end}}) {
			continue
		}
		if err := v.compareList(l, &agreed); err != nil {
			return err
		}
	}
	exact := normalise(slices.Clone(agreed))
	for _, h := range v.halves {
		if exact.contains(h.partner) {
			agreed = append(agreed, deleteRange{h.partner.Client, h.clock, h.clock + 1})
		}
	}
	all := normalise(agreed)
	if r, missing := all.firstMissing(doubts); missing {
		return &VerifyError{
			Check: CheckContent, Input: -1, ID: all.firstOutside(r),
			Detail: "no input has what the result has",
		}
	}
	return nil
}

// settleGone makes sure that what is gone without being in the delete set was in a deleted type.
func (v *contentCheck) settleGone() error {
	if len(v.gone) == 0 {
		return nil
	}
	family := newAncestry(v.in)
	for _, r := range normalise(v.gone) {
		if id, ok := family.allInDeleted(r); !ok {
			return &VerifyError{Check: CheckContent, Input: -1, ID: id, Detail: "content is gone that is not deleted"}
		}
	}
	return nil
}

// seekable gives pieces of the structs of one update, in time that hardly depends on how long a struct is.
type seekable struct {
	*store
	held  bool
	block block // the struct looked at last, if held
	marks []mark
	long  map[visit]seekBlock
}

// seekBlock is a long struct that has been parsed.
type seekBlock struct {
	block block
	marks []mark
}

// mark says that unit `unit` of a content begins at byte `at`. There is one every seekStride bytes or so.
type mark struct {
	unit uint64
	at   int
}

const seekStride = 1024

func newSeekable(x *index) *seekable {
	return &seekable{store: storeOf(x), long: map[visit]seekBlock{}}
}

// piece returns the part of the struct at clock that ends at limit at most.
func (s *seekable) piece(client, clock, limit uint64) (block, error) {
	if !s.held || s.block.client != client || clock < s.block.clock || clock >= s.block.end() {
		c, i, found := s.find(ID{client, clock})
		if !found {
			return block{}, &VerifyError{Check: CheckClocks, Input: -1, ID: ID{client, clock}, Detail: "the result lacks a struct"}
		}
		s.hold(visit{c, i})
	}
	b := s.block
	from, to := clock-b.clock, min(limit, b.end())-b.clock
	if from == 0 && to == b.length {
		return b, nil
	}
	b.content = s.slice(from, to)
	if from > 0 && b.isItem() {
		b.hasOrigin, b.origin = true, ID{client, clock - 1}
		b.parent, b.parentID, b.parentName, b.hasSub, b.sub = parentCopied, ID{}, nil, false, nil
	}
	b.clock, b.length = clock, to-from
	return b, nil
}

// hold parses a struct.
func (s *seekable) hold(v visit) {
	s.held = true
	if l, ok := s.long[v]; ok {
		s.block, s.marks = l.block, l.marks
		return
	}
	s.read(v.client, v.i, &s.block)
	s.marks = nil
	if s.block.splittable() && len(s.block.content) > 2*seekStride {
		s.marks = marksOf(&s.block)
		s.long[v] = seekBlock{s.block, s.marks}
	}
}

// marksOf walks over the content once.
func marksOf(b *block) []mark {
	marks := make([]mark, 0, len(b.content)/seekStride+1)
	unit, at := uint64(0), 0
	if b.ref == refString {
		for at < len(b.content) {
			next := min(at+seekStride, len(b.content))
			for next < len(b.content) && b.content[next]&0xc0 == 0x80 {
				next++
			}
			marks = append(marks, mark{unit, at})
			unit += uint64(utf16Len(b.content[at:next]))
			at = next
		}
		return marks
	}
	r := reader{buf: b.content, maxDepth: len(b.content) + 1, trusted: true}
	for last := -seekStride; r.pos < len(b.content) && r.err == nil; unit++ {
		if r.pos-last >= seekStride {
			last = r.pos
			marks = append(marks, mark{unit, r.pos})
		}
		r.element(b.ref)
	}
	return marks
}

// seek returns where a unit of the content of the held struct begins, see utf16Offset.
func (s *seekable) seek(unit uint64) (at int, inside bool) {
	from := mark{}
	lo, hi := 0, len(s.marks)
	for lo < hi {
		if mid := (lo + hi) / 2; s.marks[mid].unit <= unit {
			from, lo = s.marks[mid], mid+1
		} else {
			hi = mid
		}
	}
	rest := s.block.content[from.at:]
	switch s.block.ref {
	case refString:
		at, inside = utf16Offset(rest, unit-from.unit)
	case refAny, refJSON:
		at = elementOffset(s.block.ref, rest, unit-from.unit)
	}
	return from.at + at, inside
}

// slice returns units [from, to) of the content of the held struct.
func (s *seekable) slice(from, to uint64) []byte {
	if len(s.block.content) == 0 {
		return nil
	}
	at, lead := s.seek(from)
	if lead {
		at += 4
	}
	end, trail := len(s.block.content), false
	if to < s.block.length {
		end, trail = s.seek(to)
	}
	content := s.block.content[at:max(at, end)]
	if lead || trail {
		return bytes.Clone(padded(content, lead, trail))
	}
	return content
}
