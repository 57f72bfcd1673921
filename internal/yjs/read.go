package yjs

import (
	"maps"
	"slices"
	"unicode/utf8"
)

// Type is what the handles of all shared types have in common. Handles are cheap, two of one type are interchangeable,
// and one stays valid until the type is deleted; then it is empty. Handles from a Doc read, those from a Tx write too.
type Type struct {
	doc    *Doc
	tx     *Tx
	branch *branch
}

// Kind returns the kind of the type. That of a root is KindRoot.
func (t Type) Kind() Kind { return t.branch.kind }

// Deleted says whether the type, or one it is in, has been deleted.
func (t Type) Deleted() bool { return t.branch.gone() }

// Len returns the number of elements of the list: UTF-16 code units (embeds count one) of a text, elements of an array,
// children of an XML type.
func (t Type) Len() int { return int(t.branch.length) }

// Text is a handle for a KindText or KindXMLText type.
type Text struct{ Type }

// Array is a handle for a KindArray type.
type Array struct{ Type }

// Map is a handle for a KindMap or KindXMLHook type.
type Map struct{ Type }

// XML is a handle for a KindXMLFragment or KindXMLElement type.
type XML struct{ Type }

// Text returns a handle for a root as a text. A root that does not exist is empty. From now on the formats of the text are
// tidied, see Doc.
func (d *Doc) Text(name string) *Text {
	d.open(name)
	return &Text{d.rootType(name)}
}

// Array returns a handle for a root as an array.
func (d *Doc) Array(name string) *Array { return &Array{d.rootType(name)} }

// Map returns a handle for a root as a map.
func (d *Doc) Map(name string) *Map { return &Map{d.rootType(name)} }

// XML returns a handle for a root as an XML fragment.
func (d *Doc) XML(name string) *XML { return &XML{d.rootType(name)} }

// rootType returns a root, made when there is none, so that the handle goes on to be of that root once updates fill it.
// Reading may happen at the same time elsewhere.
func (d *Doc) rootType(name string) Type {
	d.reading.Lock()
	defer d.reading.Unlock()
	return Type{doc: d, branch: d.root(name)}
}

// Roots returns the names of the root types that hold anything, deleted or not, in order.
func (d *Doc) Roots() []string {
	d.reading.Lock()
	defer d.reading.Unlock()
	var names []string
	for _, name := range slices.Sorted(maps.Keys(d.roots)) {
		if b := d.roots[name]; b.start != nil || len(b.order) > 0 {
			names = append(names, name)
		}
	}
	return names
}

// Guess returns what a root seems to be, since updates do not say: KindMap if it has keys and no list, KindText if its
// list holds text, formats or embeds, KindXMLFragment if it holds XML types and nothing else, otherwise KindArray.
func (d *Doc) Guess(name string) Kind {
	b := d.rootType(name).branch
	if b.start == nil && len(b.order) == 0 {
		return KindRoot
	}
	return b.guess()
}

// guess is Guess for a type whose kind is not known.
func (b *branch) guess() Kind {
	if b.start == nil && len(b.order) > 0 {
		return KindMap
	}
	xml, other := false, false
	for it := b.start; it != nil; it = it.right {
		switch {
		case it.ref == refString || it.ref == refFormat || it.ref == refEmbed:
			return KindText
		case it.deleted:
		case it.ref == refType && it.nested.kind >= KindXMLElement && it.nested.kind <= KindXMLText:
			xml = true
		default:
			other = true
		}
	}
	switch {
	case xml && !other:
		return KindXMLFragment
	case !xml && !other && len(b.order) > 0:
		return KindMap
	}
	return KindArray
}

// handle returns the handle for a nested type.
func (t Type) handle(b *branch) any {
	inner := Type{doc: t.doc, tx: t.tx, branch: b}
	switch b.kind {
	case KindText, KindXMLText:
		return &Text{inner}
	case KindMap, KindXMLHook:
		return &Map{inner}
	case KindXMLElement, KindXMLFragment:
		return &XML{inner}
	}
	return &Array{inner}
}

// eachValue calls f with the visible elements of the list until f returns false. Types are handles.
func (t Type) eachValue(f func(any) bool) {
	for it := t.branch.start; it != nil; it = it.right {
		if it.visible() && !t.eachOf(it, f) {
			return
		}
	}
}

// eachOf calls f with the elements of one item.
func (t Type) eachOf(it *item, f func(any) bool) bool {
	if it.nested != nil {
		return f(t.handle(it.nested))
	}
	return it.each(f)
}

// each calls f with the elements of an item that is no type (getContent of Yjs' contents).
func (it *item) each(f func(any) bool) bool {
	r := reader{buf: it.content, maxDepth: len(it.content), trusted: true}
	switch it.ref {
	case refString:
		return eachUnit(it.text(), f)
	case refAny:
		for range it.length {
			if !f(r.value()) {
				return false
			}
		}
	case refJSON:
		for range it.length {
			if !f(jsonElement(r.varBytes())) {
				return false
			}
		}
	case refBinary:
		return f(slices.Clone(r.varBytes()))
	case refEmbed:
		return f(parseJSON(r.varBytes()))
	case refDoc:
		doc := SubDoc{GUID: string(r.varString())}
		doc.Options, _ = r.value().(Object)
		return f(doc)
	}
	return true
}

// jsonElement returns one element of ContentJSON.
func jsonElement(text []byte) any {
	if string(text) == "undefined" {
		return Undefined{}
	}
	return parseJSON(text)
}

// eachUnit calls f with a string for each UTF-16 code unit.
func eachUnit(text []byte, f func(any) bool) bool {
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		if r == utf8.RuneError && n == 1 {
			n = min(3, len(text)) // a lone surrogate
		}
		if r <= 0xffff {
			if !f(string(text[:n])) {
				return false
			}
		} else {
			high, low := uint16(0xd800+(r-0x10000)>>10), uint16(0xdc00+(r-0x10000)&0x3ff)
			if !f(string(appendSurrogate(nil, high))) || !f(string(appendSurrogate(nil, low))) {
				return false
			}
		}
		text = text[n:]
	}
	return true
}

// last returns the last element of an item, which is what a key has for a value.
func (t Type) last(it *item) any {
	value := any(Undefined{})
	t.eachOf(it, func(v any) bool { value = v; return true })
	return value
}

// value returns the value of a key.
func (t Type) value(key string) (any, bool) {
	e := t.branch.entries[key]
	if e == nil || e.last == nil || e.last.deleted {
		return nil, false
	}
	return t.last(e.last), true
}

// values returns all keys with their values, in the order in which they were first set.
func (t Type) values() Object {
	var members []Member
	for _, e := range t.branch.order {
		if e.last != nil && !e.last.deleted {
			members = append(members, Member{e.key, t.last(e.last)})
		}
	}
	return members
}

// element returns an element of the list, nil when there is none.
func (t Type) element(index int) any {
	if index < 0 || index >= t.Len() {
		return nil
	}
	it, at := t.doc.find(t.branch, uint64(index))
	if at > 0 && (it.ref == refAny || it.ref == refJSON) {
		return t.doc.elementAt(it, at)
	}
	value := any(nil)
	t.eachOf(it, func(v any) bool {
		if at == 0 {
			value = v
			return false
		}
		at--
		return true
	})
	return value
}

// find returns the item with element index of a list, and which of its elements that is. Beyond the first few it takes the
// position index, made by whoever comes first.
func (d *Doc) find(b *branch, index uint64) (*item, uint64) {
	it, rest := b.start, index
	for range nearby {
		if it == nil {
			break
		}
		if it.visible() {
			if rest < it.length {
				return it, rest
			}
			rest -= it.length
		}
		it = it.right
	}
	d.reading.Lock()
	defer d.reading.Unlock()
	return b.index().find(index)
}

// elementAt returns an element of an item with many, which is not the first.
func (d *Doc) elementAt(it *item, at uint64) any {
	d.reading.Lock()
	off, _ := it.cutContent(it.clock + at)
	d.reading.Unlock()
	r := reader{buf: it.content, pos: off, maxDepth: len(it.content), trusted: true}
	if it.ref == refJSON {
		return jsonElement(r.varBytes())
	}
	return r.value()
}

// list returns all visible elements.
func (t Type) list() []any {
	values := make([]any, 0, min(t.branch.length, 1<<16))
	t.eachValue(func(v any) bool { values = append(values, v); return true })
	return values
}

// Get returns an element: a value as listed at Undefined, or a handle (*Array, *Map, *Text or *XML). It is nil, which is
// also null, for an index that is not in the array. It takes O(log n) time, but for the first of its kind.
func (a *Array) Get(index int) any { return a.element(index) }

// Values returns all elements, as Get does.
func (a *Array) Values() []any { return a.list() }

// Get returns the value of a key: a value as listed at Undefined, or a handle.
func (m *Map) Get(key string) (any, bool) { return m.value(key) }

// Values returns all keys with their values, as Get does, in the order in which they were first set.
func (m *Map) Values() Object { return m.values() }

// Name returns the name of a KindXMLHook type.
func (m *Map) Name() string { return m.typeName() }

// Name returns the node name of an element, "" for a fragment.
func (x *XML) Name() string { return x.typeName() }

func (t Type) typeName() string {
	if t.branch.item == nil {
		return ""
	}
	return t.branch.name
}

// Children returns the children: handles, usually *XML and *Text.
func (x *XML) Children() []any { return x.list() }

// Child returns one child, nil for an index that is not there.
func (x *XML) Child(index int) any { return x.element(index) }

// Attribute returns the value of an attribute.
func (x *XML) Attribute(name string) (any, bool) { return x.value(name) }

// Attributes returns all attributes, in the order in which they were first set.
func (x *XML) Attributes() Object { return x.values() }

// Attribute returns the value of an attribute of the text as a whole.
func (t *Text) Attribute(name string) (any, bool) { return t.value(name) }

// Attributes returns all attributes of the text as a whole, in the order in which they were first set.
func (t *Text) Attributes() Object { return t.values() }

// String returns the text without formats and embeds, as toString of Y.Text does. For KindXMLText see XML.
func (t *Text) String() string { return string(t.branch.appendText(nil)) }

// appendText appends the text of a list.
func (b *branch) appendText(out []byte) []byte {
	for it := b.start; it != nil; it = it.right {
		if it.ref == refString && !it.deleted {
			out = append(out, it.text()...)
		}
	}
	return out
}
