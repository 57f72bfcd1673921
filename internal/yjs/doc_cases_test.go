package yjs

import (
	"errors"
	"runtime"
	"strings"
	"testing"
)

// studyCases are what another implementation was seen to get wrong. The answers are those of Yjs 13.6.33.
var studyCases = []struct {
	name, updates, root, want string
}{
	{"B1 a delete arrives before its insert", "AAEBAQAB | AQEBAAQBAXQCYWIA", "t", `"b"`},
	{"B2 an edit of an XML element that is there", "AQEBAAcBAXgDAXAA | AQIBAQcAAQAGBAABAQFhAA==", "x", `"<p>a</p>"`},
	{"B3 negative zero", "AQEBAAgBAWEBfUAA | AQEBAUgBAAF9AQA=", "a", `[1,-0]`},
	{"B4 a map key of length zero", "AQEBACgBAW0AAX0BAA== | AQEBAQgBAWEBfQEA", "m", `{"":1}`},
	{"B5 null in ContentJSON", "AQEBAAIBAWEBBG51bGwA | AQEBAUgBAAF9AQA=", "a", `[1,null]`},
	{"B6 a deleted type takes what is in it along", "AQEBACcBAW0BawEA | AQECACgAAQAFY2hpbGQBdwZzZWNyZXQA | AAEBAQAB", "m", `{}`},
	{"B7 nested formats", "AQMBAAcBAWECBwABAAGEAQEBeAA= | AQIBA0YBAQRib2xkBHRydWXGAQEBAgRib2xkBG51bGwA", "a", ``},
	{"B8 a lone surrogate in an embed", "AQEBAAUBAXQOeyJzIjoiXHVkODAwIn0A | AQEBAUQBAAFhAA==", "t", ``},
}

// TestStudyCases reads each case, from updates as they come, in reverse, merged, and compacted.
func TestStudyCases(t *testing.T) {
	for _, c := range studyCases {
		t.Run(c.name, func(t *testing.T) {
			updates := fromBase64(t, c.updates)
			merged, err := Merge(updates...)
			if err != nil {
				t.Fatal(err)
			}
			compact, err := Compact(merged)
			if err != nil {
				t.Fatal(err)
			}
			reversed := [][]byte{}
			for _, u := range updates {
				reversed = append([][]byte{u}, reversed...)
			}
			first := ""
			for how, updates := range map[string][][]byte{"in order": updates, "reversed": reversed, "merged": {merged}, "compact": {compact}} {
				d := NewDoc()
				for _, u := range updates {
					if err := d.Apply(u); err != nil {
						t.Fatal(err)
					}
				}
				if p := d.Pending(); !p.IsZero() {
					t.Errorf("%s: pending %v", how, p)
				}
				if d.Guess(c.root) != rootKinds[c.root[0]] {
					t.Errorf("%s: the root looks like %v", how, d.Guess(c.root))
				}
				got := faithfulTree(d, c.root)
				if first == "" {
					first = got
				} else if got != first {
					t.Errorf("%s: %s, another way %s", how, got, first)
				}
				if c.want != "" {
					if got, err := d.AppendJSON(nil, c.root); string(got) != c.want || err != nil {
						t.Errorf("%s: %s, %v; want %s", how, got, err, c.want)
					}
				}
			}
			t.Log(first)
		})
	}
	d := NewDoc()
	for _, u := range fromBase64(t, studyCases[6].updates) {
		if err := d.Apply(u); err != nil {
			t.Fatal(err)
		}
	}
	text, isText := d.Array("a").Get(0).(*Text)
	if !isText {
		t.Fatal("B7: no nested text")
	}
	if got := string(tree(nil, text)); !strings.Contains(got, `"attributes":{"bold":true}`) {
		t.Errorf("B7: bold is lost: %s", got)
	}
	d = NewDoc()
	for _, u := range fromBase64(t, studyCases[7].updates) {
		if err := d.Apply(u); err != nil {
			t.Fatal(err)
		}
	}
	if got := faithfulTree(d, "t"); !strings.Contains(got, `{"s":"\ud800"}`) {
		t.Errorf("B8: the surrogate is lost: %s", got)
	}
	if got := d.Encode(); !strings.Contains(string(got), `{"s":"\ud800"}`) {
		t.Errorf("B8: the surrogate is not encoded: %q", got)
	}
}

// faithfulTree describes a root with all that is in it.
func faithfulTree(d *Doc, name string) string {
	r := rootAs(d, name)
	return string(tree(nil, r.handle(r.branch)))
}

// hostileUpdates are short inputs that hang or kill other implementations, and long ones made to.
func hostileUpdates(t testing.TB) map[string][]byte {
	nested := append([]byte{1, 1, 1, 0, 8, 1, 1, 'a', 1}, []byte(strings.Repeat("u\x01", 4<<20))...)
	object := append([]byte{1, 1, 1, 0, 8, 1, 1, 'a', 1}, []byte(strings.Repeat("v\x01\x00", 2<<20))...)
	embed := []byte(strings.Repeat("[", 8<<20))
	return map[string][]byte{
		"endless loop":          fromBase64(t, "/////////38=")[0],
		"34 GB":                 fromBase64(t, "AQEBAAMBAWH/////fwA=")[0],
		"4.3 GB":                fromBase64(t, "AQEBAAgBAWEBdf///38A")[0],
		"8 MB of arrays":        append(nested, 0, 0),
		"6 MB of objects":       append(object, 0, 0),
		"8 MB of JSON arrays":   append(appendVarBytes([]byte{1, 1, 1, 0, 5, 1, 1, 't'}, embed), 0),
		"many clients":          {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f},
		"many deletes":          {0, 1, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f},
		"clock beyond 2^53":     {1, 1, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f, 0, 1, 0},
		"length beyond 2^53":    {1, 1, 1, 1, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f, 0},
		"an item in itself":     {1, 1, 1, 0, 0x27, 0, 1, 0, 1, 'k', 1, 0},
		"trailing byte":         {0, 0, 0},
		"nothing":               {},
		"a number that is long": append([]byte(strings.Repeat("\x80", 1<<20)), 0),
	}
}

// TestHostileUpdates: a typed error, the document as it was, and little memory.
func TestHostileUpdates(t *testing.T) {
	for name, update := range hostileUpdates(t) {
		t.Run(name, func(t *testing.T) {
			d := NewDoc()
			before := allocated()
			err := d.Apply(update)
			used := allocated() - before
			var decode *DecodeError
			if !errors.As(err, &decode) {
				t.Fatalf("%v is no *DecodeError", err)
			}
			if used > 10<<20 {
				t.Errorf("%d bytes allocated", used)
			}
			if got := d.Encode(); string(got) != "\x00\x00" || !d.Pending().IsZero() {
				t.Errorf("the document has changed: %x", got)
			}
		})
	}
}

// allocated is the number of bytes allocated so far.
func allocated() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.TotalAlloc
}
