package room

import (
	"context"
	"errors"
	"fmt"

	"github.com/symphony-rt/symphony/internal/yjs"
)

// document is a room's whole state after update seq.
type document struct {
	update []byte
	seq    Seq
	// snapshot and log are what update was merged of: the zero reference when
	// there is no snapshot, and the entries after it.
	snapshot SnapshotRef
	log      [][]byte
}

// load reads the snapshot and the log after it. Every error stays an error: a
// snapshot that the record names and the store lacks, a gap, a log that starts
// too late, bytes that no longer decode. None of them is an empty document
// (guarantee 5, P23).
//
// A reader that is slower than a checkpoint may find the snapshot it was
// pointed to replaced. Its object and its log stay for the grace; past that the
// record is read again, once.
func (s *Service) load(ctx context.Context, v *visit) (document, error) {
	d, err := s.loadFrom(ctx, v.Room, v.Meta)
	if err == nil {
		if err = s.checkFresh(v.admitted); err == nil {
			return d, nil
		}
	}
	if !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrTrimmed) && !errors.Is(err, ErrCorrupt) {
		return document{}, err
	}
	admitted := s.Clock.Now()
	meta, merr := s.Metas.Get(ctx, v.Room)
	if merr != nil {
		return document{}, merr
	}
	if meta.Snapshot == v.Meta.Snapshot {
		return document{}, fmt.Errorf("%w: room %q: %w", ErrCorrupt, v.Room, err)
	}
	v.Meta, v.admitted = meta, admitted
	if d, err = s.loadFrom(ctx, v.Room, v.Meta); err != nil {
		return document{}, err
	}
	return d, s.checkFresh(v.admitted)
}

// loadFrom reads the document that a room's record describes.
func (s *Service) loadFrom(ctx context.Context, room ID, meta Meta) (document, error) {
	var parts [][]byte
	if meta.Snapshot.Key != "" {
		snapshot, err := s.Snapshots.Get(ctx, meta.Snapshot)
		if err != nil {
			return document{}, err
		}
		parts = append(parts, snapshot)
	}
	entries, err := s.readLog(ctx, room, meta.Snapshot.Seq, 0)
	if err != nil {
		return document{}, err
	}
	log := dataOf(entries)
	parts = append(parts, log...)
	update, err := merge(parts)
	if err != nil {
		return document{}, fmt.Errorf("room %q: %w", room, err)
	}
	return document{update: update, seq: meta.Snapshot.Seq + Seq(len(entries)), snapshot: meta.Snapshot, log: log}, nil
}

var errEnough = errors.New("room: read enough")

// readLog returns the entries after `after`, through `through` (0: to the end).
func (s *Service) readLog(ctx context.Context, room ID, after, through Seq) ([]Update, error) {
	var entries []Update
	err := s.Log.Read(ctx, room, after, func(u Update) error {
		if through != 0 && u.Seq > through {
			return errEnough
		}
		entries = append(entries, u)
		return nil
	})
	if err != nil && !errors.Is(err, errEnough) {
		return nil, err
	}
	return entries, nil
}

func dataOf(entries []Update) [][]byte {
	data := make([][]byte, len(entries))
	for i, u := range entries {
		data[i] = u.Data
	}
	return data
}

// merge merges stored updates. They were valid when they were stored, so one
// that is not is damage: ErrCorrupt.
func merge(parts [][]byte) ([]byte, error) {
	if len(parts) == 1 {
		if err := yjs.Validate(parts[0]); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
		}
		return parts[0], nil
	}
	update, err := yjs.Merge(parts...)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return update, nil
}

// missing returns what a client with the encoded state vector lacks, the
// document itself for none.
func (d document) missing(vector []byte) ([]byte, error) {
	if len(vector) == 0 {
		return d.update, nil
	}
	update, err := yjs.Diff(d.update, vector)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return update, nil
}

// maxVectorBytes is the largest state vector sent whole: a third of a message.
// It takes the edits of some 4,000 Yjs clients, each page load being one.
const maxVectorBytes = 32_000

// vectorFor returns the document's state vector, encoded, for a client with the
// vector theirs. One that is too large is cut to the clients the other side
// knows: it has nothing of the rest that it could send.
func (d document) vectorFor(theirs map[uint64]uint64) ([]byte, error) {
	vector, err := yjs.StateVector(d.update)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	if len(vector) <= maxVectorBytes {
		return vector, nil
	}
	ours, err := yjs.DecodeStateVector(vector)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	both := make(map[uint64]uint64, len(theirs))
	for client := range theirs {
		if clock, ok := ours[client]; ok {
			both[client] = clock
		}
	}
	return yjs.EncodeStateVector(both), nil
}
