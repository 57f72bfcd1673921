package yjs

import (
	"errors"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// knownAnswers say what Yjs 13.6.33 reads in knownCases: the root, and its JSON or, with tree set, a part of its tree.
var knownAnswers = []struct {
	root, want string
	tree       bool
}{
	{"t", `"b"`, false},
	{"x", `"<p>a</p>"`, false},
	{"a", `[1,-0]`, false},
	{"m", `{"":1}`, false},
	{"a", `[1,null]`, false},
	{"m", `{}`, false},
	{"a", `"attributes":{"bold":true}`, true},
	{"t", `{"s":"\ud800"}`, true},
}

// TestKnownCasesAreRead reads each case from updates as they come, in reverse, merged, and compacted.
func TestKnownCasesAreRead(t *testing.T) {
	for i, k := range knownCases {
		t.Run(k.name, func(t *testing.T) {
			updates := fromBase64(t, k.updates)
			merged := must[[]byte](t)(Merge(updates...))
			compact := must[[]byte](t)(Compact(merged))
			reversed := slices.Clone(updates)
			slices.Reverse(reversed)
			trees := map[string]bool{}
			for how, updates := range map[string][][]byte{"in order": updates, "reversed": reversed, "merged": {merged}, "compact": {compact}} {
				trees[readKnownCase(t, i, how, updates)] = true
			}
			if len(trees) != 1 {
				t.Errorf("it depends on the way: %v", trees)
			}
		})
	}
}

// readKnownCase compares one case with its answer and returns the tree of its root.
func readKnownCase(t *testing.T, i int, how string, updates [][]byte) string {
	d := NewDoc()
	for _, u := range updates {
		if err := d.Apply(u); err != nil {
			t.Fatal(err)
		}
	}
	answer := knownAnswers[i]
	if p := d.Pending(); !p.IsZero() {
		t.Errorf("%s: pending %v", how, p)
	}
	if got := d.Guess(answer.root); got != rootKinds[answer.root[0]] {
		t.Errorf("%s: the root looks like %v", how, got)
	}
	tree := faithfulTree(d, answer.root)
	if answer.tree {
		if !strings.Contains(tree, answer.want) {
			t.Errorf("%s: %s lacks %s", how, tree, answer.want)
		}
	} else if got, err := d.AppendJSON(nil, answer.root); string(got) != answer.want || err != nil {
		t.Errorf("%s: %s, %v; want %s", how, got, err, answer.want)
	}
	return tree
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
