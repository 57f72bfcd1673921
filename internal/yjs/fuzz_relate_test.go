package yjs

import (
	"bytes"
	"testing"
	"time"
)

// FuzzRelate compares two updates in every way there is, within bounds, and holds the answers against each other.
func FuzzRelate(f *testing.F) {
	seed(f, func(u []byte) { f.Add(u, u); f.Add(u, []byte{0, 0}) })
	f.Fuzz(func(t *testing.T, a, b []byte) {
		if Validate(a) != nil || Validate(b) != nil {
			return // FuzzValidate has every function refuse those
		}
		n := len(a) + len(b)
		ask := func(what string, f func(a, b []byte) (bool, error), a, b []byte) (is bool) {
			var err error
			withinMemory(t, n, func() { is, err = f(a, b) })
			if err != nil {
				t.Fatalf("%s: %v", what, err)
			}
			return is
		}
		equal := ask("Equal", Equal, a, b)
		if equal != ask("Equal", Equal, b, a) {
			t.Error("Equal depends on the order")
		}
		ab, ba := ask("Contains", Contains, a, b), ask("Contains", Contains, b, a)
		if equal && !(ab && ba) {
			t.Error("equal updates do not contain each other")
		}
		meet := ask("Intersects", Intersects, a, b)
		if meet != ask("Intersects", Intersects, b, a) {
			t.Error("Intersects depends on the order")
		}
		empty := ask("IsEmpty", func(a, _ []byte) (bool, error) { return IsEmpty(a) }, b, a)
		if ab && !empty && !meet {
			t.Error("it contains what it does not intersect")
		}
		var stats UpdateStats
		var err error
		withinMemory(t, n, func() { stats, err = Stats(a) })
		if err != nil || stats.Bytes != len(a) {
			t.Errorf("%+v, %v", stats, err)
		}
		var gone []byte
		withinMemory(t, n, func() { gone, err = DeleteAll(a) })
		if err != nil || Validate(gone) != nil {
			t.Errorf("DeleteAll: %x, %v", gone, err)
		}
		var vector []byte
		withinMemory(t, n, func() { vector, err = StateVector(a) })
		if rest, derr := Diff(a, vector); err != nil || derr != nil || !ask("Contains", Contains, a, rest) {
			t.Errorf("state vector %x, and what lies beyond is %x (%v, %v)", vector, rest, err, derr)
		}
	})
}

// FuzzAwareness applies updates to a table within bounds, and holds its answers against what it encodes.
func FuzzAwareness(f *testing.F) {
	add := func(states ...AwarenessState) { f.Add(EncodeAwareness(states), EncodeAwareness(states[:1])) }
	add(AwarenessState{1, 1, []byte(`{"a":1}`)}, AwarenessState{2, 5, nil}, AwarenessState{maxSafe, maxSafe, []byte(`{}`)})
	f.Add([]byte("\x01\x4d\x01\x011"), []byte("\x01\xff\xff\xff\xff\xff\xff\xff\x0f\x01\x02{}"))
	f.Fuzz(func(t *testing.T, first, second []byte) {
		table := NewAwareness()
		for _, update := range [][]byte{first, second} {
			before := table.States()
			var err error
			withinMemory(t, len(first)+len(second), func() { _, err = table.Apply(update, time.Time{}) })
			if _, invalid := DecodeAwareness(update); (err == nil) != (invalid == nil) {
				t.Fatalf("Apply says %v, DecodeAwareness %v", err, invalid)
			}
			if err != nil && len(before) != len(table.States()) {
				t.Fatal("a refused update has changed the table")
			}
		}
		var clients []uint64
		for _, s := range table.States() {
			clients = append(clients, s.Client)
		}
		other := NewAwareness()
		if _, err := other.Apply(table.Encode(clients...), time.Time{}); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(other.Encode(clients...), table.Encode(clients...)) {
			t.Error("a table that has heard everything says something else")
		}
		table.Remove(clients, time.Time{})
		if left := table.States(); len(left) > 0 {
			t.Errorf("%v are left", left)
		}
	})
}
