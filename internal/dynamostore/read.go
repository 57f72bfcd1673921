package dynamostore

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/symphony-rt/symphony/internal/room"
)

// Read implements room.Log with consistent queries, to the last page. What is
// missing although the room's snapshot covers it was trimmed, whether it is
// the first entry, one further on (a Trim that died) or a large one's object;
// anything else that is missing is damage.
func (s *Store) Read(ctx context.Context, id room.ID, after room.Seq, fn func(room.Update) error) error {
	if err := id.Validate(); err != nil {
		return err
	}
	if after == maxSeq {
		return nil
	}
	next := after + 1
	return s.query(ctx, s.entries(id, next, maxSeq), func(it item) error {
		e, err := decodeUpdate(it)
		if err != nil {
			return fmt.Errorf("room %q: %w", id, err)
		}
		switch {
		case e.Seq == next:
		case next == after+1:
			return fmt.Errorf("dynamostore: room %q: %w: the log after %d starts at %d", id, room.ErrTrimmed, after, e.Seq)
		default:
			return s.missing(ctx, id, next)
		}
		if err := s.load(ctx, id, &e); err != nil {
			return err
		}
		next++
		return fn(e.Update)
	})
}

// Large implements room.Log with consistent queries, to the last page. Entries
// without an object are left out by the table, but read and billed.
func (s *Store) Large(ctx context.Context, id room.ID, fn func(key string) error) error {
	if err := id.Validate(); err != nil {
		return err
	}
	in := s.entries(id, 1, maxSeq)
	in.ProjectionExpression = aws.String("#o")
	in.FilterExpression = aws.String("attribute_exists(#o)")
	in.ExpressionAttributeNames["#o"] = attrObject
	return s.query(ctx, in, func(it item) error {
		f := &fields{item: it}
		object := f.text(attrObject)
		if f.err != nil {
			return fmt.Errorf("room %q: %w", id, f.err)
		}
		return fn(object)
	})
}

// load gets the bytes of a large entry and checks those of a small one.
func (s *Store) load(ctx context.Context, id room.ID, e *entry) error {
	if e.object.Key == "" {
		if int64(len(e.Data)) != e.size {
			return fmt.Errorf("dynamostore: room %q: %w: entry %d has %d bytes, not %d", id, room.ErrCorrupt, e.Seq, len(e.Data), e.size)
		}
		return nil
	}
	if s.blobs == nil {
		return fmt.Errorf("dynamostore: room %q: %w: entry %d is an object and there is no place to get it from", id, room.ErrCorrupt, e.Seq)
	}
	data, err := s.blobs.Get(ctx, e.object)
	if errors.Is(err, room.ErrNotFound) {
		return s.missing(ctx, id, e.Seq)
	}
	e.Data = data
	return err
}

// missing tells an entry that was trimmed from one that is lost.
func (s *Store) missing(ctx context.Context, id room.ID, seq room.Seq) error {
	ctx, cancel := s.within(ctx)
	defer cancel()
	m, err := s.meta(ctx, id)
	if err != nil {
		return err
	}
	if seq <= m.Snapshot.Seq {
		return fmt.Errorf("dynamostore: room %q: %w: entry %d; the snapshot covers %d", id, room.ErrTrimmed, seq, m.Snapshot.Seq)
	}
	return fmt.Errorf("dynamostore: room %q: %w: entry %d is missing", id, room.ErrCorrupt, seq)
}
