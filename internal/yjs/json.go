package yjs

// checkJSON says whether b is one JSON text as JSON.parse has it, nested at most maxDepth deep. It neither recurses nor
// allocates for depths that occur, and returns nil, ErrJSON or ErrDepth. b must be valid UTF-8.
func checkJSON(b []byte, maxDepth int) error {
	var inline [64]byte
	s := jsonScanner{b: b, open: inline[:0]}
	for {
		s.space()
		c := s.peek()
		switch {
		case c == '[' || c == '{':
			if len(s.open) >= maxDepth {
				return ErrDepth
			}
			s.i++
			s.open = append(s.open, c)
			s.space()
			if s.peek() == c+2 { // '[' + 2 is ']', '{' + 2 is '}'
				break // an empty one is a complete value; close below
			}
			if c == '{' && !s.key() {
				return ErrJSON
			}
			continue
		case !s.scalar(c):
			return ErrJSON
		}
		// A value is complete. Close what ends here, then go on behind the comma.
		for {
			s.space()
			if len(s.open) == 0 {
				if s.i != len(s.b) {
					return ErrJSON
				}
				return nil
			}
			top := s.open[len(s.open)-1]
			c := s.peek()
			s.i++
			if c == top+2 {
				s.open = s.open[:len(s.open)-1]
				continue
			}
			if c != ',' {
				return ErrJSON
			}
			s.space()
			if top == '{' && !s.key() {
				return ErrJSON
			}
			break
		}
	}
}

// jsonScanner is a position in a JSON text and the brackets open around it.
type jsonScanner struct {
	b    []byte
	i    int
	open []byte
}

// peek returns the byte at the position, or zero (never valid there) at the end.
func (s *jsonScanner) peek() byte {
	if s.i < len(s.b) {
		return s.b[s.i]
	}
	return 0
}

func (s *jsonScanner) space() {
	for s.i < len(s.b) && (s.b[s.i] == ' ' || s.b[s.i] == '\t' || s.b[s.i] == '\n' || s.b[s.i] == '\r') {
		s.i++
	}
}

// key moves over a member name and its colon.
func (s *jsonScanner) key() bool {
	if s.peek() != '"' || !s.str() {
		return false
	}
	s.space()
	if s.peek() != ':' {
		return false
	}
	s.i++
	return true
}

// scalar moves over a string, number or literal that begins with c.
func (s *jsonScanner) scalar(c byte) bool {
	switch {
	case c == '"':
		return s.str()
	case c == '-' || c >= '0' && c <= '9':
		return s.number()
	case c == 't':
		return s.literal("true")
	case c == 'f':
		return s.literal("false")
	case c == 'n':
		return s.literal("null")
	}
	return false
}

func (s *jsonScanner) literal(word string) bool {
	if len(s.b)-s.i < len(word) || string(s.b[s.i:s.i+len(word)]) != word {
		return false
	}
	s.i += len(word)
	return true
}

// str moves over a quoted string. A lone surrogate escape is valid, as it is in JavaScript.
func (s *jsonScanner) str() bool {
	for s.i++; s.i < len(s.b); s.i++ {
		switch c := s.b[s.i]; {
		case c == '"':
			s.i++
			return true
		case c < 0x20:
			return false
		case c == '\\':
			s.i++
			switch s.peek() {
			case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			case 'u':
				for range 4 {
					s.i++
					if !isHex(s.peek()) {
						return false
					}
				}
			default:
				return false
			}
		}
	}
	return false
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

func (s *jsonScanner) digits() bool {
	start := s.i
	for c := s.peek(); c >= '0' && c <= '9'; c = s.peek() {
		s.i++
	}
	return s.i > start
}

func (s *jsonScanner) number() bool {
	if s.peek() == '-' {
		s.i++
	}
	if s.peek() == '0' {
		s.i++
	} else if !s.digits() {
		return false
	}
	if s.peek() == '.' {
		s.i++
		if !s.digits() {
			return false
		}
	}
	if c := s.peek(); c == 'e' || c == 'E' {
		s.i++
		if c := s.peek(); c == '+' || c == '-' {
			s.i++
		}
		return s.digits()
	}
	return true
}
