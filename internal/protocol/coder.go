package protocol

import (
	"math/bits"
	"unicode/utf8"
)

// A coder measures, writes or reads the fields of a message in lib0's encoding
// (lib0 encoding.js and decoding.js: writeVarUint, writeVarString,
// writeVarUint8Array). Errors stick; later fields are then left alone.
type coder struct {
	mode mode
	// buf is what is written to, or read from at pos.
	buf  []byte
	pos  int
	size int
	err  error
}

type mode uint8

const (
	measuring mode = iota
	writing
	reading
)

// uint codes a varuint: seven bits a byte, least significant first.
func (c *coder) uint(v *uint64) {
	switch c.mode {
	case measuring:
		c.size += uintSize(*v)
	case writing:
		c.buf = appendUint(c.buf, *v)
	case reading:
		*v = c.readUint()
	}
}

// bytes codes a length and that many bytes. What is read aliases the input;
// empty reads as nil.
func (c *coder) bytes(v *[]byte) {
	switch c.mode {
	case measuring:
		c.size += uintSize(uint64(len(*v))) + len(*v)
	case writing:
		c.buf = append(appendUint(c.buf, uint64(len(*v))), *v...)
	case reading:
		*v = c.readBytes()
	}
}

// string codes like bytes and must be UTF-8.
func (c *coder) string(v *string) {
	switch c.mode {
	case measuring:
		c.size += uintSize(uint64(len(*v))) + len(*v)
	case writing:
		c.buf = append(appendUint(c.buf, uint64(len(*v))), *v...)
	case reading:
		b := c.readBytes()
		if !utf8.Valid(b) {
			c.fail(ErrNotUTF8)
			return
		}
		*v = string(b)
	}
}

// bool codes as the number 0 or 1.
func (c *coder) bool(v *bool) {
	var n uint64
	if *v {
		n = 1
	}
	c.uint(&n)
	if n > 1 {
		c.fail(ErrOutOfRange)
		return
	}
	*v = n == 1
}

// hash codes as bytes whose length is 32.
func (c *coder) hash(v *[32]byte) {
	if c.mode != reading {
		b := v[:]
		c.bytes(&b)
		return
	}
	b := c.readBytes()
	if c.err == nil && len(b) != len(v) {
		c.fail(ErrOutOfRange)
		return
	}
	copy(v[:], b)
}

// headers codes a count and that many pairs of name and value.
func (c *coder) headers(v *[]UploadHeader) {
	n := uint64(len(*v))
	c.uint(&n)
	if c.mode == reading {
		if n > MaxUploadHeaders {
			c.fail(ErrOutOfRange)
			return
		}
		if n > uint64(len(c.buf)-c.pos)/2 {
			c.fail(ErrTruncated)
		}
		if c.err != nil || n == 0 {
			return
		}
		*v = make([]UploadHeader, n)
	}
	for i := range *v {
		c.string(&(*v)[i].Name)
		c.string(&(*v)[i].Value)
	}
}

func (c *coder) fail(err error) {
	if c.err == nil {
		c.err = err
	}
}

// readUint reads as lib0's readVarUint does: any number of padding groups that
// add nothing is accepted (0x80 0x00 is 0), a value over 2^53 - 1 is not. lib0
// loses count after maxUintBytes bytes (its multiplier becomes infinite), so
// longer padding is refused.
func (c *coder) readUint() uint64 {
	const maxUintBytes = 147
	if c.err != nil {
		return 0
	}
	var v uint64
	for i := 0; ; i++ {
		if c.pos == len(c.buf) {
			c.fail(ErrTruncated)
			return 0
		}
		if i == maxUintBytes {
			c.fail(ErrOutOfRange)
			return 0
		}
		b := c.buf[c.pos]
		c.pos++
		group := uint64(b & 0x7f)
		if group != 0 {
			if i > 7 || i == 7 && group > MaxUint>>49 {
				c.fail(ErrOutOfRange)
				return 0
			}
			v |= group << (7 * i)
		}
		if b < 0x80 {
			return v
		}
	}
}

// readBytes compares the length with what is left before it does anything, so
// that a hostile length costs nothing.
func (c *coder) readBytes() []byte {
	n := c.readUint()
	if c.err != nil || n == 0 {
		return nil
	}
	if n > uint64(len(c.buf)-c.pos) {
		c.fail(ErrTruncated)
		return nil
	}
	start := c.pos
	c.pos += int(n)
	return c.buf[start:c.pos:c.pos]
}

func appendUint(b []byte, v uint64) []byte {
	for v >= 0x80 {
		b = append(b, byte(v)|0x80)
		v >>= 7
	}
	return append(b, byte(v))
}

func uintSize(v uint64) int { return (bits.Len64(v|1) + 6) / 7 }
