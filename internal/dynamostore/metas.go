package dynamostore

import (
	"context"
	"errors"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/symphony-rt/symphony/internal/awscall"
	"github.com/symphony-rt/symphony/internal/layout"
	"github.com/symphony-rt/symphony/internal/room"
)

// Get implements room.Metas with one consistent GetItem.
func (s *Store) Get(ctx context.Context, id room.ID) (room.Meta, error) {
	if err := id.Validate(); err != nil {
		return room.Meta{}, err
	}
	ctx, cancel := s.within(ctx)
	defer cancel()
	return s.meta(ctx, id)
}

func (s *Store) meta(ctx context.Context, id room.ID) (room.Meta, error) {
	res, err := s.db.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:      &s.table,
		Key:            key(layout.RoomPartition(id), layout.MetaSort),
		ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return room.Meta{}, failed("read the record", id, err)
	}
	return decodeMeta(res.Item)
}

// Swap implements room.Metas with one conditional PutItem. After ErrUnavailable
// the record may or may not have been swapped; after ErrConflict it was not.
func (s *Store) Swap(ctx context.Context, id room.ID, m room.Meta) error {
	if err := id.Validate(); err != nil {
		return err
	}
	ctx, cancel := s.within(ctx)
	defer cancel()
	nonce, err := s.dice.nonce()
	if err != nil {
		return err
	}
	was := m.Version
	m.Version++
	put := &dynamodb.PutItemInput{TableName: &s.table, Item: encodeMeta(id, m, nonce)}
	if was == 0 {
		absent(put, attrVersion)
	} else {
		put.ConditionExpression = aws.String("#v = :was")
		put.ExpressionAttributeNames = map[string]string{"#v": attrVersion}
		put.ExpressionAttributeValues = item{":was": number(was)}
	}
	for failures := 0; ; failures++ {
		old, err := s.putOnce(ctx, put)
		switch {
		case err == nil:
			return nil
		case errors.Is(err, errCondition) && (&fields{item: old}).text(attrNonce) == nonce:
			return nil // an earlier attempt, whose answer was lost
		case errors.Is(err, errCondition) && failures > 0:
			// That attempt may have come first and another swap on top of it:
			// whoever reads "conflict" would take back what is in use.
			return fmt.Errorf("dynamostore: record of room %q: %w: swapped by somebody, perhaps by us before", id, room.ErrUnavailable)
		case errors.Is(err, errCondition):
			return fmt.Errorf("dynamostore: record of room %q: %w: it is not at version %d", id, room.ErrConflict, was)
		case !awscall.MayPass(err) || failures == maxFailures || s.pause(ctx, failures) != nil:
			return failed("swap the record", id, err)
		}
	}
}

// Unclean implements room.Metas: it queries every shard of the DirtyIndex, to
// the last page, from a random one on, so that a sweep which runs out of time
// does not always leave out the same rooms. Eventually consistent.
func (s *Store) Unclean(ctx context.Context, fn func(room.ID) error) error {
	shards := layout.DirtyShards()
	first, err := s.dice.intn(int64(len(shards)))
	if err != nil {
		return err
	}
	for i := range shards {
		if err := s.uncleanShard(ctx, shards[(int(first)+i)%len(shards)], fn); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) uncleanShard(ctx context.Context, shard string, fn func(room.ID) error) error {
	in := &dynamodb.QueryInput{
		TableName:                 &s.table,
		IndexName:                 aws.String(layout.DirtyIndex),
		KeyConditionExpression:    aws.String("#d = :shard"),
		ExpressionAttributeNames:  map[string]string{"#d": layout.DirtyAttribute},
		ExpressionAttributeValues: item{":shard": text(shard)},
	}
	return s.query(ctx, in, func(it item) error {
		f := &fields{item: it}
		id, err := layout.RoomFromPartition(f.text(layout.PartitionAttribute))
		if err != nil {
			return fmt.Errorf("dynamostore: %w: %w", room.ErrCorrupt, err)
		}
		return fn(id)
	})
}

// query calls fn with every item, page after page. fn's time is its own: only
// each page has to come before the deadline.
func (s *Store) query(ctx context.Context, in *dynamodb.QueryInput, fn func(item) error) error {
	for {
		res, err := s.page(ctx, in)
		if err != nil {
			return err
		}
		for _, it := range res.Items {
			if err := fn(it); err != nil {
				return err
			}
		}
		if len(res.LastEvaluatedKey) == 0 {
			return nil
		}
		in.ExclusiveStartKey = res.LastEvaluatedKey
	}
}

func (s *Store) page(ctx context.Context, in *dynamodb.QueryInput) (*dynamodb.QueryOutput, error) {
	ctx, cancel := s.within(ctx)
	defer cancel()
	res, err := s.db.Query(ctx, in)
	if err != nil {
		return nil, fmt.Errorf("dynamostore: query: %w: %w", room.ErrUnavailable, err)
	}
	return res, nil
}
