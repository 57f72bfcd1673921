package yjs

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
)

// compareDoc compares a document with Yjs's, and what Yjs makes of its encoding.
func (c diffCase) compareDoc(d *Doc, want, got loaded, ordered bool) error {
	if v := d.StateVector(); !bytes.Equal(v, want.Vector) {
		return fmt.Errorf("state vector %x, want %x", v, want.Vector)
	}
	if p := d.Pending(); !p.IsZero() && !want.Pending || p.IsZero() && len(want.Dump.Pending) > 0 && !allKnown(want.Dump.Pending, d) {
		return fmt.Errorf("pending %v, want %q", p, want.Dump.Pending)
	}
	if strings.Join(got.Dump.Order, "\n") != strings.Join(want.Dump.Order, "\n") {
		return fmt.Errorf("order\n%s", lineDiff(got.Dump.Order, want.Dump.Order))
	}
	exact := slices.Equal(got.Dump.Structs, want.Dump.Structs)
	if !exact && !(c.split() && got.Relaxed == want.Relaxed) {
		return fmt.Errorf("structs\n%s", lineDiff(got.Dump.Structs, want.Dump.Structs))
	}
	if !exact {
		return nil
	}
	for name, w := range want.Roots {
		if err := compareRoot(rootAs(d, name), w, ordered); err != nil {
			return fmt.Errorf("root %s: %w", name, err)
		}
	}
	return nil
}

// allKnown says whether what Yjs has pending is there already: it keeps what waits until that comes by another way.
func allKnown(pending []string, d *Doc) bool {
	for _, line := range pending {
		var client, clock uint64
		if n, _ := fmt.Sscanf(strings.TrimPrefix(line, "delete "), "%d:%d", &client, &clock); n != 2 || d.client(client).end <= clock {
			return false
		}
	}
	return true
}

// compareRoot compares a root as it reads.
func compareRoot(t Type, want *loadedRoot, ordered bool) error {
	if got := string(tree(nil, t.handle(t.branch))); got != want.Tree {
		return fmt.Errorf("tree\n got %s\nwant %s", got, want.Tree)
	}
	value, err := t.JSON()
	if err != nil {
		return err
	}
	built, err := AppendJSON(nil, value)
	if err != nil {
		return err
	}
	direct, err := t.AppendJSON(nil)
	if err != nil {
		return err
	}
	if !bytes.Equal(built, direct) {
		return fmt.Errorf("AppendJSON\n got %s\nwant %s", direct, built)
	}
	wanted := []byte(want.JSON)
	if !ordered {
		parsed, err := ParseJSON(wanted)
		if err != nil {
			return err
		}
		wanted, built = appendSorted(nil, parsed), appendSorted(nil, value)
	}
	if !bytes.Equal(built, wanted) {
		return fmt.Errorf("JSON\n got %s\nwant %s", built, wanted)
	}
	return nil
}

// lineDiff shows where two lists begin to differ.
func lineDiff(got, want []string) string {
	i := 0
	for i < len(got) && i < len(want) && got[i] == want[i] {
		i++
	}
	return fmt.Sprintf(" got %q\nwant %q", got[i:min(i+4, len(got))], want[i:min(i+4, len(want))])
}
