package yjs

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"
)

// A value in a document is what JavaScript has there, as these Go types:
//
//	undefined        Undefined
//	null             nil
//	boolean          bool
//	number           float64 (-0, NaN and infinities included)
//	bigint           BigInt (lib0 has 64 bits)
//	string           string, see below
//	Uint8Array       []byte
//	array            []any
//	object           Object
//	subdocument      SubDoc
//
// JavaScript strings may hold lone surrogates. In a Go string these are the three bytes that UTF-8 would have for them
// (WTF-8), so such a string is not valid UTF-8, and nothing is lost. They occur only in JSON content (embeds, formats,
// ContentJSON) and where text with a character beyond U+FFFF is read unit by unit.
//
// Writing takes the same types, and besides: every Go integer up to 2^53, float32, and map[string]any, whose keys are
// sorted.

// Undefined is JavaScript's undefined.
type Undefined struct{}

// BigInt is a JavaScript bigint as lib0 carries it: modulo 2^64.
type BigInt int64

// Object is a JavaScript object: own properties in JavaScript's order, which is integer keys ascending, then the others
// as they were added. Keys are distinct.
type Object []Member

// Member is one property of an Object.
type Member struct {
	Key   string
	Value any
}

// Get returns the value of a key.
func (o Object) Get(key string) (any, bool) {
	for i := range o {
		if o[i].Key == key {
			return o[i].Value, true
		}
	}
	return nil, false
}

// SubDoc is a subdocument: a reference to another document by GUID. Options are what Yjs stores with it: gc, autoLoad
// and meta, when they are not the default.
type SubDoc struct {
	GUID    string
	Options Object
}

// protoKey is the key that is no property: lib0 assigns members one by one, and that one sets the prototype.
const protoKey = "__proto__"

// newObject makes the object that JavaScript has after members have been assigned in this order. It takes over members.
func newObject(members []Member) Object {
	if !objectIsPlain(members) {
		members = distinctMembers(members)
		integers := 0
		for _, m := range members {
			if _, ok := arrayIndex(m.Key); ok {
				integers++
			}
		}
		if integers > 0 {
			slices.SortStableFunc(members, func(a, b Member) int { return int(propertyRank(a.Key) - propertyRank(b.Key)) })
		}
	}
	return Object(members)
}

// objectIsPlain says whether members are certainly distinct and none is an integer.
func objectIsPlain(members []Member) bool {
	if len(members) > 8 {
		return false
	}
	for i := range members {
		if _, ok := arrayIndex(members[i].Key); ok {
			return false
		}
		for j := range i {
			if members[i].Key == members[j].Key {
				return false
			}
		}
	}
	return true
}

// distinctMembers keeps the last value of each key at the first place of the key.
func distinctMembers(members []Member) []Member {
	at := make(map[string]int, len(members))
	kept := members[:0]
	for _, m := range members {
		if i, seen := at[m.Key]; seen {
			kept[i].Value = m.Value
			continue
		}
		at[m.Key] = len(kept)
		kept = append(kept, m)
	}
	return kept
}

// propertyRank orders integer keys before others, which have equal rank.
func propertyRank(key string) int64 {
	if i, ok := arrayIndex(key); ok {
		return int64(i)
	}
	return math.MaxUint32
}

// arrayIndex returns the number that a key is, if it is one that JavaScript orders first: 0 to 2^32-2 without leading
// zeros.
func arrayIndex(key string) (uint32, bool) {
	if len(key) == 0 || len(key) > 10 || key[0] == '0' && len(key) > 1 {
		return 0, false
	}
	n := uint64(0)
	for i := 0; i < len(key); i++ {
		if key[i] < '0' || key[i] > '9' {
			return 0, false
		}
		n = n*10 + uint64(key[i]-'0')
	}
	return uint32(n), n < math.MaxUint32
}

// value decodes one lib0 value (lib0/decoding.js readAny). The reader must be bounded by maxDepth or hold input that has
// been validated.
func (r *reader) value() any {
	switch r.byte() {
	case anyUndefined:
		return Undefined{}
	case anyFalse:
		return false
	case anyTrue:
		return true
	case anyInteger:
		magnitude, negative := r.varint()
		if negative {
			return math.Copysign(float64(magnitude), -1)
		}
		return float64(magnitude)
	case anyFloat32:
		return float64(math.Float32frombits(r.uint32()))
	case anyFloat64:
		return math.Float64frombits(r.uint64())
	case anyBigInt:
		return BigInt(r.uint64())
	case anyString:
		return string(r.varString())
	case anyBytes:
		return append([]byte{}, r.varBytes()...)
	case anyArray:
		n := r.count(1)
		list := make([]any, 0, n)
		for ; n > 0 && r.err == nil; n-- {
			list = append(list, r.value())
		}
		return list
	case anyObject:
		return r.object()
	}
	return nil
}

// object decodes the members of an object.
func (r *reader) object() Object {
	n := r.count(2)
	members := make([]Member, 0, n)
	for ; n > 0 && r.err == nil; n-- {
		key := string(r.varString())
		value := r.value()
		if key != protoKey {
			members = append(members, Member{key, value})
		}
	}
	return newObject(members)
}

// uint32 reads four bytes, big endian; zero at the end of input.
func (r *reader) uint32() uint32 {
	if b := r.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

// uint64 reads eight bytes, big endian; zero at the end of input.
func (r *reader) uint64() uint64 {
	if b := r.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// appendAny appends a value as lib0 writes it (lib0/encoding.js writeAny). depth is how deep it may be nested.
func appendAny(out []byte, value any, depth int) ([]byte, error) {
	if depth < 0 {
		return nil, ErrDepth
	}
	switch v := value.(type) {
	case Undefined:
		return append(out, anyUndefined), nil
	case nil:
		return append(out, anyNull), nil
	case bool:
		if v {
			return append(out, anyTrue), nil
		}
		return append(out, anyFalse), nil
	case float64:
		return appendAnyNumber(out, v), nil
	case BigInt:
		return binary.BigEndian.AppendUint64(append(out, anyBigInt), uint64(v)), nil
	case string:
		s, err := wireString(v)
		return appendVarBytes(append(out, anyString), []byte(s)), err
	case []byte:
		return appendVarBytes(append(out, anyBytes), v), nil
	case []any:
		out = appendUvarint(append(out, anyArray), uint64(len(v)))
		for _, e := range v {
			var err error
			if out, err = appendAny(out, e, depth-1); err != nil {
				return nil, err
			}
		}
		return out, nil
	case Object:
		return appendAnyObject(out, v, depth)
	}
	plain, err := plainValue(value)
	if err != nil {
		return nil, err
	}
	return appendAny(out, plain, depth)
}

// appendAnyObject appends an object.
func appendAnyObject(out []byte, object Object, depth int) ([]byte, error) {
	members := newObject(slices.Clone(object))
	out = appendUvarint(append(out, anyObject), uint64(len(members)))
	for _, m := range members {
		key, err := wireString(m.Key)
		if err != nil {
			return nil, err
		}
		if out, err = appendAny(appendVarBytes(out, []byte(key)), m.Value, depth-1); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// maxAnyInteger is 2^31-1, the largest magnitude that lib0 writes as an integer.
const maxAnyInteger = 1<<31 - 1

// appendAnyNumber appends a number in the shortest form that lib0 has for it.
func appendAnyNumber(out []byte, v float64) []byte {
	switch {
	case v == math.Trunc(v) && math.Abs(v) <= maxAnyInteger:
		return appendVarint(append(out, anyInteger), uint64(math.Abs(v)), math.Signbit(v))
	case float64(float32(v)) == v:
		return binary.BigEndian.AppendUint32(append(out, anyFloat32), math.Float32bits(float32(v)))
	}
	return binary.BigEndian.AppendUint64(append(out, anyFloat64), math.Float64bits(v))
}

// appendVarint appends lib0 writeVarInt: six bits and the sign in the first byte, so that -0 exists.
func appendVarint(out []byte, magnitude uint64, negative bool) []byte {
	b := byte(magnitude & 0x3f)
	if negative {
		b |= 0x40
	}
	if magnitude >>= 6; magnitude == 0 {
		return append(out, b)
	}
	return appendUvarint(append(out, b|0x80), magnitude)
}

// plainValue turns the Go types that writing accepts besides into those that reading gives.
func plainValue(value any) (any, error) {
	switch v := value.(type) {
	case nil, Undefined, bool, float64, BigInt, string, []byte, []any, Object:
		return v, nil
	case float32:
		return float64(v), nil
	case int:
		return integerValue(int64(v))
	case int8:
		return float64(v), nil
	case int16:
		return float64(v), nil
	case int32:
		return float64(v), nil
	case int64:
		return integerValue(v)
	case uint:
		return unsignedValue(uint64(v))
	case uint8:
		return float64(v), nil
	case uint16:
		return float64(v), nil
	case uint32:
		return float64(v), nil
	case uint64:
		return unsignedValue(v)
	case map[string]any:
		object := make(Object, 0, len(v))
		for key, member := range v {
			object = append(object, Member{key, member})
		}
		slices.SortFunc(object, func(a, b Member) int { return strings.Compare(a.Key, b.Key) })
		return object, nil
	case map[string]string:
		object := make(map[string]any, len(v))
		for key, member := range v {
			object[key] = member
		}
		return plainValue(object)
	case []string:
		list := make([]any, len(v))
		for i, s := range v {
			list[i] = s
		}
		return list, nil
	}
	return nil, &ValueError{Value: value}
}

// integerValue refuses integers that a JavaScript number does not keep.
func integerValue(v int64) (any, error) {
	if v > maxSafe || v < -maxSafe {
		return nil, &ValueError{Value: v}
	}
	return float64(v), nil
}

func unsignedValue(v uint64) (any, error) {
	if v > maxSafe {
		return nil, &ValueError{Value: v}
	}
	return float64(v), nil
}
