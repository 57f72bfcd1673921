package yjs

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"
)

// Insert inserts text before an index, with the formats that hold there. An index in the middle of a surrogate pair
// destroys the character, as it does in Yjs. Text must be UTF-8.
func (t *Text) Insert(index int, text string) error {
	return t.insertAt(index, func(pos *textPosition) error {
		return pos.insertString(text, pos.formats)
	})
}

// InsertFormatted inserts text with these formats and no others. Their values are JSON; null (nil) is none.
func (t *Text) InsertFormatted(index int, text string, attributes map[string]any) error {
	formats, err := t.formats(attributes)
	if err != nil {
		return err
	}
	return t.insertAt(index, func(pos *textPosition) error { return pos.insertString(text, formats) })
}

// InsertEmbed inserts an embed, which counts as one, with these formats and no others: any value that has a JSON form, or
// a nested type (see ArrayOf).
func (t *Text) InsertEmbed(index int, embed any, attributes map[string]any) error {
	formats, err := t.formats(attributes)
	if err != nil {
		return err
	}
	return t.insertAt(index, func(pos *textPosition) error { return pos.insertEmbed(embed, formats) })
}

// Delete deletes text and embeds.
func (t *Text) Delete(index, length int) error {
	if !t.branch.formatted {
		return t.deleteElements(index, length)
	}
	if err := t.write(); err != nil {
		return err
	}
	if err := t.span(index, length); err != nil || length == 0 {
		return err
	}
	pos, err := t.positionAt(index)
	if err == nil {
		pos.deleteText(uint64(length))
	}
	return err
}

// Format sets formats of a range; null (nil) removes one. Their values are JSON.
func (t *Text) Format(index, length int, attributes map[string]any) error {
	formats, err := t.formats(attributes)
	if err != nil {
		return err
	}
	if err := t.span(index, length); err != nil || length == 0 {
		return err
	}
	pos, err := t.positionAt(index)
	if err == nil {
		pos.format(uint64(length), formats)
	}
	return err
}

// ApplyDelta applies operations one after another from the beginning, as applyDelta of Y.Text does: retains move on and
// may format, deletes and inserts happen where that has led. An insert gets the formats it names and no others.
func (t *Text) ApplyDelta(ops []DeltaOp) error {
	if err := t.write(); err != nil {
		return err
	}
	at := 0
	for i, op := range ops {
		n, err := t.applyOp(at, op)
		if err != nil {
			return t.tx.fail(fmt.Errorf("operation %d: %w", i, err))
		}
		at += n
	}
	return nil
}

// applyOp applies one operation and returns how far it moves on.
func (t *Text) applyOp(at int, op DeltaOp) (int, error) {
	formats, err := storedFormats(op.Attributes)
	if err != nil {
		return 0, err
	}
	text, isText := op.Insert.(string)
	switch {
	case op.Insert == nil && op.Delete > 0:
		return 0, t.Delete(at, op.Delete)
	case op.Insert == nil && op.Retain >= 0 && op.Delete == 0:
		if err := t.span(at, op.Retain); err != nil {
			return 0, err
		}
		if len(formats) > 0 && op.Retain > 0 {
			pos, err := t.positionAt(at)
			if err != nil {
				return 0, err
			}
			pos.format(uint64(op.Retain), formats)
		}
		return op.Retain, nil
	case isText:
		before := t.Len()
		err := t.insertAt(at, func(pos *textPosition) error { return pos.insertString(text, formats) })
		return t.Len() - before, err
	case op.Insert != nil:
		return 1, t.insertAt(at, func(pos *textPosition) error { return pos.insertEmbed(op.Insert, formats) })
	}
	return 0, ErrRange
}

// formats checks formats to be written, and that writing is possible.
func (t *Text) formats(attributes map[string]any) (formatting, error) {
	if err := t.write(); err != nil {
		return nil, err
	}
	var object Object
	for _, key := range slices.Sorted(maps.Keys(attributes)) {
		object = append(object, Member{key, attributes[key]})
	}
	f, err := storedFormats(object)
	if err != nil {
		return nil, t.tx.fail(err)
	}
	return f, nil
}

// insertAt finds a position and inserts there.
func (t *Text) insertAt(index int, insert func(*textPosition) error) error {
	if err := t.write(); err != nil {
		return err
	}
	if err := t.span(index, 0); err != nil {
		return err
	}
	pos, err := t.positionAt(index)
	if err != nil {
		return err
	}
	if err := insert(pos); err != nil {
		return t.tx.fail(err)
	}
	return nil
}

// textPosition is a place between two items of a text (ItemTextListPosition of Yjs).
type textPosition struct {
	Type
	left, right *item
	formats     formatting // that hold there
}

// positionAt returns the place before an element: right behind the one before it, and if the text has no formats, behind
// what has been deleted there too, where inserting would move anyway. It returns ErrTooComplex when more than maxFormats hold
// there.
func (t *Text) positionAt(index int) (*textPosition, error) {
	pos := &textPosition{Type: t.Type}
	switch {
	case !t.branch.formatted && index == t.Len():
		pos.left = t.branch.index().last()
	case !t.branch.formatted:
		pos.right = t.startingAt(index)
		pos.left = pos.right.left
		return pos, nil
	default:
		pos.left = t.leftOf(index)
	}
	if pos.left == nil {
		pos.right = t.branch.start
		return pos, nil
	}
	pos.right = pos.left.right
	if t.branch.formatted {
		pos.formats = formatsUpTo(t.branch.index(), pos.left)
	}
	if len(pos.formats) > maxFormats {
		return nil, t.tx.fail(ErrTooComplex)
	}
	return pos, nil
}

// formatsUpTo returns the formats that hold behind an item, by key.
func formatsUpTo(p *positions, it *item) formatting {
	var f formatting
	for _, last := range p.lastBefore(it) {
		if found := last.format(); found.value != nil {
			f = append(f, found)
		}
	}
	slices.SortFunc(f, func(a, b format) int { return strings.Compare(a.key, b.key) })
	return f
}

// forward moves over one item.
func (p *textPosition) forward() {
	if p.right.ref == refFormat && !p.right.deleted {
		p.formats.update(p.right.format())
	}
	p.left, p.right = p.right, p.right.right
}

// insertString inserts text.
func (p *textPosition) insertString(text string, formats formatting) error {
	if !utf8.ValidString(text) {
		return ErrUTF8
	}
	if text == "" {
		return nil
	}
	c := content{ref: refString, bytes: []byte(text)}
	c.length = uint64(utf16Len(c.bytes))
	p.insert(c, formats)
	return nil
}

// insertEmbed inserts an embed or a nested type.
func (p *textPosition) insertEmbed(embed any, formats formatting) error {
	c, nested, err := nestedContent(embed)
	if err == nil && !nested {
		var text []byte
		if text, err = appendStringify(nil, embed); err == nil {
			err = checkText(text, DefaultMaxDepth)
		}
		c = content{refEmbed, 1, appendVarBytes(nil, text)}
	}
	if err != nil {
		return err
	}
	it := p.insert(c, formats)
	if nested {
		return Type{p.doc, p.tx, it.nested}.fill(embed)
	}
	return nil
}

// insert is insertText of Yjs: formats that hold here and are not wanted are ended before the content and begun again
// after it.
func (p *textPosition) insert(c content, formats formatting) *item {
	wanted := slices.Clone(formats)
	for _, f := range p.formats {
		if !slices.ContainsFunc(wanted, func(w format) bool { return w.key == f.key }) {
			wanted = append(wanted, format{key: f.key})
		}
	}
	p.minimise(wanted)
	negated := p.begin(wanted)
	it := p.put(c)
	p.end(negated)
	return it
}

// put inserts one item and moves behind it.
func (p *textPosition) put(c content) *item {
	p.right = p.tx.insert(p.branch, nil, p.left, c)
	it := p.right
	p.forward()
	return it
}

// putFormat inserts one format and moves behind it.
func (p *textPosition) putFormat(f format) {
	text, _ := appendStringify(nil, f.value) // it has been JSON before
	p.put(content{refFormat, 1, appendVarBytes(appendVarBytes(nil, []byte(f.key)), text)})
}

// minimise moves over deleted items and formats that are wanted anyway (minimizeAttributeChanges of Yjs).
func (p *textPosition) minimise(wanted formatting) {
	for p.right != nil {
		if !p.right.deleted {
			if p.right.ref != refFormat {
				return
			}
			if f := p.right.format(); !equalFormats(wanted.get(f.key), f) {
				return
			}
		}
		p.forward()
	}
}

// begin inserts the formats that do not hold yet and returns what they were (insertAttributes of Yjs).
func (p *textPosition) begin(wanted formatting) (negated negations) {
	for _, f := range wanted {
		if current := p.formats.get(f.key); !equalFormats(current, f) {
			negated.set(current)
			p.putFormat(f)
		}
	}
	return negated
}

// end inserts what is left of the negated formats (insertNegatedAttributes of Yjs).
func (p *textPosition) end(negated negations) {
	for p.right != nil {
		if !p.right.deleted {
			if p.right.ref != refFormat {
				break
			}
			f := p.right.format()
			if n, has := negated.get(f.key); !has || !equalFormats(n, f) {
				break
			}
			negated.remove(f.key)
		}
		p.forward()
	}
	for _, f := range negated {
		p.putFormat(f)
	}
}

// format sets formats of the next n elements (formatText of Yjs).
func (p *textPosition) format(n uint64, wanted formatting) {
	p.minimise(wanted)
	negated := p.begin(wanted)
	for p.right != nil && (n > 0 || len(negated) > 0 && (p.right.deleted || p.right.ref == refFormat)) {
		it := p.right
		switch {
		case it.deleted:
		case it.ref == refFormat:
			f := it.format()
			i := slices.IndexFunc(wanted, func(w format) bool { return w.key == f.key })
			if i < 0 {
				break // moving over it notes it
			}
			if equalFormats(wanted[i], f) {
				negated.remove(f.key)
			} else if n == 0 {
				p.end(negated)
				return
			} else {
				negated.set(f)
			}
			p.doc.delete(it)
		default:
			if n < it.length {
				p.doc.split(it, it.client.structs.find(it.clock), it.clock+n)
			}
			n -= it.length
		}
		p.forward()
	}
	p.end(negated)
}

// deleteText deletes the next n elements, and the formats that have become redundant by that (deleteText of Yjs).
func (p *textPosition) deleteText(n uint64) {
	start, before := p.right, slices.Clone(p.formats)
	for n > 0 && p.right != nil {
		if p.right.visible() {
			n -= p.deleteUpTo(p.right, n)
		}
		p.forward()
	}
	if start != nil {
		p.cleanGap(start, before)
	}
}

// cleanGap deletes formats between two elements that are set again, or set to what they were, before the next element
// (cleanupFormattingGap of Yjs).
func (p *textPosition) cleanGap(start *item, before formatting) {
	last := map[string]*item{} // the format of a key that holds at the end of the gap
	end := start
	for ; end != nil && !end.visible(); end = end.right {
		if end.ref == refFormat && !end.deleted {
			last[end.format().key] = end
		}
	}
	for it := start; it != end && it != nil; it = it.right {
		if it.deleted || it.ref != refFormat {
			continue
		}
		f := it.format()
		if last[f.key] != it || identical(before.get(f.key), f) {
			p.doc.delete(it)
		}
	}
}
