package yjs

import (
	"encoding/binary"
	"math/bits"
)

// replacement is U+FFFD in UTF-8: what Yjs puts in the place of each half of a surrogate pair that is split
// (ContentString.splice, https://github.com/yjs/yjs/issues/248).
const replacement = "\xef\xbf\xbd"

const (
	highBits = 0x8080808080808080
)

// utf16Len returns the number of UTF-16 code units in valid UTF-8: one for each byte that begins a character, and one
// more for each four-byte character.
func utf16Len(b []byte) int {
	n := len(b)
	i := 0
	for ; i+8 <= len(b); i += 8 {
		w := binary.LittleEndian.Uint64(b[i:])
		high := w & highBits
		if high == 0 {
			continue
		}
		// A continuation byte is 10xxxxxx, the head of a four-byte character 1111xxxx.
		continuation := high &^ (w << 1)
		four := high & (w << 1) & (w << 2) & (w << 3)
		n += bits.OnesCount64(four) - bits.OnesCount64(continuation)
	}
	for ; i < len(b); i++ {
		if b[i]&0xc0 == 0x80 {
			n--
		} else if b[i] >= 0xf0 {
			n++
		}
	}
	return n
}

// utf16Offset returns the byte at which the UTF-16 code unit `units` of valid UTF-8 begins. inside is true when that
// unit is the second half of a surrogate pair; the byte is then where the pair begins.
func utf16Offset(b []byte, units uint64) (at int, inside bool) {
	i := 0
	for units >= 8 && i+8 <= len(b) && binary.LittleEndian.Uint64(b[i:])&highBits == 0 {
		i += 8
		units -= 8
	}
	for units > 0 && i < len(b) {
		switch c := b[i]; {
		case c < 0x80:
			i++
			units--
			for units >= 8 && i+8 <= len(b) && binary.LittleEndian.Uint64(b[i:])&highBits == 0 {
				i += 8
				units -= 8
			}
		case c < 0xe0:
			i += 2
			units--
		case c < 0xf0:
			i += 3
			units--
		default:
			if units == 1 {
				return i, true
			}
			i += 4
			units -= 2
		}
	}
	return i, false
}
