package operate

import (
	"context"
	"fmt"
	"slices"

	"github.com/symphony-rt/symphony/internal/room"
)

// archives lists the room's archived stretches of log.
func (d *Direct) archives(ctx context.Context, id room.ID) ([]Archive, error) {
	list := []Archive{}
	err := d.service.Snapshots.List(ctx, id, room.ObjectArchive, func(o room.Object) error {
		list = append(list, Archive{Key: o.Key, From: o.From, To: o.To, Size: o.Size, Stored: o.Stored})
		return nil
	})
	return list, err
}

// begins is the number of the first update of the room's present life.
func (s state) begins() room.Seq { return max(s.meta.Erased, 1) }

// restorable is the first number the room's history is kept from, without a gap.
func restorable(s state, archives []Archive) room.Seq {
	first := s.meta.Trimmed + 1
	for _, a := range slices.Backward(archives) {
		if a.To+1 >= first {
			first = min(first, a.From)
		}
	}
	return max(first, s.begins())
}

// all returns the whole log of the room's present life, archived and not. Two
// checkpoints may have archived overlapping stretches; what is archived and not
// trimmed yet is in both. ErrPoint when a part is missing.
func (d *Direct) all(ctx context.Context, id room.ID, s state) ([]room.Update, error) {
	archives, err := d.archives(ctx, id)
	if err != nil {
		return nil, err
	}
	var entries []room.Update
	next := s.begins()
	add := func(list []room.Update) {
		for _, u := range list {
			if u.Seq == next {
				entries = append(entries, u)
				next++
			}
		}
	}
	for _, a := range archives {
		if a.To < next {
			continue
		}
		list, err := d.openArchive(ctx, a)
		if err != nil {
			return nil, err
		}
		add(list)
	}
	add(s.entries)
	if next <= s.seq() {
		return nil, fmt.Errorf("%w: the log of %q has no update %d any more", ErrPoint, id, next)
	}
	return entries, nil
}

// openArchive reads an archive back and holds it to what its name says.
func (d *Direct) openArchive(ctx context.Context, a Archive) ([]room.Update, error) {
	data, err := d.service.Snapshots.Open(ctx, a.Key)
	if err != nil {
		return nil, err
	}
	list, err := room.DecodeArchive(data)
	if err != nil {
		return nil, err
	}
	if list[0].Seq != a.From || list[len(list)-1].Seq != a.To {
		return nil, fmt.Errorf("%w: the archive of %d to %d holds %d to %d", room.ErrCorrupt, a.From, a.To, list[0].Seq, list[len(list)-1].Seq)
	}
	return list, nil
}
