package yjs

import (
	"bytes"
	"errors"
	"math"
	"testing"
)

// everyValue has every kind of value once, with its faithful JSON.
var everyValue = []struct {
	value any
	json  string
}{
	{nil, `null`},
	{Undefined{}, `{"$yjs":"undefined"}`},
	{true, `true`},
	{false, `false`},
	{0.0, `0`},
	{math.Copysign(0, -1), `-0`},
	{-63.0, `-63`},
	{64.0, `64`},
	{float64(maxSafe), `9007199254740991`},
	{-1.5, `-1.5`},
	{1e21, `1e+21`},
	{123456789012345680000.0, `123456789012345680000`},
	{1e-7, `1e-7`},
	{0.000001, `0.000001`},
	{5e-324, `5e-324`},
	{math.MaxFloat64, `1.7976931348623157e+308`},
	{math.Inf(1), `{"$yjs":"Infinity"}`},
	{math.Inf(-1), `{"$yjs":"-Infinity"}`},
	{BigInt(math.MinInt64), `{"$yjs":"bigint","value":"-9223372036854775808"}`},
	{"", `""`},
	{"a\"\\\b\f\n\r\t\x00\x1f\u007f\u2028😀", `"a\"\\\b\f\n\r\t\u0000\u001f` + "\u007f\u2028😀\""},
	{"\xed\xa0\x80-\xed\xbf\xbf퟿", `"\ud800-\udfff` + "\ud7ff\""},
	{[]byte{}, `{"$yjs":"bytes","value":""}`},
	{[]byte{0, 1, 255}, `{"$yjs":"bytes","value":"AAH/"}`},
	{[]any{}, `[]`},
	{[]any{1.0, []any{nil}, Undefined{}}, `[1,[null],{"$yjs":"undefined"}]`},
	{Object{}, `{}`},
	{Object{{"0", 1.0}, {"10", 2.0}, {"", 3.0}, {"01", 4.0}}, `{"0":1,"10":2,"":3,"01":4}`},
	{Object{{"$yjs", "undefined"}}, `{"$yjs":"object","value":{"$yjs":"undefined"}}`},
	{Object{{"a", Object{{"$yjs", Object{{"$yjs", nil}}}}}}, `{"a":{"$yjs":"object","value":{"$yjs":{"$yjs":"object","value":{"$yjs":null}}}}}`},
}

func TestValuesSurviveAnyAndJSON(t *testing.T) {
	for _, v := range everyValue {
		text, err := AppendJSON(nil, v.value)
		if err != nil || string(text) != v.json {
			t.Errorf("AppendJSON(%#v) = %s, %v; want %s", v.value, text, err, v.json)
		}
		back, err := ParseJSON(text)
		if again, _ := AppendJSON(nil, back); err != nil || string(again) != v.json {
			t.Errorf("ParseJSON(%s) = %#v, %v", text, back, err)
		}
		encoded, err := appendAny(nil, v.value, DefaultMaxDepth)
		if err != nil {
			t.Fatalf("%#v: %v", v.value, err)
		}
		if s, isText := v.value.(string); isText && bytes.Contains([]byte(s), []byte{0xed, 0xa0}) {
			continue // lone surrogates are U+FFFD on the wire
		}
		r := reader{buf: encoded, maxDepth: DefaultMaxDepth}
		decoded := r.value()
		if again, _ := AppendJSON(nil, decoded); r.err != nil || r.remaining() > 0 || string(again) != v.json {
			t.Errorf("lib0 %x = %s, %v; want %s", encoded, again, r.err, v.json)
		}
		direct := reader{buf: encoded, maxDepth: DefaultMaxDepth}
		if again := direct.appendAnyJSON(nil); string(again) != v.json {
			t.Errorf("transcoded %s, want %s", again, v.json)
		}
	}
}

func TestObjectsAreJavaScripts(t *testing.T) {
	// {b: 1, 2: 2, __proto__: 3, 1: 4, b: 5} as lib0 has it.
	in := []byte{anyObject, 5, 1, 'b', anyInteger, 1, 1, '2', anyInteger, 2, 9, '_', '_', 'p', 'r', 'o', 't', 'o', '_', '_', anyInteger, 3, 1, '1', anyInteger, 4, 1, 'b', anyInteger, 5}
	const want = `{"1":4,"2":2,"b":5}`
	r := reader{buf: in, maxDepth: 1}
	if got, _ := AppendJSON(nil, r.value()); string(got) != want {
		t.Errorf("value: %s, want %s", got, want)
	}
	r = reader{buf: in, maxDepth: 1}
	if got := r.appendAnyJSON(nil); string(got) != want {
		t.Errorf("transcoded: %s, want %s", got, want)
	}
}

func TestParseJSONRefuses(t *testing.T) {
	for text, want := range map[string]error{
		"":                             ErrJSON,
		"01":                           ErrJSON,
		"[1,]":                         ErrJSON,
		"\"\xff\"":                     ErrUTF8,
		`{"$yjs":"what"}`:              ErrJSON,
		`{"$yjs":"bigint"}`:            ErrJSON,
		`{"$yjs":"bytes","value":1}`:   ErrJSON,
		`{"$yjs":"undefined","x":1}`:   ErrJSON,
		`{"$yjs":"object","value":1}`:  ErrJSON,
		`{"$yjs":"bytes","value":"!"}`: ErrJSON,
	} {
		if _, err := ParseJSON([]byte(text)); !errors.Is(err, want) {
			t.Errorf("%s: %v, want %v", text, err, want)
		}
	}
	deep := bytes.Repeat([]byte{'['}, 1<<20)
	if _, err := ParseJSON(deep); !errors.Is(err, ErrDepth) {
		t.Errorf("deep: %v", err)
	}
}

func TestWritingRefusesValues(t *testing.T) {
	nested := any(nil)
	for range DefaultMaxDepth + 2 {
		nested = []any{nested}
	}
	for _, v := range []struct {
		value any
		want  error
	}{
		{struct{}{}, ErrValue}, {uint64(1 << 60), ErrValue}, {int64(-1 << 60), ErrValue}, {make(chan int), ErrValue},
		{"\xff", ErrUTF8}, {map[string]any{"\xff": 1}, ErrUTF8}, {nested, ErrDepth},
	} {
		if _, err := appendAny(nil, v.value, DefaultMaxDepth); !errors.Is(err, v.want) {
			t.Errorf("%T: %v, want %v", v.value, err, v.want)
		}
	}
	for _, value := range []any{BigInt(1), []byte{1}, SubDoc{}} {
		if _, err := appendStringify(nil, value); !errors.Is(err, ErrValue) {
			t.Errorf("stringify %T: %v", value, err)
		}
	}
	got, err := appendStringify(nil, map[string]any{"a": Undefined{}, "b": []any{Undefined{}, math.NaN(), math.Copysign(0, -1)}})
	if err != nil || string(got) != `{"b":[null,null,0]}` {
		t.Errorf("stringify: %s, %v", got, err)
	}
}

func FuzzParseJSON(f *testing.F) {
	for _, v := range everyValue {
		f.Add([]byte(v.json))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		value, err := ParseJSON(data)
		if err != nil {
			return
		}
		text, err := AppendJSON(nil, value)
		if err != nil {
			t.Fatal(err)
		}
		back, err := ParseJSON(text)
		if err != nil {
			t.Fatalf("%s: %v", text, err)
		}
		if again, _ := AppendJSON(nil, back); !bytes.Equal(again, text) {
			t.Fatalf("%s became %s", text, again)
		}
	})
}
