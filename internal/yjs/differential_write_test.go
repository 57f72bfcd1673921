package yjs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
)

// scribe makes random edits with a Tx and writes them down for oracle/edit.mjs.
type scribe struct {
	r     *rand.Rand
	roots []string
}

func pick[T any](r *rand.Rand, list ...T) T { return list[r.IntN(len(list))] }

var scribeWords = []string{"a", "bc", "hello ", "😀", "ä€", "x😀y", "\n", "lorem ipsum dolor sit amet "}

var scribeFormats = []map[string]any{
	{"bold": true}, {"bold": nil}, {"bold": false, "c": "red"}, {"c": "blue"}, {"c": nil}, {"link": map[string]any{"href": "u"}},
	{"link": nil, "bold": true}, {"deep": map[string]any{"a": map[string]any{"b": 1}}}, {"list": []any{1, "x"}},
}

// value returns a random value.
func (s *scribe) value() any { return everyValue[s.r.IntN(len(everyValue))].value }

// spec writes down a value or nested type for make of oracle/edit.mjs.
func spec(value any) []any {
	list := func(values []any) []any {
		out := make([]any, len(values))
		for i, v := range values {
			out[i] = spec(v)
		}
		return out
	}
	members := func(values map[string]any) map[string]any {
		out := map[string]any{}
		for k, v := range values {
			out[k] = spec(v)
		}
		return out
	}
	switch v := value.(type) {
	case ArrayOf:
		return []any{"array", list(v)}
	case MapOf:
		return []any{"map", members(v)}
	case TextOf:
		return []any{"text", string(v)}
	case XMLTextOf:
		return []any{"xmltext", string(v)}
	case FragmentOf:
		return []any{"fragment", "", list(v)}
	case ElementOf:
		return []any{"element", v.Name, list(v.Children), members(v.Attributes)}
	case HookOf:
		return []any{"hook", v.Name}
	}
	return []any{"value", faithful(value)}
}

// faithful is AppendJSON for values that have one.
func faithful(value any) string {
	text, err := AppendJSON(nil, value)
	if err != nil {
		panic(err)
	}
	return string(text)
}

// nested returns a random nested type.
func (s *scribe) nested(depth int) any {
	if depth < 2 && s.r.IntN(3) == 0 {
		return pick[any](s.r, ArrayOf{s.nested(depth + 1), 1}, MapOf{"k": s.nested(depth + 1)})
	}
	return pick[any](s.r, ArrayOf{1, "two", nil}, MapOf{"a": 1, "b": []any{true}}, TextOf(pick(s.r, scribeWords...)), MapOf{}, ArrayOf{}, s.node(depth))
}

// node returns a random XML node.
func (s *scribe) node(depth int) any {
	switch s.r.IntN(4) {
	case 0:
		return XMLTextOf(pick(s.r, scribeWords...))
	case 1:
		return HookOf{Name: "hook"}
	}
	e := ElementOf{Name: pick(s.r, "p", "DIV", "ä"), Attributes: map[string]any{"a": "1"}}
	if depth < 2 {
		e.Children = []any{s.node(depth + 1)}
	}
	return e
}

// target goes down from a root to a random nested type.
func (s *scribe) target(tx *Tx) (any, map[string]any) {
	name := pick(s.r, s.roots...)
	t := tx.root(name)
	kind := rootKinds[name[0]]
	path := []any{}
	for s.r.IntN(2) == 0 {
		var steps []any
		for i, v := range t.list() {
			if _, ok := inner(v); ok {
				steps = append(steps, i)
			}
		}
		for _, m := range t.values() {
			if _, ok := inner(m.Value); ok {
				steps = append(steps, m.Key)
			}
		}
		if len(steps) == 0 {
			break
		}
		step := pick(s.r, steps...)
		path = append(path, step)
		if i, isIndex := step.(int); isIndex {
			t, _ = inner(t.element(i))
		} else {
			v, _ := t.value(step.(string))
			t, _ = inner(v)
		}
		kind = t.Kind()
	}
	note := map[string]any{"root": name, "path": path}
	switch kind {
	case KindText, KindXMLText:
		return &Text{t}, note
	case KindMap, KindXMLHook:
		return &Map{t}, note
	case KindXMLElement, KindXMLFragment:
		return &XML{t}, note
	}
	return &Array{t}, note
}

// edit makes one random edit and returns the note of it, nil when there was nothing to do.
func (s *scribe) edit(tx *Tx) map[string]any {
	target, note := s.target(tx)
	set := func(verb string, more ...any) map[string]any {
		note["verb"] = verb
		for i := 0; i < len(more); i += 2 {
			note[more[i].(string)] = more[i+1]
		}
		return note
	}
	// The error of each edit is in the Tx.
	switch t := target.(type) {
	case *Text:
		return s.editText(t, set)
	case *Map:
		if s.r.IntN(4) == 0 {
			key := pick(s.r, "", "a", "b", "1")
			t.Delete(key)
			return set("unset", "key", key)
		}
		key, value := pick(s.r, "", "a", "b", "1"), s.value()
		if s.r.IntN(3) == 0 {
			value = s.nested(0)
		}
		t.Set(key, value)
		return set("set", "key", key, "value", spec(value))
	case *XML:
		return s.editXML(t, set)
	case *Array:
		if n := t.Len(); n > 0 && s.r.IntN(3) == 0 {
			at := s.r.IntN(n)
			length := 1 + s.r.IntN(min(3, n-at))
			t.Delete(at, length)
			return set("delete", "at", at, "length", length)
		}
		at := s.r.IntN(t.Len() + 1)
		var values, specs []any
		for range 1 + s.r.IntN(3) {
			value := s.value()
			switch value.(type) { // Yjs refuses these in arrays
			case Undefined, BigInt:
				value = nil
			}
			if s.r.IntN(4) == 0 {
				value = s.nested(0)
			}
			values, specs = append(values, value), append(specs, spec(value))
		}
		t.Insert(at, values...)
		return set("insert", "at", at, "values", specs)
	}
	return nil
}

func (s *scribe) editXML(t *XML, set func(string, ...any) map[string]any) map[string]any {
	element := t.Kind() == KindXMLElement || t.branch.name == "e"
	switch n := t.Len(); {
	case element && s.r.IntN(4) == 0:
		name, value := pick(s.r, "a", "b"), pick[any](s.r, "1", "ü", 5, TextOf("x"))
		t.SetAttribute(name, value)
		return set("set", "key", name, "value", spec(value))
	case element && s.r.IntN(8) == 0:
		t.DeleteAttribute("a")
		return set("unset", "key", "a")
	case n > 0 && s.r.IntN(3) == 0:
		at := s.r.IntN(n)
		t.Delete(at, 1)
		return set("delete", "at", at, "length", 1)
	default:
		at, node := s.r.IntN(n+1), s.node(0)
		t.Insert(at, node)
		return set("insert", "at", at, "values", []any{spec(node)})
	}
}

func (s *scribe) editText(t *Text, set func(string, ...any) map[string]any) map[string]any {
	n := t.Len()
	at := s.r.IntN(n + 1)
	formats := pick(s.r, scribeFormats...)
	switch roll := s.r.IntN(8); {
	case roll < 2:
		word := pick(s.r, scribeWords...)
		t.Insert(at, word)
		return set("insertText", "at", at, "text", word)
	case roll == 2:
		word := pick(s.r, scribeWords...)
		t.InsertFormatted(at, word, formats)
		return set("insertText", "at", at, "text", word, "attributes", faithful(formats))
	case roll == 3:
		embed := pick[any](s.r, map[string]any{"image": "a.png", "n": []any{1, nil}}, s.nested(1))
		t.InsertEmbed(at, embed, formats)
		return set("insertEmbed", "at", at, "value", spec(embed), "attributes", faithful(formats))
	case n == 0 || at == n:
		t.SetAttribute("a", "x")
		return set("set", "key", "a", "value", spec("x"))
	case roll == 4:
		word := pick(s.r, scribeWords...)
		t.ApplyDelta([]DeltaOp{{Retain: at, Attributes: objectOf(formats)}, {Insert: word, Attributes: objectOf(formats)}, {Delete: 1}})
		return set("delta", "ops", []any{
			map[string]any{"retain": at, "attributes": faithful(formats)},
			map[string]any{"insert": spec(word), "attributes": faithful(formats)}, map[string]any{"delete": 1},
		})
	case roll == 5:
		length := 1 + s.r.IntN(n-at)
		t.Delete(at, length)
		return set("delete", "at", at, "length", length)
	default:
		length := 1 + s.r.IntN(n-at)
		t.Format(at, length, formats)
		return set("format", "at", at, "length", length, "attributes", faithful(formats))
	}
}

func objectOf(m map[string]any) Object {
	plain, err := plainValue(m)
	if err != nil {
		panic(err)
	}
	return plain.(Object)
}

var errScribe = errors.New("the writer gave up")

// probeWrite makes edits in Go, of a document that probeApply compares: Yjs, given the updates, has the same document, and
// so has a Yjs that makes the same edits itself.
func (c diffCase) probeWrite() probe {
	s := &scribe{r: rand.New(rand.NewPCG(uint64(c.Seed), 13)), roots: c.Roots}
	d := NewDoc()
	c.openTexts(d)
	for _, u := range c.Given {
		if err := d.Apply(u); err != nil {
			return brokenProbe("write", err)
		}
	}
	base := d.Encode()
	client := pick(s.r, uint64(1)<<40+uint64(c.Seed), 5000, maxSafe-100)
	var updates [][]byte
	transactions := [][]map[string]any{}
	for range 6 {
		update, notes, err := c.writeOnce(s, d, client)
		if err != nil {
			return brokenProbe("write", err)
		}
		if update != nil {
			updates, transactions = append(updates, update), append(transactions, notes)
		}
	}
	want := map[string]any{"tree": true}
	given := c.hashes(slices.Concat([][]byte{base}, updates)...)
	delete(given, "then")
	given["want"] = want
	edited := map[string]any{"op": "edit", "updates": [][]byte{base}, "roots": c.Roots, "client": client, "transactions": transactions, "want": want}
	return probe{name: "write", requests: []map[string]any{given, edited}, check: func(answers []json.RawMessage) error {
		for i, what := range []string{"Yjs with the updates", "Yjs with the same edits"} {
			l, err := ok[loaded](answers[i])
			if err != nil {
				return fmt.Errorf("%s: %w\n%v", what, err, transactions)
			}
			for name, w := range l.Roots {
				t := rootAs(d, name)
				got := string(tree(nil, t.handle(t.branch)))
				if i == 1 {
					got, w.Tree = normalTree(got), normalTree(w.Tree)
				}
				if got != w.Tree && !c.split() {
					notes, _ := json.Marshal(transactions)
					return fmt.Errorf("%s, root %s:\n got %s\nwant %s\n%s", what, name, got, w.Tree, notes)
				}
			}
		}
		return nil
	}}
}

// writeOnce makes a transaction of a few edits. Some are given up at first, which must leave no trace.
func (c diffCase) writeOnce(s *scribe, d *Doc, client uint64) (update []byte, notes []map[string]any, err error) {
	before, vector := d.Encode(), d.StateVector()
	if s.r.IntN(2) == 0 {
		_, err := d.Transact(client, func(tx *Tx) error {
			for range 1 + s.r.IntN(5) {
				s.edit(tx)
			}
			return errScribe
		})
		if !errors.Is(err, errScribe) {
			return nil, nil, fmt.Errorf("given up: %w", err)
		}
		if after := d.Encode(); !bytes.Equal(before, after) {
			return nil, nil, fmt.Errorf("a transaction that was given up changed %x to %x", before, after)
		}
	}
	update, err = d.Transact(client, func(tx *Tx) error {
		for range 1 + s.r.IntN(4) {
			if note := s.edit(tx); note != nil {
				notes = append(notes, note)
			}
		}
		return nil
	})
	if err == nil {
		err = checkDoc(d)
	}
	if err != nil || update == nil {
		return nil, nil, err
	}
	// The update has nothing of what was there before.
	if err := Validate(update); err != nil {
		return nil, nil, err
	}
	rest, err := Diff(update, vector)
	if err != nil {
		return nil, nil, err
	}
	if same, err := Equal(rest, update); err != nil || !same {
		return nil, nil, fmt.Errorf("update %x is not minimal: %v", update, err)
	}
	return update, notes, nil
}

// normalTree makes equal what is the same to a reader: neighbours with equal formats are joined, for Yjs sets some formats
// twice, and characters beyond U+FFFF are two U+FFFD, for Yjs keeps pairs split that it has split for nothing.
func normalTree(text string) string {
	var b strings.Builder
	for _, r := range text {
		if r > 0xffff {
			b.WriteString(replacement)
			r = 0xfffd
		}
		b.WriteRune(r)
	}
	var value any
	if err := json.Unmarshal([]byte(b.String()), &value); err != nil {
		panic(err)
	}
	out, err := json.Marshal(joinInserts(value))
	if err != nil {
		panic(err)
	}
	return string(out)
}

// joinInserts joins neighbours in deltas.
func joinInserts(value any) any {
	switch v := value.(type) {
	case []any:
		for i := range v {
			v[i] = joinInserts(v[i])
		}
	case map[string]any:
		for key := range v {
			v[key] = joinInserts(v[key])
		}
		delta, _ := v["delta"].([]any)
		var joined []any
		for _, e := range delta {
			op, _ := e.(map[string]any)
			text, isText := op["insert"].(string)
			if n := len(joined); n > 0 && isText {
				last := joined[n-1].(map[string]any)
				before, wasText := last["insert"].(string)
				if wasText && reflect.DeepEqual(last["attributes"], op["attributes"]) {
					last["insert"] = before + text
					continue
				}
			}
			joined = append(joined, e)
		}
		if delta != nil {
			v["delta"] = joined
		}
	}
	return value
}
