package loadtest

import (
	"encoding/binary"
	"errors"
	"math"
	"unicode/utf8"
)

// stretch is the clocks from..to (to not included) of one client that an
// update has.
type stretch struct{ client, from, to uint64 }

// errScan: the target delivered something that is not a Yjs update.
var errScan = errors.New("loadtest: not a Yjs v1 update")

// scan lists what an update has. It is not the server's decoder: a target must
// not be judged by its own code.
func scan(update []byte) ([]stretch, error) {
	s := scanner{b: update}
	var out []stretch
	for clients := s.uint(); clients > 0 && !s.bad; clients-- {
		structs := s.uint()
		client, clock := s.uint(), s.uint()
		from := clock
		for ; structs > 0 && !s.bad; structs-- {
			n, skip := s.one()
			if skip {
				if clock > from {
					out = append(out, stretch{client, from, clock})
				}
				from = clock + n
			}
			clock += n
		}
		if clock > from {
			out = append(out, stretch{client, from, clock})
		}
	}
	if s.bad {
		return nil, errScan
	}
	return out, nil
}

type scanner struct {
	b   []byte
	bad bool
}

func (s *scanner) uint() uint64 {
	v, n := binary.Uvarint(s.b)
	if n <= 0 {
		s.bad, s.b = true, nil
		return 0
	}
	s.b = s.b[n:]
	return v
}

func (s *scanner) bytes(n uint64) []byte {
	if n > uint64(len(s.b)) {
		s.bad, s.b = true, nil
		return nil
	}
	b := s.b[:n]
	s.b = s.b[n:]
	return b
}

func (s *scanner) byte() byte {
	b := s.bytes(1)
	if b == nil {
		return 0
	}
	return b[0]
}

// one reads one struct and returns its length in clocks, and whether it is a gap.
func (s *scanner) one() (n uint64, skip bool) {
	info := s.byte()
	switch ref := info & 31; ref {
	case 0: // garbage collected
		return s.uint(), false
	case 10: // skip
		return s.uint(), true
	default:
		s.place(info)
		return s.content(ref), false
	}
}

// place reads an item's origins and parent.
func (s *scanner) place(info byte) {
	for _, bit := range []byte{0x80, 0x40} {
		if info&bit != 0 {
			s.uint()
			s.uint()
		}
	}
	if info&0xc0 != 0 {
		return
	}
	if s.uint() == 1 {
		s.bytes(s.uint())
	} else {
		s.uint()
		s.uint()
	}
	if info&0x20 != 0 {
		s.bytes(s.uint())
	}
}

func (s *scanner) content(ref byte) uint64 {
	switch ref {
	case 1: // deleted
		return s.uint()
	case 2: // JSON
		n := s.uint()
		for i := uint64(0); i < n && !s.bad; i++ {
			s.bytes(s.uint())
		}
		return n
	case 3, 5: // binary, embed
		s.bytes(s.uint())
	case 4:
		return utf16Length(s.bytes(s.uint()))
	case 6: // format
		s.bytes(s.uint())
		s.bytes(s.uint())
	case 7: // a nested type
		if kind := s.uint(); kind == 3 || kind == 5 {
			s.bytes(s.uint())
		}
	case 8:
		n := s.uint()
		for i := uint64(0); i < n && !s.bad; i++ {
			s.any(0)
		}
		return n
	default:
		s.bad = true
	}
	return 1
}

func utf16Length(text []byte) (n uint64) {
	for len(text) > 0 {
		r, size := utf8.DecodeRune(text)
		text = text[size:]
		if r > math.MaxUint16 {
			n++
		}
		n++
	}
	return n
}

// maxDepth bounds how deep a value may nest.
const maxDepth = 100

// any skips a value (lib0: encoding.js, writeAny).
func (s *scanner) any(depth int) {
	if depth > maxDepth {
		s.bad = true
		return
	}
	switch s.byte() {
	case 127, 126, 121, 120: // undefined, null, false, true
	case 125:
		s.uint() // signed, but as long
	case 124:
		s.bytes(4)
	case 123, 122:
		s.bytes(8)
	case 119, 116:
		s.bytes(s.uint())
	case 118:
		for n := s.uint(); n > 0 && !s.bad; n-- {
			s.bytes(s.uint())
			s.any(depth + 1)
		}
	case 117:
		for n := s.uint(); n > 0 && !s.bad; n-- {
			s.any(depth + 1)
		}
	default:
		s.bad = true
	}
}
