package yjs

import (
	"bytes"
	"unicode/utf16"
	"unicode/utf8"
)

// agreeUnits adds to agreed the clocks at which two pieces that differ as a whole agree nevertheless. It is needed when
// inputs contradict each other and the result is made of parts of several.
func (v *contentCheck) agreeUnits(input, result *block, agreed *[]deleteRange) {
	if !input.isItem() || input.hasRight != result.hasRight || input.right != result.right {
		return
	}
	add := func(from, to uint64) {
		if from == 0 && !samePlace(input, result) {
			from = 1 // units behind the first have the same origin, whatever the first has
		}
		if from >= to {
			return
		}
		r := deleteRange{input.client, input.clock + from, input.clock + to}
		if n := len(*agreed); n > 0 && (*agreed)[n-1].client == r.client && (*agreed)[n-1].end == r.clock {
			(*agreed)[n-1].end = r.end
			return
		}
		*agreed = append(*agreed, r)
	}
	if result.ref == refDeleted {
		add(0, input.length)
		if input.ref != refDeleted && input.length > 1 {
			v.addUndeleted(deleteRange{input.client, input.clock + 1, input.end()})
		}
		return
	}
	if input.ref != result.ref {
		return
	}
	switch input.ref {
	case refString:
		a, b := unitWalk{text: input.content}, unitWalk{text: result.content}
		for unit := uint64(0); unit < input.length; unit++ {
			x, y := a.next(), b.next()
			if x == y {
				add(unit, unit+1)
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
				add(unit, unit+1)
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
