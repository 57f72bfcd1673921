package yjs

import (
	"encoding/binary"
	"math"
	"strconv"
)

// appendJSON reads one lib0 value and appends it as JSON.stringify writes what lib0 makes of it: NaN and infinities are
// null, -0 is 0, members that are undefined are left out, bytes are an object of numbers. undefined at the top and big
// integers have no JSON, and are ErrJSON. So is a key that comes twice, once undefined, which lib0 never writes.
func (r *reader) appendJSON(out []byte, depth int) []byte {
	tag := r.byte()
	switch tag {
	case anyNull:
		return append(out, "null"...)
	case anyUndefined:
		if depth == 0 {
			r.fail(ErrJSON)
		}
		return append(out, "null"...) // in an array
	case anyFalse:
		return append(out, "false"...)
	case anyTrue:
		return append(out, "true"...)
	case anyInteger:
		magnitude, negative := r.varint()
		if negative && magnitude > 0 {
			out = append(out, '-')
		}
		return strconv.AppendUint(out, magnitude, 10)
	case anyFloat32:
		if b := r.take(4); b != nil {
			return appendJSONNumber(out, float64(math.Float32frombits(binary.BigEndian.Uint32(b))))
		}
	case anyFloat64:
		if b := r.take(8); b != nil {
			return appendJSONNumber(out, math.Float64frombits(binary.BigEndian.Uint64(b)))
		}
	case anyString:
		return appendJSONString(out, r.varString())
	case anyBytes:
		return appendJSONBytes(out, r.varBytes())
	case anyArray, anyObject:
		if depth >= r.maxDepth {
			r.fail(ErrDepth)
			return out
		}
		if tag == anyArray {
			return r.appendJSONArray(out, depth)
		}
		return r.appendJSONObject(out, depth)
	case anyBigInt:
		r.fail(ErrJSON)
	default:
		r.fail(ErrContent)
	}
	return out
}

func (r *reader) appendJSONArray(out []byte, depth int) []byte {
	out = append(out, '[')
	for i, n := uint64(0), r.count(1); i < n && r.err == nil; i++ {
		if i > 0 {
			out = append(out, ',')
		}
		out = r.appendJSON(out, depth+1)
	}
	return append(out, ']')
}

func (r *reader) appendJSONObject(out []byte, depth int) []byte {
	out = append(out, '{')
	var keys [][]byte            // of members written
	var seen map[string]struct{} // the same, once a member is undefined
	for n := r.count(2); n > 0 && r.err == nil; n-- {
		key := r.varString()
		switch {
		case string(key) == "__proto__": // sets the prototype, which is not stringified
			r.skipAny()
			continue
		case r.remaining() > 0 && r.buf[r.pos] == anyUndefined:
			r.pos++
			if seen == nil {
				seen = make(map[string]struct{}, len(keys))
				for _, k := range keys {
					seen[string(k)] = struct{}{}
				}
			}
			if _, twice := seen[string(key)]; twice {
				r.fail(ErrJSON)
			}
			continue
		}
		if len(keys) > 0 {
			out = append(out, ',')
		}
		keys = append(keys, key)
		if seen != nil {
			seen[string(key)] = struct{}{}
		}
		out = append(appendJSONString(out, key), ':')
		out = r.appendJSON(out, depth+1)
	}
	return append(out, '}')
}

// appendJSONNumber appends a number as JSON.stringify writes it (ECMA-262 Number::toString).
func appendJSONNumber(out []byte, f float64) []byte {
	switch abs := math.Abs(f); {
	case math.IsNaN(f) || math.IsInf(f, 0):
		return append(out, "null"...)
	case f == 0:
		return append(out, '0')
	case abs < 1e-6 || abs >= 1e21:
		out = strconv.AppendFloat(out, f, 'e', -1, 64)
		// e-07 is e-7 in JavaScript.
		if n := len(out); n >= 4 && out[n-2] == '0' && (out[n-3] == '-' || out[n-3] == '+') {
			out[n-2] = out[n-1]
			out = out[:n-1]
		}
		return out
	}
	return strconv.AppendFloat(out, f, 'f', -1, 64)
}

// appendJSONString appends a string as JSON.stringify writes it.
func appendJSONString(out, s []byte) []byte {
	const hex = "0123456789abcdef"
	out = append(out, '"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			out = append(out, '\\', c)
		case c >= 0x20:
			out = append(out, c)
		case c == '\b':
			out = append(out, '\\', 'b')
		case c == '\t':
			out = append(out, '\\', 't')
		case c == '\n':
			out = append(out, '\\', 'n')
		case c == '\f':
			out = append(out, '\\', 'f')
		case c == '\r':
			out = append(out, '\\', 'r')
		default:
			out = append(out, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
		}
	}
	return append(out, '"')
}

// appendJSONBytes appends bytes as JSON.stringify writes a Uint8Array.
func appendJSONBytes(out, data []byte) []byte {
	out = append(out, '{')
	for i, c := range data {
		if i > 0 {
			out = append(out, ',')
		}
		out = append(strconv.AppendInt(append(out, '"'), int64(i), 10), '"', ':')
		out = strconv.AppendUint(out, uint64(c), 10)
	}
	return append(out, '}')
}
