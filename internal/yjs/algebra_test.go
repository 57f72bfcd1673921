package yjs

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// TestDifferentialAlgebra plays random sessions with real Yjs and holds every function on updates to what Yjs makes of
// the same updates, delivered in order, shuffled, doubled, with gaps and partly merged. SYMPHONY_FUZZ_SESSIONS is how
// many (300), SYMPHONY_FUZZ_SEED where to begin (random).
func TestDifferentialAlgebra(t *testing.T) {
	o := sharedOracle(t)
	sessions := envInt(t, "SYMPHONY_FUZZ_SESSIONS", 300)
	first := envInt(t, "SYMPHONY_FUZZ_SEED", int(rand.Uint32N(1<<30)))
	t.Logf("sessions %d to %d", first, first+sessions-1)
	const atOnce = 10
	for seed := first; seed < first+sessions; seed += atOnce {
		seeds := make([]int, 0, atOnce)
		for s := seed; s < min(seed+atOnce, first+sessions); s++ {
			seeds = append(seeds, s)
		}
		for i, s := range ask[[]session](t, o, map[string]any{"op": "sessions", "seeds": seeds, "steps": 30 + seed%60}) {
			c := algebraCase{T: t, o: o, r: rand.New(rand.NewPCG(uint64(seeds[i]), 7)), session: s}
			c.check()
			if t.Failed() {
				t.Fatalf("in session %d: SYMPHONY_FUZZ_SEED=%d SYMPHONY_FUZZ_SESSIONS=%d", seeds[i], seed, atOnce)
			}
		}
	}
}

// envInt reads a number from the environment.
func envInt(t testing.TB, name string, fallback int) int {
	v := os.Getenv(name)
	if v == "" {
		return fallback
	}
	n, err := strconv.Atoi(v)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// algebraCase is one session and one way to deliver it.
type algebraCase struct {
	*testing.T
	o       *oracle
	r       *rand.Rand
	session session

	given  [][]byte // what is delivered
	later  [][]byte // what comes afterwards
	merged []byte
}

func (c *algebraCase) check() {
	if len(c.session.Updates) == 0 {
		return
	}
	c.deliver()
	for i, u := range c.given {
		if err := Validate(u); err != nil {
			c.Errorf("update %d of %d: %v", i, len(c.given), err)
			return
		}
	}
	var err error
	if c.merged, err = Merge(c.given...); err != nil {
		c.Errorf("merge: %v", err)
		return
	}
	c.checkMergeAndCompact()
	c.checkVectorsAndDiffs()
	c.checkRelations()
	c.checkSplit()
	c.checkV2()
}

// deliver chooses what comes in which order.
func (c *algebraCase) deliver() {
	r := c.r
	out := append([][]byte(nil), c.session.Updates...)
	if r.IntN(2) == 0 {
		out = append(out, c.session.States...)
	}
	c.later = c.session.Updates[r.IntN(len(c.session.Updates)):]
	shuffle := func() { r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] }) }
	switch r.IntN(6) {
	case 0: // in order
	case 1:
		shuffle()
	case 2: // gaps
		kept := out[:0]
		for _, u := range out {
			if r.IntN(8) > 0 {
				kept = append(kept, u)
			}
		}
		out = kept
	case 3: // doubled and shuffled
		for range len(out) / 3 {
			out = append(out, out[r.IntN(len(out))])
		}
		shuffle()
	case 4: // the beginning merged by us, and part of it again
		n := r.IntN(len(out) + 1)
		if m, err := Merge(out[:n]...); err == nil {
			out = append([][]byte{m}, out[n/2:]...)
		}
	case 5: // a compacted beginning between the rest
		n := r.IntN(len(out) + 1)
		m, err := Merge(out[:n]...)
		if err == nil {
			m, err = Compact(m)
		}
		if err == nil {
			out = append([][]byte{m}, out[n/2:]...)
			shuffle()
		}
	}
	if len(out) == 0 {
		out = c.session.Updates[:1]
	}
	c.given = out
}

var wantHash = map[string]any{"hash": true}

// checkMergeAndCompact compares documents that load our merge, and our compaction of it, with one that loads Yjs's.
func (c *algebraCase) checkMergeAndCompact() {
	theirs := ask[[]byte](c, c.o, map[string]any{"op": "merge", "updates": c.given})
	compact, err := Compact(c.merged)
	if err != nil {
		c.Errorf("compact: %v", err)
		return
	}
	for name, u := range map[string][]byte{"merge": c.merged, "compact": compact} {
		if err := Validate(u); err != nil {
			c.Errorf("%s: %v", name, err)
		}
		if err := VerifyCompaction(c.given, u); err != nil {
			c.Errorf("verify %s: %v", name, err)
		}
	}
	again, err := Compact(compact)
	if err != nil || !bytes.Equal(again, compact) {
		c.Errorf("compacting twice changes the update (%v)", err)
	}
	lists := [][][]byte{{theirs}, {c.merged}, {compact}}
	for i := range 3 {
		lists = append(lists, append(lists[i : i+1 : i+1][0], c.later...))
	}
	var loads []any
	for _, updates := range lists {
		loads = append(loads, map[string]any{"updates": updates, "want": wantHash})
	}
	got := ask[[]loaded](c, c.o, map[string]any{"op": "loads", "loads": loads})
	for i, what := range []string{"merge", "compact"} {
		c.same(what, lists[0], lists[1+i], got[0], got[1+i])
		c.same(what+" and later updates", lists[3], lists[4+i], got[3], got[4+i])
	}
}

// same compares two documents. Where a surrogate pair has been split in some update, it may be whole in one document and
// split in the other.
func (c *algebraCase) same(what string, wantOf, gotOf [][]byte, want, got loaded) {
	if want.Exact == got.Exact || want.Relaxed == got.Relaxed && c.hasSplitPair() {
		return
	}
	c.Errorf("%s: Yjs makes another document of it", what)
	wantAll := map[string]any{"dump": true}
	a := ask[loaded](c, c.o, map[string]any{"op": "load", "updates": wantOf, "want": wantAll}).Dump
	b := ask[loaded](c, c.o, map[string]any{"op": "load", "updates": gotOf, "want": wantAll}).Dump
	c.explain("struct", a.Structs, b.Structs)
	c.explain("order", a.Order, b.Order)
	c.explain("pending", a.Pending, b.Pending)
}

// equal compares two updates. Where Yjs has written a value anew it may be spelled differently, members that set a
// prototype being lost, so what Yjs makes of both counts in the end.
func (c *algebraCase) equal(what string, got, want []byte) {
	equal, err := Equal(got, want)
	if err != nil {
		c.Errorf("%s: %v", what, err)
	}
	if equal {
		return
	}
	both := ask[[]loaded](c, c.o, map[string]any{"op": "loads", "loads": []any{
		map[string]any{"updates": [][]byte{want}, "want": wantHash},
		map[string]any{"updates": [][]byte{got}, "want": wantHash},
	}})
	if both[0].Exact != both[1].Exact {
		c.same(what, [][]byte{want}, [][]byte{got}, both[0], both[1])
		c.Errorf("%s differs: %x, want %x", what, got, want)
	}
}

func (c *algebraCase) hasSplitPair() bool {
	for _, u := range c.given {
		if bytes.Contains(u, []byte(replacement)) {
			return true
		}
	}
	return false
}

// explain logs the lines that only one of two lists has.
func (c *algebraCase) explain(what string, want, got []string) {
	count := map[string]int{}
	for _, line := range want {
		count[line]++
	}
	for _, line := range got {
		count[line]--
	}
	for line, n := range count {
		if n > 0 {
			c.Logf("%s lost: %s", what, line)
		} else if n < 0 {
			c.Logf("%s new: %s", what, line)
		}
	}
}

// checkVectorsAndDiffs compares state vectors and diffs of the merge with those of Yjs.
func (c *algebraCase) checkVectorsAndDiffs() {
	updates := append([][]byte{c.merged}, c.given...)
	vectors := append([][]byte(nil), c.session.Vectors...)
	for i, want := range ask[[][]byte](c, c.o, map[string]any{"op": "vectors", "updates": updates}) {
		got, err := StateVector(updates[i])
		if err != nil || !bytes.Equal(got, want) {
			c.Errorf("state vector %d: %x, %v; want %x", i, got, err, want)
		}
		vectors = append(vectors, got)
	}
	c.r.Shuffle(len(vectors), func(i, j int) { vectors[i], vectors[j] = vectors[j], vectors[i] })
	vectors = vectors[:min(len(vectors), 8)]
	for i, want := range ask[[][]byte](c, c.o, map[string]any{"op": "diff", "update": c.merged, "vectors": vectors}) {
		got, err := Diff(c.merged, vectors[i])
		if err != nil {
			c.Errorf("diff: %v", err)
			continue
		}
		c.equal("diff", got, want)
	}
}

// checkRelations holds Equal, Contains, Intersects and IsEmpty to what has to be so.
func (c *algebraCase) checkRelations() {
	truth := func(what string, got bool, err error) {
		if !got || err != nil {
			c.Errorf("%s: %v, %v", what, got, err)
		}
	}
	ordered := append([][]byte(nil), c.given...)
	c.r.Shuffle(len(ordered), func(i, j int) { ordered[i], ordered[j] = ordered[j], ordered[i] })
	other, err := Merge(ordered...)
	if err != nil {
		c.Errorf("merge: %v", err)
	}
	if !c.hasSplitPair() {
		c.equal("merging in another order", other, c.merged)
	}
	theirs := ask[[]byte](c, c.o, map[string]any{"op": "merge", "updates": [][]byte{other, {0, 0}}})
	c.equal("written by Yjs", other, theirs)
	for _, u := range c.given {
		in, err := Contains(c.merged, u)
		truth("the merge contains each update", in, err)
		empty, err := IsEmpty(u)
		if err != nil {
			c.Error(err)
		}
		meet, err := Intersects(c.merged, u)
		truth("the merge meets each update that is not empty", meet || empty, err)
	}
	v, err := StateVector(c.merged)
	if err != nil {
		c.Error(err)
	}
	d, err := Diff(c.merged, v)
	if err != nil {
		c.Error(err)
	}
	in, err := Contains(c.merged, d)
	truth("the merge contains its diff", in, err)
}

// checkSplit splits the merge and applies the pieces one after another.
func (c *algebraCase) checkSplit() {
	size := 40 + c.r.IntN(len(c.merged)+40)
	pieces, err := Split(c.merged, size)
	var tooLarge *SplitError
	if errors.As(err, &tooLarge) {
		if tooLarge.Size <= size || tooLarge.Max != size {
			c.Errorf("split to %d: %v", size, err)
		}
		return
	}
	if err != nil {
		c.Errorf("split: %v", err)
		return
	}
	for i, p := range pieces {
		if err := Validate(p); len(p) > size || err != nil {
			c.Errorf("piece %d of %d has %d bytes of %d, %v", i, len(pieces), len(p), size, err)
		}
	}
	back, err := Merge(pieces...)
	if err != nil {
		c.Error(err)
	}
	if equal, err := Equal(back, c.merged); !equal || err != nil {
		c.Errorf("%d pieces do not make the whole (%v)", len(pieces), err)
	}
	loads := []any{
		map[string]any{"updates": [][]byte{c.merged}, "want": wantHash},
		map[string]any{"updates": pieces, "want": wantHash, "steps": true},
	}
	got := ask[[]loaded](c, c.o, map[string]any{"op": "loads", "loads": loads})
	c.same("split", [][]byte{c.merged}, pieces, got[0], got[1])
	for i, waits := range got[1].Waiting {
		if waits && !got[0].Pending {
			c.Errorf("piece %d of %d waits for a later one", i, len(pieces))
		}
	}
}

// checkV2 converts what came in the v2 encoding.
func (c *algebraCase) checkV2() {
	updates := append(append([][]byte(nil), c.session.UpdatesV2...), c.session.StatesV2...)
	for i, want := range ask[[][]byte](c, c.o, map[string]any{"op": "toV1", "updates": updates}) {
		got, err := ConvertV2(updates[i])
		if err != nil {
			c.Errorf("convert %d: %v", i, err)
			continue
		}
		c.equal("convert", got, want)
	}
}
