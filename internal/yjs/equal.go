package yjs

import "bytes"

// Equal says whether two updates hold the same structs and deletes, however they are cut, joined, ordered or encoded.
// Content is compared as raw bytes, unit by unit; content that was dropped is not equal to content that was not.
func Equal(a, b []byte) (bool, error) {
	xa, err := indexOf(DefaultLimits(), a)
	if err != nil {
		return false, err
	}
	xb, err := indexOf(DefaultLimits(), b)
	if err != nil {
		return false, err
	}
	if len(xa.deletes) != len(xb.deletes) || len(xa.lists) != len(xb.lists) {
		return false, nil
	}
	for i := range xa.deletes {
		if xa.deletes[i] != xb.deletes[i] {
			return false, nil
		}
	}
	for i := range xa.lists {
		if xa.lists[i].client != xb.lists[i].client || !equalLists(xa, xa.lists[i], xb, xb.lists[i]) {
			return false, nil
		}
	}
	return true, nil
}

// equalLists compares two lists of one client.
func equalLists(xa *index, la list, xb *index, lb list) bool {
	a, b := newPieces(xa, la), newPieces(xb, lb)
	for {
		moreA, moreB := a.more(), b.more()
		if !moreA || !moreB {
			return moreA == moreB
		}
		if a.rest.clock != b.rest.clock {
			return false
		}
		n := min(a.rest.length, b.rest.length)
		pa, pb := a.cut(n), b.cut(n)
		if !samePiece(&pa, &pb) {
			return false
		}
	}
}

// pieces cuts the structs of one list.
type pieces struct {
	slicer
	cursor cursor
}

func newPieces(x *index, l list) *pieces {
	p := &pieces{}
	p.cursor.open(x, l)
	return p
}

// more makes sure that the rest is not empty. It returns false at the end of the list.
func (p *pieces) more() bool {
	if p.rest.length > 0 {
		return true
	}
	if !p.cursor.next() {
		return false
	}
	p.reset(&p.cursor.block)
	return true
}

// samePiece compares two blocks of the same clocks.
func samePiece(a, b *block) bool {
	return a.ref == b.ref && samePlace(a, b) && bytes.Equal(a.content, b.content)
}

// samePlace compares origins, parents and keys.
func samePlace(a, b *block) bool {
	return a.hasOrigin == b.hasOrigin && a.origin == b.origin &&
		a.hasRight == b.hasRight && a.right == b.right &&
		a.parent == b.parent && a.parentID == b.parentID && bytes.Equal(a.parentName, b.parentName) &&
		a.hasSub == b.hasSub && bytes.Equal(a.sub, b.sub)
}
