package yjs

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"testing"
	"text/tabwriter"
	"time"

	ycrdt "github.com/skyterra/y-crdt"
)

// contest is one piece of work that all do with the same bytes.
type contest struct {
	name    string
	task    string // in oracle/bench.mjs
	updates [][]byte
	root    string
	vector  []byte
	places  []float64
	runs    int // of Yjs, after as many to warm up
	prepare func(updates [][]byte) func() error
	other   func(updates [][]byte) // y-crdt, nil where it has no such function or does not come back
}

// TestBenchmarkAgainstYjs prints how long the same work takes here, in warm Yjs, and in y-crdt, in one run. It measures,
// and asserts only that all have done the work. SYMPHONY_BENCH=1 runs it.
func TestBenchmarkAgainstYjs(t *testing.T) {
	if os.Getenv("SYMPHONY_BENCH") != "1" {
		t.Skip("a benchmark of a minute or two: SYMPHONY_BENCH=1 runs it")
	}
	o := sharedOracle(t)
	var out bytes.Buffer
	table := tabwriter.NewWriter(&out, 2, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "work\tbytes\there\tYjs\tYjs/here\ty-crdt\ty-crdt/here\t")
	for _, c := range contests(t) {
		here := c.timeHere(t)
		yjs := c.timeYjs(t, o)
		other, note := c.timeOther()
		ratio := ""
		if note == "" {
			note, ratio = milliseconds(other), fmt.Sprintf("%.1f", float64(other)/float64(here))
		}
		t.Logf("%s: here %v, Yjs %v", c.name, here, yjs) // for those who do not wait for the table
		fmt.Fprintf(table, "%s\t%d\t%s\t%s\t%.1f\t%s\t%s\t\n", c.name, total(c.updates), milliseconds(here), milliseconds(yjs), float64(yjs)/float64(here), note, ratio)
	}
	for _, m := range merges() {
		here, yjs := peakHere(t, m.updates), mergeOnce(t, o, m.updates)
		t.Logf("%s, in a new process: here %v, %d bytes; Yjs %v, %d bytes", m.name, here.time(), here.Peak, yjs.time(), yjs.Peak)
		fmt.Fprintf(table, "%s, in a new process\t%d\t%s\t%s\t%.0f\t\t\t\n", m.name, total(m.updates), milliseconds(here.time()), milliseconds(yjs.time()), yjs.MS/here.MS)
		if here.Peak > 0 {
			fmt.Fprintf(table, "its memory\t\t%.1f MB\t%.1f MB\t%.1f\t\t\t\n", float64(here.Peak)/1e6, float64(yjs.Peak)/1e6, float64(yjs.Peak)/float64(here.Peak))
		}
	}
	table.Flush()
	t.Logf("%s %s, %d CPUs; medians; Yjs 13.6.33 warm in Node\n%s", runtime.Version(), runtime.GOARCH, runtime.NumCPU(), out.String())
}

func milliseconds(d time.Duration) string { return fmt.Sprintf("%.2f ms", float64(d)/1e6) }

// timeHere returns the median of a few runs.
func (c contest) timeHere(t *testing.T) time.Duration {
	var times []time.Duration
	for range max(c.runs, 3) + 1 {
		work := c.prepare(c.updates)
		runtime.GC()
		start := time.Now()
		if err := work(); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		times = append(times, time.Since(start))
	}
	times = times[1:]
	slices.Sort(times)
	return times[len(times)/2]
}

func (c contest) timeYjs(t *testing.T, o *oracle) time.Duration {
	q := map[string]any{"op": "bench", "task": c.task, "updates": c.updates, "root": c.root, "vector": c.vector, "places": c.places, "warm": c.runs, "runs": max(c.runs, 1)}
	return time.Duration(ask[struct{ MS float64 }](t, o, q).MS * 1e6)
}

// timeOther runs y-crdt twice and takes the better.
func (c contest) timeOther() (best time.Duration, note string) {
	if c.other == nil {
		return 0, "-"
	}
	defer func() {
		if r := recover(); r != nil {
			note = "panics"
		}
	}()
	for range 2 {
		start := time.Now()
		c.other(c.updates)
		if d := time.Since(start); best == 0 || d < best {
			best = d
		}
	}
	return best, ""
}

// contests are the pieces of work of the table.
func contests(t *testing.T) []contest {
	apply := func(updates [][]byte) func() error {
		return func() error {
			d := NewDoc()
			for _, u := range updates {
				if err := d.Apply(u); err != nil {
					return err
				}
			}
			return nil
		}
	}
	applyOther := func(updates [][]byte) {
		d := ycrdt.NewDoc("bench", true, nil, nil, false)
		for _, u := range updates {
			ycrdt.ApplyUpdate(d, u, nil)
		}
	}
	first := func(f func([]byte) error) func([][]byte) func() error {
		return func(updates [][]byte) func() error { return func() error { return f(updates[0]) } }
	}
	merge := func(updates [][]byte) func() error {
		return func() error { _, err := Merge(updates...); return err }
	}
	mergeOther := func(updates [][]byte) {
		ycrdt.MergeUpdates(updates, ycrdt.NewUpdateDecoderV1, ycrdt.NewUpdateEncoderV1, true)
	}
	million, half := paragraphs(1<<20, false), paragraphs(1<<20, true)
	vector := must[[]byte](t)(StateVector(paragraphs(1<<19, false)))
	values := manyValues(t, 1<<20)
	text, array := longText(t, 800_000), longArray(t, 100_000)
	places := randomPlaces(5_000)
	return []contest{
		{name: "apply 10,000 single edits", task: "apply", updates: typist(10_000, 3), root: "text", runs: 5, prepare: apply, other: applyOther},
		{name: "apply 80,000 single edits", task: "apply", updates: typist(80_000, 3), root: "text", runs: 2, prepare: apply},
		{name: "apply 1 MB at once", task: "apply", updates: [][]byte{million}, root: "x", runs: 5, prepare: apply},
		{name: "apply 5,000 deletes in a text of 800 KB", task: "apply", updates: append([][]byte{text}, deletesIn(text, 5_000)...), root: "t", runs: 2, prepare: apply},
		{name: "apply 5,000 inserts in an array of 100,000", task: "apply", updates: append([][]byte{array}, insertsIn(array, 5_000)...), root: "a", runs: 2, prepare: apply},
		{name: "delete 5,000 characters by index in 800 KB", task: "deleteText", updates: [][]byte{text}, places: places, runs: 2, prepare: writeMany(places, func(tx *Tx, p float64) error {
			return tx.Text("t").Delete(int(p*float64(tx.Text("t").Len())), 1)
		})},
		{name: "insert 5,000 elements by index in 100,000", task: "insertArray", updates: [][]byte{array}, places: places, runs: 2, prepare: writeMany(places, func(tx *Tx, p float64) error {
			return tx.Array("a").Insert(int(p*float64(tx.Array("a").Len()+1)), 1)
		})},
		{name: "merge 1,000 small updates into 500 KB", task: "merge", updates: mergeInto500KB(), runs: 3, prepare: merge, other: mergeOther},
		{name: "diff of 1 MB", task: "diff", updates: [][]byte{million}, vector: vector, runs: 5, prepare: first(func(u []byte) error { _, err := Diff(u, vector); return err }),
			other: func(u [][]byte) { ycrdt.DiffUpdate(u[0], vector) }},
		{name: "state vector of 1 MB", task: "vector", updates: [][]byte{million}, runs: 5, prepare: first(func(u []byte) error { _, err := StateVector(u); return err }),
			other: func(u [][]byte) { ycrdt.EncodeStateVectorFromUpdate(u[0]) }},
		{name: "compact 1 MB, half of it deleted", task: "compact", updates: [][]byte{half}, runs: 5, prepare: first(func(u []byte) error { _, err := Compact(u); return err })},
		{name: "read 1 MB of values as JSON", task: "read", updates: [][]byte{values}, root: "a", runs: 5, prepare: first(func(u []byte) error {
			d := NewDoc()
			if err := d.Apply(u); err != nil {
				return err
			}
			_, err := d.Array("a").AppendJSON(nil)
			return err
		})},
		{name: "read 1 MB of XML", task: "read", updates: [][]byte{renamed(t, million)}, root: "x", runs: 5, prepare: first(func(u []byte) error {
			d := NewDoc()
			if err := d.Apply(u); err != nil {
				return err
			}
			_, err := d.XML("x").AppendJSON(nil)
			return err
		})},
	}
}

// writeMany prepares a document and edits it in one transaction an edit, as Yjs does outside of transact.
func writeMany(places []float64, edit func(*Tx, float64) error) func([][]byte) func() error {
	return func(updates [][]byte) func() error {
		d := NewDoc()
		for _, u := range updates {
			if err := d.Apply(u); err != nil {
				return func() error { return err }
			}
		}
		return func() error {
			for _, p := range places {
				if _, err := d.Transact(77, func(tx *Tx) error { return edit(tx, p) }); err != nil {
					return err
				}
			}
			return nil
		}
	}
}

func randomPlaces(n int) []float64 {
	r := rand.New(rand.NewPCG(1, 2))
	places := make([]float64, n)
	for i := range places {
		places[i] = r.Float64()
	}
	return places
}

// mergeInto500KB is a state of 500 KB and 1,000 edits that come after it.
func mergeInto500KB() [][]byte {
	return append([][]byte{paragraphs(500_000, false)}, typist(1_000, 5)...)
}

// write returns the update of one transaction on an empty document.
func write(t *testing.T, edit func(*Tx) error) []byte {
	return must[[]byte](t)(NewDoc().Transact(5, edit))
}

// longText is one item of text, some of it not ASCII.
func longText(t *testing.T, bytes int) []byte {
	line := "The quick brown fox jumps over the lazy dog, déjà vu. "
	return write(t, func(tx *Tx) error { return tx.Text("t").Insert(0, strings.Repeat(line, bytes/len(line))) })
}

// longArray is one item of n numbers.
func longArray(t *testing.T, n int) []byte {
	values := make([]any, n)
	for i := range values {
		values[i] = i
	}
	return write(t, func(tx *Tx) error { return tx.Array("a").Insert(0, values...) })
}

// manyValues is maps and arrays of values, about size bytes.
func manyValues(t *testing.T, size int) []byte {
	return write(t, func(tx *Tx) error {
		for i := 0; i < size/110; i++ {
			err := tx.Array("a").Push(map[string]any{"id": i, "name": "shape " + strconv.Itoa(i), "x": float64(i) * 1.25, "tags": []any{"a", "b", nil}, "done": i%2 == 0},
				MapOf{"text": TextOf("note ü"), "n": i})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// deletesIn is updates that delete one random character of a text each.
func deletesIn(update []byte, n int) [][]byte {
	state, _ := stateOf(update, DefaultLimits())
	r := rand.New(rand.NewPCG(3, 4))
	updates := make([][]byte, n)
	for i := range updates {
		clock := r.Uint64N(state[0].clock)
		updates[i] = deleteSet{{state[0].client, clock, clock + 1}}.appendTo([]byte{0})
	}
	return updates
}

// insertsIn is updates that insert one number at a random place of an array each.
func insertsIn(update []byte, n int) [][]byte {
	state, _ := stateOf(update, DefaultLimits())
	r := rand.New(rand.NewPCG(5, 6))
	updates := make([][]byte, n)
	for i := range updates {
		clock := r.Uint64N(state[0].clock - 1)
		w := newUpdateWriter(32)
		w.add(&block{
			client: 9, clock: uint64(i), length: 1, ref: refAny, content: []byte{anyNull},
			hasOrigin: true, origin: ID{state[0].client, clock}, hasRight: true, right: ID{state[0].client, clock + 1},
		})
		updates[i] = w.finish(nil)
	}
	return updates
}

// renamed puts the root "doc" of an update under the name "x".
func renamed(t *testing.T, update []byte) []byte {
	u := newUpdateReader(update, DefaultLimits())
	w := newUpdateWriter(len(update))
	var b block
	for u.nextClient() {
		for u.next(&b) {
			if b.parent == parentRoot {
				b.parentName = []byte("x")
			}
			w.add(&b)
		}
	}
	if err := u.finish(); err != nil {
		t.Fatal(err)
	}
	return w.finish(nil)
}

// merges are merged once in processes that do nothing else, to see how much memory that takes. Yjs takes a minute for
// 40,000 updates, so that is done only once, too.
func merges() []contest {
	return []contest{
		{name: "merge 1,000 small updates into 500 KB", updates: mergeInto500KB()},
		{name: "merge 40,000 single edits", updates: typist(40_000, 4)},
	}
}

// mergedOnce is how long a merge took and by how much the resident size of the process grew.
type mergedOnce struct {
	MS   float64 `json:"ms"`
	Peak int64   `json:"peak"`
}

func (m mergedOnce) time() time.Duration { return time.Duration(m.MS * 1e6) }

func mergeOnce(t *testing.T, o *oracle, updates [][]byte) mergedOnce {
	return ask[mergedOnce](t, o, map[string]any{"op": "bench", "task": "mergeOnce", "updates": updates})
}

// peakHere merges in a process of this test binary.
func peakHere(t *testing.T, updates [][]byte) mergedOnce {
	cmd := exec.Command(os.Args[0], "-test.run=^TestMergeInChild$")
	cmd.Env = append(os.Environ(), "SYMPHONY_BENCH_CHILD=1")
	var in bytes.Buffer
	for _, u := range updates {
		in.WriteString(base64.StdEncoding.EncodeToString(u) + "\n")
	}
	cmd.Stdin = &in
	out, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	var m mergedOnce
	line, _, _ := bytes.Cut(out, []byte("\n"))
	if err := json.Unmarshal(line, &m); err != nil {
		t.Fatalf("%v in %q", err, out)
	}
	return m
}

// TestMergeInChild is the process that peakHere starts.
func TestMergeInChild(t *testing.T) {
	if os.Getenv("SYMPHONY_BENCH_CHILD") != "1" {
		t.Skip("it is part of TestBenchmarkAgainstYjs")
	}
	var updates [][]byte
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 64<<20)
	for in.Scan() {
		u, err := base64.StdEncoding.DecodeString(in.Text())
		if err != nil {
			t.Fatal(err)
		}
		updates = append(updates, u)
	}
	if _, err := Merge(updates[:2]...); err != nil { // code that is loaded once does not count, there neither
		t.Fatal(err)
	}
	debug.FreeOSMemory()
	before := resident("VmRSS")
	if err := os.WriteFile("/proc/self/clear_refs", []byte("5"), 0); err != nil && before > 0 {
		t.Fatal(err) // else the largest size is that of reading the updates
	}
	start := time.Now()
	if _, err := Merge(updates...); err != nil {
		t.Fatal(err)
	}
	m := mergedOnce{MS: float64(time.Since(start)) / 1e6, Peak: resident("VmHWM") - before}
	if err := json.NewEncoder(os.Stdout).Encode(m); err != nil {
		t.Fatal(err)
	}
}

// resident returns a line of /proc/self/status in bytes, zero where there is no such file.
func resident(name string) int64 {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0
	}
	_, rest, _ := strings.Cut(string(status), name+":")
	fields := strings.Fields(rest)
	if len(fields) == 0 {
		return 0
	}
	n, _ := strconv.ParseInt(fields[0], 10, 64)
	return n << 10
}
