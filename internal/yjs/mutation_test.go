package yjs

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

// stricter is what is refused although Yjs takes it. The list is complete: any other difference fails the test. See
// Validate for the reasons.
var stricter = []error{ErrTrailing, ErrNumber, ErrEmptyStruct, ErrDuplicateClient, ErrSelfReference}

// laxV2 is what makes Yjs read zeros or ignore input in the v2 encoding, or expand it without end. Yjs is not asked
// about such input, because it may never answer.
var laxV2 = append([]error{ErrTruncated, ErrTooLarge}, stricter...)

// corpus is updates of real sessions, small enough to try every mutation of: all kinds of content, in both encodings.
func corpus(t testing.TB, o *oracle, limit int) (v1, v2 [][]byte) {
	t.Helper()
	seeds := []int{1, 2, 3, 4, 5, 6, 7, 8, 9, 10}
	for _, s := range ask[[]session](t, o, map[string]any{"op": "sessions", "seeds": seeds, "steps": 10}) {
		v1 = append(append(v1, s.Updates...), s.States...)
		v2 = append(append(v2, s.UpdatesV2...), s.StatesV2...)
	}
	for _, k := range knownCases {
		v1 = append(v1, fromBase64(t, k.updates)...)
	}
	small := func(u []byte) bool { return len(u) > limit }
	return slices.DeleteFunc(v1, small), slices.DeleteFunc(v2, small)
}

// mutants yields update cut at every byte, and with every bit flipped.
func mutants(update []byte) [][]byte {
	var out [][]byte
	for i := range update {
		out = append(out, update[:i])
		for bit := range 8 {
			m := bytes.Clone(update)
			m[i] ^= 1 << bit
			out = append(out, m)
		}
	}
	return out
}

func isOneOf(err error, list []error) bool {
	return slices.ContainsFunc(list, func(e error) bool { return errors.Is(err, e) })
}

func TestMutationsAreTakenAndRefusedAsByYjs(t *testing.T) {
	o := sharedOracle(t)
	v1, _ := corpus(t, o, 300)
	taken, refused, strictly := 0, 0, map[error]int{}
	for _, u := range v1 {
		all := append(mutants(u), u)
		for chunk := range slices.Chunk(all, 1000) {
			for i, theirs := range ask[[]string](t, o, map[string]any{"op": "accepts", "updates": chunk}) {
				ours := Validate(chunk[i])
				switch {
				case ours == nil && theirs == "":
					taken++
				case ours != nil && theirs != "":
					refused++
				case ours != nil && isOneOf(ours, stricter):
					strictly[errors.Unwrap(ours)]++
				default:
					t.Fatalf("%x: we say %v, Yjs says %q", chunk[i], ours, theirs)
				}
			}
		}
	}
	t.Logf("%d updates: %d mutants taken by both, %d refused by both, refused by us alone: %v", len(v1), taken, refused, strictly)
	if taken == 0 || refused == 0 {
		t.Error("the corpus shows nothing")
	}
}

func TestMutationsOfV2(t *testing.T) {
	o := sharedOracle(t)
	_, v2 := corpus(t, o, 200)
	taken, refused, unasked := 0, 0, 0
	for _, u := range v2 {
		var asked, converted [][]byte
		for _, m := range append(mutants(u), u) {
			c, err := ConvertV2(m)
			if err != nil && isOneOf(err, laxV2) {
				unasked++
				continue
			}
			asked, converted = append(asked, m), append(converted, c)
		}
		var both, ours [][]byte
		for i, theirs := range ask[[]string](t, o, map[string]any{"op": "acceptsV2", "updates": asked}) {
			switch {
			case (converted[i] != nil) != (theirs == ""):
				t.Fatalf("%x: we make %x, Yjs says %q", asked[i], converted[i], theirs)
			case theirs != "":
				refused++
			default:
				both, ours = append(both, asked[i]), append(ours, converted[i])
			}
		}
		taken += len(both)
		var loads []any
		for i, theirs := range ask[[][]byte](t, o, map[string]any{"op": "toV1", "updates": both}) {
			if equal, err := Equal(theirs, ours[i]); equal && err == nil {
				continue
			}
			// Yjs writes values and the options of subdocuments anew: what it makes of both counts then. Both are cut
			// alike, because an item between neighbours in the wrong order ends up where that decides.
			joined, err := Merge(theirs)
			if err != nil {
				t.Fatal(err)
			}
			for _, v1 := range [][]byte{joined, ours[i]} {
				loads = append(loads, map[string]any{"updates": [][]byte{v1}, "want": wantHash})
			}
		}
		if len(loads) == 0 {
			continue
		}
		got := ask[[]loaded](t, o, map[string]any{"op": "loads", "loads": loads})
		for i := 0; i < len(got); i += 2 {
			if got[i].Exact != got[i+1].Exact {
				t.Fatalf("Yjs makes another document of our conversion than of its own: %v", loads[i:i+2])
			}
		}
	}
	t.Logf("%d updates: %d mutants taken by both, %d refused by both, %d not put to Yjs", len(v2), taken, refused, unasked)
}

// TestMutantsInEveryFunction: no function panics on, hangs on, or takes a mutant that Validate refuses, and what it makes
// of one that Validate takes is valid.
func TestMutantsInEveryFunction(t *testing.T) {
	v1, _ := corpus(t, sharedOracle(t), 120)
	for _, u := range v1 {
		for _, m := range mutants(u) {
			if err := checkEverything(m); err != nil {
				t.Fatalf("%x: %v", m, err)
			}
		}
	}
}
