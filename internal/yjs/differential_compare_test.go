package yjs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
)

// late says that the roots of a case get their types only when the first updates have been applied.
func (c diffCase) late() bool { return c.Seed%3 == 1 }

// openTexts asks for the roots that are texts, which lets updates tidy their formats from then on.
func (c diffCase) openTexts(d *Doc) {
	for _, name := range c.Roots {
		if k := rootKinds[name[0]]; k == KindText || k == KindXMLText {
			d.Text(name)
		}
	}
}

// view is what there is to say of a document at one time.
type view struct {
	failed  error
	vector  []byte
	state   []byte
	pending Pending
	ends    map[uint64]uint64
	roots   map[string]rootView
}

type rootView struct{ tree, json, sortedJSON string }

// viewOf looks at a document.
func (c diffCase) viewOf(d *Doc) *view {
	v := &view{failed: checkDoc(d), vector: d.StateVector(), state: d.Encode(), pending: d.Pending(), ends: map[uint64]uint64{}, roots: map[string]rootView{}}
	for id, client := range d.clients {
		v.ends[id] = client.end
	}
	again := NewDoc()
	if err := again.Apply(v.state); err != nil {
		v.failed = errors.Join(v.failed, fmt.Errorf("own state: %w", err))
	} else if second := again.Encode(); !bytes.Equal(second, v.state) {
		v.failed = errors.Join(v.failed, fmt.Errorf("state changes when it is loaded: %x, then %x", v.state, second))
	}
	for _, name := range c.Roots {
		root, err := viewRoot(rootAs(d, name))
		if err != nil {
			v.failed = errors.Join(v.failed, fmt.Errorf("root %s: %w", name, err))
		}
		v.roots[name] = root
	}
	return v
}

// viewRoot reads a root in every way.
func viewRoot(t Type) (v rootView, err error) {
	v.tree = string(tree(nil, t.handle(t.branch)))
	value, err := t.JSON()
	if err != nil {
		return v, err
	}
	built, err := AppendJSON(nil, value)
	if err != nil {
		return v, err
	}
	direct, err := t.AppendJSON(nil)
	if err == nil && !bytes.Equal(built, direct) {
		err = fmt.Errorf("AppendJSON\n got %s\nwant %s", direct, built)
	}
	v.json, v.sortedJSON = string(built), string(appendSorted(nil, value))
	return v, err
}

// probeApply compares a document that applies updates with Y.Doc, and what Yjs makes of its encoding.
func (c diffCase) probeApply() probe {
	d := NewDoc()
	var failed error
	if !c.late() {
		c.openTexts(d)
	}
	apply := func(updates [][]byte) *view {
		for i, u := range updates {
			if err := d.Apply(u); err != nil {
				failed = errors.Join(failed, fmt.Errorf("update %d: %w", i, err))
			}
		}
		return c.viewOf(d)
	}
	first := apply(c.Given)
	c.openTexts(d)
	second := apply(c.Later)
	if err := errors.Join(failed, first.failed, second.failed); err != nil {
		return brokenProbe("apply", err)
	}
	requests := func(prompt bool) []map[string]any {
		want := map[string]any{"hash": true, "json": true, "tree": true, "vector": true}
		theirs := c.hashes(c.Given...)
		theirs["cleanup"], theirs["late"], theirs["want"] = true, c.late(), want
		state, later := c.hashes(first.state), c.hashes(second.state)
		delete(state, "then")
		delete(later, "then")
		if prompt { // for the failure to be shown
			theirs["prompt"], want["dump"] = true, true
			state["want"], later["want"] = map[string]any{"hash": true, "dump": true}, map[string]any{"hash": true, "dump": true}
		}
		return []map[string]any{theirs, state, later}
	}
	check := func(answers []json.RawMessage) error {
		want, err := ok[loaded](answers[0])
		if err != nil {
			return err
		}
		for i, v := range []*view{first, second} {
			got, err := ok[loaded](answers[1+i])
			if err != nil {
				return err
			}
			ordered := i == 0 && c.Delivery == "in order"
			if err := c.compareView(v, []*loaded{&want, want.Then}[i], &got, ordered); err != nil {
				return fmt.Errorf("stage %d: %w", i+1, err)
			}
		}
		return nil
	}
	// Yjs may leave structs pending that it could use (see settle in oracle/describe.mjs). If that has made the difference, there
	// is none when it is kept from doing so.
	again := probe{name: "apply", requests: requests(true), check: check}
	return probe{name: "apply", requests: requests(false), check: check, again: &again}
}

// compareView compares a document with Yjs's, and what Yjs makes of its encoding.
func (c diffCase) compareView(v *view, want, got *loaded, ordered bool) error {
	if !bytes.Equal(v.vector, want.Vector) {
		return fmt.Errorf("state vector %x, want %x", v.vector, want.Vector)
	}
	if p := v.pending; !p.IsZero() && !want.Pending || p.IsZero() && len(want.Waits) > 0 && !allKnown(want.Waits, v.ends) {
		return fmt.Errorf("pending %v, want %q", p, want.Waits)
	}
	if got.Core != want.Core && !(c.split() && got.CoreRelaxed == want.CoreRelaxed) {
		if got.Dump == nil {
			return errors.New("document")
		}
		return fmt.Errorf("order\n%s\nstructs\n%s", lineDiff(got.Dump.Order, want.Dump.Order), lineDiff(got.Dump.Structs, want.Dump.Structs))
	}
	if got.Core != want.Core {
		return nil
	}
	for name, w := range want.Roots {
		g := v.roots[name]
		if g.tree != w.Tree {
			return fmt.Errorf("root %s: tree\n got %s\nwant %s", name, g.tree, w.Tree)
		}
		mine, theirs := g.json, w.JSON
		if !ordered {
			parsed, err := ParseJSON([]byte(theirs))
			if err != nil {
				return err
			}
			mine, theirs = g.sortedJSON, string(appendSorted(nil, parsed))
		}
		if mine != theirs {
			return fmt.Errorf("root %s: JSON\n got %s\nwant %s", name, mine, theirs)
		}
	}
	return nil
}

// allKnown says whether what Yjs has pending is there already: it keeps what waits until that comes by another way.
func allKnown(pending []string, ends map[uint64]uint64) bool {
	for _, line := range pending {
		var client, clock uint64
		if n, _ := fmt.Sscanf(strings.TrimPrefix(line, "delete "), "%d:%d", &client, &clock); n != 2 || ends[client] <= clock {
			return false
		}
	}
	return true
}

// lineDiff shows where two lists begin to differ.
func lineDiff(got, want []string) string {
	i := 0
	for i < len(got) && i < len(want) && got[i] == want[i] {
		i++
	}
	return fmt.Sprintf(" got %q\nwant %q", got[i:min(i+4, len(got))], want[i:min(i+4, len(want))])
}
