package operate

import (
	"bytes"
	"fmt"
	"unicode/utf16"

	"github.com/symphony-rt/symphony/internal/yjs"
)

// list is what arrays and XML nodes have in common.
type list interface {
	Children() []any
	Insert(index int, values ...any) error
	Delete(index, length int) error
}

type arrayList struct{ *yjs.Array }

func (a arrayList) Children() []any { return a.Values() }

// syncList makes a list hold what another held: the elements both begin and end
// with stay, those between are replaced. Where as many are between on both
// sides, nested types of the same kind are brought to what they were instead.
func syncList(now list, then []any) error {
	have := now.Children()
	head := 0
	for head < len(have) && head < len(then) && same(have[head], then[head]) {
		head++
	}
	tail := 0
	for tail < len(have)-head && tail < len(then)-head && same(have[len(have)-1-tail], then[len(then)-1-tail]) {
		tail++
	}
	have, then = have[head:len(have)-tail], then[head:len(then)-tail]
	if len(have) == len(then) {
		return syncElements(now, head, have, then)
	}
	if len(have) > 0 {
		if err := now.Delete(head, len(have)); err != nil {
			return err
		}
	}
	if len(then) == 0 {
		return nil
	}
	values, err := copies(then)
	if err != nil {
		return err
	}
	return now.Insert(head, values...)
}

func syncElements(now list, at int, have, then []any) error {
	for i := range have {
		if same(have[i], then[i]) {
			continue
		}
		done, err := syncNested(have[i], then[i])
		if err != nil {
			return err
		}
		if done {
			continue
		}
		value, err := copied(then[i])
		if err != nil {
			return err
		}
		if err := now.Delete(at+i, 1); err != nil {
			return err
		}
		if err := now.Insert(at+i, value); err != nil {
			return err
		}
	}
	return nil
}

// syncMap makes a map hold what another held.
func syncMap(now *yjs.Map, then yjs.Object) error {
	for _, m := range now.Values() {
		if _, ok := then.Get(m.Key); !ok {
			if err := now.Delete(m.Key); err != nil {
				return err
			}
		}
	}
	for _, m := range then {
		have, ok := now.Get(m.Key)
		if ok && same(have, m.Value) {
			continue
		}
		if ok {
			done, err := syncNested(have, m.Value)
			if err != nil {
				return err
			}
			if done {
				continue
			}
		}
		value, err := copied(m.Value)
		if err != nil {
			return err
		}
		if err := now.Set(m.Key, value); err != nil {
			return err
		}
	}
	return nil
}

// syncNested brings a nested type to what it was; false when the two are not of
// one kind, so that the old one has to take the new one's place.
func syncNested(now, then any) (bool, error) {
	switch now := now.(type) {
	case *yjs.Map:
		if then, ok := then.(*yjs.Map); ok && now.Kind() == then.Kind() && now.Name() == then.Name() {
			return true, syncMap(now, then.Values())
		}
	case *yjs.Array:
		if then, ok := then.(*yjs.Array); ok {
			return true, syncList(arrayList{now}, then.Values())
		}
	case *yjs.Text:
		if then, ok := then.(*yjs.Text); ok && now.Kind() == then.Kind() {
			return true, syncText(now, then)
		}
	case *yjs.XML:
		if then, ok := then.(*yjs.XML); ok && now.Kind() == then.Kind() && now.Name() == then.Name() {
			if err := syncAttributes(now, then.Attributes()); err != nil {
				return true, err
			}
			return true, syncList(now, then.Children())
		}
	}
	return false, nil
}

// attributed is what has attributes of its own: XML elements and texts.
type attributed interface {
	Attributes() yjs.Object
	SetAttribute(name string, value any) error
	DeleteAttribute(name string) error
}

func syncAttributes(now attributed, then yjs.Object) error {
	have := now.Attributes()
	for _, m := range have {
		if _, ok := then.Get(m.Key); !ok {
			if err := now.DeleteAttribute(m.Key); err != nil {
				return err
			}
		}
	}
	for _, m := range then {
		if old, ok := have.Get(m.Key); ok && same(old, m.Value) {
			continue
		}
		value, err := copied(m.Value)
		if err != nil {
			return err
		}
		if err := now.SetAttribute(m.Key, value); err != nil {
			return err
		}
	}
	return nil
}

// syncText makes a text say what another said. Without formats and embeds, what
// both begin and end with stays; otherwise the text is written anew.
func syncText(now, then *yjs.Text) error {
	have, err := now.Delta()
	if err != nil {
		return err
	}
	want, err := then.Delta()
	if err != nil {
		return err
	}
	if err := syncAttributes(now, then.Attributes()); err != nil {
		return err
	}
	a, plainA := plain(have)
	b, plainB := plain(want)
	if plainA && plainB {
		return syncPlain(now, utf16.Encode([]rune(a)), utf16.Encode([]rune(b)))
	}
	if sameDelta(have, want) {
		return nil
	}
	if n := now.Len(); n > 0 {
		if err := now.Delete(0, n); err != nil {
			return err
		}
	}
	ops, err := copiedDelta(want)
	if err != nil || len(ops) == 0 {
		return err
	}
	return now.ApplyDelta(ops)
}

func plain(ops []yjs.DeltaOp) (text string, ok bool) {
	var out bytes.Buffer
	for _, op := range ops {
		s, isText := op.Insert.(string)
		if !isText || len(op.Attributes) > 0 {
			return "", false
		}
		out.WriteString(s)
	}
	return out.String(), true
}

// syncPlain replaces what lies between the common ends. Texts count UTF-16 code
// units; a surrogate pair is never cut.
func syncPlain(now *yjs.Text, have, want []uint16) error {
	head := 0
	for head < len(have) && head < len(want) && have[head] == want[head] {
		head++
	}
	if head > 0 && utf16.IsSurrogate(rune(have[head-1])) && have[head-1] < 0xdc00 {
		head--
	}
	tail := 0
	for tail < len(have)-head && tail < len(want)-head && have[len(have)-1-tail] == want[len(want)-1-tail] {
		tail++
	}
	if tail > 0 && utf16.IsSurrogate(rune(have[len(have)-tail])) && have[len(have)-tail] >= 0xdc00 {
		tail--
	}
	if n := len(have) - head - tail; n > 0 {
		if err := now.Delete(head, n); err != nil {
			return err
		}
	}
	if between := want[head : len(want)-tail]; len(between) > 0 {
		return now.Insert(head, string(utf16.Decode(between)))
	}
	return nil
}

// copied makes a value that can be written of one that was read.
func copied(v any) (any, error) {
	switch v := v.(type) {
	case *yjs.Map:
		values := yjs.MapOf{}
		for _, m := range v.Values() {
			value, err := copied(m.Value)
			if err != nil {
				return nil, err
			}
			values[m.Key] = value
		}
		if v.Kind() == yjs.KindXMLHook {
			return yjs.HookOf{Name: v.Name(), Values: values}, nil
		}
		return values, nil
	case *yjs.Array:
		values, err := copies(v.Values())
		return yjs.ArrayOf(values), err
	case *yjs.Text:
		ops, err := v.Delta()
		if err == nil {
			ops, err = copiedDelta(ops)
		}
		if v.Kind() == yjs.KindXMLText {
			return yjs.RichXMLTextOf(ops), err
		}
		return yjs.RichTextOf(ops), err
	case *yjs.XML:
		children, err := copies(v.Children())
		if err != nil {
			return nil, err
		}
		if v.Kind() == yjs.KindXMLFragment {
			return yjs.FragmentOf(children), nil
		}
		attributes := map[string]any{}
		for _, m := range v.Attributes() {
			if attributes[m.Key], err = copied(m.Value); err != nil {
				return nil, err
			}
		}
		return yjs.ElementOf{Name: v.Name(), Attributes: attributes, Children: children}, nil
	case *yjs.Type:
		return nil, fmt.Errorf("a nested type of an unknown kind (%s) cannot be copied", v.Kind())
	}
	return v, nil // plain values are read as they are written
}

func copies(list []any) ([]any, error) {
	out := make([]any, len(list))
	for i, v := range list {
		var err error
		if out[i], err = copied(v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func copiedDelta(ops []yjs.DeltaOp) ([]yjs.DeltaOp, error) {
	out := make([]yjs.DeltaOp, len(ops))
	for i, op := range ops {
		insert, err := copied(op.Insert)
		if err != nil {
			return nil, err
		}
		out[i] = yjs.DeltaOp{Insert: insert, Attributes: op.Attributes}
	}
	return out, nil
}

// same says whether two values say the same: kinds and JSON, so that 1 and "1",
// a nested map and a plain object, or formatted and plain text are not.
func same(a, b any) bool {
	x, errA := described(a)
	y, errB := described(b)
	return errA == nil && errB == nil && bytes.Equal(x, y)
}

// sameDelta compares deltas as they read: where a text happens to be cut does not
// matter.
func sameDelta(a, b []yjs.DeltaOp) bool {
	a, b = joinedDelta(a), joinedDelta(b)
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if !same(a[i].Insert, b[i].Insert) || !same(a[i].Attributes, b[i].Attributes) {
			return false
		}
	}
	return true
}

func joinedDelta(ops []yjs.DeltaOp) []yjs.DeltaOp {
	var out []yjs.DeltaOp
	for _, op := range ops {
		text, isText := op.Insert.(string)
		if n := len(out) - 1; n >= 0 && isText {
			if before, ok := out[n].Insert.(string); ok && same(out[n].Attributes, op.Attributes) {
				out[n].Insert = before + text
				continue
			}
		}
		out = append(out, op)
	}
	return out
}
