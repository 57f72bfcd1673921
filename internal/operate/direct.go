package operate

import (
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/symphony-rt/symphony/internal/directory"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/yjs"
)

// Directory is where the list of rooms comes from.
type Directory interface {
	// Entries returns all rooms, in any order.
	Entries(ctx context.Context) ([]directory.Entry, error)
	// Entry returns one; false when nothing is known of the room.
	Entry(ctx context.Context, id room.ID) (directory.Entry, bool, error)
}

// Direct is Rooms on the ports of a store.
type Direct struct {
	service   *room.Service
	directory Directory
	author    room.User
	// pause is between two looks of Verify.
	pause time.Duration
}

var _ Rooms = (*Direct)(nil)

// NewDirect returns the operations on a service's ports. Edits an operation
// makes are the author's.
func NewDirect(service *room.Service, rooms Directory, author room.User) *Direct {
	return &Direct{service: service, directory: rooms, author: author, pause: verifyPause}
}

// List implements Rooms.
func (d *Direct) List(ctx context.Context, q Query) (Page, error) {
	if _, err := order(q.Sort); err != nil {
		return Page{}, err
	}
	entries, err := d.directory.Entries(ctx)
	if err != nil {
		return Page{}, err
	}
	return Select(entries, q, d.service.Clock.Now())
}

// Names implements Rooms.
func (d *Direct) Names(ctx context.Context) ([]room.ID, error) {
	entries, err := d.directory.Entries(ctx)
	if err != nil {
		return nil, err
	}
	names := make([]room.ID, len(entries))
	for i, e := range entries {
		names[i] = e.Room
	}
	slices.Sort(names)
	return names, nil
}

// state is a room's record with the log after what has been trimmed.
type state struct {
	meta    room.Meta
	entries []room.Update
}

// seq is the number of the last update.
func (s state) seq() room.Seq {
	return max(s.meta.Snapshot.Seq, s.meta.Trimmed+room.Seq(len(s.entries)))
}

// deleted says that the room was deleted and nothing has been written since.
func (s state) deleted() bool { return s.meta.Erased != 0 && s.seq() <= s.meta.Erased }

// read reads a room's record and log: ErrNoRoom when there is neither, and, with
// the state of what is left, when the room was deleted.
func (d *Direct) read(ctx context.Context, id room.ID) (state, error) {
	if err := id.Validate(); err != nil {
		return state{}, err
	}
	meta, err := d.service.Metas.Get(ctx, id)
	if err != nil {
		return state{}, err
	}
	s := state{meta: meta}
	if s.entries, err = d.entries(ctx, id, meta.Trimmed); err != nil {
		return state{}, err
	}
	if meta.Version == 0 && len(s.entries) == 0 {
		return state{}, fmt.Errorf("%w: %q", ErrNoRoom, id)
	}
	if s.deleted() {
		return s, fmt.Errorf("%w: %q (it was deleted)", ErrNoRoom, id)
	}
	return s, nil
}

// entries returns copies of the log's entries after a number.
func (d *Direct) entries(ctx context.Context, id room.ID, after room.Seq) ([]room.Update, error) {
	var entries []room.Update
	err := d.service.Log.Read(ctx, id, after, func(u room.Update) error {
		entries = append(entries, u)
		return nil
	})
	return entries, err
}

// Show implements Rooms.
func (d *Direct) Show(ctx context.Context, id room.ID) (Detail, error) {
	s, err := d.read(ctx, id)
	if err != nil {
		return Detail{}, err
	}
	members, err := d.service.Members.List(ctx, id)
	if err != nil {
		return Detail{}, err
	}
	archives, err := d.archives(ctx, id)
	if err != nil {
		return Detail{}, err
	}
	entry, known, err := d.directory.Entry(ctx, id)
	if err != nil {
		return Detail{}, err
	}
	now := d.service.Clock.Now()
	out := Detail{
		Epoch: s.meta.Epoch, State: stateName(s.meta.State), Seq: s.seq(), LogEntries: len(s.entries), Trimmed: s.meta.Trimmed,
		LastCheckpoint: s.meta.LastCheckpoint, Replaced: []Snapshot{}, Archives: archives,
		Members: []Member{}, Denied: slices.Sorted(maps.Keys(s.meta.Denied)), Restorable: restorable(s, archives),
	}
	if known {
		out.Summary = summary(entry, now)
	}
	out.Room, out.Created, out.SnapshotBytes = id, s.meta.Created, s.meta.Snapshot.Size
	out.Connections, out.Active, out.Updates = len(members), len(members) > 0, uint64(s.seq())
	out.LogBytes = 0
	for _, u := range s.entries {
		out.LogBytes += int64(len(u.Data))
	}
	out.Size = out.SnapshotBytes + out.LogBytes
	if s.meta.Snapshot.Key != "" {
		current := snapshot(s.meta.Snapshot)
		out.Snapshot = &current
	}
	for _, r := range s.meta.Superseded {
		if r.Ref.Key != "" {
			old := snapshot(r.Ref)
			old.Replaced = r.At
			out.Replaced = append(out.Replaced, old)
		}
	}
	for _, m := range members {
		out.Members = append(out.Members, Member{m.Connection, m.User.ID, m.User.Name, m.Access, m.Client, m.Symphony, m.ConnectedAt})
	}
	slices.SortFunc(out.Members, func(a, b Member) int {
		return cmp.Or(a.ConnectedAt.Compare(b.ConnectedAt), cmp.Compare(a.Connection, b.Connection))
	})
	return out, nil
}

func snapshot(r room.SnapshotRef) Snapshot {
	return Snapshot{Key: r.Key, Seq: r.Seq, Size: r.Size, SHA256: hex.EncodeToString(r.SHA256[:])}
}

func stateName(s room.DirtyState) string {
	switch s {
	case room.Clean:
		return "clean"
	case room.Dirty:
		return "dirty"
	case room.Cleaning:
		return "cleaning"
	}
	return fmt.Sprintf("state %d", s)
}

// Import implements Rooms.
func (d *Direct) Import(ctx context.Context, id room.ID, update []byte, merge bool) (Written, error) {
	s, err := d.read(ctx, id)
	if err != nil && !errors.Is(err, ErrNoRoom) {
		return Written{}, err
	}
	if s.deleted() {
		return d.revive(ctx, id, update)
	}
	if err == nil && !merge && s.seq() > 0 {
		return Written{}, fmt.Errorf("%w: %q is at update %d", ErrNotEmpty, id, s.seq())
	}
	return d.write(ctx, id, update)
}

// revive imports into a room that was deleted. What was deleted stays so for
// everybody who was told, so the same content would be deleted again. With
// nobody there the room begins a new life, and the bytes stay true. Otherwise the
// content is written anew, as a new author's.
func (d *Direct) revive(ctx context.Context, id room.ID, update []byte) (Written, error) {
	if err := yjs.Validate(update); err != nil {
		return Written{}, fmt.Errorf("%w: %w", room.ErrInvalidUpdate, err)
	}
	members, err := d.service.Members.List(ctx, id)
	if err != nil {
		return Written{}, err
	}
	if len(members) == 0 {
		if err := d.service.Renew(ctx, id, d.author); err != nil {
			return Written{}, err
		}
		return d.write(ctx, id, update)
	}
	copied, err := difference(emptyUpdate, update)
	if err != nil {
		return Written{}, err
	}
	if copied == nil {
		copied = emptyUpdate
	}
	return d.write(ctx, id, copied)
}

// emptyUpdate is the Yjs update without structs and deletes.
var emptyUpdate = []byte{0, 0}

func (d *Direct) write(ctx context.Context, id room.ID, update []byte) (Written, error) {
	seq, err := d.service.Write(ctx, id, d.author, update)
	if err != nil {
		return Written{}, err
	}
	return Written{Seq: seq, Bytes: len(update)}, nil
}
