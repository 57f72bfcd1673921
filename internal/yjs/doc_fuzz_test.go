package yjs

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
)

// docMemoryPerByte bounds what building a document may allocate for each byte of an update: the worst is an item of 5
// bytes, which takes 200 in memory, twice over while it is encoded and read.
const docMemoryPerByte = 1500

// applyAndRead applies updates and uses the document in every way. It returns what is not as it has to be.
func applyAndRead(updates ...[]byte) error {
	d := NewDoc()
	for _, u := range updates {
		invalid := Validate(u)
		before := d.Encode()
		err := d.Apply(u)
		if (err == nil) != (invalid == nil) {
			return fmt.Errorf("Apply says %v, Validate %v", err, invalid)
		}
		var decode *DecodeError
		if err != nil && !errors.As(err, &decode) {
			return fmt.Errorf("%T is no *DecodeError", err)
		}
		if err := checkDoc(d); err != nil {
			return err
		}
		if err != nil && !bytes.Equal(before, d.Encode()) {
			return fmt.Errorf("a refused update has changed the document")
		}
	}
	state := d.Encode()
	if err := Validate(state); err != nil {
		return fmt.Errorf("the state: %w", err)
	}
	for _, u := range updates {
		if err := d.Apply(u); err == nil && !bytes.Equal(d.Encode(), state) {
			return fmt.Errorf("applied twice, an update changes %x to %x", state, d.Encode())
		}
	}
	other := NewDoc()
	if err := other.Apply(state); err != nil {
		return err
	}
	if again := other.Encode(); !bytes.Equal(again, state) {
		return fmt.Errorf("loaded, the state %x becomes %x", state, again)
	}
	if _, err := d.EncodeDiff(d.StateVector()); err != nil {
		return err
	}
	for _, name := range d.Roots() {
		if err := readEverything(d, name); err != nil {
			return fmt.Errorf("root %q: %w", name, err)
		}
	}
	return nil
}

// readEverything reads a root as every kind.
func readEverything(d *Doc, name string) error {
	fromValue := func(value any, err error) ([]byte, error) {
		if err != nil {
			return nil, err
		}
		return AppendJSON(nil, value)
	}
	built, err1 := fromValue(d.JSON(name))
	direct, err2 := d.AppendJSON(nil, name)
	if !errors.Is(err1, ErrDepth) && !errors.Is(err2, ErrDepth) && (err1 != nil || err2 != nil || !bytes.Equal(built, direct)) {
		return fmt.Errorf("JSON %s, %v; AppendJSON %s, %v", built, err1, direct, err2)
	}
	_, err := d.Array(name).JSON()
	_, err1 = d.Map(name).JSON()
	_, err2 = d.XML(name).XML()
	_, err3 := d.Text(name).XML()
	for _, err := range []error{err, err1, err2, err3} {
		if err != nil && !errors.Is(err, ErrDepth) {
			return err
		}
	}
	if _, err := d.Text(name).Delta(); err != nil {
		return err
	}
	d.Array(name).Get(0)
	return nil
}

func FuzzApply(f *testing.F) {
	seed(f, func(u []byte) { f.Add(u, u) })
	for _, c := range knownCases {
		updates := fromBase64(f, c.updates)
		f.Add(updates[1], updates[0])
	}
	f.Fuzz(func(t *testing.T, a, b []byte) {
		var err error
		before := allocated()
		d := NewDoc()
		if d.Apply(a) == nil {
			d.Apply(b) // the error is that of Validate, see applyAndRead
		}
		if used := allocated() - before; used > uint64(64<<10+docMemoryPerByte*(len(a)+len(b))) {
			t.Errorf("%d bytes allocated for %d", used, len(a)+len(b))
		}
		if err = applyAndRead(a, b); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzTransact lets bytes say what a writer does, on a document with some of everything.
func FuzzTransact(f *testing.F) {
	f.Add([]byte("\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b\x0c\x0d\x0e\x0f\x10\x11\x12"), uint8(1))
	f.Add(bytes.Repeat([]byte{3, 7, 200, 13}, 20), uint8(3))
	f.Fuzz(func(t *testing.T, script []byte, client uint8) {
		a, b := NewDoc(), NewDoc()
		for len(script) > 0 {
			n := min(len(script), 24)
			part := script[:n]
			script = script[n:]
			before := a.Encode()
			update, err := a.Transact(uint64(client), func(tx *Tx) error { return writeScript(tx, part) })
			if err := checkDoc(a); err != nil {
				t.Fatal(err)
			}
			if err != nil {
				if after := a.Encode(); !bytes.Equal(before, after) {
					t.Fatalf("%v, but %x became %x", err, before, after)
				}
				continue
			}
			if update != nil {
				if err := b.Apply(update); err != nil {
					t.Fatal(err)
				}
			}
			if err := checkDoc(b); err != nil {
				t.Fatal(err)
			}
			if x, y := a.Encode(), b.Encode(); !bytes.Equal(x, y) {
				t.Fatalf("the writer has %x, a reader %x", x, y)
			}
			for _, name := range a.Roots() {
				if x, y := faithfulTree(a, name), faithfulTree(b, name); x != y {
					t.Fatalf("root %s: the writer has %s, a reader %s", name, x, y)
				}
			}
		}
	})
}

// writeScript makes edits that bytes name; some are out of range or of values that cannot be stored.
func writeScript(tx *Tx, script []byte) error {
	next := func() int {
		if len(script) == 0 {
			return 0
		}
		v := script[0]
		script = script[1:]
		return int(v)
	}
	values := []any{1, "x", nil, MapOf{"k": ArrayOf{TextOf("in")}}, []byte{1}, SubDoc{GUID: "g"}, struct{}{}, "\xff", ElementOf{Name: "p"}, []any{1, 2}}
	value := func() any { return values[next()%len(values)] }
	formats := []map[string]any{nil, {"b": true}, {"b": nil}, {"i": 1, "b": map[string]any{"x": 1}}, {"bad": []byte{1}}}
	for len(script) > 0 {
		text, list, object, xml := tx.Text("t"), tx.Array("a"), tx.Map("m"), tx.XML("x")
		switch op := next(); op % 14 {
		case 0, 1:
			text.Insert(next()%(text.Len()+2), []string{"a", "😀", "hello", "", "\xff"}[next()%5])
		case 2:
			text.InsertFormatted(next()%(text.Len()+1), "f", formats[next()%len(formats)])
		case 3:
			text.Delete(next()%(text.Len()+1), next()%4)
		case 4:
			text.Format(next()%(text.Len()+1), next()%4, formats[next()%len(formats)])
		case 5:
			text.InsertEmbed(next()%(text.Len()+1), value(), formats[next()%len(formats)])
		case 6:
			text.ApplyDelta([]DeltaOp{{Retain: next() % (text.Len() + 1)}, {Insert: value()}, {Delete: next() % 2}})
		case 7, 8:
			list.Insert(next()%(list.Len()+1), value(), value())
		case 9:
			list.Delete(next()%(list.Len()+1), next()%3)
		case 10:
			object.Set(string(rune('a'+next()%4)), value())
		case 11:
			object.Delete(string(rune('a' + next()%4)))
		case 12:
			xml.Insert(next()%(xml.Len()+1), ElementOf{Name: "d", Children: []any{XMLTextOf("c")}})
		case 13:
			xml.Delete(next()%(xml.Len()+1), next()%2)
		}
	}
	return nil
}
