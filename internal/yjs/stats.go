package yjs

// UpdateStats describes an update. Clocks count units: UTF-16 code units of text, elements of arrays, one for anything else.
type UpdateStats struct {
	Bytes        int    // length of the update
	Clients      int    // clients with structs
	Structs      int    // structs, Skips not counted
	Items        int    // structs with a position in the document, content deleted or not
	GCs          int    // structs without one
	Skips        int    // gaps
	Clocks       uint64 // clocks covered by structs
	Deleted      uint64 // of those, clocks deleted: in the delete set, GC, or with content deleted
	Forgotten    uint64 // of the deleted, clocks whose content is gone already
	Content      int    // bytes of content
	DeleteRanges int    // ranges in the delete set, after joining
	DeletesAhead uint64 // clocks in the delete set that no struct covers: deletes that arrived before their insert
}

// DeletedShare is the share of clocks that are deleted, 0 to 1.
func (s UpdateStats) DeletedShare() float64 {
	if s.Clocks == 0 {
		return 0
	}
	return float64(s.Deleted) / float64(s.Clocks)
}

// Stats reads an update strictly and describes it.
func Stats(update []byte) (UpdateStats, error) {
	x, err := indexOf(DefaultLimits(), update)
	if err != nil {
		return UpdateStats{}, err
	}
	s := UpdateStats{Bytes: len(update), Clients: len(x.lists), DeleteRanges: len(x.deletes), DeletesAhead: x.deletes.size()}
	var b block
	u := newUpdateReader(update, DefaultLimits())
	u.trusted = true
	for u.nextClient() {
		for u.next(&b) {
			s.add(&b, x.deletes)
		}
	}
	return s, nil
}

// add counts one struct.
func (s *UpdateStats) add(b *block, deletes deleteSet) {
	if b.ref == refSkip {
		s.Skips++
		return
	}
	s.Structs++
	s.Clocks += b.length
	s.Content += len(b.content)
	covered := deletes.overlap(b.client, b.clock, b.end())
	s.DeletesAhead -= covered
	switch b.ref {
	case refGC:
		s.GCs++
		s.Deleted += b.length
		s.Forgotten += b.length
	case refDeleted:
		s.Items++
		s.Deleted += b.length
		s.Forgotten += b.length
	default:
		s.Items++
		s.Deleted += covered
	}
}

// overlap is the number of clocks of [clock, end) that are in d.
func (d deleteSet) overlap(client, clock, end uint64) uint64 {
	n := uint64(0)
	for i := d.search(client, clock); i < len(d) && d[i].client == client && d[i].clock < end; i++ {
		n += min(d[i].end, end) - max(d[i].clock, clock)
	}
	return n
}
