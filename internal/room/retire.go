package room

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
)

// retire lets go of what earlier checkpoints replaced, oldest first, each once
// its grace is over. The grace outlasts any reader's read, so nobody is reading
// the old snapshot or the covered entries any more, and any writer's time-out, so
// nobody appends with a tail from before (guarantee 6).
func (p *pass) retire(ctx context.Context) error {
	for len(p.meta.Superseded) > 0 {
		old := p.meta.Superseded[0]
		if p.Clock.Now().Sub(old.At) <= p.grace {
			return nil
		}
		if err := p.letGo(ctx, old); err != nil {
			return err
		}
	}
	return nil
}

// letGo retires one replaced snapshot. Every step may be repeated, and the
// record forgets it only after the last one, so a crash anywhere is made up for
// by the next pass:
//
//  1. the current snapshot, which takes over, is read and checked once more (N3);
//  2. the covered entries are archived, those that were not erased, and the
//     archive is read back;
//  3. the log is trimmed, oldest first;
//  4. the old snapshot is deleted;
//  5. the record forgets it.
func (p *pass) letGo(ctx context.Context, old Superseded) error {
	if _, err := p.snapshot(ctx); err != nil {
		return err
	}
	if old.By > p.meta.Trimmed {
		if err := p.archive(ctx, old.By); err != nil {
			return err
		}
		if err := p.Log.Trim(ctx, p.room, old.By); err != nil {
			return err
		}
		if p.meta.Trimmed < p.meta.Erased && p.meta.Erased <= old.By+1 {
			// Erase has done so; a pass that began before it may have archived since.
			// A deployment's functions have no right to delete archives: there it is
			// for whoever erased the room to do so again.
			if err := p.dropArchives(ctx, p.room, p.meta.Erased); err != nil {
				p.logger.Warn("an archive of an erased room is left", "room", p.room, "error", err)
			}
		}
	}
	if old.Ref.Key != "" {
		if err := p.Snapshots.Delete(ctx, old.Ref); err != nil {
			return err
		}
	}
	next := p.meta
	next.Trimmed = max(next.Trimmed, old.By)
	next.Superseded = slices.Clone(next.Superseded[1:])
	return p.swap(ctx, next)
}

// archive stores the entries after Trimmed through `through`, but for those
// that were erased, and reads them back. The range follows from the record alone, so two passes archive the same
// entries under the same name.
func (p *pass) archive(ctx context.Context, through Seq) error {
	from := max(p.meta.Trimmed+1, p.meta.Erased)
	if from > through {
		return nil
	}
	entries, err := p.readLog(ctx, p.room, from-1, through)
	if errors.Is(err, ErrTrimmed) || err == nil && len(entries) == 0 {
		// Trimming begins only after the archive was read back, so an earlier
		// pass got that far and no further.
		return nil
	}
	if errors.Is(err, ErrCorrupt) {
		return p.explain(ctx, err)
	}
	if err != nil {
		return err
	}
	if last := entries[len(entries)-1].Seq; last != through {
		return p.explain(ctx, fmt.Errorf("%w: the log ends at %d, before the snapshot's %d", ErrCorrupt, last, through))
	}
	data, err := EncodeArchive(entries)
	if err != nil {
		return err
	}
	ref, err := p.Snapshots.Archive(ctx, p.room, from, through, data)
	if err != nil {
		return err
	}
	back, err := p.Snapshots.Get(ctx, ref)
	if err != nil {
		return err
	}
	if !bytes.Equal(data, back) {
		return fmt.Errorf("%w: the archive is not what was archived", ErrCorrupt)
	}
	return nil
}
