package yjs

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
)

// fault is something an engine could do wrong: it changes a list of structs and deletes, and says whether it found
// something to change. It may use what the inputs say.
type fault struct {
	name  string
	check Check
	apply func(blocks []block, deletes *deleteSet, x *index) ([]block, bool)
}

// eachBlock is a fault of one struct: the first that f changes.
func eachBlock(f func(b *block, x *index) bool) func([]block, *deleteSet, *index) ([]block, bool) {
	return func(blocks []block, _ *deleteSet, x *index) ([]block, bool) {
		for i := range blocks {
			if f(&blocks[i], x) {
				return blocks, true
			}
		}
		return blocks, false
	}
}

// alive says that the delete set has nothing of b.
func alive(b *block, x *index) bool {
	return x.deletes.overlap(b.client, b.clock, b.end()) == 0
}

var faults = []fault{
	{"drop a delete range", CheckDeletes, func(blocks []block, d *deleteSet, _ *index) ([]block, bool) {
		if len(*d) == 0 {
			return blocks, false
		}
		*d = (*d)[1:]
		return blocks, true
	}},
	{"shorten a delete range", CheckDeletes, func(blocks []block, d *deleteSet, _ *index) ([]block, bool) {
		for i := range *d {
			if r := &(*d)[i]; r.end-r.clock > 1 {
				r.end--
				return blocks, true
			}
		}
		return blocks, false
	}},
	{"delete too much", CheckDeletes, func(blocks []block, d *deleteSet, x *index) ([]block, bool) {
		for _, b := range blocks {
			if alive(&b, x) && b.isItem() {
				*d = normalise(append(*d, deleteRange{b.client, b.clock, b.end()}))
				return blocks, true
			}
		}
		return blocks, false
	}},
	{"forget a client's deletes", CheckDeletes, func(blocks []block, d *deleteSet, _ *index) ([]block, bool) {
		if len(*d) == 0 {
			return blocks, false
		}
		*d = (*d)[len(d.of((*d)[0].client)):]
		return blocks, true
	}},
	{"skip the first struct", CheckClocks, func(blocks []block, _ *deleteSet, _ *index) ([]block, bool) {
		return blocks[1:], true
	}},
	{"skip the last struct", CheckClocks, func(blocks []block, _ *deleteSet, _ *index) ([]block, bool) {
		return blocks[:len(blocks)-1], true
	}},
	{"skip a struct in between", CheckClocks, func(blocks []block, _ *deleteSet, _ *index) ([]block, bool) {
		i := len(blocks) / 2
		return append(blocks[:i:i], blocks[i+1:]...), len(blocks) > 2
	}},
	{"make up a struct", CheckClocks, func(blocks []block, _ *deleteSet, _ *index) ([]block, bool) {
		last := blocks[len(blocks)-1]
		return append(blocks, block{client: last.client, clock: last.end(), length: 2, ref: refGC}), true
	}},
	{"shift the clocks of a client", CheckClocks, func(blocks []block, _ *deleteSet, _ *index) ([]block, bool) {
		for i := range blocks {
			if blocks[i].client == blocks[0].client {
				blocks[i].clock++
			}
		}
		return blocks, true
	}},
	{"take one client for another", CheckClocks, func(blocks []block, _ *deleteSet, _ *index) ([]block, bool) {
		client := blocks[0].client
		for i := range blocks {
			if blocks[i].client == client {
				blocks[i].client += 1 << 20
			}
		}
		return blocks, client < 1<<40
	}},
	{"lose an origin", CheckContent, eachBlock(func(b *block, _ *index) bool {
		if !b.hasOrigin || b.origin == (ID{b.client, b.clock - 1}) {
			return false
		}
		b.hasOrigin = false
		if !b.hasRight {
			b.parent, b.parentName = parentRoot, []byte("t")
		}
		return true
	})},
	{"lose a right origin", CheckContent, eachBlock(func(b *block, _ *index) bool {
		if !b.hasRight {
			return false
		}
		b.hasRight = false
		if !b.hasOrigin {
			b.parent, b.parentName = parentRoot, []byte("t")
		}
		return true
	})},
	{"change an origin", CheckContent, eachBlock(func(b *block, _ *index) bool {
		if !b.hasOrigin || b.origin.Clock == 0 {
			return false
		}
		b.origin.Clock--
		return true
	})},
	{"change a right origin", CheckContent, eachBlock(func(b *block, _ *index) bool {
		if !b.hasRight || b.right.Clock == 0 {
			return false
		}
		b.right.Clock--
		return true
	})},
	{"change a root", CheckContent, eachBlock(func(b *block, _ *index) bool {
		if b.parent != parentRoot {
			return false
		}
		b.parentName = append([]byte("other "), b.parentName...)
		return true
	})},
	{"change a parent", CheckContent, eachBlock(func(b *block, _ *index) bool {
		if b.parent != parentItem || b.parentID.Clock == 0 {
			return false
		}
		b.parentID.Clock--
		return true
	})},
	{"move a child to the root", CheckContent, eachBlock(func(b *block, _ *index) bool {
		if b.parent != parentItem {
			return false
		}
		b.parent, b.parentID, b.parentName = parentRoot, ID{}, []byte("t")
		return true
	})},
	{"change a key", CheckContent, eachBlock(func(b *block, _ *index) bool {
		if !b.hasSub {
			return false
		}
		b.sub = append(bytes.Clone(b.sub), '!')
		return true
	})},
	{"lose the key ''", CheckContent, eachBlock(func(b *block, _ *index) bool {
		if !b.hasSub || len(b.sub) > 0 {
			return false
		}
		b.hasSub = false
		return true
	})},
	{"change a character", CheckContent, eachBlock(func(b *block, x *index) bool {
		if b.ref != refString || b.content[0] >= 0x80 {
			return false
		}
		b.content = append([]byte{b.content[0] ^ 1}, b.content[1:]...)
		return true
	})},
	{"replace a surrogate pair", CheckContent, eachBlock(func(b *block, x *index) bool {
		if b.ref != refString || bytes.Contains(b.content, []byte(replacement)) {
			return false
		}
		at := bytes.Index(b.content, []byte("\xf0\x9f\x98\x80"))
		if at < 0 {
			return false
		}
		b.content = append(append(bytes.Clone(b.content[:at]), replacement+replacement...), b.content[at+4:]...)
		return true
	})},
	{"change -0 to 0", CheckContent, eachBlock(func(b *block, x *index) bool {
		if b.ref != refAny || !bytes.Contains(b.content, []byte{anyInteger, 0x40}) {
			return false
		}
		changed := bytes.Replace(b.content, []byte{anyInteger, 0x40}, []byte{anyInteger, 0}, 1)
		r := reader{buf: changed, maxDepth: DefaultMaxDepth}
		for n := b.length; n > 0; n-- {
			r.skipAny()
		}
		if r.err != nil || r.remaining() > 0 {
			return false // it was part of something else
		}
		b.content = changed
		return true
	})},
	{"change one value for another", CheckContent, eachBlock(func(b *block, x *index) bool {
		if b.ref != refAny {
			return false
		}
		b.content = bytes.Repeat([]byte{anyBigInt, 1, 2, 3, 4, 5, 6, 7, 8}, int(b.length))
		return true
	})},
	{"change the kind of a type", CheckContent, eachBlock(func(b *block, _ *index) bool {
		if b.ref != refType || b.content[0] > typeMap {
			return false
		}
		b.content = []byte{b.content[0] ^ 1}
		return true
	})},
	{"drop content that is not deleted", CheckContent, eachBlock(func(b *block, x *index) bool {
		if b.ref == refDeleted || b.parent != parentRoot || !alive(b, x) {
			return false
		}
		b.ref, b.content = refDeleted, nil
		return true
	})},
	{"make a live item GC", CheckContent, eachBlock(func(b *block, x *index) bool {
		if b.parent != parentRoot || !alive(b, x) {
			return false
		}
		*b = block{client: b.client, clock: b.clock, length: b.length, ref: refGC}
		return true
	})},
	{"make a deleted item of a root GC", CheckContent, eachBlock(func(b *block, x *index) bool {
		if b.ref != refDeleted || b.parent != parentRoot {
			return false
		}
		*b = block{client: b.client, clock: b.clock, length: b.length, ref: refGC}
		return true
	})},
}

// withFault writes update with a fault in it.
func withFault(t *testing.T, update []byte, f fault) ([]byte, bool) {
	t.Helper()
	x, err := indexOf(DefaultLimits(), update)
	if err != nil {
		t.Fatal(err)
	}
	var blocks []block
	for _, l := range x.lists {
		var c cursor
		for c.open(x, l); c.next(); {
			blocks = append(blocks, c.block)
		}
	}
	deletes := append(deleteSet(nil), x.deletes...)
	blocks, found := f.apply(blocks, &deletes, x)
	if !found {
		return nil, false
	}
	var out [][]byte // one update for each client, since a fault may put clients out of order
	for len(blocks) > 0 {
		w := newUpdateWriter(0)
		n := 0
		for ; n < len(blocks) && blocks[n].client == blocks[0].client; n++ {
			w.add(&blocks[n])
		}
		out = append(out, w.finish(nil))
		blocks = blocks[n:]
	}
	w := newUpdateWriter(0)
	merged, err := Merge(append(out, w.finish(deletes))...)
	if errors.Is(err, ErrSelfReference) {
		return nil, false
	}
	if err != nil {
		t.Fatal(err)
	}
	return merged, true
}

func TestVerifyCompactionCatchesEveryFault(t *testing.T) {
	o := sharedOracle(t)
	seeds := make([]int, 40)
	for i := range seeds {
		seeds[i] = 1000 + i
	}
	tried := map[string]int{}
	for _, s := range ask[[]session](t, o, map[string]any{"op": "sessions", "seeds": seeds, "steps": 40}) {
		merged, err := Merge(s.Updates...)
		if err != nil {
			t.Fatal(err)
		}
		compact, err := Compact(merged)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range faults {
			for _, right := range [][]byte{merged, compact} {
				wrong, found := withFault(t, right, f)
				if !found {
					continue
				}
				tried[f.name]++
				err := VerifyCompaction(s.Updates, wrong)
				var v *VerifyError
				if !errors.As(err, &v) || !errors.Is(err, ErrVerify) || v.Check != f.check {
					t.Errorf("%s: %v, want check %q", f.name, err, f.check)
				}
			}
		}
	}
	for _, f := range faults {
		if tried[f.name] == 0 {
			t.Errorf("%s was never tried", f.name)
		}
	}
}

// TestVerifyCompactionOfLostInputs: a result that is right for some of the inputs is refused for all of them.
func TestVerifyCompactionOfLostInputs(t *testing.T) {
	o := sharedOracle(t)
	for _, s := range ask[[]session](t, o, map[string]any{"op": "sessions", "seeds": []int{1, 2, 3, 4, 5}, "steps": 40}) {
		for i, u := range s.Updates {
			rest := append(append([][]byte(nil), s.Updates[:i]...), s.Updates[i+1:]...)
			merged, err := Merge(rest...)
			if err != nil {
				t.Fatal(err)
			}
			if in, err := Contains(merged, u); err != nil || in {
				continue // another update has it too
			}
			if err := VerifyCompaction(s.Updates, merged); !errors.Is(err, ErrVerify) {
				t.Errorf("without update %d: %v", i, err)
			}
			if err := VerifyCompaction(rest, merged); err != nil {
				t.Error(err)
			}
		}
	}
}

// TestVerifyCompactionOfFlippedBits: a stored snapshot with any bit flipped, or cut anywhere, is refused, unless it says
// the same all the same.
func TestVerifyCompactionOfFlippedBits(t *testing.T) {
	o := sharedOracle(t)
	s := ask[session](t, o, map[string]any{"op": "session", "seed": 3, "steps": 30})
	merged, err := Merge(s.Updates...)
	if err != nil {
		t.Fatal(err)
	}
	compact, err := Compact(merged)
	if err != nil {
		t.Fatal(err)
	}
	checks := map[Check]int{}
	for _, m := range mutants(compact) {
		err := VerifyCompaction(s.Updates, m)
		var v *VerifyError
		if errors.As(err, &v) {
			checks[v.Check]++
			continue
		}
		if same, err := Equal(m, compact); !same || err != nil {
			t.Errorf("%x is taken for %x", m, compact)
		}
	}
	t.Log(checks)
	for _, c := range []Check{CheckParse, CheckClocks, CheckDeletes, CheckContent} {
		if checks[c] == 0 {
			t.Errorf("no mutant was refused by check %q", c)
		}
	}
}

// TestVerifyCompactionOfContradictions: a peer that contradicts itself cannot keep a room from being compacted.
func TestVerifyCompactionOfContradictions(t *testing.T) {
	text := func(clock byte, s string) []byte {
		b := []byte{1, 1, 1, clock, 4, 1, 1, 't'}
		if clock > 0 {
			b = []byte{1, 1, 1, clock, 0x84, 1, clock - 1}
		}
		return append(appendVarBytes(b, []byte(s)), 0)
	}
	for _, inputs := range [][][]byte{
		{text(0, "abc"), text(0, "xyz")},
		{text(0, "abc"), text(1, "yz"), text(0, "x")},
		{text(0, "a😀"), text(0, "a\ufffd"), text(2, "\ufffdb")},
		{text(0, "a\ufffd"), text(1, "😀b")},
		{text(0, "abc"), []byte("\x01\x01\x01\x00\x00\x02\x00")},
		{text(0, "abc"), []byte("\x01\x01\x01\x00\x01\x01\x01t\x05\x00")},
		{text(0, "abc"), []byte("\x01\x01\x01\x00\x01\x01\x01u\x05\x01\x01\x01\x00\x02")},
		{[]byte("\x01\x01\x01\x00\x08\x01\x01t\x03\x7e\x7f\x78\x00"), []byte("\x01\x01\x01\x00\x08\x01\x01t\x04\x78\x7f\x7e\x7e\x00")},
	} {
		for _, order := range [][][]byte{inputs, {inputs[1], inputs[0], inputs[len(inputs)-1]}} {
			merged, err := Merge(order...)
			if err != nil {
				t.Fatal(err)
			}
			compact, err := Compact(merged)
			if err != nil {
				t.Fatal(err)
			}
			for _, result := range [][]byte{merged, compact} {
				if err := VerifyCompaction(order, result); err != nil {
					t.Errorf("%q of %q: %v", result, order, err)
				}
			}
		}
	}
}

// TestVerifyErrors: the checks that the ones before them leave little to find for.
func TestVerifyErrors(t *testing.T) {
	update := fromBase64(t, "AQEBAAQBAXQCYWIA")[0] // "ab" of client 1
	check := func(err error, want Check) {
		t.Helper()
		var v *VerifyError
		if !errors.As(err, &v) || v.Check != want {
			t.Errorf("%v, want check %q", err, want)
		}
	}
	check(nothingBeyond([][]byte{update}, stateVector{{1, 1}}), CheckDiff)
	check(secondOpinion(update, stateVector{{1, 1}}), CheckSecondOpinion)
	if err := secondOpinion(update, stateVector{{1, 2}}); err != nil {
		t.Error(err)
	}
	check(VerifyCompaction([][]byte{update}, update[:5]), CheckParse)
	err := VerifyCompaction([][]byte{update, {7}}, update)
	check(err, CheckParse)
	var v *VerifyError
	var d *DecodeError
	if errors.As(err, &v); v.Input != 1 || !errors.As(err, &d) || !errors.Is(err, ErrTruncated) {
		t.Errorf("%+v does not name the input and the reason", err)
	}
	if err := VerifyCompaction(nil, []byte{0, 0}); err != nil {
		t.Error(err)
	}
}

// TestSecondOpinionOnOddValues: values that the other implementation cannot hold do not count against us.
func TestSecondOpinionOnOddValues(t *testing.T) {
	for _, json := range []string{"1e999", `{"a":-0}`, `"\ud800"`, "[[[]]]", "123456789012345678901234567890"} {
		update := []byte("\x01\x03\x01\x00\x05\x01\x01t")
		update = appendVarBytes(update, []byte(json))
		update = append(update, "\x86\x01\x00\x01k"...)
		update = appendVarBytes(update, []byte(json))
		update = append(update, fmt.Sprintf("\x82\x01\x01\x01%c%s\x00", len(json), json)...)
		if err := VerifyCompaction([][]byte{update}, update); err != nil {
			t.Errorf("%s: %v", json, err)
		}
	}
}
