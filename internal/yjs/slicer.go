package yjs

// slicer hands out one block piece by piece from the left, reading its content once however many pieces there are.
type slicer struct {
	rest block
	lead bool // the rest begins with the second half of a surrogate pair, which its content does not have
}

// reset starts with all of b.
func (s *slicer) reset(b *block) {
	s.rest, s.lead = *b, false
}

// cut returns the first n clocks (0 < n <= rest.length) and keeps the rest. Pieces are what block.keepLeft and
// block.dropLeft make.
func (s *slicer) cut(n uint64) block {
	piece := s.rest
	lead, inside := s.lead, false
	at := len(piece.content)
	if n < piece.length {
		at, inside = s.offset(n)
		piece.length = n
		s.lead = inside
		s.rest.content = piece.content[at:]
		if inside {
			s.rest.content = piece.content[at+4:]
		}
		s.advance(n)
	} else {
		s.rest.clock, s.rest.length, s.rest.content, s.lead = piece.end(), 0, nil, false
	}
	piece.content = piece.content[:at]
	if lead || inside {
		piece.content = padded(piece.content, lead, inside)
	}
	return piece
}

// skip drops the first n clocks (0 < n <= rest.length).
func (s *slicer) skip(n uint64) {
	if n >= s.rest.length {
		s.rest.clock, s.rest.length, s.rest.content, s.lead = s.rest.end(), 0, nil, false
		return
	}
	at, inside := s.offset(n)
	s.lead = inside
	if inside {
		at += 4
	}
	s.rest.content = s.rest.content[at:]
	s.advance(n)
}

// offset returns where in the content of the rest its unit n begins.
func (s *slicer) offset(n uint64) (at int, inside bool) {
	switch s.rest.ref {
	case refString:
		if s.lead {
			n--
		}
		return utf16Offset(s.rest.content, n)
	case refAny, refJSON:
		return elementOffset(s.rest.ref, s.rest.content, n), false
	}
	return 0, false
}

// advance moves the position of the rest by n clocks.
func (s *slicer) advance(n uint64) {
	b := &s.rest
	if b.isItem() {
		b.hasOrigin, b.origin = true, ID{b.client, b.clock + n - 1}
		b.parent, b.parentID, b.parentName, b.hasSub, b.sub = parentCopied, ID{}, nil, false, nil
	}
	b.clock += n
	b.length -= n
}

// padded returns content with U+FFFD before or behind it.
func padded(content []byte, before, behind bool) []byte {
	out := make([]byte, 0, len(content)+2*len(replacement))
	if before {
		out = append(out, replacement...)
	}
	out = append(out, content...)
	if behind {
		out = append(out, replacement...)
	}
	return out
}
