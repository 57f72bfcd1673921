package operate

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"encoding/json"

	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/yjs"
)

// Document implements Rooms.
func (d *Direct) Document(ctx context.Context, id room.ID, at Point) (json.RawMessage, error) {
	e, err := d.Export(ctx, id, at)
	if err != nil {
		return nil, err
	}
	return documentJSON(e.Update)
}

// documentJSON writes a document as an object of its root types.
func documentJSON(update []byte) (json.RawMessage, error) {
	doc := yjs.NewDoc()
	if err := doc.Apply(update); err != nil {
		return nil, fmt.Errorf("%w: %w", room.ErrCorrupt, err)
	}
	out := []byte{'{'}
	for _, name := range doc.Roots() {
		if len(out) > 1 {
			out = append(out, ',')
		}
		key, err := json.Marshal(strings.ToValidUTF8(name, string(utf8.RuneError)))
		if err != nil {
			return nil, err
		}
		out = append(append(out, key...), ':')
		if out, err = doc.AppendJSON(out, name); err != nil {
			return nil, fmt.Errorf("the root %q as JSON: %w", name, err)
		}
	}
	return append(out, '}'), nil
}

// Export implements Rooms.
func (d *Direct) Export(ctx context.Context, id room.ID, at Point) (Export, error) {
	parts, seq, err := d.history(ctx, id, at)
	if err != nil {
		return Export{}, err
	}
	update, err := yjs.Merge(parts...)
	if err == nil {
		update, err = yjs.Compact(update)
	}
	if err != nil {
		return Export{}, fmt.Errorf("%w: room %q: %w", room.ErrCorrupt, id, err)
	}
	return Export{Update: update, Seq: seq}, nil
}

// historyTries is how often a reading is begun anew because a checkpoint has
// moved what it was about to read.
const historyTries = 3

// history returns updates that together are the document at a point.
func (d *Direct) history(ctx context.Context, id room.ID, at Point) (parts [][]byte, seq room.Seq, err error) {
	for range historyTries {
		var s state
		if s, err = d.read(ctx, id); err == nil {
			parts, seq, err = d.historyOf(ctx, id, s, at)
		}
		if !errors.Is(err, room.ErrNotFound) && !errors.Is(err, room.ErrTrimmed) {
			break
		}
	}
	return parts, seq, err
}

func (d *Direct) historyOf(ctx context.Context, id room.ID, s state, at Point) ([][]byte, room.Seq, error) {
	if at.Seq > s.seq() {
		return nil, 0, fmt.Errorf("%w: room %q is at update %d, not yet at %d", ErrPoint, id, s.seq(), at.Seq)
	}
	if at.IsNow() || at.Seq >= s.meta.Snapshot.Seq && at.Seq > 0 {
		return d.fromSnapshot(ctx, s, at.Seq)
	}
	entries, err := d.all(ctx, id, s)
	if err != nil {
		return nil, 0, err
	}
	var parts [][]byte
	var seq room.Seq
	for _, u := range entries {
		if at.Seq > 0 && u.Seq > at.Seq || !at.At.IsZero() && u.At.After(at.At) {
			break
		}
		parts, seq = append(parts, u.Data), u.Seq
	}
	return parts, seq, nil
}

// fromSnapshot returns the current snapshot and the log through a number, all of
// it for 0.
func (d *Direct) fromSnapshot(ctx context.Context, s state, through room.Seq) ([][]byte, room.Seq, error) {
	var parts [][]byte
	seq := s.meta.Snapshot.Seq
	if s.meta.Snapshot.Key != "" {
		snapshot, err := d.service.Snapshots.Get(ctx, s.meta.Snapshot)
		if err != nil {
			return nil, 0, err
		}
		parts = append(parts, snapshot)
	}
	for _, u := range s.entries {
		if u.Seq <= seq || through > 0 && u.Seq > through {
			continue
		}
		parts, seq = append(parts, u.Data), u.Seq
	}
	return parts, seq, nil
}
