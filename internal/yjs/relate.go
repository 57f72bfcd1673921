package yjs

// IsEmpty says whether an update changes nothing wherever it is applied: it has no structs but Skips, and deletes
// nothing.
func IsEmpty(update []byte) (bool, error) {
	x, err := indexOf(DefaultLimits(), update)
	if err != nil {
		return false, err
	}
	return len(x.lists) == 0 && len(x.deletes) == 0, nil
}

// Contains says whether update has every clock of every struct of sub and every deleted clock of sub, so that sub adds
// nothing to it. It compares what is covered, not content: use Equal or VerifyCompaction for that.
func Contains(update, sub []byte) (bool, error) {
	a, b, err := coverageOf(update, sub)
	if err != nil {
		return false, err
	}
	return a.structs.containsAll(b.structs) && a.deletes.containsAll(b.deletes), nil
}

// Intersects says whether two updates share a clock of a struct, or a deleted clock.
func Intersects(a, b []byte) (bool, error) {
	ca, cb, err := coverageOf(a, b)
	if err != nil {
		return false, err
	}
	return ca.structs.intersects(cb.structs) || ca.deletes.intersects(cb.deletes), nil
}

// coverage is the clocks an update has structs for, Skips not counted, and the clocks it deletes.
type coverage struct {
	structs deleteSet
	deletes deleteSet
}

func coverageOf(a, b []byte) (ca, cb coverage, err error) {
	if ca, err = readCoverage(a, DefaultLimits()); err != nil {
		return ca, cb, err
	}
	cb, err = readCoverage(b, DefaultLimits())
	return ca, cb, err
}

// readCoverage reads an update strictly.
func readCoverage(update []byte, limits Limits) (coverage, error) {
	var c coverage
	u := newUpdateReader(update, limits)
	var clients []uint64
	var b block
	for u.nextClient() {
		clients = append(clients, u.client)
		for u.next(&b) {
			if b.ref == refSkip {
				continue
			}
			if n := len(c.structs); n > 0 && c.structs[n-1].client == b.client && c.structs[n-1].end == b.clock {
				c.structs[n-1].end = b.end()
				continue
			}
			c.structs = append(c.structs, deleteRange{b.client, b.clock, b.end()})
		}
	}
	var d deleteRange
	for u.nextDelete(&d) {
		c.deletes = append(c.deletes, d)
	}
	if err := u.finish(); err != nil {
		return c, err
	}
	if err := checkDistinct(clients, len(update)); err != nil {
		return c, err
	}
	c.structs, c.deletes = normalise(c.structs), normalise(c.deletes)
	return c, nil
}

// containsAll says whether every range of sub is in d, in one pass over both.
func (d deleteSet) containsAll(sub deleteSet) bool {
	_, missing := d.firstMissing(sub)
	return !missing
}

// firstMissing returns the first range of sub that is not wholly in d.
func (d deleteSet) firstMissing(sub deleteSet) (deleteRange, bool) {
	i := 0
	for _, s := range sub {
		for i < len(d) && d[i].before(s) {
			i++
		}
		if i == len(d) || d[i].client != s.client || d[i].clock > s.clock || d[i].end < s.end {
			return s, true
		}
	}
	return deleteRange{}, false
}

// intersects says whether d and e share a clock, in one pass over both.
func (d deleteSet) intersects(e deleteSet) bool {
	i := 0
	for _, s := range e {
		for i < len(d) && d[i].before(s) {
			i++
		}
		if i < len(d) && d[i].client == s.client && d[i].clock < s.end {
			return true
		}
	}
	return false
}

// before says whether all of r comes before s in the order of a deleteSet.
func (r deleteRange) before(s deleteRange) bool {
	return r.client > s.client || r.client == s.client && r.end <= s.clock
}
