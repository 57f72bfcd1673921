package yjs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
)

// diffCase is one thing to compare with Yjs: updates as they are delivered, and others that come later. It is what a test
// vector holds.
type diffCase struct {
	Seed      int      `json:"seed"`
	Delivery  string   `json:"delivery"`
	Loose     bool     `json:"loose,omitempty"`
	Roots     []string `json:"roots"`
	Given     [][]byte `json:"given"`
	Later     [][]byte `json:"later"`
	Vectors   [][]byte `json:"vectors"`
	UpdatesV2 [][]byte `json:"updatesV2"`
}

// deliveries are the ways in which the updates of a session come.
var deliveries = []string{"in order", "shuffled", "duplicated", "gaps", "mixed"}

// newCase delivers a session.
func newCase(seed int, s session) diffCase {
	r := rand.New(rand.NewPCG(uint64(seed), 7))
	c := diffCase{Seed: seed, Delivery: deliveries[seed%len(deliveries)], Loose: s.Loose, Roots: s.Roots, Vectors: s.Vectors, UpdatesV2: s.UpdatesV2}
	given := slices.Clone(s.Updates)
	shuffle := func() { r.Shuffle(len(given), func(i, j int) { given[i], given[j] = given[j], given[i] }) }
	switch c.Delivery {
	case "shuffled":
		shuffle()
	case "duplicated":
		for range len(given)/2 + 1 {
			at := r.IntN(len(given) + 1)
			given = slices.Insert(given, at, s.Updates[r.IntN(len(s.Updates))])
		}
	case "gaps":
		given = slices.DeleteFunc(given, func([]byte) bool { return r.IntN(6) == 0 })
	case "mixed": // states of peers and merged parts among them, doubled, shuffled, with gaps
		given = append(given, s.States...)
		for i, part := range s.UpdatesV2 {
			if v1, err := ConvertV2(part); err == nil && r.IntN(4) == 0 {
				given[min(i, len(given)-1)] = v1
			}
		}
		if n := len(given); n > 4 {
			from := r.IntN(n - 3)
			if merged, err := Merge(given[from : from+3]...); err == nil {
				given = append(given, merged)
			}
		}
		shuffle()
		given = given[:len(given)-len(given)/4]
		c.UpdatesV2 = append(slices.Clone(c.UpdatesV2), s.StatesV2...)
	}
	c.Given = given
	c.Later = s.Updates[r.IntN(len(s.Updates)):]
	if c.Delivery == "gaps" || r.IntN(2) == 0 {
		c.Later = s.Updates
	}
	return c
}

// probe is one question about a case: what to ask Yjs, and whether what it says is right.
type probe struct {
	name     string
	requests []map[string]any
	check    func(answers []json.RawMessage) error
	again    *probe // when check fails, asked instead
}

// ok decodes the answer to one request.
func ok[T any](raw json.RawMessage) (T, error) {
	var a answer[T]
	if err := json.Unmarshal(raw, &a); err != nil {
		return a.OK, err
	}
	if a.Error != "" {
		return a.OK, errors.New("Yjs: " + a.Error)
	}
	return a.OK, nil
}

// failure is a probe that did not come out right.
type failure struct {
	probe string
	err   error
}

// probes returns all questions about a case.
func (c diffCase) probes() []probe {
	return []probe{c.probeApply(), c.probeAlgebra(), c.probeMerge(), c.probeDiff(), c.probeVectors(), c.probeSplit(), c.probeV2(), c.probeWrite()}
}

// hashes asks for what a list of updates makes, and what it makes with the later ones.
func (c diffCase) hashes(updates ...[]byte) map[string]any {
	return map[string]any{
		"op": "load", "updates": updates, "then": append([][]byte{}, c.Later...), "roots": c.Roots, "loose": c.Loose, "strict": !c.split(), "want": map[string]any{"hash": true},
	}
}

// mergedHashes is hashes of what Yjs merges of updates.
func (c diffCase) mergedHashes(updates [][]byte) map[string]any {
	q := c.hashes()
	q["merge"] = updates
	return q
}

// split says whether an update may hold half a surrogate pair: then U+FFFD and the half are taken for the same, because
// which of them is kept depends on the order of updates even in Yjs (see relaxed in oracle/describe.mjs).
func (c diffCase) split() bool {
	if c.Loose {
		return true
	}
	for _, u := range slices.Concat(c.Given, c.Later) {
		if bytes.Contains(u, []byte(replacement)) || bytes.Contains(u, []byte(`\ud`)) {
			return true
		}
	}
	return false
}

// same compares two answers to hashes.
func (c diffCase) same(what string, a, b json.RawMessage) error {
	x, err := ok[loaded](a)
	if err != nil {
		return err
	}
	y, err := ok[loaded](b)
	if err != nil {
		return err
	}
	equal := func(x, y *loaded) bool { return x.Exact == y.Exact || c.split() && x.Relaxed == y.Relaxed }
	switch {
	case !equal(&x, &y):
		return fmt.Errorf("%s differs", what)
	case !equal(x.Then, y.Then):
		return fmt.Errorf("%s and later updates differs", what)
	}
	return nil
}

// probeAlgebra checks what needs no oracle.
func (c diffCase) probeAlgebra() probe {
	return probe{name: "algebra", check: func([]json.RawMessage) error {
		merged, err := Merge(c.Given...)
		if err != nil {
			return err
		}
		shuffled := slices.Clone(c.Given)
		slices.Reverse(shuffled)
		other, err := Merge(shuffled...)
		if err != nil {
			return err
		}
		if same, err := Equal(merged, other); err != nil || !same && !c.split() && c.Delivery != "mixed" {
			return fmt.Errorf("merged in another order it is not equal: %v", err)
		}
		for i, u := range c.Given {
			if has, err := Contains(merged, u); err != nil || !has {
				return fmt.Errorf("update %d is not contained in the merge: %v", i, err)
			}
			if empty, _ := IsEmpty(u); !empty {
				if has, err := Intersects(merged, u); err != nil || !has {
					return fmt.Errorf("update %d does not intersect the merge: %v", i, err)
				}
			}
		}
		compact, err := Compact(merged)
		if err != nil {
			return err
		}
		if err := VerifyCompaction(c.Given, merged); err != nil {
			return fmt.Errorf("merge: %w", err)
		}
		if err := VerifyCompaction(c.Given, compact); err != nil {
			return fmt.Errorf("compact: %w", err)
		}
		_, err = Stats(merged)
		return err
	}}
}

// probeMerge compares merging and compacting.
func (c diffCase) probeMerge() probe {
	merged, err := Merge(c.Given...)
	if err != nil {
		return brokenProbe("merge", err)
	}
	compact, err := Compact(merged)
	if err != nil {
		return brokenProbe("merge", err)
	}
	return probe{name: "merge", requests: []map[string]any{c.mergedHashes(c.Given), c.hashes(merged), c.hashes(compact)}, check: func(answers []json.RawMessage) error {
		return errors.Join(c.same("merge", answers[0], answers[1]), c.same("compact", answers[0], answers[2]))
	}}
}

// brokenProbe is a probe that has failed before Yjs was asked.
func brokenProbe(name string, err error) probe {
	return probe{name: name, check: func([]json.RawMessage) error { return err }}
}

// probeDiff compares diffs with Yjs's, those of a document included.
func (c diffCase) probeDiff() probe {
	merged, err := Merge(c.Given...)
	if err != nil || len(c.Vectors) == 0 {
		return brokenProbe("diff", err)
	}
	d := NewDoc()
	for _, u := range c.Given {
		if err := d.Apply(u); err != nil {
			return brokenProbe("diff", err)
		}
	}
	return probe{name: "diff", requests: []map[string]any{{"op": "diff", "update": merged, "vectors": c.Vectors}}, check: func(answers []json.RawMessage) error {
		want, err := ok[[][]byte](answers[0])
		if err != nil {
			return err
		}
		for i, v := range c.Vectors {
			got, err := Diff(merged, v)
			if err != nil {
				return err
			}
			if same, err := Equal(got, want[i]); err != nil || !same {
				return fmt.Errorf("diff against %x: %x, want %x (%v)", v, got, want[i], err)
			}
			fromDoc, err := d.EncodeDiff(v)
			if err != nil {
				return err
			}
			ca, cb, err := coverageOf(fromDoc, got)
			if err != nil {
				return err
			}
			if !slices.Equal(ca.structs, cb.structs) || !ca.deletes.containsAll(cb.deletes) {
				return fmt.Errorf("diff of the document against %x: %x, want %x", v, fromDoc, got)
			}
		}
		return nil
	}}
}

// probeVectors compares state vectors.
func (c diffCase) probeVectors() probe {
	merged, err := Merge(c.Given...)
	if err != nil {
		return brokenProbe("vector", err)
	}
	updates := append(slices.Clone(c.Given), merged)
	return probe{name: "vector", requests: []map[string]any{{"op": "vectors", "updates": updates}}, check: func(answers []json.RawMessage) error {
		want, err := ok[[][]byte](answers[0])
		if err != nil {
			return err
		}
		for i, u := range updates {
			got, err := StateVector(u)
			if err != nil || !bytes.Equal(got, want[i]) {
				return fmt.Errorf("state vector of %x: %x, want %x (%v)", u, got, want[i], err)
			}
		}
		return nil
	}}
}

// probeSplit cuts an update and puts it together again.
func (c diffCase) probeSplit() probe {
	merged, err := Merge(c.Given...)
	if err != nil {
		return brokenProbe("split", err)
	}
	r := rand.New(rand.NewPCG(uint64(c.Seed), 11))
	limit := 64 + r.IntN(len(merged)+64)
	pieces, err := Split(merged, limit)
	if _, tooSmall := err.(*SplitError); tooSmall {
		return brokenProbe("split", nil)
	}
	if err != nil {
		return brokenProbe("split", err)
	}
	whole, parts := c.hashes(merged), c.hashes(pieces...)
	parts["steps"] = true
	return probe{name: "split", requests: []map[string]any{whole, parts}, check: func(answers []json.RawMessage) error {
		back, err := Merge(pieces...)
		if err != nil {
			return err
		}
		if same, err := Equal(back, merged); err != nil || !same {
			return fmt.Errorf("%d pieces are not equal to the whole: %v", len(pieces), err)
		}
		for _, p := range pieces {
			if len(p) > limit {
				return fmt.Errorf("a piece of %d bytes, at most %d", len(p), limit)
			}
		}
		got, err := ok[loaded](answers[1])
		if err != nil {
			return err
		}
		if want, _ := ok[loaded](answers[0]); !want.Pending && slices.Contains(got.Waiting, true) {
			return fmt.Errorf("pieces wait for others: %v", got.Waiting)
		}
		return c.same("split", answers[0], answers[1])
	}}
}

// probeV2 compares the conversion of v2 updates.
func (c diffCase) probeV2() probe {
	return probe{name: "v2", requests: []map[string]any{{"op": "toV1", "updates": c.UpdatesV2}}, check: func(answers []json.RawMessage) error {
		want, err := ok[[][]byte](answers[0])
		if err != nil {
			return err
		}
		for i, u := range c.UpdatesV2 {
			got, err := ConvertV2(u)
			if err != nil {
				return fmt.Errorf("v2 %x: %w", u, err)
			}
			if same, err := Equal(got, want[i]); err != nil || !same {
				return fmt.Errorf("v2 %x: %x, want %x (%v)", u, got, want[i], err)
			}
		}
		return nil
	}}
}
