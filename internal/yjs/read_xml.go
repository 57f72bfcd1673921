package yjs

import (
	"slices"
	"strconv"
)

// XML returns the fragment or element as toString of Yjs does. Neither text nor attributes are escaped there, and so not
// here. It returns ErrDepth when types are nested deeper than Limits.MaxDepth, and ErrTooComplex as Delta does.
func (x *XML) XML() (string, error) {
	out, err := x.branch.appendXML(nil, known(x.branch, KindXMLFragment), x.doc.limits.MaxDepth)
	return string(out), err
}

// XML returns the text with its formats as XML elements around it, as toString of Y.XmlText does. It returns ErrDepth
// when types are nested deeper than Limits.MaxDepth, and ErrTooComplex as Delta does.
func (t *Text) XML() (string, error) {
	out, err := t.branch.appendXML(nil, KindXMLText, t.doc.limits.MaxDepth)
	return string(out), err
}

// appendXML appends toString of the type as if it was of a kind.
func (b *branch) appendXML(out []byte, kind Kind, depth int) ([]byte, error) {
	if depth < 0 {
		return nil, ErrDepth
	}
	switch kind {
	case KindXMLElement:
		return b.appendElement(out, depth)
	case KindXMLText:
		return b.appendXMLText(out, depth)
	case KindText:
		return b.appendText(out), nil
	case KindXMLFragment:
		return b.appendChildren(out, depth)
	}
	return append(out, "[object Object]"...), nil
}

// appendChildren appends the children of a fragment or element.
func (b *branch) appendChildren(out []byte, depth int) ([]byte, error) {
	for it := b.start; it != nil; it = it.right {
		if !it.visible() {
			continue
		}
		var err error
		if out, err = it.appendString(out, depth); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// appendString appends String(element) of all elements of an item.
func (it *item) appendString(out []byte, depth int) ([]byte, error) {
	switch {
	case it.nested != nil:
		return it.nested.appendXML(out, it.nested.kind, depth-1)
	case it.ref == refString:
		return append(out, it.text()...), nil
	}
	it.each(func(v any) bool { out = append(out, jsString(v)...); return true })
	return out, nil
}

// appendElement appends an element: attributes in the order of their names, the name in lower case.
func (b *branch) appendElement(out []byte, depth int) ([]byte, error) {
	name := b.name
	if b.item == nil {
		name = "UNDEFINED" // what Yjs calls a root element
	}
	name = lowerJS(name)
	out = append(append(out, '<'), name...)
	attributes := slices.DeleteFunc(slices.Clone(b.order), func(e *entry) bool {
		return e.last == nil || e.last.deleted || e.key == protoKey
	})
	slices.SortFunc(attributes, func(a, b *entry) int { return compareUnits(a.key, b.key) })
	for _, e := range attributes {
		out = append(append(append(out, ' '), e.key...), '=', '"')
		from := len(out)
		var err error
		if out, err = e.last.lastElement().appendString(out, depth); err != nil {
			return nil, err
		}
		if len(out) == from && (e.last.ref == refFormat || e.last.ref == refDeleted) {
			out = append(out, "undefined"...)
		}
		out = append(out, '"')
	}
	out, err := b.appendChildren(append(out, '>'), depth)
	if err != nil {
		return nil, err
	}
	return append(append(append(out, '<', '/'), name...), '>'), nil
}

// appendXMLText appends a text with its formats around it.
func (b *branch) appendXMLText(out []byte, depth int) ([]byte, error) {
	ops, err := (&Text{Type{branch: b}}).Delta()
	if err != nil {
		return nil, err
	}
	for _, op := range ops {
		nodes := slices.Clone(op.Attributes)
		slices.SortFunc(nodes, func(a, b Member) int { return compareUnits(a.Key, b.Key) })
		for _, n := range nodes {
			out = appendFormatTag(out, n)
		}
		if t, ok := inner(op.Insert); ok {
			if out, err = t.branch.appendXML(out, t.branch.kind, depth-1); err != nil {
				return nil, err
			}
		} else {
			out = append(out, jsString(op.Insert)...)
		}
		for _, n := range slices.Backward(nodes) {
			out = append(append(append(out, '<', '/'), n.Key...), '>')
		}
	}
	return out, nil
}

// appendFormatTag appends the opening tag of a format: the members of its value are the attributes.
func appendFormatTag(out []byte, format Member) []byte {
	var attributes []Member
	switch v := format.Value.(type) {
	case Object:
		attributes = slices.Clone(v)
	case []any:
		for i, e := range v {
			attributes = append(attributes, Member{strconv.Itoa(i), e})
		}
	case string:
		eachUnit([]byte(v), func(unit any) bool {
			attributes = append(attributes, Member{strconv.Itoa(len(attributes)), unit})
			return true
		})
	}
	slices.SortFunc(attributes, func(a, b Member) int { return compareUnits(a.Key, b.Key) })
	out = append(append(out, '<'), format.Key...)
	for _, a := range attributes {
		out = append(append(append(out, ' '), a.Key...), '=', '"')
		out = append(append(out, jsString(a.Value)...), '"')
	}
	return append(out, '>')
}
