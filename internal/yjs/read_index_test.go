package yjs

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"sync"
	"testing"
	"time"
)

// choppedArray is a document with an array of about n elements, in long items, short ones, and remains of both.
func choppedArray(t testing.TB, r *rand.Rand, n int) *Doc {
	d := NewDoc()
	_, err := d.Transact(1, func(tx *Tx) error {
		a := tx.Array("a")
		for a.Len() < n {
			values := make([]any, 1+r.IntN(n/4))
			for i := range values {
				values[i] = pick[any](r, i, "x", nil, []any{1, "two"}, -0.5)
			}
			a.Insert(r.IntN(a.Len()+1), values...)
			for range 20 {
				a.Insert(r.IntN(a.Len()+1), MapOf{"k": 1})
				a.Delete(r.IntN(a.Len()), 1)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	// A copy, so that nothing has been indexed.
	c := NewDoc()
	if err := c.Apply(d.Encode()); err != nil {
		t.Fatal(err)
	}
	return c
}

// TestGetAnyElement reads single elements in any order, from several goroutines at once, and again after more updates.
func TestGetAnyElement(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 2))
	d := choppedArray(t, r, 2_000)
	for round := range 3 {
		want := d.Array("a").Values()
		var wg sync.WaitGroup
		for worker := range 4 {
			wg.Add(1)
			go func() {
				defer wg.Done()
				a := d.Array("a")
				for _, i := range rand.New(rand.NewPCG(seed, uint64(worker))).Perm(len(want)) {
					if got := a.Get(i); !reflect.DeepEqual(got, want[i]) {
						t.Errorf("round %d, element %d: %v, want %v", round, i, got, want[i])
						return
					}
				}
				if a.Get(-1) != nil || a.Get(len(want)) != nil {
					t.Error("elements outside of the array")
				}
			}()
		}
		wg.Wait()
		other := NewDoc()
		if err := other.Apply(d.Encode()); err != nil {
			t.Fatal(err)
		}
		u, err := other.Transact(uint64(round+2), func(tx *Tx) error {
			for range 50 {
				tx.Array("a").Delete(r.IntN(tx.Array("a").Len()-3), 3)
				tx.Array("a").Insert(r.IntN(tx.Array("a").Len()), 1, 2)
			}
			return nil
		})
		if err == nil {
			err = d.Apply(u)
		}
		if err == nil {
			err = checkDoc(d)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// BenchmarkDocTraps: what makes careless documents quadratic, at two sizes. The time for each unit has to stay, but for a
// logarithm.
func BenchmarkDocTraps(b *testing.B) {
	apply := func(updates [][]byte) func() error {
		return func() error {
			d := NewDoc()
			d.Text("t")
			for _, u := range updates {
				if err := d.Apply(u); err != nil {
					return err
				}
			}
			return nil
		}
	}
	get := func(d *Doc) func() error {
		places := rand.New(rand.NewPCG(7, 8)).Perm(d.Array("a").Len())
		return func() error {
			a := d.Array("a")
			for _, i := range places {
				a.Get(i)
			}
			return nil
		}
	}
	loaded := func(updates [][]byte) *Doc {
		d := NewDoc()
		for _, u := range updates {
			if err := d.Apply(u); err != nil {
				b.Fatal(err)
			}
		}
		return d
	}
	for _, n := range []int{10_000, 80_000} {
		text := appendVarBytes([]byte("\x01\x01\x01\x00\x04\x01\x01t"), []byte(fmt.Sprintf("%*s", 10*n, "é")))
		text = append(text, 0)
		array := appendUvarint([]byte("\x01\x01\x01\x00\x08\x01\x01a"), uint64(n))
		for range n {
			array = append(array, anyTrue)
		}
		array = append(array, 0)
		chopped := append([][]byte{array}, insertsIn(array, n/2)...)
		formatted := append([][]byte{text}, formatsIn(text, n/4)...)
		for name, run := range map[string]func() error{
			"apply deletes in a long string":          apply(append([][]byte{text}, deletesIn(text, n)...)),
			"apply inserts in a long array":           apply(append([][]byte{array}, insertsIn(array, n)...)),
			"tidy formats around deletes":             apply(append(formatted, deletesIn(text, n)...)),
			"get each element of one long item":       get(loaded([][]byte{array})),
			"get each element of an array of inserts": get(loaded(chopped)),
		} {
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

// formatsIn is updates that put a format at a random place of a text each.
func formatsIn(update []byte, n int) [][]byte {
	state, _ := stateOf(update, DefaultLimits())
	r := rand.New(rand.NewPCG(7, 9))
	updates := make([][]byte, n)
	for i := range updates {
		clock := r.Uint64N(state[0].clock - 1)
		w := newUpdateWriter(48)
		w.add(&block{
			client: 9, clock: uint64(i), length: 1, ref: refFormat,
			content:   appendVarBytes(appendVarBytes(nil, []byte("bold")), []byte(pick(r, "true", "null"))),
			hasOrigin: true, origin: ID{state[0].client, clock}, hasRight: true, right: ID{state[0].client, clock + 1},
		})
		updates[i] = w.finish(nil)
	}
	return updates
}

// TestHandlesOfRootsToCome asks for roots before any update fills them, as one does with Yjs.
func TestHandlesOfRootsToCome(t *testing.T) {
	d := NewDoc()
	text, array, object, xml := d.Text("t"), d.Array("a"), d.Map("m"), d.XML("x")
	if names := d.Roots(); len(names) > 0 || d.Guess("t") != KindRoot || len(d.Encode()) != 2 {
		t.Errorf("asking alone has made %v", names)
	}
	u := write(t, func(tx *Tx) error {
		tx.Text("t").Insert(0, "text")
		tx.Array("a").Push(1)
		tx.Map("m").Set("k", true)
		return tx.XML("x").Push(ElementOf{Name: "p"})
	})
	if err := d.Apply(u); err != nil {
		t.Fatal(err)
	}
	value, _ := object.Get("k")
	if text.String() != "text" || array.Len() != 1 || value != true || xml.Len() != 1 {
		t.Errorf("%q, %d elements, %v, %d nodes", text, array.Len(), value, xml.Len())
	}
}
