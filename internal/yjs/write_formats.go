package yjs

import "slices"

// storedFormats returns formats with the values that reading them back gives.
func storedFormats(attributes Object) (formatting, error) {
	f := make(formatting, 0, len(attributes))
	for _, m := range attributes {
		key, err := wireString(m.Key)
		if err != nil {
			return nil, err
		}
		text, err := appendStringify(nil, m.Value)
		if err == nil {
			err = checkText(text, DefaultMaxDepth)
		}
		if err != nil {
			return nil, err
		}
		f = append(f, format{key: key, value: parseJSON(text)})
	}
	return f, nil
}

// negations is a JavaScript Map of formats, in which null is a value.
type negations []format

func (n negations) get(key string) (format, bool) {
	for _, f := range n {
		if f.key == key {
			return f, true
		}
	}
	return format{}, false
}

func (n *negations) set(f format) {
	for i := range *n {
		if (*n)[i].key == f.key {
			(*n)[i] = f
			return
		}
	}
	*n = append(*n, f)
}

func (n *negations) remove(key string) {
	*n = slices.DeleteFunc(*n, func(f format) bool { return f.key == key })
}

// identical is === in JavaScript: objects are when they come from the same format.
func identical(a, b format) bool {
	switch x := a.value.(type) {
	case Object:
		_, is := b.value.(Object)
		return is && a.from != nil && a.from == b.from
	case []any:
		_, is := b.value.([]any)
		return is && a.from != nil && a.from == b.from
	default:
		switch b.value.(type) {
		case Object, []any:
			return false
		}
		return x == b.value
	}
}

// equalFormats is equalAttrs of Yjs: objects are equal when their members are identical, which members that are objects
// themselves never are.
func equalFormats(a, b format) bool {
	if identical(a, b) {
		return true
	}
	x, isX := flat(a.value)
	y, isY := flat(b.value)
	if !isX || !isY || len(x) != len(y) {
		return false
	}
	for _, m := range x {
		other, has := y.Get(m.Key)
		if !has || !identical(format{value: m.Value}, format{value: other}) {
			return false
		}
	}
	return true
}

// flat returns the members of an object or array.
func flat(value any) (Object, bool) {
	switch v := value.(type) {
	case Object:
		return v, true
	case []any:
		object := make(Object, len(v))
		for i, e := range v {
			object[i] = Member{string(appendInt(nil, int64(i))), e}
		}
		return object, true
	}
	return nil, false
}
