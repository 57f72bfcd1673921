package yjs

import (
	"bytes"
	"encoding/base64"
	"strings"
	"testing"
)

// fromBase64 decodes updates written as base64, apart by " | ".
func fromBase64(t testing.TB, text string) [][]byte {
	t.Helper()
	var updates [][]byte
	for _, part := range strings.Split(text, " | ") {
		b, err := base64.StdEncoding.DecodeString(part)
		if err != nil {
			t.Fatal(err)
		}
		updates = append(updates, b)
	}
	return updates
}

// The cases that another Go implementation was seen to get wrong. Each is small enough to read by hand.
var knownCases = []struct {
	name    string
	updates string
	keeps   string // bytes that the merge has to have
	compact string // bytes that the compacted merge must not have
}{
	{"B1 delete before insert", "AAEBAQAB | AQEBAAQBAXQCYWIA", "ab", "a"},
	{"B2 edit of an existing XML element", "AQEBAAcBAXgDAXAA | AQIBAQcAAQAGBAABAQFhAA==", "a", ""},
	{"B3 negative zero", "AQEBAAgBAWEBfUAA | AQEBAUgBAAF9AQA=", "\x7d\x40", ""},
	{"B4 map key ''", "AQEBACgBAW0AAX0BAA== | AQEBAQgBAWEBfQEA", "\x28\x01\x01m\x00", ""},
	{"B5 legacy JSON null", "AQEBAAIBAWEBBG51bGwA | AQEBAUgBAAF9AQA=", "\x04null", ""},
	{"B6 what is in a deleted type", "AQEBACcBAW0BawEA | AQECACgAAQAFY2hpbGQBdwZzZWNyZXQA | AAEBAQAB", "secret", "secret"},
	{"B7 nested formatting", "AQMBAAcBAWECBwABAAGEAQEBeAA= | AQIBA0YBAQRib2xkBHRydWXGAQEBAgRib2xkBG51bGwA", "\x04bold\x04true", ""},
	{"B8 lone surrogate in an embed", `AQEBAAUBAXQOeyJzIjoiXHVkODAwIn0A | AQEBAUQBAAFhAA==`, `{"s":"\ud800"}`, ""},
}

func TestKnownCases(t *testing.T) {
	for _, k := range knownCases {
		t.Run(k.name, func(t *testing.T) {
			updates := fromBase64(t, k.updates)
			merged, err := Merge(updates...)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Contains(merged, []byte(k.keeps)) {
				t.Errorf("the merge %x has lost %q", merged, k.keeps)
			}
			compact, err := Compact(merged)
			if err != nil {
				t.Fatal(err)
			}
			if k.compact != "" && bytes.Contains(compact, []byte(k.compact)) {
				t.Errorf("the compacted update %x still has %q", compact, k.compact)
			}
			for _, u := range [][]byte{merged, compact} {
				if err := VerifyCompaction(updates, u); err != nil {
					t.Error(err)
				}
			}
			o := sharedOracle(t)
			var loads []any
			for _, list := range [][][]byte{updates, {merged}, {compact}} {
				loads = append(loads, map[string]any{"updates": list, "want": wantHash})
			}
			got := ask[[]loaded](t, o, map[string]any{"op": "loads", "loads": loads})
			if got[0].Exact != got[1].Exact || got[0].Exact != got[2].Exact {
				t.Errorf("Yjs makes different documents of the updates, their merge and its compaction: %+v", got)
			}
		})
	}
}

// TestMergeByHand: what can be checked by hand, without any other implementation.
func TestMergeByHand(t *testing.T) {
	insert := func(clock int, text string) []byte { // one more character behind the last, in the root text t
		if clock == 0 {
			return append([]byte("\x01\x01\x01\x00\x04\x01\x01t"), append(appendVarBytes(nil, []byte(text)), 0)...)
		}
		b := appendUvarint([]byte{1, 1, 1}, uint64(clock))
		b = appendUvarint(append(b, 0x84, 1), uint64(clock-1))
		return append(appendVarBytes(b, []byte(text)), 0)
	}
	for name, v := range map[string]struct {
		in   [][]byte
		want string
	}{
		"nothing":            {nil, "\x00\x00"},
		"only empty updates": {[][]byte{{0, 0}, {0, 0}}, "\x00\x00"},
		"one":                {[][]byte{insert(0, "ab")}, "\x01\x01\x01\x00\x04\x01\x01t\x02ab\x00"},
		"joins":              {[][]byte{insert(1, "b"), insert(0, "a"), insert(2, "c")}, "\x01\x01\x01\x00\x04\x01\x01t\x03abc\x00"},
		"gap":                {[][]byte{insert(3, "d"), insert(0, "a")}, "\x01\x03\x01\x00\x04\x01\x01t\x01a\x0a\x02\x84\x01\x02\x01d\x00"},
		"first is no skip":   {[][]byte{insert(3, "d")}, "\x01\x01\x01\x03\x84\x01\x02\x01d\x00"},
		"overlap":            {[][]byte{insert(0, "abc"), insert(1, "bcd")}, "\x01\x01\x01\x00\x04\x01\x01t\x04abcd\x00"},
		"content before GC":  {[][]byte{[]byte("\x01\x01\x01\x00\x00\x05\x00"), insert(1, "bc")}, "\x01\x03\x01\x00\x00\x01\x84\x01\x00\x02bc\x00\x02\x00"},
		"delete ranges join": {[][]byte{[]byte("\x00\x01\x01\x02\x05\x01\x00\x02"), []byte("\x00\x02\x02\x01\x00\x01\x01\x01\x02\x03")}, "\x00\x02\x02\x01\x00\x01\x01\x01\x00\x06"},
		"clients descend":    {[][]byte{[]byte("\x02\x01\x01\x00\x00\x01\x01\x05\x00\x00\x01\x00")}, "\x02\x01\x05\x00\x00\x01\x01\x01\x00\x00\x01\x00"},
	} {
		got, err := Merge(v.in...)
		if err != nil || string(got) != v.want {
			t.Errorf("%s: %q, %v; want %q", name, got, err, v.want)
		}
	}
}

// TestOutputsOwnTheirMemory: nothing returned changes when an input is written to, and no input is changed.
func TestOutputsOwnTheirMemory(t *testing.T) {
	for _, k := range knownCases {
		updates := fromBase64(t, k.updates)
		before := fromBase64(t, k.updates)
		merged, err := Merge(updates...)
		if err != nil {
			t.Fatal(err)
		}
		source := bytes.Clone(merged)
		var outputs [][]byte
		compact, err1 := Compact(source)
		diff, err2 := Diff(source, []byte{0})
		pieces, err3 := Split(source, len(source))
		vector, err4 := StateVector(source)
		for _, err := range []error{err1, err2, err3, err4} {
			if err != nil {
				t.Fatal(err)
			}
		}
		outputs = append(pieces, compact, diff, vector)
		var saved [][]byte
		for _, o := range outputs {
			saved = append(saved, bytes.Clone(o))
		}
		if !bytes.Equal(source, merged) {
			t.Errorf("%s: an input was changed", k.name)
		}
		for i := range updates {
			if !bytes.Equal(updates[i], before[i]) {
				t.Errorf("%s: input %d was changed", k.name, i)
			}
		}
		for i := range source {
			source[i] = 0xff
		}
		for i := range outputs {
			if !bytes.Equal(outputs[i], saved[i]) {
				t.Errorf("%s: output %d shares memory with its input", k.name, i)
			}
		}
	}
}
