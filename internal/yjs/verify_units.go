package yjs

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// agreeUnits adds to agreed the clocks at which two pieces that differ as a whole agree nevertheless. It is needed when
// inputs contradict each other and the result is made of parts of several.
func (v *contentCheck) agreeUnits(input, result *block, agreed *[]deleteRange) {
	if input.ref != result.ref || input.hasRight != result.hasRight || input.right != result.right {
		return
	}
	add := func(unit uint64) {
		if unit > 0 || samePlace(input, result) {
			clock := input.clock + unit
			*agreed = append(*agreed, deleteRange{input.client, clock, clock + 1})
		}
	}
	switch input.ref {
	case refString:
		a, b := unitWalk{text: input.content}, unitWalk{text: result.content}
		for unit := uint64(0); unit < input.length; unit++ {
			x, y := a.next(), b.next()
			if x == y {
				add(unit)
			} else if utf16.IsSurrogate(x) && y == utf8.RuneError {
				clock := input.clock + unit
				partner := clock + 1
				if x >= 0xdc00 {
					partner = clock - 1
				}
				v.halves = append(v.halves, half{clock, ID{input.client, partner}})
			}
		}
	case refAny, refJSON:
		a := reader{buf: input.content, maxDepth: len(input.content) + 1, trusted: true}
		b := reader{buf: result.content, maxDepth: len(result.content) + 1, trusted: true}
		for unit := uint64(0); unit < input.length; unit++ {
			fromA, fromB := a.pos, b.pos
			a.element(input.ref)
			b.element(result.ref)
			if bytes.Equal(a.buf[fromA:a.pos], b.buf[fromB:b.pos]) {
				add(unit)
			}
		}
	}
}

// unitWalk yields the UTF-16 code units of valid UTF-8.
type unitWalk struct {
	text []byte
	low  rune
}

func (w *unitWalk) next() rune {
	if low := w.low; low != 0 {
		w.low = 0
		return low
	}
	r, n := utf8.DecodeRune(w.text)
	w.text = w.text[n:]
	if r > 0xffff {
		r, w.low = utf16.EncodeRune(r)
	}
	return r
}
