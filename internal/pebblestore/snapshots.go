package pebblestore

import (
	"context"
	"fmt"

	"github.com/symphony-rt/symphony/internal/layout"
	"github.com/symphony-rt/symphony/internal/room"
)

// Snapshots returns the store's objects: snapshots and archived log.
func (s *Store) Snapshots() room.Snapshots { return snapshots{s} }

type snapshots struct{ s *Store }

// Put implements room.Snapshots. nonce is 1 to layout.MaxNameBytes of
// [A-Za-z0-9_-], else layout.ErrKey.
func (sn snapshots) Put(ctx context.Context, id room.ID, seq room.Seq, nonce string, data []byte) (room.SnapshotRef, error) {
	name, err := layout.SnapshotObject(id, seq, nonce)
	if err != nil {
		return room.SnapshotRef{}, err
	}
	return sn.put(ctx, id, name, seq, data)
}

// Archive implements room.Snapshots.
func (sn snapshots) Archive(ctx context.Context, id room.ID, from, to room.Seq, data []byte) (room.SnapshotRef, error) {
	return sn.put(ctx, id, layout.LogObject(id, from, to), to, data)
}

func (sn snapshots) put(ctx context.Context, id room.ID, name string, seq room.Seq, data []byte) (room.SnapshotRef, error) {
	leave, err := sn.s.enter(ctx)
	if err != nil {
		return room.SnapshotRef{}, err
	}
	defer leave()
	if err := id.Validate(); err != nil {
		return room.SnapshotRef{}, err
	}
	sum, err := sn.s.putObject(ctx, name, data)
	if err != nil {
		return room.SnapshotRef{}, err
	}
	return room.SnapshotRef{Key: name, Seq: seq, Size: int64(len(data)), SHA256: sum}, nil
}

// Get implements room.Snapshots.
func (sn snapshots) Get(ctx context.Context, ref room.SnapshotRef) ([]byte, error) {
	leave, err := sn.s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	return sn.s.getObject(ctx, ref.Key, ref.Size, ref.SHA256)
}

// Delete implements room.Snapshots.
func (sn snapshots) Delete(ctx context.Context, ref room.SnapshotRef) error {
	leave, err := sn.s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	return sn.s.deleteObject(ctx, ref.Key)
}

// List implements room.Snapshots, in the order of the names.
func (sn snapshots) List(ctx context.Context, id room.ID, kind room.ObjectKind, fn func(o room.Object) error) error {
	leave, err := sn.s.enter(ctx)
	if err != nil {
		return err
	}
	defer leave()
	if err := id.Validate(); err != nil {
		return err
	}
	return sn.s.listObjects(ctx, layout.Folder(id, kind), func(name string, head headRecord) error {
		object, err := layout.ParseObject(name)
		if err != nil {
			return fmt.Errorf("%w: %w", room.ErrCorrupt, err)
		}
		return fn(room.Object{Kind: kind, Key: name, From: object.From, To: object.To, Size: head.Size, Stored: head.Stored})
	})
}

// Open implements room.Snapshots.
func (sn snapshots) Open(ctx context.Context, key string) ([]byte, error) {
	leave, err := sn.s.enter(ctx)
	if err != nil {
		return nil, err
	}
	defer leave()
	head, err := sn.s.head(key)
	if err != nil {
		return nil, err
	}
	if head == nil {
		return nil, fmt.Errorf("%w: %s", room.ErrNotFound, key)
	}
	sum, err := parseSum(head.Generation)
	if err != nil {
		return nil, err
	}
	return sn.s.getObject(ctx, key, head.Size, sum)
}
