package yjs

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"
)

// typists are two writers that hear of each other after every round, in between not.
type typists struct {
	t       *testing.T
	docs    [2]*Doc
	updates [][]byte
}

func newTypists(t *testing.T) *typists { return &typists{t: t, docs: [2]*Doc{NewDoc(), NewDoc()}} }

// round lets each make edits of its own, then tells the other.
func (p *typists) round(edits ...func(tx *Tx)) {
	p.t.Helper()
	var made [2][]byte
	for i, edit := range edits {
		if edit == nil {
			continue
		}
		u, err := p.docs[i].Transact(uint64(i+1), func(tx *Tx) error { edit(tx); return nil })
		if err != nil {
			p.t.Fatal(err)
		}
		made[i] = u
	}
	for i, u := range made {
		if u == nil {
			continue
		}
		p.updates = append(p.updates, u)
		if err := p.docs[1-i].Apply(u); err != nil {
			p.t.Fatal(err)
		}
	}
}

// TestTidyFarApart has formats meet over gaps far longer than what is searched item by item, so that they are found through
// the position index. Real Yjs must delete the same ones.
func TestTidyFarApart(t *testing.T) {
	o := sharedOracle(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	bold, plain := map[string]any{"bold": true}, map[string]any{"bold": nil}
	for _, start := range []int{0, 1} {
		p := newTypists(t)
		p.round(func(tx *Tx) {
			tx.Text("t").InsertFormatted(0, "[", bold)
			tx.Text("t").Insert(1, "]")
			tx.Map("m").Set("nested", TextOf("[]"))
		})
		nested := func(tx *Tx) *Text { v, _ := tx.Map("m").Get("nested"); return v.(*Text) }
		both := func(edit func(t *Text)) func(*Tx) { return func(tx *Tx) { edit(tx.Text("t")); edit(nested(tx)) } }
		for range 3 * nearby { // items that do not join
			at, c := start+r.IntN(p.docs[0].Text("t").Len()-start), fmt.Sprint(r.IntN(10))
			insert := both(func(t *Text) { t.Insert(at, c) })
			if r.IntN(2) == 0 {
				p.round(insert)
			} else {
				p.round(nil, insert)
			}
		}
		for range 3 { // the same formats by both around what one of them deletes
			n := p.docs[0].Text("t").Len()
			format := both(func(t *Text) { t.Format(start, t.Len()-start, bold); t.Format(start+1, t.Len()-start-2, plain) })
			p.round(format, format)
			p.round(both(func(t *Text) { t.Delete(start, n/2) }), both(func(t *Text) { t.Format(start, n/3, plain) }))
			p.round(nil, both(func(t *Text) { t.Insert(start, "x"); t.Format(start, 1, map[string]any{"i": nil, "bold": true}) }))
		}
		for seed := range 2 { // roots that have been opened before, and after
			c := diffCase{Seed: seed, Delivery: "in order", Roots: []string{"t", "m"}, Given: p.updates, Later: p.updates[len(p.updates)/2:]}
			failures, err := runCases(o, []diffCase{c})
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range failures[0] {
				t.Errorf("start %d, %s: %v", start, f.probe, f.err)
			}
		}
	}
}

// TestTidyWhenOpened shows that a root is tidied once it has been asked for as a text, a nested text always, and that what a
// document says of the text is the same.
func TestTidyWhenOpened(t *testing.T) {
	p := newTypists(t)
	bold := map[string]any{"bold": true}
	p.round(func(tx *Tx) { tx.Text("t").Insert(0, "abc") })
	p.round(func(tx *Tx) { tx.Text("t").Format(0, 3, bold) }, func(tx *Tx) { tx.Text("t").Format(0, 3, bold) })
	deleted := func(opened bool) (uint64, string) {
		d := NewDoc()
		if opened {
			d.Text("t")
		}
		for _, u := range p.updates {
			if err := d.Apply(u); err != nil {
				t.Fatal(err)
			}
		}
		stats, err := Stats(d.Encode())
		if err != nil {
			t.Fatal(err)
		}
		ops, err := d.Text("t").Delta()
		if err != nil {
			t.Fatal(err)
		}
		return stats.Deleted, fmt.Sprint(ops)
	}
	closed, text := deleted(false)
	open, same := deleted(true)
	if closed != 0 || open == 0 || text != same {
		t.Errorf("%d deleted when it is not opened, %d when it is; %s and %s", closed, open, text, same)
	}
}

// manyFormats is an update with n items in a text, by turns a character and a format of a key of its own, and one character
// behind them; and the update that deletes the characters.
func manyFormats(n int) (update, deletes []byte) {
	var gone deleteSet
	w := newUpdateWriter(32 * n)
	for i := range n {
		b := block{client: 1, clock: uint64(i), length: 1, ref: refFormat, hasRight: true, right: ID{2, 0}}
		if b.content = appendVarBytes(appendVarBytes(nil, fmt.Append(nil, "key ", i)), []byte("true")); i%2 == 0 {
			b.ref, b.content = refString, []byte("x")
			gone = append(gone, deleteRange{1, uint64(i), uint64(i + 1)})
		}
		if i > 0 {
			b.hasOrigin, b.origin = true, ID{1, uint64(i - 1)}
		}
		w.add(&b)
	}
	update = w.finish(nil)
	update[0]++ // a second client
	return append(update[:len(update)-1:len(update)-1], "\x01\x02\x00\x04\x01\x01t\x01a\x00"...), gone.appendTo([]byte{0})
}

// TestTidyIsBounded: formats of very many keys, and very many deletes among them, do not keep a document busy.
func TestTidyIsBounded(t *testing.T) {
	d := NewDoc()
	d.Text("t")
	update, deletes := manyFormats(4_000)
	for _, u := range [][]byte{update, deletes} {
		if err := d.Apply(u); err != nil {
			t.Fatal(err)
		}
	}
	if d.visits > 1<<20 {
		t.Errorf("%d visits for one gap", d.visits)
	}
	var err error
	applied := 0
	for ; err == nil && applied < 10_000; applied++ { // each looks at all of them again
		w := newUpdateWriter(64)
		w.add(&block{
			client: 3, clock: uint64(applied), length: 1, ref: refFormat, hasRight: true, right: ID{1, 0},
			content: appendVarBytes(appendVarBytes(nil, fmt.Append(nil, "more ", applied)), []byte("true")),
		})
		err = d.Apply(w.finish(nil))
	}
	if !errors.Is(err, ErrTooComplex) {
		t.Errorf("%d updates, %d visits, %v", applied, d.visits, err)
	}
	if n := d.Text("t").Len(); n != 1 {
		t.Errorf("it reads %d elements", n)
	}
}
