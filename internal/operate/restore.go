package operate

import (
	"context"
	"fmt"
	"math/rand/v2"

	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/yjs"
)

// Restore implements Rooms (N2). The edit is the difference between what the
// document says now and what it said then, made as a new client: what did not
// change since stays as it is, with its identity, and so do cursors in it.
func (d *Direct) Restore(ctx context.Context, id room.ID, at Point) (Written, error) {
	then, err := d.Export(ctx, id, at)
	if err != nil {
		return Written{}, err
	}
	now, err := d.Export(ctx, id, Point{})
	if err != nil {
		return Written{}, err
	}
	update, err := difference(now.Update, then.Update)
	if err != nil {
		return Written{}, fmt.Errorf("restore %q: %w", id, err)
	}
	if update == nil {
		return Written{}, nil
	}
	return d.write(ctx, id, update)
}

// difference returns the update that makes a document say what another says, nil
// when it does already.
func difference(now, then []byte) ([]byte, error) {
	from, to := yjs.NewDoc(), yjs.NewDoc()
	if err := from.Apply(now); err != nil {
		return nil, fmt.Errorf("%w: %w", room.ErrCorrupt, err)
	}
	if err := to.Apply(then); err != nil {
		return nil, fmt.Errorf("%w: %w", room.ErrCorrupt, err)
	}
	// A client id of its own, of 32 bits as in Yjs, at random. The high bit gives
	// all of them one length, so that the same restoration has the same size.
	return from.Transact(uint64(rand.Uint32()|1<<31), func(tx *yjs.Tx) error {
		names := to.Roots()
		known := map[string]bool{}
		for _, n := range names {
			known[n] = true
		}
		for _, n := range from.Roots() {
			if !known[n] {
				names = append(names, n)
			}
		}
		for _, n := range names {
			if err := syncRoot(tx, from, to, n); err != nil {
				return fmt.Errorf("the root %q: %w", n, err)
			}
		}
		return nil
	})
}

// syncRoot brings one root to what it was. Updates do not say what kind a root
// is, so both sides' guesses are used; one that is empty on a side has that of
// the other.
func syncRoot(tx *yjs.Tx, from, to *yjs.Doc, name string) error {
	kinds := map[yjs.Kind]bool{}
	for _, d := range []*yjs.Doc{from, to} {
		if d.Array(name).Len() > 0 {
			kinds[d.Guess(name)] = true
		}
	}
	if kinds[yjs.KindText] {
		if err := syncText(tx.Text(name), to.Text(name)); err != nil {
			return err
		}
	} else if kinds[yjs.KindXMLFragment] {
		if err := syncList(tx.XML(name), to.XML(name).Children()); err != nil {
			return err
		}
	} else if err := syncList(arrayList{tx.Array(name)}, to.Array(name).Values()); err != nil {
		return err
	}
	return syncMap(tx.Map(name), to.Map(name).Values())
}
