package looking

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/symphony-rt/symphony/internal/dashboard"
	"github.com/symphony-rt/symphony/internal/room"
)

// What a look into the past may cost. A checkpoint archives at least every 30
// seconds of editing, so a day of it is some three thousand archives.
const (
	// maxArchives and maxArchiveBytes bound what is read of a room's archives, the
	// newest first.
	maxArchives     = 256
	maxArchiveBytes = 32 << 20
	// archiveReaders is how many are read at a time.
	archiveReaders = 8
	// maxPasts bounds the rooms whose past is remembered.
	maxPasts = 16
)

// entry is what is remembered of an archived update.
type entry struct {
	seq room.Seq
	dashboard.Edit
}

// past is what was read of a room's archives and snapshots. Archives never
// change, so it is right for as long as the record is the one it was read by.
type past struct {
	meta     room.Meta
	archives map[string][]entry // by key; nil for one that cannot be read
	edits    []dashboard.Edit
	whole    bool
	sizes    []dashboard.SnapshotSize
	used     time.Time
}

type pasts struct {
	mu   sync.Mutex
	kept map[room.ID]*past
}

// Past implements dashboard.Rooms.
func (r *Rooms) Past(ctx context.Context, id room.ID) (dashboard.Past, error) {
	m, err := r.ports.Metas.Get(ctx, id)
	if err != nil {
		return dashboard.Past{}, err
	}
	p, err := r.before(ctx, id, m)
	if err != nil {
		return dashboard.Past{}, err
	}
	out := dashboard.Past{Edits: slices.Clone(p.edits), Whole: p.whole, Sizes: p.sizes}
	err = r.ports.Log.Read(ctx, id, m.Trimmed, func(u room.Update) error {
		if u.Seq >= m.Erased {
			out.Edits = append(out.Edits, dashboard.Edit{At: u.At, Bytes: len(u.Data)})
		}
		return nil
	})
	return out, err
}

// before returns what is known of the room up to what its record says is trimmed.
func (r *Rooms) before(ctx context.Context, id room.ID, m room.Meta) (*past, error) {
	r.pasts.mu.Lock()
	defer r.pasts.mu.Unlock()
	p := r.pasts.kept[id]
	if p != nil && p.meta.Trimmed == m.Trimmed && p.meta.Epoch == m.Epoch && p.meta.Erased == m.Erased && p.meta.Snapshot.Key == m.Snapshot.Key {
		p.used = time.Now()
		return p, nil
	}
	next := &past{meta: m, archives: map[string][]entry{}, used: time.Now()}
	if p == nil {
		p = &past{}
	}
	if err := r.readArchives(ctx, id, p.archives, next); err != nil {
		return nil, err
	}
	err := r.ports.Snapshots.List(ctx, id, room.ObjectSnapshot, func(o room.Object) error {
		if o.To >= m.Erased && o.To <= m.Snapshot.Seq {
			next.sizes = append(next.sizes, dashboard.SnapshotSize{At: o.Stored, Size: o.Size})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(next.sizes, func(a, b dashboard.SnapshotSize) int { return a.At.Compare(b.At) })
	r.pasts.keep(id, next)
	return next, nil
}

// keep remembers a past in the place of the one that was not wanted longest.
func (p *pasts) keep(id room.ID, next *past) {
	if _, there := p.kept[id]; !there && len(p.kept) >= maxPasts {
		var oldest room.ID
		for k, v := range p.kept {
			if o := p.kept[oldest]; o == nil || v.used.Before(o.used) {
				oldest = k
			}
		}
		delete(p.kept, oldest)
	}
	p.kept[id] = next
}

// readArchives fills in the edits up to next.meta.Trimmed, without a gap: of the
// archives, the newest are read that were not read before.
func (r *Rooms) readArchives(ctx context.Context, id room.ID, known map[string][]entry, next *past) error {
	begins := max(next.meta.Erased, 1)
	if next.meta.Trimmed < begins {
		next.whole = true
		return nil
	}
	var list []room.Object
	err := r.ports.Snapshots.List(ctx, id, room.ObjectArchive, func(o room.Object) error {
		if o.To >= begins {
			list = append(list, o)
		}
		return nil
	})
	if err != nil {
		return err
	}
	list = newest(list)
	lists, failures, wait := make([][]entry, len(list)), make([]error, len(list)), sync.WaitGroup{}
	turns := make(chan struct{}, archiveReaders)
	for i, o := range list {
		if entries, ok := known[o.Key]; ok {
			lists[i] = entries
			continue
		}
		turns <- struct{}{}
		wait.Go(func() {
			defer func() { <-turns }()
			lists[i], failures[i] = r.archive(ctx, o.Key)
		})
	}
	wait.Wait()
	if err := errors.Join(failures...); err != nil {
		return err
	}
	// From the newest back, for as long as there is no gap. Two checkpoints may
	// have archived overlapping stretches.
	wanted := next.meta.Trimmed
	for i := len(list) - 1; i >= 0; i-- {
		if lists[i] != nil {
			next.archives[list[i].Key] = lists[i]
		}
		for _, e := range slices.Backward(lists[i]) {
			if e.seq == wanted && wanted >= begins {
				next.edits = append(next.edits, e.Edit)
				wanted--
			}
		}
	}
	slices.Reverse(next.edits)
	next.whole = wanted < begins
	return nil
}

// newest returns the last archives of a list that may be read.
func newest(list []room.Object) []room.Object {
	slices.SortStableFunc(list, func(a, b room.Object) int { return int(a.To) - int(b.To) })
	list = list[max(0, len(list)-maxArchives):]
	var size int64
	for i := len(list) - 1; i >= 0; i-- {
		if size += list[i].Size; size > maxArchiveBytes && i < len(list)-1 {
			return list[i+1:]
		}
	}
	return list
}

// archive reads one; nil when it is damaged or gone, which is Verify's to tell.
func (r *Rooms) archive(ctx context.Context, key string) ([]entry, error) {
	data, err := r.ports.Snapshots.Open(ctx, key)
	var updates []room.Update
	if err == nil {
		updates, err = room.DecodeArchive(data)
	}
	switch {
	case errors.Is(err, room.ErrCorrupt), errors.Is(err, room.ErrNotFound):
		return nil, nil
	case err != nil:
		return nil, err
	}
	entries := make([]entry, len(updates))
	for i, u := range updates {
		entries[i] = entry{u.Seq, dashboard.Edit{At: u.At, Bytes: len(u.Data)}}
	}
	return entries, nil
}
