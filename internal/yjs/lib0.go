package yjs

import "unicode/utf8"

// reader decodes lib0 primitives (lib0/decoding.js) from a byte slice. The first failure sticks: it is kept in err, and
// every later read returns zero values, so callers check err once per struct rather than once per number.
type reader struct {
	buf      []byte
	pos      int
	err      error
	maxDepth int
	// trusted skips the validation of UTF-8 and JSON, for input that has passed a full strict pass before. Bounds are
	// checked all the same.
	trusted bool
}

// fail records the first failure at the current position and moves to the end, so that loops end.
func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = &DecodeError{Offset: r.pos, Err: err}
	}
	r.pos = len(r.buf)
}

// remaining is the number of bytes left.
func (r *reader) remaining() int { return len(r.buf) - r.pos }

// byte reads one byte. lib0 readUint8 yields undefined past the end; here that is ErrTruncated.
func (r *reader) byte() byte {
	if r.pos >= len(r.buf) {
		r.fail(ErrTruncated)
		return 0
	}
	b := r.buf[r.pos]
	r.pos++
	return b
}

// uvarint reads lib0 readVarUint: seven bits a byte, low bits first, at most 2^53-1.
func (r *reader) uvarint() uint64 {
	if r.pos < len(r.buf) {
		if b := r.buf[r.pos]; b < 0x80 {
			r.pos++
			return uint64(b)
		}
	}
	return r.uvarintSlow(0, 0)
}

// maxVarintBytes bounds the bytes of one number. 53 bits need eight; a writer may pad, but not without end.
const maxVarintBytes = 10

// uvarintSlow continues a number whose low `shift` bits (six at most) are already in value.
func (r *reader) uvarintSlow(value uint64, shift uint) uint64 {
	const free = 6 // bytes that cannot exceed 53 bits
	rest := r.buf[r.pos:]
	for i, b := range rest[:min(free, len(rest))] {
		value |= uint64(b&0x7f) << shift
		shift += 7
		if b < 0x80 {
			r.pos += i + 1
			return value
		}
	}
	r.pos += min(free, len(rest))
	for range maxVarintBytes - free {
		if r.pos >= len(r.buf) {
			break
		}
		b := r.buf[r.pos]
		r.pos++
		low := uint64(b & 0x7f)
		if low != 0 && (shift >= 53 || low > maxSafe>>shift) {
			r.fail(ErrNumber)
			return 0
		}
		value |= low << shift
		shift += 7
		if b < 0x80 {
			return value
		}
	}
	if r.pos >= len(r.buf) {
		r.fail(ErrTruncated)
	} else {
		r.fail(ErrNumber)
	}
	return 0
}

// varint reads lib0 readVarInt: sign in bit 7 of the first byte, so that -0 exists. It returns the magnitude and
// whether the sign bit is set.
func (r *reader) varint() (magnitude uint64, negative bool) {
	b := r.byte()
	magnitude, negative = uint64(b&0x3f), b&0x40 != 0
	if b&0x80 != 0 {
		magnitude = r.uvarintSlow(magnitude, 6)
	}
	return magnitude, negative
}

// take returns the next n bytes, sharing memory with the input.
func (r *reader) take(n uint64) []byte {
	if n > uint64(r.remaining()) {
		r.fail(ErrTruncated)
		return nil
	}
	b := r.buf[r.pos : r.pos+int(n) : r.pos+int(n)]
	r.pos += int(n)
	return b
}

// varBytes reads lib0 readVarUint8Array: a length and that many bytes.
func (r *reader) varBytes() []byte { return r.take(r.uvarint()) }

// varString reads lib0 readVarString and returns its UTF-8 bytes raw. There are no lone surrogates here: TextEncoder
// writes them as U+FFFD and a fatal TextDecoder refuses them. They exist only as \u escapes inside JSON.
func (r *reader) varString() []byte {
	b := r.varBytes()
	if !r.trusted && !utf8.Valid(b) {
		r.fail(ErrUTF8)
		return nil
	}
	return b
}

// varJSON reads a string that has to be JSON, as ContentEmbed and ContentFormat have it.
func (r *reader) varJSON() []byte {
	b := r.varString()
	if !r.trusted && r.err == nil {
		if err := checkJSON(b, r.maxDepth); err != nil {
			r.fail(err)
		}
	}
	return b
}

// count reads a number of things that take at least `each` bytes, and refuses more than can be left.
func (r *reader) count(each int) uint64 {
	n := r.uvarint()
	if n > uint64(r.remaining()/each) {
		r.fail(ErrTruncated)
		return 0
	}
	return n
}

// Tags of lib0 values (lib0/decoding.js readAny).
const (
	anyUndefined = 127
	anyNull      = 126
	anyInteger   = 125
	anyFloat32   = 124
	anyFloat64   = 123
	anyBigInt    = 122
	anyFalse     = 121
	anyTrue      = 120
	anyString    = 119
	anyObject    = 118
	anyArray     = 117
	anyBytes     = 116
)

// anyFrame is an array or object whose elements are being read.
type anyFrame struct {
	left   uint64
	object bool
}

// skipAny moves over one lib0 value, validating it, without recursion: nesting costs 16 bytes of heap a level and is
// bounded by maxDepth. It returns the tag of the value.
func (r *reader) skipAny() byte {
	var inline [8]anyFrame
	stack := inline[:0]
	first := byte(0)
	for {
		if n := len(stack); n > 0 && stack[n-1].object {
			r.varString()
		}
		tag := r.byte()
		if first == 0 {
			first = tag
		}
		switch tag {
		case anyUndefined, anyNull, anyFalse, anyTrue:
		case anyInteger:
			r.varint()
		case anyFloat32:
			r.take(4)
		case anyFloat64, anyBigInt:
			r.take(8)
		case anyString:
			r.varString()
		case anyBytes:
			r.varBytes()
		case anyObject, anyArray:
			frame := anyFrame{object: tag == anyObject}
			if frame.object {
				frame.left = r.count(2)
			} else {
				frame.left = r.count(1)
			}
			if len(stack) >= r.maxDepth {
				r.fail(ErrDepth)
			}
			if frame.left > 0 && r.err == nil {
				stack = append(stack, frame)
				continue
			}
		default:
			r.fail(ErrContent)
		}
		if r.err != nil {
			return first
		}
		for {
			n := len(stack)
			if n == 0 {
				return first
			}
			if stack[n-1].left--; stack[n-1].left > 0 {
				break
			}
			stack = stack[:n-1]
		}
	}
}

// element moves over one element of refAny or refJSON content.
func (r *reader) element(ref uint8) {
	if ref == refAny {
		r.skipAny()
	} else {
		r.varBytes()
	}
}

// appendUvarint appends lib0 writeVarUint(v).
func appendUvarint(b []byte, v uint64) []byte {
	for v > 0x7f {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

// uvarintLen is the number of bytes appendUvarint writes.
func uvarintLen(v uint64) int {
	n := 1
	for v > 0x7f {
		v >>= 7
		n++
	}
	return n
}

// appendVarBytes appends a length and the bytes, which is lib0 writeVarUint8Array and writeVarString alike.
func appendVarBytes(b, data []byte) []byte {
	return append(appendUvarint(b, uint64(len(data))), data...)
}
