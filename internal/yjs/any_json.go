package yjs

import (
	"encoding/base64"
	"fmt"
	"math"
	"strconv"
)

// ErrValue matches every *ValueError.
var ErrValue = fmt.Errorf("yjs: value that cannot be stored")

// ValueError says that a Go value cannot be written into a document, or not in that place: its type is not one of those
// listed at Undefined, it is an integer beyond 2^53-1, or it has no JSON form where JSON is needed (embeds, formats).
type ValueError struct{ Value any }

func (e *ValueError) Error() string { return fmt.Sprintf("%v: %T", ErrValue, e.Value) }

// Is makes errors.Is(err, ErrValue) true.
func (e *ValueError) Is(target error) bool { return target == ErrValue }

// tagKey is the key of the objects that stand for what JSON cannot say.
const tagKey = "$yjs"

// AppendJSON appends value, one of the types listed at Undefined, as JSON that loses nothing:
//
//	undefined            {"$yjs":"undefined"}
//	NaN and infinities   {"$yjs":"NaN"}, {"$yjs":"Infinity"}, {"$yjs":"-Infinity"}
//	-0                   -0
//	bigint               {"$yjs":"bigint","value":"-5"}
//	Uint8Array           {"$yjs":"bytes","value":"AAH/"}, standard base64
//	subdocument          {"$yjs":"doc","value":"its GUID"}
//	object with a key $yjs   {"$yjs":"object","value":{...}}
//
// and everything else as JSON.stringify writes it: numbers as JavaScript prints them, members in JavaScript's order, lone
// surrogates escaped. ParseJSON reads it back. It returns a *ValueError for other types.
func AppendJSON(out []byte, value any) ([]byte, error) {
	w := jsonWriter{out: out, faithful: true}
	err := w.value(value)
	return w.out, err
}

// appendStringify appends value as JSON.stringify does, which is what embeds and formats are made of: members that are
// undefined are left out, other values JSON does not have become null. bigint and Uint8Array are a *ValueError.
func appendStringify(out []byte, value any) ([]byte, error) {
	w := jsonWriter{out: out}
	err := w.value(value)
	return w.out, err
}

// jsonWriter writes values as JSON.
type jsonWriter struct {
	out      []byte
	faithful bool
	depth    int
}

func (w *jsonWriter) value(value any) error {
	switch v := value.(type) {
	case nil:
		w.out = append(w.out, "null"...)
	case bool:
		w.out = strconv.AppendBool(w.out, v)
	case string:
		w.out = appendQuoted(w.out, v)
	case float64:
		w.number(v)
	case Object:
		return w.object(v)
	case []any:
		return w.array(v)
	case Undefined:
		if w.faithful {
			w.tag("undefined", "")
		} else {
			w.out = append(w.out, "null"...)
		}
	case BigInt, []byte, SubDoc:
		if !w.faithful {
			return &ValueError{Value: value}
		}
		w.special(v)
	default:
		plain, err := plainValue(value)
		if err != nil {
			return err
		}
		return w.value(plain)
	}
	return nil
}

// special writes what has no JSON form.
func (w *jsonWriter) special(value any) {
	switch v := value.(type) {
	case BigInt:
		w.tag("bigint", strconv.FormatInt(int64(v), 10))
	case []byte:
		w.tag("bytes", base64.StdEncoding.EncodeToString(v))
	case SubDoc:
		w.out = append(appendQuoted(append(w.out, `{"$yjs":"doc","value":`...), v.GUID), '}')
	}
}

// tag writes {"$yjs":kind} with a value, unless that is empty and kind has none. Neither needs escapes.
func (w *jsonWriter) tag(kind, value string) {
	w.out = append(append(append(w.out, `{"$yjs":"`...), kind...), '"')
	if value != "" || kind == "bytes" {
		w.out = append(append(append(w.out, `,"value":"`...), value...), '"')
	}
	w.out = append(w.out, '}')
}

func (w *jsonWriter) number(v float64) {
	switch {
	case math.IsNaN(v) || math.IsInf(v, 0):
		if w.faithful {
			w.tag(string(appendJSNumber(nil, v)), "")
		} else {
			w.out = append(w.out, "null"...)
		}
	case v == 0 && math.Signbit(v) && w.faithful:
		w.out = append(w.out, "-0"...)
	default:
		w.out = appendJSNumber(w.out, v)
	}
}

func (w *jsonWriter) array(list []any) error {
	if w.depth++; w.depth > DefaultMaxDepth*2 {
		return ErrDepth
	}
	w.out = append(w.out, '[')
	for i, e := range list {
		if i > 0 {
			w.out = append(w.out, ',')
		}
		if err := w.value(e); err != nil {
			return err
		}
	}
	w.out = append(w.out, ']')
	w.depth--
	return nil
}

func (w *jsonWriter) object(object Object) error {
	if w.depth++; w.depth > DefaultMaxDepth*2 {
		return ErrDepth
	}
	_, tagged := object.Get(tagKey)
	tagged = tagged && w.faithful
	if tagged {
		w.out = append(w.out, `{"$yjs":"object","value":`...)
	}
	w.out = append(w.out, '{')
	first := true
	for _, m := range object {
		if m.Value == (any)(Undefined{}) && !w.faithful {
			continue
		}
		if !first {
			w.out = append(w.out, ',')
		}
		first = false
		w.out = append(appendQuoted(w.out, m.Key), ':')
		if err := w.value(m.Value); err != nil {
			return err
		}
	}
	w.out = append(w.out, '}')
	if tagged {
		w.out = append(w.out, '}')
	}
	w.depth--
	return nil
}

// ParseJSON reads JSON into the types listed at Undefined, and what AppendJSON writes for values that JSON does not have
// into those values. It returns ErrUTF8, ErrJSON or ErrDepth, wrapped, for anything else, and for objects with the key
// $yjs that AppendJSON does not write.
func ParseJSON(data []byte) (any, error) {
	if err := checkText(data, 2*DefaultMaxDepth); err != nil {
		return nil, fmt.Errorf("yjs: %w", err)
	}
	value, err := untag(parseJSON(data))
	if err != nil {
		return nil, fmt.Errorf("yjs: %w", err)
	}
	return value, nil
}

// untag replaces what stands for values that JSON does not have, in place.
func untag(value any) (any, error) {
	switch v := value.(type) {
	case []any:
		for i := range v {
			e, err := untag(v[i])
			if err != nil {
				return nil, err
			}
			v[i] = e
		}
	case Object:
		if kind, tagged := v.Get(tagKey); tagged {
			return untagObject(kind, v)
		}
		return v, untagMembers(v)
	}
	return value, nil
}

func untagMembers(object Object) error {
	for i := range object {
		value, err := untag(object[i].Value)
		if err != nil {
			return err
		}
		object[i].Value = value
	}
	return nil
}

// untagObject returns what {"$yjs":kind,"value":...} stands for.
func untagObject(kind any, object Object) (any, error) {
	inner, has := object.Get("value")
	text, isText := inner.(string)
	members, isObject := inner.(Object)
	switch {
	case !has && len(object) == 1 && kind == "undefined":
		return Undefined{}, nil
	case !has && len(object) == 1 && kind == "NaN":
		return math.NaN(), nil
	case !has && len(object) == 1 && kind == "Infinity":
		return math.Inf(1), nil
	case !has && len(object) == 1 && kind == "-Infinity":
		return math.Inf(-1), nil
	case len(object) != 2:
	case kind == "object" && isObject:
		return members, untagMembers(members)
	case kind == "doc" && isText:
		return SubDoc{GUID: text}, nil
	case kind == "bigint" && isText:
		if n, err := strconv.ParseInt(text, 10, 64); err == nil {
			return BigInt(n), nil
		}
	case kind == "bytes" && isText:
		if b, err := base64.StdEncoding.DecodeString(text); err == nil {
			return b, nil
		}
	}
	return nil, ErrJSON
}

// appendInt appends an integer.
func appendInt(out []byte, v int64) []byte { return strconv.AppendInt(out, v, 10) }

// appendJSNumber appends a number as JavaScript prints it (ECMA-262, Number::toString). -0 is 0.
func appendJSNumber(out []byte, v float64) []byte {
	switch {
	case v == math.Trunc(v) && math.Abs(v) < 1e15:
		return strconv.AppendInt(out, int64(v), 10)
	case math.IsNaN(v):
		return append(out, "NaN"...)
	case math.IsInf(v, 1):
		return append(out, "Infinity"...)
	case math.IsInf(v, -1):
		return append(out, "-Infinity"...)
	}
	return appendJSONNumber(out, v)
}

const hexDigits = "0123456789abcdef"

// plainByte is true for bytes that stand for themselves inside a JSON string. 0xed may begin a lone surrogate.
var plainByte = func() (t [256]bool) {
	for c := range t {
		t[c] = c >= 0x20 && c != '"' && c != '\\' && c != 0xed
	}
	return t
}()

// appendQuoted appends a string as JSON.stringify does: only what has to be is escaped, and lone surrogates.
func appendQuoted[S string | []byte](out []byte, s S) []byte {
	out = append(out, '"')
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if plainByte[c] {
			i++
			continue
		}
		if c == 0xed {
			unit, lone := surrogateAt(string(s[i:min(i+3, len(s))]), 0)
			if lone {
				out = appendEscape(append(out, s[start:i]...), unit)
				start = i + 3
			}
			i += 3
			continue
		}
		out = append(out, s[start:i]...)
		switch c {
		case '"', '\\':
			out = append(out, '\\', c)
		case '\b':
			out = append(out, '\\', 'b')
		case '\f':
			out = append(out, '\\', 'f')
		case '\n':
			out = append(out, '\\', 'n')
		case '\r':
			out = append(out, '\\', 'r')
		case '\t':
			out = append(out, '\\', 't')
		default:
			out = appendEscape(out, uint16(c))
		}
		i++
		start = i
	}
	if start < len(s) {
		out = append(out, s[start:]...)
	}
	return append(out, '"')
}

// appendEscape appends \uXXXX.
func appendEscape(out []byte, unit uint16) []byte {
	return append(out, '\\', 'u', hexDigits[unit>>12], hexDigits[unit>>8&15], hexDigits[unit>>4&15], hexDigits[unit&15])
}
