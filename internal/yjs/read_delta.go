package yjs

// DeltaOp is one operation of a Quill delta: an insert, a retain or a delete. Reading gives inserts.
type DeltaOp struct {
	// Insert is text (string), an embed (any other value), or a nested type (a handle when read; when written, one of
	// TextOf, ArrayOf, MapOf and so on). nil is no insert.
	Insert any
	// Retain and Delete count UTF-16 code units, embeds as one.
	Retain int
	Delete int
	// Attributes are the formats of an insert, or those to set by a retain: null removes one.
	Attributes Object
}

const (
	// maxFormats is how many formats may hold at one place. Editors have a dozen.
	maxFormats = 1000
	// attributesFree and attributesPerOp bound the attributes of a delta: each insert repeats those that hold there.
	attributesFree  = 1 << 20
	attributesPerOp = 32
)

// Delta returns text, embeds and formats, as toDelta of Y.Text does: neighbours with equal formats are not always one. It
// returns ErrTooComplex when there are absurdly many formats, so that the delta would be far larger than the text.
func (t *Text) Delta() ([]DeltaOp, error) {
	var ops []DeltaOp
	var formats formatting
	var text []byte
	attributes := 0
	add := func(insert any) {
		ops = append(ops, DeltaOp{Insert: insert, Attributes: formats.attributes()})
		attributes += len(formats)
	}
	flush := func() {
		if len(text) > 0 {
			add(string(text))
			text = text[:0]
		}
	}
	for it := t.branch.start; it != nil; it = it.right {
		if it.deleted {
			continue
		}
		switch it.ref {
		case refString:
			text = append(text, it.text()...)
		case refType, refEmbed:
			flush()
			add(t.last(it))
		case refFormat:
			flush()
			formats.update(it.format())
		}
		if len(formats) > maxFormats || attributes > attributesFree+attributesPerOp*len(ops) {
			return nil, ErrTooComplex
		}
	}
	flush()
	return ops, nil
}

// format is a format as it is in the document.
type format struct {
	key   string
	value any
	from  *item // it was read from, for Yjs takes objects for different that are not one and the same
}

// format decodes refFormat content.
func (it *item) format() format {
	r := reader{buf: it.content, trusted: true}
	key := string(r.varBytes())
	return format{key, parseJSON(r.varBytes()), it}
}

// formatKey returns the key of refFormat content.
func (it *item) formatKey() []byte {
	r := reader{buf: it.content, trusted: true}
	return r.varBytes()
}

// formatting is the formats at one place, in the order of a JavaScript Map.
type formatting []format

// update is updateCurrentAttributes of Yjs: null removes.
func (f *formatting) update(change format) {
	for i := range *f {
		if (*f)[i].key != change.key {
			continue
		}
		if change.value == nil {
			*f = append((*f)[:i:i], (*f)[i+1:]...)
		} else {
			(*f)[i] = change
		}
		return
	}
	if change.value != nil {
		*f = append(*f, change)
	}
}

// get returns the value of a key, null when it has none.
func (f formatting) get(key string) format {
	for _, e := range f {
		if e.key == key {
			return e
		}
	}
	return format{key: key}
}

// attributes returns them as toDelta does, nil when there are none.
func (f formatting) attributes() Object {
	if len(f) == 0 {
		return nil
	}
	members := make([]Member, 0, len(f))
	for _, e := range f {
		if e.key != protoKey {
			members = append(members, Member{e.key, e.value})
		}
	}
	return newObject(members)
}
