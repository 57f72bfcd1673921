package yjs

import "slices"

// positions finds elements of a list by index: a B+ tree over its items that counts visible elements and formats. It is
// made when a writer first needs it, and kept up from then on.
type positions struct {
	root *node
}

// node is a node of the tree. A leaf has items, in the order of the list, others have children.
type node struct {
	parent   *node
	children []*node
	items    []*item
	length   int64 // visible elements below
	formats  int   // formats below that are not deleted
	// last has the last format of each key below that is not deleted, when known is true.
	last  []*item
	known bool
}

const (
	leafSize = 64
	nodeSize = 32
)

// weight is what an item adds to length and formats.
func weight(it *item) (length int64, formats int) {
	switch {
	case it.deleted:
		return 0, 0
	case it.ref == refFormat:
		return 0, 1
	case it.countable():
		return int64(it.length), 0
	}
	return 0, 0
}

// index returns the position index of a list.
func (b *branch) index() *positions {
	if b.positions == nil {
		b.positions = newPositions(b)
	}
	return b.positions
}

// newPositions builds the tree from below.
func newPositions(b *branch) *positions {
	level := []*node{{}}
	for it := b.start; it != nil; it = it.right {
		leaf := level[len(level)-1]
		if len(leaf.items) == leafSize*3/4 {
			leaf = &node{}
			level = append(level, leaf)
		}
		leaf.items = append(leaf.items, it)
		it.leaf = leaf
		length, formats := weight(it)
		leaf.length, leaf.formats = leaf.length+length, leaf.formats+formats
	}
	for len(level) > 1 {
		var above []*node
		for i, n := range level {
			if i%(nodeSize*3/4) == 0 {
				above = append(above, &node{})
			}
			p := above[len(above)-1]
			n.parent = p
			p.children = append(p.children, n)
			p.length, p.formats = p.length+n.length, p.formats+n.formats
		}
		level = above
	}
	return &positions{level[0]}
}

// add adds to the sums of a node and those above.
func (n *node) add(length int64, formats int) {
	for ; n != nil; n = n.parent {
		n.length, n.formats = n.length+length, n.formats+formats
		if formats != 0 {
			n.known = false
		}
	}
}

// grow says that an item of the leaf has become longer.
func (n *node) grow(length int64) { n.add(length, 0) }

// hide takes an item that has just been deleted out of the sums.
func (p *positions) hide(it *item) {
	switch {
	case it.ref == refFormat:
		it.leaf.add(0, -1)
	case it.countable():
		it.leaf.add(-int64(it.length), 0)
	}
}

// show is the opposite of hide.
func (p *positions) show(it *item) {
	length, formats := weight(it)
	it.leaf.add(length, formats)
}

// cut adds the item that was cut off it.
func (p *positions) cut(it, right *item) {
	if !it.deleted && it.countable() {
		it.leaf.add(-int64(right.length), 0)
	}
	p.insert(right)
}

// insert adds an item that has been linked into the list.
func (p *positions) insert(it *item) {
	leaf, at := p.root, 0
	if it.left != nil {
		leaf = it.left.leaf
		at = leaf.indexOf(it.left) + 1
	} else {
		for len(leaf.children) > 0 {
			leaf = leaf.children[0]
		}
	}
	leaf.items = append(leaf.items, nil)
	copy(leaf.items[at+1:], leaf.items[at:])
	leaf.items[at] = it
	it.leaf = leaf
	leaf.add(weight(it))
	if len(leaf.items) > leafSize {
		p.split(leaf)
	}
}

// indexOf returns the place of an item in a leaf.
func (n *node) indexOf(it *item) int {
	for i := len(n.items) - 1; ; i-- {
		if n.items[i] == it {
			return i
		}
	}
}

// split halves a node that is too full, and those above that become so.
func (p *positions) split(n *node) {
	for {
		n.known = false
		right := &node{parent: n.parent}
		if half := len(n.items) / 2; half > 0 {
			right.items = append(make([]*item, 0, leafSize+1), n.items[half:]...)
			clear(n.items[half:])
			n.items = n.items[:half]
			for _, it := range right.items {
				it.leaf = right
				length, formats := weight(it)
				right.length, right.formats = right.length+length, right.formats+formats
			}
		} else {
			half := len(n.children) / 2
			right.children = append(make([]*node, 0, nodeSize+1), n.children[half:]...)
			clear(n.children[half:])
			n.children = n.children[:half]
			for _, c := range right.children {
				c.parent = right
				right.length, right.formats = right.length+c.length, right.formats+c.formats
			}
		}
		n.length, n.formats = n.length-right.length, n.formats-right.formats
		above := n.parent
		if above == nil {
			p.root = &node{children: []*node{n, right}, length: n.length + right.length, formats: n.formats + right.formats}
			n.parent, right.parent = p.root, p.root
			return
		}
		above.insertChild(n, right)
		if len(above.children) <= nodeSize {
			return
		}
		n = above
	}
}

// insertChild adds a node behind another.
func (n *node) insertChild(after, child *node) {
	at := 1
	for n.children[at-1] != after {
		at++
	}
	n.children = append(n.children, nil)
	copy(n.children[at+1:], n.children[at:])
	n.children[at] = child
}

// remove takes an item out. Nodes that become empty go; others stay as they are, however small.
func (p *positions) remove(it *item) {
	leaf := it.leaf
	length, formats := weight(it)
	leaf.add(-length, -formats)
	at := leaf.indexOf(it)
	copy(leaf.items[at:], leaf.items[at+1:])
	leaf.items[len(leaf.items)-1] = nil
	leaf.items = leaf.items[:len(leaf.items)-1]
	it.leaf = nil
	for n := leaf; len(n.items) == 0 && len(n.children) == 0 && n.parent != nil; n = n.parent {
		above, at := n.parent, 0
		for above.children[at] != n {
			at++
		}
		copy(above.children[at:], above.children[at+1:])
		above.children[len(above.children)-1] = nil
		above.children = above.children[:len(above.children)-1]
	}
}

// find returns the visible item that has element index, and which of its elements that is. index must be below the
// length of the list.
func (p *positions) find(index uint64) (*item, uint64) {
	n, rest := p.root, int64(index)
	for len(n.children) > 0 {
		i := 0
		for rest >= n.children[i].length {
			rest -= n.children[i].length
			i++
		}
		n = n.children[i]
	}
	for _, it := range n.items {
		length, _ := weight(it)
		if rest < length {
			return it, uint64(rest)
		}
		rest -= length
	}
	return nil, 0
}

// live returns the first live item from it on, or the last up to it when not forward, in O(log n).
func (p *positions) live(it *item, forward bool) *item {
	if it == nil || it.live() {
		return it
	}
	step := func(i int) int {
		if forward {
			return i + 1
		}
		return i - 1
	}
	n := it.leaf
	for i := step(n.indexOf(it)); i >= 0 && i < len(n.items); i = step(i) {
		if n.items[i].live() {
			return n.items[i]
		}
	}
	for ; n.parent != nil; n = n.parent {
		siblings := n.parent.children
		i := slices.Index(siblings, n)
		for i = step(i); i >= 0 && i < len(siblings); i = step(i) {
			if siblings[i].length > 0 || siblings[i].formats > 0 {
				return siblings[i].outermost(forward)
			}
		}
	}
	return nil
}

// outermost returns the first or last live item below a node, which has one.
func (n *node) outermost(first bool) *item {
	for len(n.children) > 0 {
		i := slices.IndexFunc(n.children, func(c *node) bool { return c.length > 0 || c.formats > 0 })
		if !first {
			for i = len(n.children) - 1; n.children[i].length == 0 && n.children[i].formats == 0; {
				i--
			}
		}
		n = n.children[i]
	}
	if first {
		return n.items[slices.IndexFunc(n.items, (*item).live)]
	}
	i := len(n.items) - 1
	for !n.items[i].live() {
		i--
	}
	return n.items[i]
}

// last returns the last item of the list, nil when there is none.
func (p *positions) last() *item {
	n := p.root
	for len(n.children) > 0 {
		n = n.children[len(n.children)-1]
	}
	if len(n.items) == 0 {
		return nil
	}
	return n.items[len(n.items)-1]
}

// lastBefore returns the last format of each key up to an item, the item included, in any order. It stops when there are
// more than maxFormats.
func (p *positions) lastBefore(it *item) []*item {
	var found []*item
	leaf := it.leaf
	for i := leaf.indexOf(it); i >= 0; i-- {
		found = addFormat(found, leaf.items[i])
	}
	for n := leaf; n.parent != nil; n = n.parent {
		siblings := n.parent.children
		i := len(siblings) - 1
		for siblings[i] != n {
			i--
		}
		for i--; i >= 0; i-- {
			for _, f := range siblings[i].lastFormats() {
				found = addFormat(found, f)
			}
			if len(found) > maxFormats {
				return found
			}
		}
	}
	return found
}

// lastFormats returns the last format of each key below a node, as far as there are not too many.
func (n *node) lastFormats() []*item {
	if n.known {
		return n.last
	}
	n.last, n.known = nil, true
	if n.formats == 0 {
		return nil
	}
	for i := len(n.items) - 1; i >= 0; i-- {
		n.last = addFormat(n.last, n.items[i])
	}
	for i := len(n.children) - 1; i >= 0; i-- {
		for _, f := range n.children[i].lastFormats() {
			n.last = addFormat(n.last, f)
		}
		if len(n.last) > maxFormats {
			break
		}
	}
	return n.last
}

// addFormat adds an item if it is a format that is not deleted, of a key not in the list.
func addFormat(list []*item, it *item) []*item {
	if it.ref != refFormat || it.deleted {
		return list
	}
	key := it.formatKey()
	for _, f := range list {
		if string(f.formatKey()) == string(key) {
			return list
		}
	}
	return append(list, it)
}
