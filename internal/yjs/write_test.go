package yjs

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
)

// edited makes one transaction and fails the test on an error.
func edited(t testing.TB, d *Doc, client uint64, edit func(*Tx)) []byte {
	t.Helper()
	update, err := d.Transact(client, func(tx *Tx) error { edit(tx); return nil })
	if err != nil {
		t.Fatal(err)
	}
	if err := checkDoc(d); err != nil {
		t.Fatal(err)
	}
	return update
}

// library is a document with one root of each kind.
func library(t testing.TB) *Doc {
	d := NewDoc()
	edited(t, d, 1, func(tx *Tx) {
		tx.Text("t").Insert(0, "hello 😀 world")
		tx.Text("t").Format(0, 5, map[string]any{"bold": true})
		tx.Array("a").Insert(0, 1, "two", nil, MapOf{"k": TextOf("nested")}, []byte{1, 2}, SubDoc{GUID: "g"})
		tx.Map("m").Set("", ArrayOf{ArrayOf{}, true})
		tx.XML("x").Insert(0, ElementOf{Name: "p", Attributes: map[string]any{"class": "c"}, Children: []any{XMLTextOf("hi")}}, HookOf{Name: "h"})
	})
	return d
}

func TestWhatIsWrittenIsRead(t *testing.T) {
	d := library(t)
	other := NewDoc()
	if err := other.Apply(d.Encode()); err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"t": `"hello 😀 world"`,
		"a": `[1,"two",null,{"k":"nested"},{"$yjs":"bytes","value":"AQI="},{"$yjs":"doc","value":"g"}]`,
		"m": `{"":[[],true]}`,
		"x": `"<p class=\"c\">hi</p>[object Object]"`,
	} {
		for _, d := range []*Doc{d, other} {
			if got, err := d.AppendJSON(nil, name); string(got) != want || err != nil {
				t.Errorf("%s: %s, %v; want %s", name, got, err, want)
			}
		}
	}
	if got := fmt.Sprint(d.Roots()); got != "[a m t x]" {
		t.Errorf("roots %s", got)
	}
	if ops, err := d.Text("t").Delta(); err != nil || len(ops) != 2 || ops[0].Insert != "hello" || fmt.Sprint(ops[0].Attributes) != "[{bold true}]" || ops[1].Attributes != nil {
		t.Errorf("delta %v", ops)
	}
	p := d.XML("x").Child(0).(*XML)
	if class, _ := p.Attribute("class"); p.Name() != "p" || p.Kind() != KindXMLElement || class != "c" || p.Len() != 1 {
		t.Errorf("element %s with class %v and %d children", p.Name(), class, p.Len())
	}
	if h := d.XML("x").Child(1).(*Map); h.Name() != "h" || h.Kind() != KindXMLHook {
		t.Errorf("hook %s", h.Name())
	}
	if v, has := d.Map("m").Get("nothing"); v != nil || has {
		t.Errorf("a key that is not there: %v", v)
	}
	if v := d.Array("a").Get(6); v != nil {
		t.Errorf("behind the end: %v", v)
	}
}

func TestEditsThatCannotBe(t *testing.T) {
	deep := any(ArrayOf{})
	for range DefaultMaxDepth + 1 {
		deep = ArrayOf{deep}
	}
	for name, c := range map[string]struct {
		edit func(*Tx) error
		want error
	}{
		"text behind the end":      {func(tx *Tx) error { return tx.Text("t").Insert(150, "x") }, ErrRange},
		"text before the start":    {func(tx *Tx) error { return tx.Text("t").Insert(-1, "x") }, ErrRange},
		"delete too much":          {func(tx *Tx) error { return tx.Text("t").Delete(10, 500) }, ErrRange},
		"delete less than nothing": {func(tx *Tx) error { return tx.Array("a").Delete(3, -1) }, ErrRange},
		"a length that overflows":  {func(tx *Tx) error { return tx.Array("a").Delete(1, int(^uint(0)>>1)) }, ErrRange},
		"format too much":          {func(tx *Tx) error { return tx.Text("t").Format(0, 99, map[string]any{"b": 1}) }, ErrRange},
		"retain too much":          {func(tx *Tx) error { return tx.Text("t").ApplyDelta([]DeltaOp{{Retain: 99}}) }, ErrRange},
		"delta of nothing":         {func(tx *Tx) error { return tx.Text("t").ApplyDelta([]DeltaOp{{Retain: 1, Delete: 1}, {Retain: -1}}) }, ErrRange},
		"text that is not UTF-8":   {func(tx *Tx) error { return tx.Text("t").Insert(0, "\xff") }, ErrUTF8},
		"a root that is not UTF-8": {func(tx *Tx) error { return tx.Text("\xff").Insert(0, "x") }, ErrUTF8},
		"a key that is not UTF-8":  {func(tx *Tx) error { return tx.Map("m").Set("\xff", 1) }, ErrUTF8},
		"a value of no kind":       {func(tx *Tx) error { return tx.Map("m").Set("k", struct{}{}) }, ErrValue},
		"a value in a value":       {func(tx *Tx) error { return tx.Array("a").Push([]any{MapOf{}}) }, ErrValue},
		"a handle as a value":      {func(tx *Tx) error { return tx.Array("a").Push(tx.Map("m")) }, ErrValue},
		"bytes as a format":        {func(tx *Tx) error { return tx.Text("t").Format(0, 1, map[string]any{"b": []byte{1}}) }, ErrValue},
		"a value among XML":        {func(tx *Tx) error { return tx.XML("x").Insert(0, "text") }, ErrValue},
		"types nested very deep":   {func(tx *Tx) error { return tx.Array("a").Push(deep) }, ErrDepth},
		"a type that is deleted": {func(tx *Tx) error {
			inner := tx.Array("a").Get(1).(*Map)
			text, _ := inner.Get("k")
			tx.Array("a").Delete(1, 1)
			return text.(*Text).Insert(0, "x")
		}, ErrDeleted},
		"an error that was ignored": {func(tx *Tx) error {
			tx.Text("t").Insert(99, "x")
			tx.Text("t").Insert(0, "y")
			return nil
		}, ErrRange},
		"Apply inside":    {func(tx *Tx) error { return tx.doc.Apply([]byte{0, 0}) }, ErrInTransaction},
		"Transact inside": {func(tx *Tx) error { _, err := tx.doc.Transact(2, nil); return err }, ErrInTransaction},
	} {
		t.Run(name, func(t *testing.T) {
			d := library(t)
			before := d.Encode()
			update, err := d.Transact(7, func(tx *Tx) error {
				tx.Text("t").Insert(7, "inside of the emoji")
				tx.Map("m").Set("", "replaced")
				tx.Array("a").Delete(0, 2)
				return c.edit(tx)
			})
			if !errors.Is(err, c.want) || update != nil {
				t.Errorf("%x, %v; want %v", update, err, c.want)
			}
			if err := checkDoc(d); err != nil {
				t.Error(err)
			}
			if after := d.Encode(); !bytes.Equal(before, after) {
				t.Errorf("the document has changed from %x to %x", before, after)
			}
			edited(t, d, 7, func(tx *Tx) { tx.Text("t").Insert(0, "still works") })
		})
	}
}

func TestHandlesOutsideOfTransactions(t *testing.T) {
	d := library(t)
	var kept *Text
	edited(t, d, 1, func(tx *Tx) { kept = tx.Text("t") })
	for name, err := range map[string]error{
		"of a document": d.Text("t").Insert(0, "x"), "of a closed transaction": kept.Insert(0, "x"),
		"map": d.Map("m").Set("a", 1), "array": d.Array("a").Push(1), "xml": d.XML("x").Push(HookOf{}), "delete": d.Text("t").Delete(0, 1),
		"format": d.Text("t").Format(0, 1, nil), "delta": d.Text("t").ApplyDelta(nil), "unset": d.Map("m").Delete("a"),
	} {
		if !errors.Is(err, ErrReadOnly) {
			t.Errorf("%s: %v, want ErrReadOnly", name, err)
		}
	}
	inner := d.Array("a").Get(3).(*Map)
	edited(t, d, 1, func(tx *Tx) { tx.Array("a").Delete(3, 1) })
	if !inner.Deleted() || len(inner.Values()) != 0 || inner.Len() != 0 {
		t.Errorf("a handle of a deleted type: %v", inner.Values())
	}
}

func TestAPanicUndoesATransaction(t *testing.T) {
	d := library(t)
	before := d.Encode()
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic is lost")
			}
		}()
		d.Transact(3, func(tx *Tx) error {
			tx.Text("t").Delete(0, 3)
			panic("in the middle")
		})
	}()
	if after := d.Encode(); !bytes.Equal(before, after) {
		t.Errorf("the document has changed from %x to %x", before, after)
	}
	if err := checkDoc(d); err != nil {
		t.Error(err)
	}
}

func TestClientsThatCannotWrite(t *testing.T) {
	d := library(t)
	if _, err := d.Transact(1<<53, func(*Tx) error { return nil }); !errors.Is(err, ErrClient) {
		t.Errorf("a client above 2^53-1: %v", err)
	}
	other := NewDoc()
	edited(t, other, 9, func(tx *Tx) { tx.Text("t").Insert(0, "a") })
	later := edited(t, other, 9, func(tx *Tx) { tx.Text("t").Insert(0, "b") })
	if err := d.Apply(later); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Transact(9, func(tx *Tx) error { return tx.Text("t").Insert(0, "c") }); !errors.Is(err, ErrClient) {
		t.Errorf("a client whose first edit is missing: %v", err)
	}
	if update := edited(t, d, 1, func(tx *Tx) { tx.Map("m").Delete("nothing"); tx.Text("t").Insert(0, "") }); update != nil {
		t.Errorf("an update for no change: %x", update)
	}
}

func TestPendingIsReported(t *testing.T) {
	source := NewDoc()
	first := edited(t, source, 4, func(tx *Tx) { tx.Text("t").Insert(0, "abc") })
	second := edited(t, source, 5, func(tx *Tx) { tx.Text("t").Insert(3, "def") })
	third := edited(t, source, 4, func(tx *Tx) { tx.Text("t").Delete(4, 1) })
	d := NewDoc()
	for _, u := range [][]byte{third, second, second} {
		if err := d.Apply(u); err != nil {
			t.Fatal(err)
		}
	}
	p := d.Pending()
	if p.Structs != 3 || p.Deletes != 1 || fmt.Sprint(p.Missing) != "[{4 0}]" {
		t.Errorf("pending %+v", p)
	}
	if v := d.StateVector(); !bytes.Equal(v, []byte{0}) {
		t.Errorf("what waits counts in the state vector %x", v)
	}
	copied := NewDoc()
	if err := copied.Apply(d.Encode()); err != nil {
		t.Fatal(err)
	}
	for _, d := range []*Doc{d, copied} {
		if err := d.Apply(first); err != nil {
			t.Fatal(err)
		}
		if p := d.Pending(); !p.IsZero() || len(p.Missing) > 0 || d.Text("t").String() != "abcdf" {
			t.Errorf("pending %+v, text %q", p, d.Text("t"))
		}
	}
}

func TestPendingIsBounded(t *testing.T) {
	d := Limits{MaxBytes: 1000}.NewDoc()
	refused := 0
	for i := range uint64(100) {
		w := newUpdateWriter(64)
		w.add(&block{client: 5, clock: 100 * (i + 1), length: 50, ref: refString, parent: parentRoot, parentName: []byte("t"), content: bytes.Repeat([]byte("x"), 50)})
		update := w.finish(nil)
		if err := d.Apply(update); errors.Is(err, ErrTooLarge) {
			refused++
		} else if err != nil {
			t.Fatal(err)
		}
		if err := d.Apply(update); err != nil && !errors.Is(err, ErrTooLarge) { // the same again takes no room
			t.Fatal(err)
		}
	}
	if refused == 0 || d.pendingBytes > 1000 {
		t.Errorf("%d refused, %d bytes wait", refused, d.pendingBytes)
	}
}

func TestTooManyConcurrentInserts(t *testing.T) {
	// Each item has no origin and another right origin: it is compared with all before that.
	const n = 40_000
	base := NewDoc()
	edited(t, base, 1<<40, func(tx *Tx) { tx.Text("t").Insert(0, strings.Repeat("x", n)) })
	w := newUpdateWriter(1 << 20)
	for i := uint64(n - 1); i > 0; i-- {
		w.add(&block{client: i, length: 1, ref: refString, content: []byte("y"), hasRight: true, right: ID{1 << 40, i}})
	}
	update := w.finish(nil)
	d := NewDoc()
	if err := d.Apply(base.Encode()); err != nil {
		t.Fatal(err)
	}
	if err := d.Apply(update); !errors.Is(err, ErrTooComplex) {
		t.Fatalf("%v after %d comparisons", err, d.visits)
	}
	if err := checkDoc(d); err != nil {
		t.Error(err)
	}
	if got := d.Text("t").Len(); got < n {
		t.Errorf("%d characters are left", got)
	}
	if err := d.Apply([]byte{0, 0}); !errors.Is(err, ErrTooComplex) {
		t.Errorf("applied on: %v", err)
	}
	if _, err := d.Transact(1, func(*Tx) error { return nil }); !errors.Is(err, ErrTooComplex) {
		t.Errorf("edited on: %v", err)
	}
}

func TestTooManyFormats(t *testing.T) {
	d := NewDoc()
	w := newUpdateWriter(1 << 20)
	for i := range uint64(40_000) {
		b := block{client: 5, clock: i, length: 1, ref: refFormat, content: fmt.Appendf(nil, "\x05%05d\x04true", i)}
		if i%2 == 1 {
			b.ref, b.content = refString, []byte("x")
		}
		if i == 0 {
			b.parent, b.parentName = parentRoot, []byte("t")
		} else {
			b.hasOrigin, b.origin = true, ID{5, i - 1}
		}
		w.add(&b)
	}
	if err := d.Apply(w.finish(nil)); err != nil {
		t.Fatal(err)
	}
	before := allocated()
	if _, err := d.Text("t").Delta(); !errors.Is(err, ErrTooComplex) {
		t.Errorf("Delta: %v", err)
	}
	if _, err := d.Text("t").XML(); !errors.Is(err, ErrTooComplex) {
		t.Errorf("XML: %v", err)
	}
	if _, err := d.Transact(1, func(tx *Tx) error { return tx.Text("t").Insert(tx.Text("t").Len(), "y") }); !errors.Is(err, ErrTooComplex) {
		t.Errorf("Insert: %v", err)
	}
	if used := allocated() - before; used > 500<<20 {
		t.Errorf("%d bytes allocated", used)
	}
	if got := len(d.Text("t").String()); got != 20_000 {
		t.Errorf("%d characters", got)
	}
}

// TestReadersMayShare reads in several goroutines, for the race detector.
func TestReadersMayShare(t *testing.T) {
	d := library(t)
	edited(t, d, 1, func(tx *Tx) {
		for range 200 {
			tx.Text("t").Insert(3, "ä😀")
			tx.Map("m").Set("n", []any{1, 2})
		}
	})
	var wg sync.WaitGroup
	for range 4 {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for _, name := range append(d.Roots(), "nothing") {
				if err := readEverything(d, name); err != nil {
					t.Error(err)
				}
			}
			d.Encode()
			d.StateVector()
			d.Pending()
		}()
	}
	wg.Wait()
}

// TestLongContentIsCutCheaply counts work, not time: cutting a long text that is not ASCII in many places reads little of it.
func TestLongContentIsCutCheaply(t *testing.T) {
	for name, kind := range map[string]uint8{"text": refString, "values": refAny} {
		t.Run(name, func(t *testing.T) {
			const n = 100_000
			it := &item{client: &docClient{}, length: n, ref: kind, content: bytes.Repeat([]byte("ä"), n)}
			if kind == refAny {
				it.content = bytes.Repeat([]byte{anyString, 1, 'x'}, n)
			}
			unit := len(it.content) / n
			for i := uint64(1); i < 2000; i++ {
				clock := i * 7919 % n
				if at, inside := it.cutContent(clock); at != int(clock)*unit || inside {
					t.Fatalf("unit %d at byte %d, %v", clock, at, inside)
				}
			}
			if it.ruler == nil || len(it.ruler.marks) < n/rulerStep-1 {
				t.Error("there is no ruler: every cut reads the text from its beginning")
			}
		})
	}
}
