package operate

import (
	"fmt"
	"slices"
	"strings"

	"github.com/symphony-rt/symphony/internal/yjs"
)

// described writes a value so that two are equal if they say the same, and have
// the same kinds all the way down. JSON is not enough: it shows formatted text
// without its formats, and a nested type like a plain value.
func described(v any) ([]byte, error) { return describe(nil, v) }

func describe(out []byte, v any) ([]byte, error) {
	var err error
	switch v := v.(type) {
	case *yjs.Map:
		out = fmt.Appendf(out, "map %d %q {", v.Kind(), v.Name())
		return describeObject(out, v.Values())
	case *yjs.Array:
		return describeList(append(out, "array ["...), v.Values())
	case *yjs.Text:
		ops, err := v.Delta()
		if err != nil {
			return nil, err
		}
		out = fmt.Appendf(out, "text %d ", v.Kind())
		for _, op := range joinedDelta(ops) {
			if out, err = describe(append(out, '('), op.Insert); err != nil {
				return nil, err
			}
			if out, err = describeObject(append(out, " {"...), op.Attributes); err != nil {
				return nil, err
			}
			out = append(out, ')')
		}
		return describeObject(append(out, " {"...), v.Attributes())
	case *yjs.XML:
		out = fmt.Appendf(out, "xml %d %q {", v.Kind(), v.Name())
		if out, err = describeObject(out, v.Attributes()); err != nil {
			return nil, err
		}
		return describeList(append(out, '['), v.Children())
	case yjs.Object:
		return describeObject(append(out, '{'), v)
	case []any:
		return describeList(append(out, '['), v)
	case []byte:
		return fmt.Appendf(out, "bytes %x", v), nil
	case yjs.BigInt:
		return fmt.Appendf(out, "bigint %d", v), nil
	}
	return yjs.AppendJSON(append(out, "value "...), v)
}

func describeList(out []byte, list []any) ([]byte, error) {
	var err error
	for _, v := range list {
		if out, err = describe(out, v); err != nil {
			return nil, err
		}
		out = append(out, ',')
	}
	return append(out, ']'), nil
}

func describeObject(out []byte, o yjs.Object) ([]byte, error) {
	o = slices.Clone(o)
	slices.SortFunc(o, func(a, b yjs.Member) int { return strings.Compare(a.Key, b.Key) })
	var err error
	for _, m := range o {
		if out, err = describe(fmt.Appendf(out, "%q:", m.Key), m.Value); err != nil {
			return nil, err
		}
		out = append(out, ',')
	}
	return append(out, '}'), nil
}
