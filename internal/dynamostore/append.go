package dynamostore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/symphony-rt/symphony/internal/awscall"
	"github.com/symphony-rt/symphony/internal/layout"
	"github.com/symphony-rt/symphony/internal/room"
)

// Append implements room.Log: one PutItem of update#<n+1> on condition that
// there is none, n being the tail this process remembers. A loser reads the
// tail and tries again. A number is only ever tried when the one before it is
// known to exist (or to be covered by the snapshot), so the log has no holes.
func (s *Store) Append(ctx context.Context, id room.ID, floor room.Seq, u room.Update) (room.Seq, error) {
	if err := id.Validate(); err != nil {
		return 0, err
	}
	if len(u.Data) > room.MaxUpdateBytes {
		return 0, fmt.Errorf("dynamostore: append to room %q: %w: %d bytes, at most %d", id, room.ErrTooLarge, len(u.Data), room.MaxUpdateBytes)
	}
	ctx, cancel := s.within(ctx)
	defer cancel()
	tail := s.tails.of(id)
	if err := tail.lock(ctx); err != nil {
		return 0, failed("append", id, err)
	}
	defer tail.unlock()
	if !tail.known || tail.shared {
		if err := s.findTail(ctx, id, tail); err != nil {
			return 0, err
		}
	}
	nonce, err := s.dice.nonce()
	if err != nil {
		return 0, err
	}
	began := s.opts.Clock.Now()
	it, err := s.store(ctx, id, u, nonce)
	if err != nil {
		return 0, err
	}
	return s.append(ctx, id, floor, tail, it, nonce, began)
}

// store encodes the update, putting its bytes into Blobs when they are large.
func (s *Store) store(ctx context.Context, id room.ID, u room.Update, nonce string) (item, error) {
	if len(u.Data) <= MaxInline {
		return encodeUpdate(id, u, nonce, nil), nil
	}
	if s.blobs == nil {
		return nil, fmt.Errorf("dynamostore: append to room %q: %w: %d bytes and no place for them", id, room.ErrTooLarge, len(u.Data))
	}
	ref, err := s.blobs.PutUpdate(ctx, id, nonce, u.Data)
	if err != nil {
		return nil, err
	}
	if err := checkRef(ref, u.Data); err != nil {
		return nil, err
	}
	return encodeUpdate(id, u, nonce, &ref), nil
}

// append puts the item under the first free number. As long as an attempt may
// have had its effect, only the same number is tried again: there the nonce
// tells whether it was ours.
func (s *Store) append(ctx context.Context, id room.ID, floor room.Seq, tail *tail, it item, nonce string, began time.Time) (room.Seq, error) {
	put := &dynamodb.PutItemInput{TableName: &s.table, Item: it}
	absent(put, layout.SortAttribute)
	for lost, failures := 0, 0; ; {
		if age := s.opts.Clock.Now().Sub(began); age > room.AppendTime {
			// A process that was frozen: by now the object of a large entry may
			// have been taken for an orphan.
			return 0, fmt.Errorf("dynamostore: append to room %q: %w: begun %s ago", id, room.ErrUnavailable, age)
		}
		seq := max(tail.last, floor) + 1
		it[layout.SortAttribute] = text(layout.UpdateSort(seq))
		old, err := s.putOnce(ctx, put)
		switch {
		case err == nil, errors.Is(err, errCondition) && (&fields{item: old}).text(attrNonce) == nonce:
			tail.appended(seq)
			return seq, nil
		case errors.Is(err, errCondition):
			tail.overtaken()
			if err := s.pause(ctx, lost); err != nil {
				return 0, failed("append", id, fmt.Errorf("lost %d races: %w", lost+1, err))
			}
			lost, failures = lost+1, 0
			if err := s.findTail(ctx, id, tail); err != nil {
				return 0, err
			}
		default:
			if !awscall.MayPass(err) || failures == maxFailures || s.pause(ctx, failures) != nil {
				return 0, failed("append", id, err)
			}
			failures++
		}
	}
}

// findTail reads the end of the log.
func (s *Store) findTail(ctx context.Context, id room.ID, tail *tail) error {
	last, err := s.last(ctx, id)
	if err != nil {
		return err
	}
	tail.found(last)
	return nil
}

// last returns the number of the last entry, 0 when there is none: a query from
// the end, strongly consistent.
func (s *Store) last(ctx context.Context, id room.ID) (room.Seq, error) {
	in := s.entries(id, 1, maxSeq)
	in.ScanIndexForward = aws.Bool(false)
	in.Limit = aws.Int32(1)
	in.ProjectionExpression = aws.String("#s")
	res, err := s.db.Query(ctx, in)
	if err != nil {
		return 0, failed("read the tail", id, err)
	}
	if len(res.Items) == 0 {
		return 0, nil
	}
	seq, err := layout.SeqFromUpdate((&fields{item: res.Items[0]}).text(layout.SortAttribute))
	if err != nil {
		return 0, fmt.Errorf("dynamostore: %w: %w", room.ErrCorrupt, err)
	}
	return seq, nil
}

// Tail implements room.Log.
func (s *Store) Tail(ctx context.Context, id room.ID, floor room.Seq) (room.Seq, error) {
	if err := id.Validate(); err != nil {
		return 0, err
	}
	ctx, cancel := s.within(ctx)
	defer cancel()
	last, err := s.last(ctx, id)
	return max(last, floor), err
}

// maxSeq ends every range.
const maxSeq = ^room.Seq(0)

// entries is the consistent query of entries from..to, both included.
func (s *Store) entries(id room.ID, from, to room.Seq) *dynamodb.QueryInput {
	return &dynamodb.QueryInput{
		TableName:                &s.table,
		ConsistentRead:           aws.Bool(true),
		KeyConditionExpression:   aws.String("#p = :p AND #s BETWEEN :from AND :to"),
		ExpressionAttributeNames: map[string]string{"#p": layout.PartitionAttribute, "#s": layout.SortAttribute},
		ExpressionAttributeValues: item{
			":p":    text(layout.RoomPartition(id)),
			":from": text(layout.UpdateSort(from)),
			":to":   text(layout.UpdateSort(to)),
		},
	}
}
