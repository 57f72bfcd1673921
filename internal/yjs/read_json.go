package yjs

// JSON returns a root as toJSON of Yjs does, for the kind that Guess takes it for: see Type.JSON.
func (d *Doc) JSON(name string) (any, error) { return d.rootType(name).JSON() }

// AppendJSON appends JSON(name) as the function AppendJSON writes it, without making the values.
func (d *Doc) AppendJSON(out []byte, name string) ([]byte, error) {
	return d.rootType(name).AppendJSON(out)
}

// JSON returns the type as toJSON of Yjs does: []any for arrays, Object for maps and hooks, a string for texts, and a
// string of XML for XML types and XML texts. Values are as listed at Undefined. It returns ErrDepth when types are
// nested deeper than Limits.MaxDepth, and ErrTooComplex as Delta does.
func (t Type) JSON() (any, error) { return t.jsonAs(t.branch.jsonKind(), t.doc.limits.MaxDepth) }

// AppendJSON appends JSON() as the function AppendJSON writes it, without making the values.
func (t Type) AppendJSON(out []byte) ([]byte, error) {
	return t.branch.appendJSON(out, t.branch.jsonKind(), t.doc.limits.MaxDepth)
}

// JSON returns the text, as toJSON of Y.Text does; XML for an XML text.
func (t *Text) JSON() (any, error) { return t.jsonAs(known(t.branch, KindText), t.doc.limits.MaxDepth) }

// JSON returns the elements, nested types as their JSON.
func (a *Array) JSON() ([]any, error) {
	list, err := a.jsonAs(KindArray, a.doc.limits.MaxDepth)
	if err != nil {
		return nil, err
	}
	return list.([]any), nil
}

// JSON returns keys and values, nested types as their JSON, in JavaScript's order.
func (m *Map) JSON() (Object, error) {
	object, err := m.jsonAs(KindMap, m.doc.limits.MaxDepth)
	if err != nil {
		return nil, err
	}
	return object.(Object), nil
}

// JSON returns the XML as a string, as toJSON of Y.XmlFragment does.
func (x *XML) JSON() (any, error) { return x.XML() }

// known returns the kind of b, or fallback if it is a root.
func known(b *branch, fallback Kind) Kind {
	if b.kind == KindRoot {
		return fallback
	}
	return b.kind
}

// jsonKind returns the kind to read b as.
func (b *branch) jsonKind() Kind {
	if b.kind == KindRoot {
		return b.guess()
	}
	return b.kind
}

// jsonAs returns toJSON of the type as if it was of a kind.
func (t Type) jsonAs(kind Kind, depth int) (any, error) {
	if depth < 0 {
		return nil, ErrDepth
	}
	switch kind {
	case KindText:
		return string(t.branch.appendText(nil)), nil
	case KindXMLText, KindXMLElement, KindXMLFragment:
		out, err := t.branch.appendXML(nil, kind, depth)
		return string(out), err
	case KindMap, KindXMLHook:
		members := t.values()
		for i := range members {
			var err error
			if members[i].Value, err = plainJSON(members[i].Value, depth); err != nil {
				return nil, err
			}
		}
		return mapObject(members), nil
	}
	list := t.list()
	for i := range list {
		var err error
		if list[i], err = plainJSON(list[i], depth); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// mapObject makes the object that toJSON of Y.Map assigns member by member.
func mapObject(members Object) Object {
	kept := members[:0]
	for _, m := range members {
		if m.Key != protoKey {
			kept = append(kept, m)
		}
	}
	if kept == nil {
		return Object{}
	}
	return newObject(kept)
}

// inner returns the type behind a handle.
func inner(value any) (Type, bool) {
	switch v := value.(type) {
	case *Array:
		return v.Type, true
	case *Map:
		return v.Type, true
	case *Text:
		return v.Type, true
	case *XML:
		return v.Type, true
	}
	return Type{}, false
}

// plainJSON replaces a handle by the JSON of its type.
func plainJSON(value any, depth int) (any, error) {
	if t, ok := inner(value); ok {
		return t.jsonAs(t.branch.kind, depth-1)
	}
	return value, nil
}

// appendJSON appends what AppendJSON writes for toJSON of the type as if it was of a kind.
func (b *branch) appendJSON(out []byte, kind Kind, depth int) ([]byte, error) {
	if depth < 0 {
		return nil, ErrDepth
	}
	switch kind {
	case KindText:
		return appendQuoted(out, b.appendText(nil)), nil
	case KindXMLText, KindXMLElement, KindXMLFragment:
		xml, err := b.appendXML(nil, kind, depth)
		return appendQuoted(out, xml), err
	case KindMap, KindXMLHook:
		return b.appendMapJSON(out, depth)
	}
	out = append(out, '[')
	start := len(out)
	for it := b.start; it != nil; it = it.right {
		if !it.visible() {
			continue
		}
		var err error
		if out, err = it.appendElements(out, depth); err != nil {
			return nil, err
		}
	}
	if len(out) > start {
		out = out[:len(out)-1] // the last comma
	}
	return append(out, ']'), nil
}

// appendElements appends the elements of an item as JSON, each with a comma behind it.
func (it *item) appendElements(out []byte, depth int) ([]byte, error) {
	if it.nested != nil {
		out, err := it.nested.appendJSON(out, it.nested.kind, depth-1)
		return append(out, ','), err
	}
	if it.ref == refAny {
		r := reader{buf: it.content, maxDepth: len(it.content), trusted: true}
		for range it.length {
			out = append(r.appendAnyJSON(out), ',')
		}
		return out, r.err
	}
	w := jsonWriter{out: out, faithful: true}
	var err error
	it.each(func(v any) bool {
		err = w.value(v)
		w.out = append(w.out, ',')
		return err == nil
	})
	return w.out, err
}

// appendMapJSON appends keys and values.
func (b *branch) appendMapJSON(out []byte, depth int) ([]byte, error) {
	entries := make([]Member, 0, len(b.order)) // to be put in JavaScript's order
	tagged := false
	for _, e := range b.order {
		if e.last != nil && !e.last.deleted && e.key != protoKey {
			entries = append(entries, Member{e.key, e.last})
			tagged = tagged || e.key == tagKey
		}
	}
	if tagged {
		out = append(out, `{"$yjs":"object","value":`...)
	}
	out = append(out, '{')
	for i, m := range newObject(entries) {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(appendQuoted(out, m.Key), ':')
		from := len(out)
		it := m.Value.(*item)
		var err error
		if out, err = it.lastElement().appendElements(out, depth); err != nil {
			return nil, err
		}
		if len(out) > from {
			out = out[:len(out)-1] // the comma
		} else {
			out = append(out, `{"$yjs":"undefined"}`...)
		}
	}
	if out = append(out, '}'); tagged {
		out = append(out, '}')
	}
	return out, nil
}

// lastElement returns an item with the last element alone, which is the value a key has.
func (it *item) lastElement() *item {
	if it.length <= 1 {
		return it
	}
	one := &item{length: 1, ref: it.ref, trail: it.trail}
	if !it.trail {
		_, to := it.contentRange()
		at, inside := it.step(0, false, to-1-it.clock)
		if one.content = it.content[at:]; inside {
			one.content = nil // half of a pair; only a text has one, and keys have no text
		}
	}
	return one
}
