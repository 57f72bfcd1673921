package yjs

import (
	"fmt"
	"slices"
)

// checkDoc says what is wrong inside a document, if anything is.
func checkDoc(d *Doc) error {
	if len(d.ready) > 0 || len(d.suspended) > 0 || len(d.deferred) > 0 || d.deferring || len(d.woken) > 0 || len(d.edit.deleted) > 0 || d.edit.local {
		return fmt.Errorf("work is left behind")
	}
	pending := 0
	for id, c := range d.clients {
		if err := checkClient(c); err != nil {
			return fmt.Errorf("client %d: %w", id, err)
		}
		if c.waiting == nil {
			continue
		}
		for clock, same := range c.waiting.parked {
			for _, s := range same {
				if s.clock != clock || s.state != stretchWaiting || !s.own {
					return fmt.Errorf("client %d: a stretch at %d waits at %d, state %d", id, s.clock, clock, s.state)
				}
				pending += len(s.bytes)
			}
		}
	}
	if pending != d.pendingBytes {
		return fmt.Errorf("%d bytes pending, counted %d", pending, d.pendingBytes)
	}
	seen := map[*item]bool{}
	for name, b := range d.roots {
		if err := checkBranch(b, seen); err != nil {
			return fmt.Errorf("root %q: %w", name, err)
		}
	}
	return nil
}

// checkClient checks the structs of a client: no gaps, chunks that know where they begin, sizes that are true.
func checkClient(c *docClient) error {
	clock := uint64(0)
	for _, chunk := range c.structs.chunks {
		if len(chunk.items) == 0 || len(chunk.items) > chunkSize || chunk.clock != chunk.items[0].clock {
			return fmt.Errorf("chunk of %d at %d", len(chunk.items), chunk.clock)
		}
		for _, it := range chunk.items {
			if it.client != c || it.clock != clock || it.length == 0 {
				return fmt.Errorf("struct at %d+%d of client %v, expected at %d", it.clock, it.length, it.client, clock)
			}
			if err := checkContent(it); err != nil {
				return fmt.Errorf("struct at %d: %w", it.clock, err)
			}
			clock = it.end()
		}
	}
	if clock != c.end {
		return fmt.Errorf("ends at %d, structs at %d", c.end, clock)
	}
	return nil
}

// checkContent checks the length of an item against its content.
func checkContent(it *item) error {
	n := it.length
	switch it.ref {
	case refString:
		n = uint64(utf16Len(it.text()))
	case refAny, refJSON:
		n = elementsWithin(it.ref, it.content, len(it.content))
	case refDeleted, refGC:
		if it.content != nil || it.nested != nil || !it.deleted {
			return fmt.Errorf("content is left: %q", it.content)
		}
	default:
		n = 1
	}
	if n != it.length {
		return fmt.Errorf("length %d, content of %d", it.length, n)
	}
	if it.isGC() != (it.parent == nil) {
		return fmt.Errorf("ref %d with parent %v", it.ref, it.parent)
	}
	return nil
}

// checkBranch checks the list and keys of a type and of those in it.
func checkBranch(b *branch, seen map[*item]bool) error {
	var nested []*branch
	var list []*item
	length := uint64(0)
	visit := func(it *item, e *entry) error {
		if seen[it] {
			return fmt.Errorf("struct %v is in two places", it.id())
		}
		seen[it] = true
		if it.parent != b || it.entry != e {
			return fmt.Errorf("struct %v is in another type or under another key", it.id())
		}
		if it.right != nil && it.right.left != it || it.left != nil && it.left.right != it {
			return fmt.Errorf("struct %v is not linked", it.id())
		}
		if b.gone() && !it.deleted {
			return fmt.Errorf("struct %v is visible in a deleted type", it.id())
		}
		if it.nested != nil {
			nested = append(nested, it.nested)
		}
		return nil
	}
	for it := b.start; it != nil; it = it.right {
		if err := visit(it, nil); err != nil {
			return err
		}
		list = append(list, it)
		if it.visible() {
			length += it.length
		}
	}
	if length != b.length && !b.gone() {
		return fmt.Errorf("length %d, counted %d", b.length, length)
	}
	for _, e := range b.order {
		if e.last != nil && e.last.right != nil {
			return fmt.Errorf("key %q: the last value is not", e.key)
		}
		for it := e.last; it != nil; it = it.left {
			if err := visit(it, e); err != nil {
				return fmt.Errorf("key %q: %w", e.key, err)
			}
			if (it.left == nil) != (it == e.first) {
				return fmt.Errorf("key %q: the first value is not", e.key)
			}
			if it != e.last && !it.deleted {
				return fmt.Errorf("key %q: an old value is visible", e.key)
			}
		}
	}
	if err := checkPositions(b, list); err != nil {
		return err
	}
	for _, n := range nested {
		if err := checkBranch(n, seen); err != nil {
			return err
		}
	}
	return nil
}

// checkPositions checks the position index against the list.
func checkPositions(b *branch, list []*item) error {
	if b.positions == nil {
		return nil
	}
	var found []*item
	var walk func(n *node) (int64, int, error)
	walk = func(n *node) (length int64, formats int, err error) {
		for _, c := range n.children {
			if c.parent != n {
				return 0, 0, fmt.Errorf("a node has another parent")
			}
			l, f, err := walk(c)
			if err != nil {
				return 0, 0, err
			}
			length, formats = length+l, formats+f
		}
		for _, it := range n.items {
			if it.leaf != n {
				return 0, 0, fmt.Errorf("struct %v is in another leaf", it.id())
			}
			l, f := weight(it)
			length, formats = length+l, formats+f
			found = append(found, it)
		}
		if known := slices.Clone(n.last); n.known {
			n.known = false
			if now := n.lastFormats(); !slices.Equal(now, known) {
				return 0, 0, fmt.Errorf("a node knows %d formats, there are %d, or others", len(known), len(now))
			}
		}
		if length != n.length || formats != n.formats {
			return 0, 0, fmt.Errorf("a node counts %d and %d, its parts %d and %d", n.length, n.formats, length, formats)
		}
		return length, formats, nil
	}
	if _, _, err := walk(b.positions.root); err != nil {
		return fmt.Errorf("positions: %w", err)
	}
	if !slices.Equal(found, list) {
		return fmt.Errorf("positions: %d items, the list has %d, or in another order", len(found), len(list))
	}
	return nil
}
