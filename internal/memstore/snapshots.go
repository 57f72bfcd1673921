package memstore

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"slices"

	"github.com/symphony-rt/symphony/internal/room"
)

type snapshots struct{ s *Store }

func (p snapshots) Put(ctx context.Context, id room.ID, seq room.Seq, nonce string, b []byte) (room.SnapshotRef, error) {
	// The id is quoted, so that no id contains another one's key.
	return p.put(ctx, fmt.Sprintf("%q/snapshots/%020d-%s", id, seq, nonce), object{room: id, kind: room.ObjectSnapshot, seq: seq, bytes: b})
}

func (p snapshots) Archive(ctx context.Context, id room.ID, from, to room.Seq, b []byte) (room.SnapshotRef, error) {
	return p.put(ctx, fmt.Sprintf("%q/log/%020d-%020d", id, from, to), object{room: id, kind: room.ObjectArchive, from: from, seq: to, bytes: b})
}

func (p snapshots) put(ctx context.Context, key string, o object) (room.SnapshotRef, error) {
	if err := p.s.lock(ctx); err != nil {
		return room.SnapshotRef{}, err
	}
	defer p.s.mu.Unlock()
	o.bytes = bytes.Clone(o.bytes)
	o.stored = p.s.clock.Now()
	p.s.objects[key] = o
	return room.SnapshotRef{Key: key, Seq: o.seq, Size: int64(len(o.bytes)), SHA256: sha256.Sum256(o.bytes)}, nil
}

func (p snapshots) Get(ctx context.Context, ref room.SnapshotRef) ([]byte, error) {
	if err := p.s.lock(ctx); err != nil {
		return nil, err
	}
	o, ok := p.s.objects[ref.Key]
	p.s.mu.Unlock()
	if !ok {
		return nil, fmt.Errorf("memstore: %w: %s", room.ErrNotFound, ref.Key)
	}
	if int64(len(o.bytes)) != ref.Size || sha256.Sum256(o.bytes) != ref.SHA256 {
		return nil, fmt.Errorf("memstore: %w: %s is not what was stored", room.ErrCorrupt, ref.Key)
	}
	return bytes.Clone(o.bytes), nil
}

func (p snapshots) Delete(ctx context.Context, ref room.SnapshotRef) error {
	if err := p.s.lock(ctx); err != nil {
		return err
	}
	defer p.s.mu.Unlock()
	delete(p.s.objects, ref.Key)
	return nil
}

func (p snapshots) List(ctx context.Context, id room.ID, kind room.ObjectKind, fn func(room.Object) error) error {
	if err := p.s.lock(ctx); err != nil {
		return err
	}
	var found []room.Object
	for key, o := range p.s.objects {
		if o.room == id && o.kind == kind {
			found = append(found, room.Object{Kind: kind, Key: key, From: o.from, To: o.seq, Size: int64(len(o.bytes)), Stored: o.stored})
		}
	}
	p.s.mu.Unlock()
	slices.SortFunc(found, func(a, b room.Object) int { return cmp.Compare(a.Key, b.Key) })
	for _, o := range found {
		if err := fn(o); err != nil {
			return err
		}
	}
	return nil
}

func (p snapshots) Open(ctx context.Context, key string) ([]byte, error) {
	if err := p.s.lock(ctx); err != nil {
		return nil, err
	}
	o, ok := p.s.objects[key]
	p.s.mu.Unlock()
	if !ok {
		return nil, fmt.Errorf("memstore: %w: %s", room.ErrNotFound, key)
	}
	return bytes.Clone(o.bytes), nil
}
