package yjs

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"testing"

	ycrdt "github.com/skyterra/y-crdt"
)

// typist makes updates the way an editor does: one for each keystroke, of several clients, at the end of their own text
// or, one time in ten, at a random place in it.
func typist(n, clients int) [][]byte {
	r := rand.New(rand.NewPCG(uint64(n), uint64(clients)))
	clocks := make([]uint64, clients)
	updates := make([][]byte, n)
	for i := range updates {
		c := r.IntN(clients)
		clock := clocks[c]
		clocks[c]++
		b := block{client: uint64(1_000_000_007 * (c + 1)), clock: clock, length: 1, ref: refString, content: []byte{byte('a' + r.IntN(26))}}
		switch {
		case clock == 0:
			b.parent, b.parentName = parentRoot, []byte("text")
		case clock > 1 && r.IntN(10) == 0:
			at := r.Uint64N(clock - 1)
			b.hasOrigin, b.origin, b.hasRight, b.right = true, ID{b.client, at}, true, ID{b.client, at + 1}
		default:
			b.hasOrigin, b.origin = true, ID{b.client, clock - 1}
		}
		w := newUpdateWriter(32)
		w.add(&b)
		updates[i] = slices.Clip(w.finish(nil))
	}
	return updates
}

// paragraphs makes one update of about size bytes: XML elements with attributes and text, values, and every other
// paragraph deleted when deleted is true.
func paragraphs(size int, deleted bool) []byte {
	w := newUpdateWriter(size)
	var deletes []deleteRange
	const client = 4_000_000_000
	clock := uint64(0)
	last := ID{}
	add := func(b block) ID {
		b.client, b.clock = client, clock
		if b.length == 0 {
			b.length = 1
		}
		w.add(&b)
		clock = b.end()
		return ID{client, b.clock}
	}
	for i := 0; len(w.out) < size; i++ {
		from := clock
		p := block{ref: refType, content: []byte("\x03\x09paragraph"), parent: parentRoot, parentName: []byte("doc")}
		if i > 0 {
			p.parent, p.parentName, p.hasOrigin, p.origin = parentCopied, nil, true, last
		}
		last = add(p)
		add(block{ref: refAny, content: []byte("\x77\x06center"), parent: parentItem, parentID: last, hasSub: true, sub: []byte("align")})
		text := add(block{ref: refType, content: []byte{typeXMLText}, parent: parentItem, parentID: last})
		words := bytes.Repeat([]byte("lorem ipsum dolor 😀 sit amet "), 1+i%4)
		line := add(block{ref: refString, content: words, length: uint64(utf16Len(words)), parent: parentItem, parentID: text})
		add(block{ref: refFormat, content: []byte("\x04bold\x04true"), hasOrigin: true, origin: ID{client, line.Clock + 4}, hasRight: true, right: ID{client, line.Clock + 5}})
		if deleted && i%2 == 1 {
			deletes = append(deletes, deleteRange{client, from, clock})
		}
	}
	return w.finish(normalise(deletes))
}

func must[T any](b testing.TB) func(T, error) T {
	return func(v T, err error) T {
		b.Helper()
		if err != nil {
			b.Fatal(err)
		}
		return v
	}
}

func total(updates [][]byte) int64 {
	n := 0
	for _, u := range updates {
		n += len(u)
	}
	return int64(n)
}

func BenchmarkValidate(b *testing.B) {
	doc := paragraphs(1<<20, false)
	b.SetBytes(int64(len(doc)))
	for b.Loop() {
		if err := Validate(doc); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkMerge(b *testing.B) {
	doc := must[[]byte](b)(Merge(typist(200_000, 3)...))
	for _, v := range []struct {
		name    string
		updates [][]byte
	}{
		{"1000 small into 500 KB", append([][]byte{paragraphs(500_000, false)}, typist(1000, 3)...)},
		{"40000 small", typist(40_000, 5)},
		{"40000 small of 2000 clients", typist(40_000, 2000)},
		{"the same 1 MB twice", [][]byte{doc, doc}},
	} {
		b.Run(v.name, func(b *testing.B) {
			b.SetBytes(total(v.updates))
			b.ReportAllocs()
			for b.Loop() {
				must[[]byte](b)(Merge(v.updates...))
			}
		})
		b.Run(v.name+", y-crdt", func(b *testing.B) {
			if len(v.updates) > 10_000 {
				b.Skip("takes minutes: it sorts all decoders for each struct")
			}
			b.SetBytes(total(v.updates))
			b.ReportAllocs()
			for b.Loop() {
				ycrdt.MergeUpdates(v.updates, ycrdt.NewUpdateDecoderV1, ycrdt.NewUpdateEncoderV1, true)
			}
		})
	}
}

func BenchmarkStateVector(b *testing.B) {
	doc := paragraphs(1<<20, false)
	b.Run("1 MB", func(b *testing.B) {
		b.SetBytes(int64(len(doc)))
		for b.Loop() {
			must[[]byte](b)(StateVector(doc))
		}
	})
	b.Run("1 MB, y-crdt", func(b *testing.B) {
		b.SetBytes(int64(len(doc)))
		for b.Loop() {
			ycrdt.EncodeStateVectorFromUpdate(doc)
		}
	})
}

func BenchmarkDiff(b *testing.B) {
	doc := paragraphs(1<<20, true)
	state := must[stateVector](b)(stateOf(doc, DefaultLimits()))
	for name, clock := range map[string]uint64{"all of 1 MB": 0, "half of 1 MB": state[0].clock / 2, "none of 1 MB": state[0].clock} {
		vector := EncodeStateVector(map[uint64]uint64{state[0].client: clock})
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(doc)))
			b.ReportAllocs()
			for b.Loop() {
				must[[]byte](b)(Diff(doc, vector))
			}
		})
	}
}

func BenchmarkCompact(b *testing.B) {
	for name, doc := range map[string][]byte{"1 MB half deleted": paragraphs(1<<20, true), "1 MB with nothing deleted": paragraphs(1<<20, false)} {
		b.Run(name, func(b *testing.B) {
			b.SetBytes(int64(len(doc)))
			b.ReportAllocs()
			for b.Loop() {
				must[[]byte](b)(Compact(doc))
			}
		})
	}
}

func BenchmarkSplit(b *testing.B) {
	doc := paragraphs(1<<20, true)
	b.SetBytes(int64(len(doc)))
	b.ReportAllocs()
	for b.Loop() {
		must[[][]byte](b)(Split(doc, 96_000))
	}
}

func BenchmarkVerifyCompaction(b *testing.B) {
	for _, v := range []struct {
		name   string
		inputs [][]byte
	}{
		{"1 MB half deleted", [][]byte{paragraphs(1<<20, true)}},
		{"40000 small", typist(40_000, 5)},
	} {
		result := must[[]byte](b)(Compact(must[[]byte](b)(Merge(v.inputs...))))
		b.Run(v.name, func(b *testing.B) {
			b.SetBytes(total(v.inputs))
			b.ReportAllocs()
			for b.Loop() {
				if err := VerifyCompaction(v.inputs, result); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkTraps: shapes in which a careless engine is quadratic, at two sizes. The time for each byte has to stay.
func BenchmarkTraps(b *testing.B) {
	for _, n := range []int{10_000, 80_000} {
		for name, f := range map[string]func(n int) func() error{
			"deletes in a long string": func(n int) func() error { return compactString(b, "x", n) },
			"deletes that cut pairs":   func(n int) func() error { return compactString(b, "😀", n) },
			"verify against one string": func(n int) func() error {
				inputs := typist(n, 1)
				result := must[[]byte](b)(Merge(inputs...))
				return func() error { return VerifyCompaction(inputs, result) }
			},
			"split a long string": func(n int) func() error {
				text := bytes.Repeat([]byte("ä"), 10*n)
				u := append(appendVarBytes([]byte("\x01\x01\x01\x00\x04\x01\x01t"), text), 0)
				return func() error { _, err := Split(u, 1000); return err }
			},
			"merge overlapping windows": func(n int) func() error {
				doc := must[[]byte](b)(Merge(typist(n, 1)...))
				var windows [][]byte
				for at := 0; at < n; at += n / 100 {
					windows = append(windows, must[[]byte](b)(Diff(doc, EncodeStateVector(map[uint64]uint64{1_000_000_007: uint64(at)}))))
				}
				return func() error { _, err := Merge(windows...); return err }
			},
			"GC and items by turns": func(n int) func() error {
				gc := append(appendUvarint([]byte("\x01\x01\x01\x00\x00"), uint64(2*n)), 0)
				inputs := [][]byte{gc}
				for i := range n {
					u := appendUvarint([]byte{1, 1, 1}, uint64(2*i+1))
					inputs = append(inputs, append(appendUvarint(append(u, 0x84, 1), uint64(2*i)), 1, 'a', 0))
				}
				return func() error { _, err := Merge(inputs...); return err }
			},
		} {
			run := f(n)
			b.Run(fmt.Sprintf("%s/%d", name, n), func(b *testing.B) {
				b.ReportAllocs()
				for b.Loop() {
					if err := run(); err != nil {
						b.Fatal(err)
					}
				}
				b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(n), "ns/unit")
			})
		}
	}
}

// compactString compacts one string of n characters with every other UTF-16 code unit deleted by itself.
func compactString(b *testing.B, character string, n int) func() error {
	text := bytes.Repeat([]byte(character), n)
	u := appendVarBytes([]byte("\x01\x01\x01\x00\x04\x01\x01t"), text)
	u = appendUvarint(append(u, 1, 1), uint64(n/2))
	for i := range n / 2 {
		u = append(appendUvarint(u, uint64(2*i+1)), 1)
	}
	if err := Validate(u); err != nil {
		b.Fatal(err)
	}
	return func() error { _, err := Compact(u); return err }
}

// TestMemoryGrowsWithInput: what is allocated in all grows no faster than the input.
func TestMemoryGrowsWithInput(t *testing.T) {
	for name, f := range map[string]func(n int) (int, func()){
		"merge": func(n int) (int, func()) {
			u := typist(n, 5)
			return int(total(u)), func() { must[[]byte](t)(Merge(u...)) }
		},
		"merge twice the same": func(n int) (int, func()) {
			u := must[[]byte](t)(Merge(typist(n, 5)...))
			return 2 * len(u), func() { must[[]byte](t)(Merge(u, u)) }
		},
		"compact": func(n int) (int, func()) {
			u := paragraphs(10*n, true)
			return len(u), func() { must[[]byte](t)(Compact(u)) }
		},
		"diff": func(n int) (int, func()) {
			u := paragraphs(10*n, true)
			return len(u), func() { must[[]byte](t)(Diff(u, []byte{0})) }
		},
		"split": func(n int) (int, func()) {
			u := paragraphs(10*n, true)
			return len(u), func() { must[[][]byte](t)(Split(u, 5000)) }
		},
	} {
		var perByte []float64
		for _, n := range []int{5_000, 40_000} {
			size, run := f(n)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			run()
			runtime.ReadMemStats(&after)
			perByte = append(perByte, float64(after.TotalAlloc-before.TotalAlloc)/float64(size))
		}
		t.Logf("%s: %.1f bytes allocated per byte of input, %.1f for eight times the input", name, perByte[0], perByte[1])
		if perByte[1] > 2*perByte[0]+1 || perByte[1] > 20 {
			t.Errorf("%s allocates %.1f bytes per byte, %.1f for eight times the input", name, perByte[0], perByte[1])
		}
	}
}

func ExampleMerge() {
	first := []byte("\x01\x01\x01\x00\x04\x01\x04text\x03Yjs\x00") // client 1 inserts "Yjs" into the text "text"
	second := []byte("\x01\x01\x01\x03\x84\x01\x02\x01!\x00")      // and "!" behind it
	merged, err := Merge(second, first)
	fmt.Printf("%q %v\n", merged, err)
	// Output: "\x01\x01\x01\x00\x04\x01\x04text\x04Yjs!\x00" <nil>
}
