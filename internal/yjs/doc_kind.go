package yjs

// Kind is the kind of a shared type.
type Kind uint8

// The kinds, in the encoding of Yjs (src/structs/ContentType.js typeRefs). KindRoot is a root type, of which
// updates say only the name: it is whichever of the others those who use it take it for.
const (
	KindArray       Kind = typeArray
	KindMap         Kind = typeMap
	KindText        Kind = typeText
	KindXMLElement  Kind = typeXMLElement
	KindXMLFragment Kind = typeXMLFragment
	KindXMLHook     Kind = typeXMLHook
	KindXMLText     Kind = typeXMLText
	KindRoot        Kind = 255
)

// String returns the name that Yjs has for the kind.
func (k Kind) String() string {
	switch k {
	case KindArray:
		return "Array"
	case KindMap:
		return "Map"
	case KindText:
		return "Text"
	case KindXMLElement:
		return "XmlElement"
	case KindXMLFragment:
		return "XmlFragment"
	case KindXMLHook:
		return "XmlHook"
	case KindXMLText:
		return "XmlText"
	}
	return "Root"
}

// newBranch makes the type that refType content describes.
func newBranch(it *item, content []byte) *branch {
	r := reader{buf: content, trusted: true}
	b := &branch{item: it, kind: Kind(r.uvarint())}
	b.text = b.kind == KindText || b.kind == KindXMLText
	if b.kind == KindXMLElement || b.kind == KindXMLHook {
		b.name = string(r.varString())
	}
	return b
}
