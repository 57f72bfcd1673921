package yjs

import (
	"cmp"
	"slices"
	"sort"
)

// deleteSet is a normalised set of deleted clocks: clients descend, clocks of a client ascend, ranges neither touch
// nor overlap.
type deleteSet []deleteRange

// normalise sorts and joins ranges in place (yjs src/utils/DeleteSet.js sortAndMergeDeleteSet).
func normalise(ranges []deleteRange) deleteSet {
	byPlace := func(a, b deleteRange) int {
		if a.client != b.client {
			return cmp.Compare(b.client, a.client)
		}
		return cmp.Compare(a.clock, b.clock)
	}
	if !slices.IsSortedFunc(ranges, byPlace) {
		slices.SortFunc(ranges, byPlace)
	}
	out := ranges[:0]
	for _, r := range ranges {
		if n := len(out); n > 0 && out[n-1].client == r.client && r.clock <= out[n-1].end {
			out[n-1].end = max(out[n-1].end, r.end)
			continue
		}
		out = append(out, r)
	}
	return deleteSet(out)
}

// of returns the ranges of one client, sharing memory with d.
func (d deleteSet) of(client uint64) deleteSet {
	from := sort.Search(len(d), func(i int) bool { return d[i].client <= client })
	to := from + sort.Search(len(d)-from, func(i int) bool { return d[from+i].client < client })
	return d[from:to]
}

// contains says whether one clock is deleted.
func (d deleteSet) contains(id ID) bool {
	return d.containsRange(deleteRange{id.Client, id.Clock, id.Clock + 1})
}

// containsRange says whether all of r is deleted.
func (d deleteSet) containsRange(r deleteRange) bool {
	i := d.search(r.client, r.clock)
	return i < len(d) && d[i].client == r.client && d[i].clock <= r.clock && r.end <= d[i].end
}

// search returns the index of the first range of client that ends after clock, or else of what follows the client.
func (d deleteSet) search(client, clock uint64) int {
	return sort.Search(len(d), func(i int) bool {
		return d[i].client < client || d[i].client == client && d[i].end > clock
	})
}

// size is the number of clocks in the set.
func (d deleteSet) size() uint64 {
	n := uint64(0)
	for _, r := range d {
		n += r.end - r.clock
	}
	return n
}

// clients is the number of clients in the set.
func (d deleteSet) clients() int {
	n := 0
	for i := range d {
		if i == 0 || d[i].client != d[i-1].client {
			n++
		}
	}
	return n
}

// appendTo appends the v1 encoding (yjs src/utils/DeleteSet.js writeDeleteSet).
func (d deleteSet) appendTo(out []byte) []byte {
	out = appendUvarint(out, uint64(d.clients()))
	for len(d) > 0 {
		n := 1
		for n < len(d) && d[n].client == d[0].client {
			n++
		}
		out = appendUvarint(appendUvarint(out, d[0].client), uint64(n))
		for _, r := range d[:n] {
			out = appendUvarint(appendUvarint(out, r.clock), r.end-r.clock)
		}
		d = d[n:]
	}
	return out
}
