package pebblestore

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/cockroachdb/pebble/v2"

	"github.com/symphony-rt/symphony/internal/room"
)

// partBytes is how much of an object one commit writes: between two parts the
// committer serves appends, so storing a 50 MB snapshot delays an edit by one
// part, not by the whole.
const partBytes = 1 << 20

// putObject stores data durably under name, replacing what is there. The parts
// go first; the head that makes them an object goes last. A crash between
// leaves parts that the pending record names, for dropPending.
func (s *Store) putObject(ctx context.Context, name string, data []byte) (sum [32]byte, err error) {
	sum = sha256.Sum256(data)
	lock := s.objects.of(name)
	lock.Lock()
	defer lock.Unlock()
	old, err := s.head(name)
	if err != nil {
		return sum, err
	}
	generation := hex.EncodeToString(sum[:])
	if old != nil && old.Generation == generation {
		return sum, s.flush(ctx) // its writer may still wait for the sync
	}
	if err := s.space.reserve(len(data)); err != nil {
		return sum, err
	}
	parts, err := s.putParts(ctx, name, generation, data)
	if err != nil {
		s.abandonParts(name, generation)
		return sum, err
	}
	head := headRecord{Size: int64(len(data)), Generation: generation, Parts: parts, Stored: s.clock.Now().UTC()}
	return sum, s.putHead(ctx, name, head, old)
}

// flush returns when everything committed so far is durable.
func (s *Store) flush(ctx context.Context) error {
	o := s.newOp()
	if err := o.batch.LogData(nil, nil); err != nil {
		return unavailable(err)
	}
	s.commits.submit(ctx, o)
	return s.commits.wait(ctx, o)
}

func (s *Store) putParts(ctx context.Context, name, generation string, data []byte) (parts int, err error) {
	o := s.newOp()
	if err := o.batch.Set(pendingKey(name, generation), nil, nil); err != nil {
		return 0, unavailable(err)
	}
	for {
		chunk := data[:min(partBytes, len(data))]
		data = data[len(chunk):]
		key := partKey(name, generation, parts)
		sealed := seal(key, append(make([]byte, 0, len(chunk)+sumBytes), chunk...))
		if err := o.batch.Set(key, sealed, nil); err != nil {
			return 0, unavailable(err)
		}
		s.commits.submit(ctx, o)
		if err := s.commits.wait(ctx, o); err != nil {
			return 0, err
		}
		parts++
		if len(data) == 0 {
			return parts, nil
		}
		o = s.newOp()
	}
}

func (s *Store) putHead(ctx context.Context, name string, head headRecord, old *headRecord) error {
	o := s.newOp()
	key := headKey(name)
	err := o.batch.Set(key, sealJSON(key, head), nil)
	if err == nil {
		err = o.batch.Delete(pendingKey(name, head.Generation), nil)
	}
	if err == nil && old != nil {
		lower, upper := partsSpan(name, old.Generation)
		err = o.batch.DeleteRange(lower, upper, nil)
	}
	if err != nil {
		return unavailable(err)
	}
	s.commits.submit(ctx, o)
	return s.commits.wait(ctx, o)
}

// abandonParts removes what putParts has written, if the store still works.
func (s *Store) abandonParts(name, generation string) {
	o := s.newOp()
	lower, upper := partsSpan(name, generation)
	if o.batch.DeleteRange(lower, upper, nil) == nil && o.batch.Delete(pendingKey(name, generation), nil) == nil {
		s.commits.submit(context.Background(), o)
	}
}

// dropPending removes the parts of objects whose writing a crash cut short.
func (s *Store) dropPending() error {
	o := s.newOp()
	err := s.scan(context.Background(), []byte(pendingSpace), after(pendingSpace), func(key, _ []byte) error {
		name, generation, _ := strings.Cut(string(key[len(pendingSpace):]), separator)
		lower, upper := partsSpan(name, generation)
		if err := o.batch.DeleteRange(lower, upper, nil); err != nil {
			return unavailable(err)
		}
		return o.batch.Delete(pendingKey(name, generation), nil)
	})
	if err != nil || o.batch.Empty() {
		return err
	}
	s.commits.submit(context.Background(), o)
	return s.commits.wait(context.Background(), o)
}

// head returns the head of an object, nil when there is none.
func (s *Store) head(name string) (*headRecord, error) {
	return readHead(s.db, name)
}

func readHead(from pebble.Reader, name string) (*headRecord, error) {
	key := headKey(name)
	value, closer, err := from.Get(key)
	if err == pebble.ErrNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, failure(err)
	}
	defer closer.Close()
	var head headRecord
	if err := unsealJSON(key, value, &head); err != nil {
		return nil, err
	}
	return &head, nil
}

// getObject returns the bytes stored under name after checking them against
// size and sum. It reads one view: a concurrent delete or replacement is seen
// whole or not at all.
func (s *Store) getObject(ctx context.Context, name string, size int64, sum [32]byte) ([]byte, error) {
	view := s.db.NewSnapshot()
	defer view.Close()
	head, err := readHead(view, name)
	if err != nil {
		return nil, err
	}
	if head == nil {
		return nil, fmt.Errorf("%w: %s", room.ErrNotFound, name)
	}
	if head.Size != size || head.Generation != hex.EncodeToString(sum[:]) {
		return nil, fmt.Errorf("%w: %s is not the object referred to", room.ErrCorrupt, name)
	}
	data := make([]byte, 0, head.Size)
	for part := range head.Parts {
		if err := ctx.Err(); err != nil {
			return nil, unavailable(err)
		}
		key := partKey(name, head.Generation, part)
		value, closer, err := view.Get(key)
		if err == pebble.ErrNotFound {
			return nil, fmt.Errorf("%w: %s lacks part %d of %d", room.ErrCorrupt, name, part, head.Parts)
		}
		if err != nil {
			return nil, failure(err)
		}
		chunk, err := unseal(key, value)
		data = append(data, chunk...)
		closer.Close()
		if err != nil {
			return nil, err
		}
	}
	if int64(len(data)) != size || sha256.Sum256(data) != sum {
		return nil, fmt.Errorf("%w: %s: checksum", room.ErrCorrupt, name)
	}
	return data, nil
}

// deleteObject removes name, whether it is there or not.
func (s *Store) deleteObject(ctx context.Context, name string) error {
	lock := s.objects.of(name)
	lock.Lock()
	defer lock.Unlock()
	o := s.newOp()
	err := o.batch.Delete(headKey(name), nil)
	if err == nil {
		parts := partSpace + name
		err = o.batch.DeleteRange([]byte(parts+separator), []byte(parts+"\x01"), nil)
	}
	if err != nil {
		return unavailable(err)
	}
	s.commits.submit(ctx, o)
	return s.commits.wait(ctx, o)
}

// listObjects calls fn for every object whose name starts with folder.
func (s *Store) listObjects(ctx context.Context, folder string, fn func(name string, head headRecord) error) error {
	space := headSpace + folder
	return s.scan(ctx, []byte(space), after(space), func(key, value []byte) error {
		var head headRecord
		if err := unsealJSON(key, value, &head); err != nil {
			return err
		}
		return fn(string(key[len(headSpace):]), head)
	})
}

// parseSum reads a SHA-256 in hex.
func parseSum(s string) (sum [32]byte, err error) {
	b, err := hex.DecodeString(s)
	if err != nil || len(b) != len(sum) {
		return sum, fmt.Errorf("%w: SHA-256 %q", room.ErrCorrupt, s)
	}
	copy(sum[:], b)
	return sum, nil
}
