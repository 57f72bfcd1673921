package rtclient

// maxAhead bounds how many numbers beyond a gap are remembered one by one.
const maxAhead = 4096

// sequence knows which of the room's numbers have arrived: all up to last, and
// those in ahead.
type sequence struct {
	last  uint64
	ahead map[uint64]struct{}
	// lost is set when ahead overflowed: everything after last is asked for.
	lost bool
}

// has reports whether number n has arrived.
func (s *sequence) has(n uint64) bool {
	_, ahead := s.ahead[n]
	return n <= s.last || ahead
}

// mark notes that number n has arrived.
func (s *sequence) mark(n uint64) {
	switch {
	case s.has(n):
	case n == s.last+1:
		s.last = n
		s.absorb()
	case len(s.ahead) >= maxAhead:
		s.ahead, s.lost = nil, true
	default:
		if s.ahead == nil {
			s.ahead = map[uint64]struct{}{}
		}
		s.ahead[n] = struct{}{}
	}
}

// advance notes that everything through n has arrived.
func (s *sequence) advance(n uint64) {
	s.lost = false
	if n <= s.last {
		return
	}
	s.last = n
	for a := range s.ahead {
		if a <= n {
			delete(s.ahead, a)
		}
	}
	s.absorb()
}

func (s *sequence) absorb() {
	for len(s.ahead) > 0 {
		if _, ok := s.ahead[s.last+1]; !ok {
			return
		}
		s.last++
		delete(s.ahead, s.last)
	}
	s.ahead = nil
}

// gap returns the first range that is missing: after, through (0: all).
func (s *sequence) gap() (after, through uint64, ok bool) {
	if s.lost {
		return s.last, 0, true
	}
	if len(s.ahead) == 0 {
		return 0, 0, false
	}
	first := uint64(0)
	for a := range s.ahead {
		if first == 0 || a < first {
			first = a
		}
	}
	return s.last, first - 1, true
}

// missing notes that the room has numbers through n.
func (s *sequence) missing(n uint64) {
	if n > s.last {
		s.lost = true // asked for with "everything after last"
	}
}
