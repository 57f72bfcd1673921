package yjs

import (
	"bytes"
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
