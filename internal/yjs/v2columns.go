package yjs

// uintColumn is lib0 UintOptRleDecoder: a negative number (-0 included) is followed by how often it repeats.
type uintColumn struct {
	reader
	value uint64
	count uint64
}

func (c *uintColumn) read() uint64 {
	if c.count == 0 {
		value, repeated := c.varint()
		c.value, c.count = value, 1
		if repeated {
			c.count = c.uvarint() + 2
		}
	}
	c.count--
	return c.value
}

// diffColumn is lib0 IntDiffOptRleDecoder: differences times two, the low bit saying that a repeat count follows.
type diffColumn struct {
	reader
	value uint64
	diff  int64
	count uint64
}

func (c *diffColumn) read() uint64 {
	if c.count == 0 {
		magnitude, negative := c.varint()
		diff := int64(magnitude)
		if negative {
			diff = -diff
		}
		c.diff, c.count = diff>>1, 1 // floor, also below zero
		if diff&1 != 0 {
			c.count = c.uvarint() + 2
		}
	}
	c.count--
	value := int64(c.value) + c.diff
	if value < 0 || value > maxSafe {
		c.fail(ErrNumber)
		return 0
	}
	c.value = uint64(value)
	return c.value
}

// byteColumn is lib0 RleDecoder over bytes: each followed by how often it repeats, the last one repeating for ever.
type byteColumn struct {
	reader
	value   byte
	count   uint64
	forever bool
}

func (c *byteColumn) read() byte {
	if c.forever {
		return c.value
	}
	if c.count == 0 {
		c.value = c.byte()
		if c.remaining() == 0 {
			c.forever = true
			return c.value
		}
		c.count = c.uvarint() + 1
	}
	c.count--
	return c.value
}

// stringColumn is lib0 StringDecoder: one string, cut by lengths in UTF-16 code units. A pair that is cut in half
// becomes two U+FFFD, which is what JavaScript makes of it once it is encoded again.
type stringColumn struct {
	lengths uintColumn
	text    []byte
	left    uint64 // units
	lead    bool   // the text begins behind the first half of a pair
}

func (c *stringColumn) open() {
	c.text = c.lengths.varString()
	c.left = uint64(utf16Len(c.text))
}

func (c *stringColumn) read() []byte {
	n := c.lengths.read()
	if n > c.left {
		c.lengths.fail(ErrTruncated)
		return nil
	}
	if n == 0 {
		return nil
	}
	c.left -= n
	lead := c.lead
	if lead {
		n--
	}
	at, inside := utf16Offset(c.text, n)
	s := c.text[:at:at]
	if c.lead = inside; inside {
		at += 4
	}
	c.text = c.text[at:]
	if lead || inside {
		return padded(s, lead, inside)
	}
	return s
}
