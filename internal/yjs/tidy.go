package yjs

import (
	"cmp"
	"slices"
	"sync"
)

// Yjs deletes formats that a remote transaction has made redundant, at its end (cleanupYTextAfterTransaction in yjs
// src/types/YText.js). A document here does the same, so that it reads the same: one Apply is one transaction.

// tidying is what a branch keeps for that.
type tidying struct {
	text    bool   // Yjs has it as a Y.Text: by its content, or because somebody asked for the root as one
	tidies  bool   // has had formats since (_hasFormatting)
	born    uint64 // Doc.serial when it was made
	touched uint64 // Doc.serial when it was last changed
}

// untidy is what has happened in one Apply that may have made formats redundant.
type untidy struct {
	texts   []*branch // texts from before that have changed
	formats []*item   // formats that came
	gone    []*item   // what was deleted or came as deleted, in lists that may have formats
}

// opened are the roots that somebody has asked for as texts. Reading does that, which may happen concurrently.
type opened struct {
	mu    sync.Mutex
	names map[string]bool
	fresh []string // since the last change of the document
}

// open notes that a root is a text.
func (d *Doc) open(name string) {
	o := &d.opened
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.names[name] {
		return
	}
	if o.names == nil {
		o.names = map[string]bool{}
	}
	o.names[name] = true
	o.fresh = append(o.fresh, name)
}

// typeOpened makes texts of the roots that have been opened since the last change. Yjs forgets then that they had formats.
func (d *Doc) typeOpened() {
	for _, name := range d.opened.fresh {
		b := d.root(name)
		b.text, b.tidies = true, false
	}
	d.opened.fresh = nil
}

// touch notes that a branch changes (addChangedTypeToTransaction).
func (d *Doc) touch(b *branch) {
	if !b.text || b.touched == d.serial || d.edit.local {
		return
	}
	b.touched = d.serial
	if b.item == nil || b.born != d.serial && !b.item.deleted {
		d.edit.texts = append(d.edit.texts, b)
	}
}

// noteFormat notes a format that has come.
func (d *Doc) noteFormat(it *item) {
	it.parent.tidies = true
	if !d.edit.local {
		d.edit.formats = append(d.edit.formats, it)
	}
}

// noteGone notes an item that has been deleted, or has come as deleted.
func (d *Doc) noteGone(it *item) {
	d.touch(it.parent)
	if (it.parent.text || it.parent.tidies) && !d.edit.local {
		d.edit.gone = append(d.edit.gone, it)
	}
}

// tidy deletes formats that have become redundant, at the end of an Apply (cleanupYTextAfterTransaction).
func (d *Doc) tidy() {
	u := &d.edit.untidy
	if slices.ContainsFunc(u.texts, func(b *branch) bool { return b.tidies && !b.gone() }) && d.failed == nil {
		d.tidyGaps()
	}
	clear(u.texts)
	clear(u.formats)
	clear(u.gone)
	u.texts, u.formats, u.gone = u.texts[:0], u.formats[:0], u.gone[:0]
}

// tidyGaps tidies around what is gone, and the beginnings of texts that formats have come to or gone from.
func (d *Doc) tidyGaps() {
	u := &d.edit.untidy
	var starts []*branch
	has := map[*branch]bool{}
	start := func(b *branch) {
		if !has[b] {
			has[b] = true
			starts = append(starts, b)
		}
	}
	for _, it := range u.formats {
		if !it.deleted {
			start(it.parent)
		}
	}
	gaps := map[gap]bool{}
	var last *item
	for _, it := range inDeleteOrder(u.gone) {
		b := it.parent
		switch {
		case d.visits > d.budget:
			d.failed = ErrTooComplex
			return
		case !b.tidies || b.gone() || has[b]:
		case it.ref == refFormat:
			start(b)
		case it.entry != nil: // a key has no formats
		case last != nil && it.left == last: // in the same gap
			last = it
		default:
			d.tidyGap(it, gaps)
			last = it
		}
	}
	for _, b := range starts {
		d.tidyStart(b)
	}
	if d.visits > d.budget {
		d.failed = ErrTooComplex
	}
}

// inDeleteOrder sorts items as they are in the delete set of a transaction of Yjs: clients in the order in which anything of
// them was deleted first, items of each by clock.
func inDeleteOrder(items []*item) []*item {
	rank := map[*docClient]int{}
	for _, it := range items {
		if _, has := rank[it.client]; !has {
			rank[it.client] = len(rank)
		}
	}
	slices.SortStableFunc(items, func(a, b *item) int {
		return cmp.Or(cmp.Compare(rank[a.client], rank[b.client]), cmp.Compare(a.clock, b.clock))
	})
	return items
}

// gap is a place between two visible elements, known by the second, which is nil at the end, and by each of its formats.
type gap struct {
	in *branch
	by *item
}

// tidyGap deletes all but the last format of each key in the gap that an item is in, which is not visible
// (cleanupContextlessFormattingGap). gaps are those that have been tidied.
func (d *Doc) tidyGap(it *item, gaps map[gap]bool) {
	b := it.parent
	var after []*item
	next := d.nextLive(b, it)
	if gaps[gap{b, next}] {
		return
	}
	for ; next != nil && next.ref == refFormat; next = d.nextLive(b, next) {
		after = append(after, next)
	}
	gaps[gap{b, next}] = true
	slices.Reverse(after)
	for f := d.previousLive(b, it); f != nil && f.ref == refFormat; f = d.previousLive(b, f) {
		after = append(after, f)
	}
	seen := map[string]bool{}
	for _, f := range after {
		key := string(f.formatKey())
		d.visits += formatVisits
		if seen[key] {
			d.deleteOne(f)
		}
		seen[key] = true
		gaps[gap{b, f}] = true
	}
}

// tidyStart deletes formats before the first visible element of a list that are set again there, or set to null
// (cleanupYTextFormatting; it is meant to look at all gaps, but starts each of them at the element before it, where
// cleanupFormattingGap finds nothing to do).
func (d *Doc) tidyStart(b *branch) {
	if b.length == 0 || b.gone() {
		return
	}
	last := map[string]*item{}
	var formats []*item
	for f := d.nextLive(b, nil); f != nil && f.ref == refFormat; f = d.nextLive(b, f) {
		d.visits += formatVisits
		formats = append(formats, f)
		last[string(f.formatKey())] = f
	}
	for _, f := range formats {
		if e := f.format(); last[e.key] != f || e.value == nil {
			d.deleteOne(f)
		}
	}
}

// formatVisits is how many comparisons of Doc.budget the look at one format takes as long as.
const formatVisits = 16

// nearby is how far it is worth to go from item to item before a position index is made.
const nearby = 64

// live is true for what has a weight in a position index: visible elements and formats.
func (it *item) live() bool { return !it.deleted && (it.ref == refFormat || it.countable()) }

// nextLive returns the first live item behind it, or of the list when it is nil.
func (d *Doc) nextLive(b *branch, it *item) *item {
	d.visits++
	n := b.start
	if it != nil {
		n = it.right
	}
	for range nearby {
		if n == nil || n.live() {
			return n
		}
		n = n.right
	}
	d.visits += nearby
	return b.index().live(n, true)
}

// previousLive returns the last live item before it.
func (d *Doc) previousLive(b *branch, it *item) *item {
	d.visits++
	n := it.left
	for range nearby {
		if n == nil || n.live() {
			return n
		}
		n = n.left
	}
	d.visits += nearby
	return b.index().live(n, false)
}
