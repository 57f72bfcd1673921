package yjs

import (
	"maps"
	"slices"
)

// Nested types are written as one of these. They may hold each other, and values as listed at Undefined.
type (
	// ArrayOf is a KindArray with elements.
	ArrayOf []any
	// MapOf is a KindMap with values by key.
	MapOf map[string]any
	// TextOf is a KindText.
	TextOf string
	// RichTextOf is a KindText of inserts.
	RichTextOf []DeltaOp
	// XMLTextOf is a KindXMLText.
	XMLTextOf string
	// RichXMLTextOf is a KindXMLText of inserts.
	RichXMLTextOf []DeltaOp
	// FragmentOf is a KindXMLFragment with children.
	FragmentOf []any
	// ElementOf is a KindXMLElement.
	ElementOf struct {
		Name       string
		Attributes map[string]any
		Children   []any
	}
	// HookOf is a KindXMLHook.
	HookOf struct {
		Name   string
		Values map[string]any
	}
)

// content is content to be inserted.
type content struct {
	ref    uint8
	length uint64
	bytes  []byte
}

// typeContent returns the content for a nested type of a kind.
func typeContent(kind Kind) content { return content{refType, 1, []byte{byte(kind)}} }

// namedContent returns the content for a nested type that has a name.
func namedContent(kind Kind, name string) (content, error) {
	s, err := wireString(name)
	return content{refType, 1, appendVarBytes([]byte{byte(kind)}, []byte(s))}, err
}

// nestedContent returns the content for one of the types above; ok is false for anything else.
func nestedContent(value any) (c content, ok bool, err error) {
	switch v := value.(type) {
	case ArrayOf:
		return typeContent(KindArray), true, nil
	case MapOf:
		return typeContent(KindMap), true, nil
	case TextOf, RichTextOf:
		return typeContent(KindText), true, nil
	case XMLTextOf, RichXMLTextOf:
		return typeContent(KindXMLText), true, nil
	case FragmentOf:
		return typeContent(KindXMLFragment), true, nil
	case ElementOf:
		c, err = namedContent(KindXMLElement, v.Name)
		return c, true, err
	case HookOf:
		c, err = namedContent(KindXMLHook, v.Name)
		return c, true, err
	}
	return c, false, nil
}

// fill puts into a nested type that has just been inserted what it is to hold.
func (t Type) fill(value any) error {
	if t.nesting() > DefaultMaxDepth {
		return t.tx.fail(ErrDepth)
	}
	switch v := value.(type) {
	case ArrayOf:
		return (&Array{t}).Insert(0, v...)
	case MapOf:
		return t.setAll(v)
	case TextOf:
		return (&Text{t}).Insert(0, string(v))
	case XMLTextOf:
		return (&Text{t}).Insert(0, string(v))
	case RichTextOf:
		return (&Text{t}).ApplyDelta(v)
	case RichXMLTextOf:
		return (&Text{t}).ApplyDelta(v)
	case FragmentOf:
		return (&XML{t}).Insert(0, v...)
	case HookOf:
		return t.setAll(v.Values)
	case ElementOf:
		if err := t.setAll(v.Attributes); err != nil {
			return err
		}
		return (&XML{t}).Insert(0, v.Children...)
	}
	return nil
}

// nesting counts the types a type is in, as far as that matters.
func (t Type) nesting() int {
	n := 0
	for b := t.branch; b.item != nil && n <= DefaultMaxDepth; b = b.item.parent {
		n++
	}
	return n
}

// setAll sets keys in their order.
func (t Type) setAll(values map[string]any) error {
	for _, key := range slices.Sorted(maps.Keys(values)) {
		if err := t.set(key, values[key]); err != nil {
			return err
		}
	}
	return nil
}

// single returns the content for a value that gets a struct of its own in a list, or for any value under a key.
func single(value any) (content, bool, error) {
	switch v := value.(type) {
	case []byte:
		return content{refBinary, 1, appendVarBytes(nil, v)}, true, nil
	case SubDoc:
		guid, err := wireString(v.GUID)
		if err != nil {
			return content{}, true, err
		}
		options := v.Options
		if options == nil {
			options = Object{}
		}
		bytes, err := appendAny(appendVarBytes(nil, []byte(guid)), options, DefaultMaxDepth)
		return content{refDoc, 1, bytes}, true, err
	}
	return nestedContent(value)
}

// set sets a key.
func (t Type) set(key string, value any) error {
	if err := t.write(); err != nil {
		return err
	}
	if s, err := wireString(key); err != nil || s != key {
		return t.tx.fail(ErrUTF8)
	}
	c, own, err := single(value)
	if err == nil && !own {
		c = content{ref: refAny, length: 1}
		c.bytes, err = appendAny(nil, value, DefaultMaxDepth)
	}
	if err != nil {
		return t.tx.fail(err)
	}
	e := t.branch.entryOf(key)
	it := t.tx.insert(t.branch, e, e.last, c)
	if it.nested != nil {
		return Type{t.doc, t.tx, it.nested}.fill(value)
	}
	return nil
}

// unset deletes a key, if it is there.
func (t Type) unset(key string) error {
	if err := t.write(); err != nil {
		return err
	}
	if e := t.branch.entries[key]; e != nil && e.last != nil && !e.last.deleted {
		t.doc.delete(e.last)
	}
	return nil
}

// insertValues inserts values into a list: those that may share a struct do.
func (t Type) insertValues(index int, values []any) error {
	if err := t.write(); err != nil {
		return err
	}
	if err := t.span(index, 0); err != nil || len(values) == 0 {
		return err
	}
	left := t.leftOf(index)
	run := content{ref: refAny}
	flush := func() {
		if run.length > 0 {
			left = t.tx.insert(t.branch, nil, left, run)
			run = content{ref: refAny}
		}
	}
	for _, value := range values {
		c, own, err := single(value)
		if err == nil && !own {
			run.bytes, err = appendAny(run.bytes, value, DefaultMaxDepth)
			run.length++
		}
		if err != nil {
			return t.tx.fail(err)
		}
		if !own {
			continue
		}
		flush()
		left = t.tx.insert(t.branch, nil, left, c)
		if left.nested != nil {
			if err := (Type{t.doc, t.tx, left.nested}).fill(value); err != nil {
				return err
			}
		}
	}
	flush()
	return nil
}

// Insert inserts values and nested types (see ArrayOf) before an index.
func (a *Array) Insert(index int, values ...any) error { return a.insertValues(index, values) }

// Push inserts values and nested types at the end.
func (a *Array) Push(values ...any) error { return a.insertValues(a.Len(), values) }

// Delete deletes elements.
func (a *Array) Delete(index, length int) error { return a.deleteElements(index, length) }

// Set sets a key to a value or a nested type.
func (m *Map) Set(key string, value any) error { return m.set(key, value) }

// Delete deletes a key. It does nothing when there is none.
func (m *Map) Delete(key string) error { return m.unset(key) }

// Insert inserts nodes before an index: ElementOf, XMLTextOf, RichXMLTextOf, HookOf or FragmentOf. Anything else is a
// *ValueError.
func (x *XML) Insert(index int, nodes ...any) error {
	if err := x.write(); err != nil {
		return err
	}
	for _, n := range nodes {
		switch n.(type) {
		case ElementOf, XMLTextOf, RichXMLTextOf, HookOf, FragmentOf:
		default:
			return x.tx.fail(&ValueError{n})
		}
	}
	return x.insertValues(index, nodes)
}

// Push inserts nodes at the end.
func (x *XML) Push(nodes ...any) error { return x.Insert(x.Len(), nodes...) }

// Delete deletes children.
func (x *XML) Delete(index, length int) error { return x.deleteElements(index, length) }

// SetAttribute sets an attribute. Applications expect strings, but any value or nested type will do.
func (x *XML) SetAttribute(name string, value any) error { return x.set(name, value) }

// DeleteAttribute deletes an attribute. It does nothing when there is none.
func (x *XML) DeleteAttribute(name string) error { return x.unset(name) }

// SetAttribute sets an attribute of the text as a whole.
func (t *Text) SetAttribute(name string, value any) error { return t.set(name, value) }

// DeleteAttribute deletes an attribute of the text as a whole. It does nothing when there is none.
func (t *Text) DeleteAttribute(name string) error { return t.unset(name) }
