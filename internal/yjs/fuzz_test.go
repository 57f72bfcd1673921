package yjs

import (
	"bytes"
	"errors"
	"fmt"
	"runtime"
	"testing"
)

// checkEverything puts one input to every function on updates and returns the first thing that is not as it has to be.
func checkEverything(u []byte) error {
	invalid := Validate(u)
	merged, err := Merge(u)
	if (err == nil) != (invalid == nil) {
		return fmt.Errorf("merge: %v, validate: %v", err, invalid)
	}
	if invalid != nil {
		for _, e := range entryPoints {
			switch e.name {
			case "ValidateV2", "ConvertV2", "DecodeStateVector", "Diff by", "Doc.EncodeDiff by", "DecodeAwareness by":
				e.call(u) // another format: only must come back
			default:
				if e.call(u) == nil {
					return fmt.Errorf("%s takes what Validate refuses: %w", e.name, invalid)
				}
			}
		}
		return nil
	}
	return checkValid(u, merged)
}

// checkValid checks what has to be so for every valid update and what Merge makes of it alone.
func checkValid(u, merged []byte) error {
	equal := func(what string, a, b []byte) error {
		if same, err := Equal(a, b); !same || err != nil {
			return fmt.Errorf("%s: %x and %x are not equal (%v)", what, a, b, err)
		}
		return nil
	}
	if err := equal("merge", merged, u); err != nil {
		return err
	}
	if len(merged) > len(u) {
		return fmt.Errorf("merge has grown from %x to %x", u, merged)
	}
	if again, err := Merge(merged, u, merged); err != nil || !bytes.Equal(again, merged) {
		return fmt.Errorf("merging again changes %x to %x (%v)", merged, again, err)
	}
	compact, err := Compact(u)
	if err != nil {
		return err
	}
	for _, result := range [][]byte{merged, compact} {
		if err := VerifyCompaction([][]byte{u}, result); err != nil {
			return fmt.Errorf("%x: %w", result, err)
		}
	}
	v, err := StateVector(u)
	if err != nil {
		return err
	}
	if w, err := StateVector(compact); err != nil || !bytes.Equal(v, w) {
		return fmt.Errorf("state vector %x, compacted %x (%v)", v, w, err)
	}
	diff, err := Diff(u, v)
	if err != nil {
		return err
	}
	if in, err := Contains(u, diff); !in || err != nil {
		return fmt.Errorf("diff %x is not contained (%v)", diff, err)
	}
	if s, err := Stats(u); err != nil || s.Deleted > s.Clocks || s.Forgotten > s.Deleted {
		return fmt.Errorf("stats %+v, %v", s, err)
	}
	return checkPieces(merged, len(merged)/2+8)
}

// checkPieces splits and puts together again.
func checkPieces(merged []byte, size int) error {
	pieces, err := Split(merged, size)
	if tooLarge := (*SplitError)(nil); errors.As(err, &tooLarge) {
		if tooLarge.Size <= size {
			return err
		}
		return nil
	}
	if err != nil {
		return err
	}
	for _, p := range pieces {
		if err := Validate(p); err != nil || len(p) > size {
			return fmt.Errorf("piece %x: %d of %d bytes, %v", p, len(p), size, err)
		}
	}
	back, err := Merge(pieces...)
	if err != nil {
		return err
	}
	if same, err := Equal(back, merged); !same || err != nil {
		return fmt.Errorf("pieces make %x of %x (%v)", back, merged, err)
	}
	return nil
}

// memoryPerByte and memoryFree bound what one function may allocate in all for n bytes of input. An update of two bytes
// a struct is the worst: a struct takes 16 bytes in an index, and slices double as they grow.
const (
	memoryPerByte = 200
	memoryFree    = 64 << 10
)

// withinMemory runs f and fails when it allocates more than its input allows.
func withinMemory(t *testing.T, n int, f func()) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	if got := after.TotalAlloc - before.TotalAlloc; got > uint64(memoryFree+memoryPerByte*n) {
		t.Errorf("%d bytes of input, %d allocated", n, got)
	}
}

// seed adds the known cases and some of everything the format has.
func seed(f *testing.F, add func(update []byte)) {
	for _, k := range knownCases {
		updates := fromBase64(f, k.updates)
		merged, err := Merge(updates...)
		if err != nil {
			f.Fatal(err)
		}
		for _, u := range append(updates, merged) {
			add(u)
		}
	}
	add([]byte("\x02\x03\x05\x00\x04\x01\x01t\x07a\xf0\x9f\x98\x80bc\x0a\x02\x84\x05\x04\x01z\x01\x01\x00\x00\x03\x01\x05\x01\x02\x01"))
	add([]byte("\x01\x02\x01\x00\x09\x01\x01a\x01g\x76\x00\x03\x01\x01b\x03\x01\x02\x03\x00"))
}

func FuzzValidate(f *testing.F) {
	seed(f, func(u []byte) { f.Add(u) })
	f.Fuzz(func(t *testing.T, u []byte) {
		withinMemory(t, len(u), func() { _ = Validate(u) })
		if err := checkEverything(u); err != nil {
			t.Error(err)
		}
	})
}

func FuzzMerge(f *testing.F) {
	seed(f, func(u []byte) { f.Add(u, []byte{0, 0}); f.Add(u, u) })
	f.Fuzz(func(t *testing.T, a, b []byte) {
		var merged []byte
		var err error
		withinMemory(t, len(a)+len(b), func() { merged, err = Merge(a, b) })
		if err != nil {
			return
		}
		if err := Validate(merged); err != nil {
			t.Fatal(err)
		}
		for _, u := range [][]byte{a, b} {
			if in, err := Contains(merged, u); !in || err != nil {
				t.Errorf("%x does not contain %x (%v)", merged, u, err)
			}
		}
		if again, err := Merge(merged, a, b); err != nil || !bytes.Equal(again, merged) {
			t.Errorf("merging again changes %x to %x (%v)", merged, again, err)
		}
		if err := VerifyCompaction([][]byte{a, b}, merged); err != nil {
			t.Error(err)
		}
	})
}

func FuzzDiff(f *testing.F) {
	seed(f, func(u []byte) { f.Add(u, []byte{1, 1, 1}) })
	f.Fuzz(func(t *testing.T, u, vector []byte) {
		var diff []byte
		var err error
		withinMemory(t, len(u)+len(vector), func() { diff, err = Diff(u, vector) })
		if err != nil {
			return
		}
		if in, err := Contains(u, diff); !in || err != nil {
			t.Errorf("%x is not in %x (%v)", diff, u, err)
		}
		again, err := Diff(diff, vector)
		if err != nil || !bytes.Equal(again, diff) {
			t.Errorf("the diff of the diff %x is %x (%v)", diff, again, err)
		}
	})
}

func FuzzCompact(f *testing.F) {
	seed(f, func(u []byte) { f.Add(u) })
	f.Fuzz(func(t *testing.T, u []byte) {
		var compact []byte
		var err error
		withinMemory(t, len(u), func() { compact, err = Compact(u) })
		if err != nil {
			return
		}
		again, err := Compact(compact)
		if err != nil || !bytes.Equal(again, compact) {
			t.Errorf("compacting again changes %x to %x (%v)", compact, again, err)
		}
		if err := VerifyCompaction([][]byte{u}, compact); err != nil {
			t.Error(err)
		}
	})
}

func FuzzSplit(f *testing.F) {
	seed(f, func(u []byte) { f.Add(u, 20) })
	f.Fuzz(func(t *testing.T, u []byte, size int) {
		merged, err := Merge(u)
		if err != nil {
			return
		}
		if err := checkPieces(merged, size); err != nil {
			t.Error(err)
		}
	})
}

func FuzzConvertV2(f *testing.F) {
	f.Add([]byte("\x00\x00\x01\x01\x00\x00\x01\x04\x04\x02ta\x01\x01\x01\x01\x00\x00\x01\x00\x01\x00\x00"))
	f.Fuzz(func(t *testing.T, u []byte) {
		var v1 []byte
		var err error
		withinMemory(t, 8*v2FreeExpansion/memoryPerByte+len(u)*v2ExpansionFactor/16, func() { v1, err = ConvertV2(u) })
		if err != nil {
			var at *DecodeError
			if !errors.As(err, &at) {
				t.Errorf("%v is no DecodeError", err)
			}
			return
		}
		if err := checkEverything(v1); err != nil {
			t.Error(err)
		}
	})
}

func FuzzVerifyCompaction(f *testing.F) {
	seed(f, func(u []byte) { f.Add(u, []byte{0, 0}, u) })
	f.Fuzz(func(t *testing.T, a, b, result []byte) {
		if VerifyCompaction([][]byte{a, b}, result) != nil {
			return
		}
		// What is accepted covers the same as the merge.
		merged, err := Merge(a, b)
		if err != nil {
			t.Fatal(err)
		}
		for _, pair := range [][2][]byte{{merged, result}, {result, merged}} {
			if in, err := Contains(pair[0], pair[1]); !in || err != nil {
				t.Errorf("%x does not contain %x (%v)", pair[0], pair[1], err)
			}
		}
	})
}

func FuzzStateVector(f *testing.F) {
	f.Add([]byte{1, 1, 1})
	f.Fuzz(func(t *testing.T, v []byte) {
		clocks, err := DecodeStateVector(v)
		if err != nil {
			return
		}
		back, err := DecodeStateVector(EncodeStateVector(clocks))
		if err != nil || len(back) != len(clocks) {
			t.Errorf("%v, then %v (%v)", clocks, back, err)
		}
		for client, clock := range clocks {
			if back[client] != clock {
				t.Errorf("client %d: %d, then %d", client, clock, back[client])
			}
		}
	})
}
