package yjs

import (
	"bytes"
	"errors"
	"sync"
	"testing"
)

func TestStateVectorCodec(t *testing.T) {
	clocks := map[uint64]uint64{1: 2, 300: 70_000, 1<<53 - 1: 1, 7: 0}
	encoded := EncodeStateVector(clocks)
	want := "\x04\xff\xff\xff\xff\xff\xff\xff\x0f\x01\xac\x02\xf0\xa2\x04\x07\x00\x01\x02"
	if string(encoded) != want {
		t.Errorf("%x, want %x", encoded, want)
	}
	back, err := DecodeStateVector(encoded)
	if err != nil || len(back) != len(clocks) {
		t.Fatalf("%v, %v", back, err)
	}
	for client, clock := range clocks {
		if got, ok := back[client]; !ok || got != clock {
			t.Errorf("client %d: %d, want %d", client, got, clock)
		}
	}
	for in, want := range map[string]error{
		"": ErrTruncated, "\x01": ErrTruncated, "\x01\x01": ErrTruncated, "\x00\x00": ErrTrailing,
		"\x02\x01\x01\x01\x02": ErrDuplicateClient, "\x01\x01\xff\xff\xff\xff\xff\xff\xff\x1f": ErrNumber,
		"\xff\xff\xff\xff\xff\xff\xff\x0f": ErrTruncated,
	} {
		if _, err := DecodeStateVector([]byte(in)); !errors.Is(err, want) {
			t.Errorf("%x: %v, want %v", in, err, want)
		}
	}
}

func TestStats(t *testing.T) {
	// Client 5: a text of five units, a gap, one more; client 1: three collected. Deleted: two units of the text, and two
	// clocks of a client that is not there.
	u := []byte("\x02\x03\x05\x00\x04\x01\x01t\x06a\xf0\x9f\x98\x80b\x0a\x02\x84\x05\x03\x01z\x01\x01\x00\x00\x03\x02\x05\x01\x00\x02\x09\x01\x04\x02")
	u[9] = 6
	got, err := Stats(u)
	want := UpdateStats{
		Bytes: len(u), Clients: 2, Structs: 3, Items: 2, GCs: 1, Skips: 1, Clocks: 8, Deleted: 5, Forgotten: 3,
		Content: 7, DeleteRanges: 2, DeletesAhead: 2,
	}
	if err != nil || got != want {
		t.Errorf("%+v, %v\nwant %+v", got, err, want)
	}
	if share := got.DeletedShare(); share != 5.0/8 {
		t.Errorf("deleted share %v", share)
	}
	if share := (UpdateStats{}).DeletedShare(); share != 0 {
		t.Errorf("deleted share of nothing: %v", share)
	}
}

func TestRelations(t *testing.T) {
	text := func(clock byte, s, deletes string) []byte {
		b := []byte{1, 1, 1, clock, 4, 1, 1, 't'}
		if clock > 0 {
			b = []byte{1, 1, 1, clock, 0x84, 1, clock - 1}
		}
		return append(appendVarBytes(b, []byte(s)), deletes...)
	}
	none := "\x00"
	empty := []byte{0, 0}
	for name, v := range map[string]struct {
		a, b                       []byte
		contains, intersect, equal bool
	}{
		"the same":           {text(0, "abc", none), text(0, "abc", none), true, true, true},
		"a part":             {text(0, "abc", none), text(1, "b", none), true, true, false},
		"more":               {text(1, "b", none), text(0, "abc", none), false, true, false},
		"next to it":         {text(0, "abc", none), text(3, "d", none), false, false, false},
		"nothing":            {text(0, "abc", none), empty, true, false, false},
		"in nothing":         {empty, text(0, "abc", none), false, false, false},
		"other content":      {text(0, "abc", none), text(0, "abd", none), true, true, false},
		"a delete more":      {text(0, "abc", none), text(0, "abc", "\x01\x01\x01\x00\x01"), false, true, false},
		"a delete less":      {text(0, "abc", "\x01\x01\x01\x00\x01"), text(0, "abc", none), true, true, false},
		"deletes cut apart":  {[]byte("\x00\x01\x01\x01\x00\x05"), []byte("\x00\x01\x01\x02\x00\x02\x02\x03"), true, true, true},
		"deletes apart":      {[]byte("\x00\x01\x01\x01\x00\x05"), []byte("\x00\x01\x01\x01\x05\x01"), false, false, false},
		"deletes of another": {[]byte("\x00\x01\x01\x01\x00\x05"), []byte("\x00\x01\x02\x01\x00\x05"), false, false, false},
		"only skips":         {[]byte("\x01\x01\x01\x00\x0a\x05\x00"), empty, true, false, true},
		"structs cut apart":  {text(0, "abc", none), []byte("\x01\x02\x01\x00\x04\x01\x01t\x01a\x84\x01\x00\x02bc\x00"), true, true, true},
		"a pair cut apart":   {text(0, "😀", none), []byte("\x01\x02\x01\x00\x04\x01\x01t\x03\xef\xbf\xbd\x84\x01\x00\x03\xef\xbf\xbd\x00"), true, true, true},
	} {
		if got, err := Contains(v.a, v.b); got != v.contains || err != nil {
			t.Errorf("%s: contains %v, %v", name, got, err)
		}
		if got, err := Intersects(v.a, v.b); got != v.intersect || err != nil {
			t.Errorf("%s: intersects %v, %v", name, got, err)
		}
		if got, err := Equal(v.a, v.b); got != v.equal || err != nil {
			t.Errorf("%s: equal %v, %v", name, got, err)
		}
	}
	for in, want := range map[string]bool{
		"\x00\x00": true, "\x01\x00\x01\x00\x00": true, "\x01\x01\x01\x00\x0a\x05\x00": true, "\x00\x01\x01\x00": true,
		"\x01\x01\x01\x00\x00\x05\x00": false, "\x00\x01\x01\x01\x00\x05": false,
	} {
		if got, err := IsEmpty([]byte(in)); got != want || err != nil {
			t.Errorf("%x: empty %v, %v", in, got, err)
		}
	}
}

func TestSplitReportsWhatDoesNotFit(t *testing.T) {
	binary := append(appendVarBytes([]byte("\x01\x02\x01\x00\x04\x01\x01a\x02xy\x83\x01\x01"), make([]byte, 1000)), 0)
	_, err := Split(binary, 100)
	var v *SplitError
	if !errors.As(err, &v) || !errors.Is(err, ErrTooLarge) || v.ID != (ID{1, 2}) || v.Max != 100 {
		t.Fatalf("%v", err)
	}
	if _, err := Split(binary, v.Size); err != nil {
		t.Errorf("split to the size the error names: %v", err)
	}
	if _, err := Split(binary, v.Size-1); !errors.As(err, &v) {
		t.Errorf("split to less than the size the error names: %v", err)
	}
	for _, size := range []int{-1, 0, 1, 5} {
		if _, err := Split(binary, size); !errors.As(err, &v) || v.Size <= size {
			t.Errorf("split to %d: %v", size, err)
		}
	}
	deletes := []byte("\x00\x01\xff\xff\xff\xff\x0f\x01\xff\xff\xff\xff\x0f\x01")
	if _, err := Split(deletes, len(deletes)-1); !errors.As(err, &v) || v.Size != len(deletes) {
		t.Errorf("split of a delete: %v", err)
	}
	if pieces, err := Split([]byte{0, 0}, 2); err != nil || len(pieces) != 1 || !bytes.Equal(pieces[0], []byte{0, 0}) {
		t.Errorf("split of nothing: %x, %v", pieces, err)
	}
	pairs := append(appendVarBytes([]byte("\x01\x01\x01\x00\x04\x01\x01t"), bytes.Repeat([]byte("😀"), 100)), 0)
	pieces, err := Split(pairs, 40)
	if err != nil || bytes.Contains(bytes.Join(pieces, nil), []byte(replacement)) {
		t.Errorf("split of pairs: %q, %v", pieces, err)
	}
	if _, err := Split(pairs, 12); !errors.As(err, &v) || v.Size != 14 {
		t.Errorf("split of a pair: %v", err)
	}
}

// TestCompactKeepsWhatWaits: structs that cannot be placed yet keep their content, deleted or not.
func TestCompactKeepsWhatWaits(t *testing.T) {
	waits := []byte("\x01\x01\x01\x03\x84\x01\x02\x06secret\x01\x01\x01\x03\x06")
	compact, err := Compact(waits)
	if err != nil || !bytes.Equal(compact, waits) {
		t.Errorf("%q, %v", compact, err)
	}
	whole, err := Merge(waits, []byte("\x01\x01\x01\x00\x04\x01\x01t\x03abc\x00"))
	if err != nil {
		t.Fatal(err)
	}
	compact, err = Compact(whole)
	if err != nil || bytes.Contains(compact, []byte("secret")) || !bytes.Contains(compact, []byte("abc")) {
		t.Errorf("%q, %v", compact, err)
	}
}

// TestCompactAcrossTypes: an item outside a deleted type that names an item inside as its right neighbour, which only a
// forged update has, survives in Yjs, and so it does after compaction.
func TestCompactAcrossTypes(t *testing.T) {
	// Client 1: 0 text "a" in root t, 1 an array in root x, 2 "in" in that array, 4 "z" in t between 0 and 2.
	u := []byte("\x01\x04\x01\x00\x04\x01\x01t\x01a\x07\x01\x01x\x00\x04\x00\x01\x01\x02in\xc4\x01\x00\x01\x02\x01z\x01\x01\x01\x01\x01")
	if err := Validate(u); err != nil {
		t.Fatal(err)
	}
	compact, err := Compact(u)
	if err != nil || bytes.Contains(compact, []byte("in")) || !bytes.Contains(compact, []byte("z")) {
		t.Errorf("%q, %v", compact, err)
	}
	if err := VerifyCompaction([][]byte{u}, compact); err != nil {
		t.Error(err)
	}
	o := sharedOracle(t)
	got := ask[[]loaded](t, o, map[string]any{"op": "loads", "loads": []any{
		map[string]any{"updates": [][]byte{u}, "want": wantHash},
		map[string]any{"updates": [][]byte{compact}, "want": wantHash},
	}})
	if got[0].Exact != got[1].Exact {
		t.Error("Yjs makes another document of it")
	}
}

// TestConcurrentUse runs everything on the same inputs at once, for the race detector.
func TestConcurrentUse(t *testing.T) {
	updates := typist(500, 3)
	merged, err := Merge(updates...)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			if err := checkEverything(merged); err != nil {
				t.Error(err)
			}
			again, err := Merge(updates...)
			if err != nil || !bytes.Equal(again, merged) {
				t.Errorf("merge differs from run to run (%v)", err)
			}
			if err := VerifyCompaction(updates, again); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
}
