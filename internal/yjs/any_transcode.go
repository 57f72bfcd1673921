package yjs

import (
	"encoding/base64"
	"math"
)

// appendAnyJSON reads one validated lib0 value and appends what AppendJSON writes for it, without making the value.
func (r *reader) appendAnyJSON(out []byte) []byte {
	start, from := r.pos, len(out)
	out, plain := r.transcode(out)
	if plain {
		return out
	}
	r.pos = start
	w := jsonWriter{out: out[:from], faithful: true}
	if err := w.value(r.value()); err != nil {
		r.fail(err)
	}
	return w.out
}

// transcode does the work for values whose objects have their members in JavaScript's order. Otherwise it gives up and
// returns false.
func (r *reader) transcode(out []byte) ([]byte, bool) {
	switch r.byte() {
	case anyUndefined:
		return append(out, `{"$yjs":"undefined"}`...), true
	case anyNull:
		return append(out, "null"...), true
	case anyFalse:
		return append(out, "false"...), true
	case anyTrue:
		return append(out, "true"...), true
	case anyInteger:
		magnitude, negative := r.varint()
		if negative {
			out = append(out, '-') // also of 0
		}
		return appendInt(out, int64(magnitude)), true
	case anyFloat32:
		return appendFaithful(out, float64(math.Float32frombits(r.uint32()))), true
	case anyFloat64:
		return appendFaithful(out, math.Float64frombits(r.uint64())), true
	case anyBigInt:
		out = appendInt(append(out, `{"$yjs":"bigint","value":"`...), int64(r.uint64()))
		return append(out, `"}`...), true
	case anyString:
		return appendQuoted(out, r.varString()), true
	case anyBytes:
		out = append(out, `{"$yjs":"bytes","value":"`...)
		return append(base64.StdEncoding.AppendEncode(out, r.varBytes()), `"}`...), true
	case anyArray:
		return r.transcodeArray(out)
	case anyObject:
		return r.transcodeObject(out)
	}
	return out, true
}

// appendFaithful appends a number as AppendJSON does.
func appendFaithful(out []byte, v float64) []byte {
	w := jsonWriter{out: out, faithful: true}
	w.number(v)
	return w.out
}

func (r *reader) transcodeArray(out []byte) ([]byte, bool) {
	out = append(out, '[')
	for i, n := uint64(0), r.count(1); i < n && r.err == nil; i++ {
		if i > 0 {
			out = append(out, ',')
		}
		plain := false
		if out, plain = r.transcode(out); !plain {
			return out, false
		}
	}
	return append(out, ']'), true
}

// transcodeObject gives up on objects with many members, integer keys, keys that come twice and keys with a meaning.
func (r *reader) transcodeObject(out []byte) ([]byte, bool) {
	var keys [8][]byte
	n := r.count(2)
	if n > uint64(len(keys)) {
		return out, false
	}
	out = append(out, '{')
	for i := 0; i < int(n) && r.err == nil; i++ {
		key := r.varString()
		if keys[i] = key; !plainKey(key) {
			return out, false
		}
		for _, other := range keys[:i] {
			if string(other) == string(key) {
				return out, false
			}
		}
		if i > 0 {
			out = append(out, ',')
		}
		out = append(appendQuoted(out, key), ':')
		plain := false
		if out, plain = r.transcode(out); !plain {
			return out, false
		}
	}
	return append(out, '}'), true
}

// plainKey is false for keys that JavaScript may move, and for those that mean something.
func plainKey(key []byte) bool {
	return len(key) == 0 || (key[0] < '0' || key[0] > '9') && string(key) != protoKey && string(key) != tagKey
}
