package yjs

import (
	"fmt"
	"slices"
	"sort"
)

// tree writes a type with all that is in it as tree of oracle/describe.mjs does.
func tree(out []byte, value any) []byte {
	t, isType := inner(value)
	if !isType {
		return appendSorted(out, value)
	}
	kind := t.Kind()
	out = fmt.Appendf(out, `{"kind":"%s"`, map[Kind]string{
		KindArray: "array", KindMap: "map", KindText: "text", KindXMLElement: "element", KindXMLFragment: "fragment",
		KindXMLHook: "hook", KindXMLText: "xmltext",
	}[kind])
	if kind == KindXMLElement || kind == KindXMLHook {
		name := t.branch.name
		if t.branch.item == nil {
			name = "UNDEFINED"
		}
		out = appendQuoted(append(out, `,"name":`...), name)
	}
	out = fmt.Appendf(out, `,"length":%d`, t.Len())
	if own := t.values(); len(own) > 0 {
		out = treeMembers(append(out, `,"entries":`...), own)
	}
	switch kind {
	case KindText, KindXMLText:
		out = append(out, `,"delta":[`...)
		ops, err := (&Text{t}).Delta()
		if err != nil {
			panic(err)
		}
		for i, op := range ops {
			if i > 0 {
				out = append(out, ',')
			}
			out = tree(append(out, `{"insert":`...), op.Insert)
			if op.Attributes != nil {
				out = treeMembers(append(out, `,"attributes":`...), op.Attributes)
			}
			out = append(out, '}')
		}
		out = append(out, ']')
	case KindArray, KindXMLElement, KindXMLFragment:
		out = append(out, `,"items":[`...)
		for i, v := range t.list() {
			if i > 0 {
				out = append(out, ',')
			}
			out = tree(out, v)
		}
		out = append(out, ']')
	}
	return append(out, '}')
}

func treeMembers(out []byte, members Object) []byte {
	members = slices.Clone(members)
	sort.Slice(members, func(i, j int) bool { return compareUnits(members[i].Key, members[j].Key) < 0 })
	out = append(out, '{')
	for i, m := range members {
		if i > 0 {
			out = append(out, ',')
		}
		out = tree(append(appendQuoted(out, m.Key), ':'), m.Value)
	}
	return append(out, '}')
}

// appendSorted is AppendJSON with the members of objects in the order of their keys.
func appendSorted(out []byte, value any) []byte {
	out, err := AppendJSON(out, sorted(value))
	if err != nil {
		panic(err)
	}
	return out
}

func sorted(value any) any {
	switch v := value.(type) {
	case []any:
		list := make([]any, len(v))
		for i := range v {
			list[i] = sorted(v[i])
		}
		return list
	case Object:
		object := make(Object, len(v))
		for i := range v {
			object[i] = Member{v[i].Key, sorted(v[i].Value)}
		}
		sort.Slice(object, func(i, j int) bool { return compareUnits(object[i].Key, object[j].Key) < 0 })
		return object
	}
	return value
}

// rootKinds says what the roots of generated sessions are, by the first letter of their names (oracle/describe.mjs).
var rootKinds = map[byte]Kind{
	't': KindText, 'a': KindArray, 'm': KindMap, 'x': KindXMLFragment, 'e': KindXMLElement, 'y': KindXMLText,
}

// rootAs returns the handle of a root of a generated session.
func rootAs(d *Doc, name string) Type {
	t := d.rootType(name)
	if t.branch.kind == KindRoot {
		typed := *t.branch
		typed.kind = rootKinds[name[0]]
		t.branch = &typed
	}
	return t
}
