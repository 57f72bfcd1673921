package yjs

import (
	"bytes"
	"encoding/json"
	"errors"
	"testing"
)

// rewrite reads an update and writes it again through the shared core.
func rewrite(update []byte) ([]byte, error) {
	u := newUpdateReader(update, DefaultLimits())
	w := newUpdateWriter(len(update))
	var b block
	for u.nextClient() {
		for u.next(&b) {
			w.add(&b)
		}
	}
	var ranges []deleteRange
	var d deleteRange
	for u.nextDelete(&d) {
		ranges = append(ranges, d)
	}
	if err := u.finish(); err != nil {
		return nil, err
	}
	return w.finish(normalise(ranges)), nil
}

func TestUTF16(t *testing.T) {
	for _, s := range []string{"", "a", "abcdefgh", "ä€😀", "abcdefghä€😀ijklmnop😀", "😀😀😀😀"} {
		want := 0
		for _, r := range s {
			at, inside := utf16Offset([]byte(s), uint64(want))
			if inside || s[at:] == "" {
				t.Errorf("%q: unit %d at byte %d, inside %v", s, want, at, inside)
			}
			want++
			if r > 0xffff {
				if _, inside := utf16Offset([]byte(s), uint64(want)); !inside {
					t.Errorf("%q: unit %d is not inside a pair", s, want)
				}
				want++
			}
		}
		if got := utf16Len([]byte(s)); got != want {
			t.Errorf("utf16Len(%q) = %d, want %d", s, got, want)
		}
	}
}

func TestRewriteIsCanonical(t *testing.T) {
	for name, v := range map[string]struct{ in, want string }{
		"empty":        {"\x00\x00", "\x00\x00"},
		"joins text":   {"\x01\x02\x01\x00\x04\x01\x01t\x01a\x84\x01\x00\x01b\x00", "\x01\x01\x01\x00\x04\x01\x01t\x02ab\x00"},
		"joins ranges": {"\x00\x01\x05\x02\x03\x02\x01\x02", "\x00\x01\x05\x01\x01\x04"},
	} {
		got, err := rewrite([]byte(v.in))
		if err != nil || !bytes.Equal(got, []byte(v.want)) {
			t.Errorf("%s: got %x, %v; want %x", name, got, err, v.want)
		}
	}
}

func TestNumbers(t *testing.T) {
	for _, v := range []struct {
		in   string
		want uint64
		err  error
	}{
		{"\x00", 0, nil},
		{"\x7f", 127, nil},
		{"\x80\x01", 128, nil},
		{"\xff\xff\xff\xff\xff\x7f", 1<<42 - 1, nil},
		{"\xff\xff\xff\xff\xff\xff\x7f", 1<<49 - 1, nil},
		{"\xff\xff\xff\xff\xff\xff\xff\x0f", maxSafe, nil},
		{"\xff\xff\xff\xff\xff\xff\xff\x1f", 0, ErrNumber},
		{"\x80\x80\x80\x80\x80\x80\x80\x10", 0, ErrNumber},
		{"\x81\x80\x80\x80\x80\x80\x80\x80\x80\x00", 1, nil},
		{"\x81\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00", 0, ErrNumber},
		{"\x80\x80\x80\x80\x80\x80\x80\x80\x01", 0, ErrNumber},
		{"", 0, ErrTruncated},
		{"\x80", 0, ErrTruncated},
		{"\x80\x80\x80\x80\x80\x80", 0, ErrTruncated},
		{"\x80\x80\x80\x80\x80\x80\x80\x80\x80", 0, ErrTruncated},
	} {
		r := reader{buf: []byte(v.in)}
		if got := r.uvarint(); got != v.want || !errors.Is(r.err, v.err) {
			t.Errorf("%x: %d, %v; want %d, %v", v.in, got, r.err, v.want, v.err)
		}
		if v.err == nil && r.remaining() > 0 {
			t.Errorf("%x: %d bytes left", v.in, r.remaining())
		}
	}
	for in, want := range map[string]struct {
		magnitude uint64
		negative  bool
	}{
		"\x00": {0, false}, "\x40": {0, true}, "\x3f": {63, false}, "\x7f": {63, true}, "\xc0\x01": {64, true},
		"\xbf\xff\xff\xff\xff\xff\xff\x1f": {maxSafe, false}, "\xff\xff\xff\xff\xff\xff\xff\x1f": {maxSafe, true},
	} {
		r := reader{buf: []byte(in)}
		if magnitude, negative := r.varint(); magnitude != want.magnitude || negative != want.negative || r.err != nil {
			t.Errorf("%x: %d %v, %v", in, magnitude, negative, r.err)
		}
	}
	r := reader{buf: []byte("\xbf\xff\xff\xff\xff\xff\xff\x3f")}
	if r.varint(); !errors.Is(r.err, ErrNumber) {
		t.Errorf("a signed number of 54 bits: %v", r.err)
	}
	for v := uint64(1); v <= maxSafe; v = v*3 + 1 {
		b := appendUvarint(nil, v)
		r := reader{buf: b}
		if got := r.uvarint(); got != v || len(b) != uvarintLen(v) {
			t.Errorf("%d is read as %d from %x, length %d", v, got, b, uvarintLen(v))
		}
	}
}

func TestCheckJSON(t *testing.T) {
	for text, want := range map[string]error{
		`null`: nil, ` true `: nil, `false`: nil, `0`: nil, `-0`: nil, `1.5e+10`: nil, `""`: nil, `"\u00e9\ud800\n"`: nil,
		`[]`: nil, `{}`: nil, `[ ]`: nil, `{ }`: nil, `[1,[2,{"a":[]}],3]`: nil, `{"a":1,"":{"b":null}}`: nil, "\"\x7f\"": nil,
		``: ErrJSON, ` `: ErrJSON, `nul`: ErrJSON, `nulll`: ErrJSON, `01`: ErrJSON, `1.`: ErrJSON, `.5`: ErrJSON, `+1`: ErrJSON, `1e`: ErrJSON,
		`-`: ErrJSON, `"`: ErrJSON, `"\x"`: ErrJSON, `"\u12"`: ErrJSON, "\"\n\"": ErrJSON, `'a'`: ErrJSON, `[1,]`: ErrJSON, `[,1]`: ErrJSON,
		`[1`: ErrJSON, `[1}`: ErrJSON, `{"a"}`: ErrJSON, `{"a":}`: ErrJSON, `{"a":1,}`: ErrJSON, `{a:1}`: ErrJSON, `{1:1}`: ErrJSON, `[] []`: ErrJSON,
		"\ufeff1": ErrJSON, "\u00a01": ErrJSON, `undefined`: ErrJSON, `NaN`: ErrJSON, `[[[[[1]]]]]`: ErrDepth, `{"a":{"a":{"a":{"a":[]}}}}`: ErrDepth,
	} {
		if err := checkJSON([]byte(text), 4); err != want {
			t.Errorf("%q: %v, want %v", text, err, want)
		}
		if want != ErrDepth && json.Valid([]byte(text)) != (want == nil) {
			t.Errorf("%q: encoding/json does not agree", text)
		}
	}
}
