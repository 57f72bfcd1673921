package yjs

// ruler remembers where some units of long content begin, so that cutting it in many places takes O(n log n) and not
// O(n²) time. All parts of what was one item share it. Content in ASCII needs none.
type ruler struct {
	clock uint64   // of the first unit measured
	marks []uint32 // for each rulerStep-th unit, 2 * the byte it begins at, + 1 if it is the second half of the pair there
}

// rulerStep is a compromise: four bytes of memory for each 64 units, at most 64 units read for each question.
const rulerStep = 64

// contentRange returns the clocks of the units that are in content: all but halves of pairs.
func (it *item) contentRange() (from, to uint64) {
	from, to = it.clock, it.end()
	if it.lead {
		from++
	}
	if it.trail {
		to--
	}
	return from, to
}

// cutContent says where in content the unit with a clock begins, which is inside it and not its first. inside is true
// for the second half of a surrogate pair; the byte is then where the pair begins.
func (it *item) cutContent(clock uint64) (at int, inside bool) {
	from, to := it.contentRange()
	switch {
	case it.ref != refString && it.ref != refAny && it.ref != refJSON:
		return 0, false
	case clock == to:
		return len(it.content), false
	case it.ref == refString && uint64(len(it.content)) == to-from:
		return int(clock - from), false
	case it.ruler == nil && to-from <= 2*rulerStep:
		return it.step(0, false, clock-from)
	}
	if it.ruler == nil || it.ruler.end() < from {
		it.ruler, it.base = &ruler{clock: from, marks: []uint32{0}}, 0
	}
	return it.measure(clock, from)
}

// end is the clock of the first mark that is not there yet.
func (u *ruler) end() uint64 { return u.clock + uint64(len(u.marks))*rulerStep }

// measure finds a unit with the ruler, which it extends up to there.
func (it *item) measure(clock, from uint64) (at int, inside bool) {
	u := it.ruler
	i := min((clock-u.clock)/rulerStep, uint64(len(u.marks)-1))
	pos := u.clock + i*rulerStep
	if pos >= from {
		at, inside = int(u.marks[i]>>1-it.base), u.marks[i]&1 != 0
	} else {
		pos = from // the mark is in another part
	}
	for next := u.end(); next <= clock; next += rulerStep {
		at, inside = it.step(at, inside, next-pos)
		pos = next
		half := uint32(0)
		if inside {
			half = 1
		}
		u.marks = append(u.marks, (uint32(at)+it.base)<<1|half)
	}
	return it.step(at, inside, clock-pos)
}

// step moves n units on from the unit that begins at a byte of content.
func (it *item) step(at int, inside bool, n uint64) (int, bool) {
	if it.ref != refString {
		return at + elementOffset(it.ref, it.content[at:], n), false
	}
	if inside {
		n++ // counted from where the pair begins
	}
	off, half := utf16Offset(it.content[at:], n)
	return at + off, half
}
