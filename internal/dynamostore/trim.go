package dynamostore

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/symphony-rt/symphony/internal/layout"
	"github.com/symphony-rt/symphony/internal/room"
)

// maxBatch is what one BatchWriteItem takes
// (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_BatchWriteItem.html).
const maxBatch = 25

// Trim implements room.Log: oldest first, in batches. A batch is not atomic; a
// crash within one may leave some of its 25 entries, which Read reports as
// trimmed and the next Trim removes. The object of a large entry goes before
// the entry, so that a crash leaves no object nobody knows of.
func (s *Store) Trim(ctx context.Context, id room.ID, through room.Seq) error {
	if err := id.Validate(); err != nil {
		return err
	}
	if through == 0 {
		return nil
	}
	in := s.entries(id, 1, through)
	in.ProjectionExpression = aws.String("#s, #o, #z")
	in.ExpressionAttributeNames["#o"] = attrObject
	in.ExpressionAttributeNames["#z"] = attrSize
	var batch []types.WriteRequest
	err := s.query(ctx, in, func(it item) error {
		f := &fields{item: it}
		if object := f.text(attrObject); object != "" && s.blobs != nil {
			if err := s.blobs.Delete(ctx, room.SnapshotRef{Key: object, Size: f.int(attrSize)}); err != nil {
				return err
			}
		}
		batch = append(batch, types.WriteRequest{DeleteRequest: &types.DeleteRequest{
			Key: key(layout.RoomPartition(id), f.text(layout.SortAttribute)),
		}})
		if len(batch) < maxBatch {
			return f.err
		}
		full := batch
		batch = nil
		return s.writeBatch(ctx, id, full)
	})
	if err != nil || len(batch) == 0 {
		return err
	}
	return s.writeBatch(ctx, id, batch)
}

// writeBatch repeats what DynamoDB leaves unprocessed until nothing is left.
func (s *Store) writeBatch(ctx context.Context, id room.ID, batch []types.WriteRequest) error {
	ctx, cancel := s.within(ctx)
	defer cancel()
	for failures := 0; ; failures++ {
		res, err := s.db.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{
			RequestItems: map[string][]types.WriteRequest{s.table: batch},
		})
		if err != nil {
			return failed("write a batch", id, err)
		}
		left := res.UnprocessedItems[s.table]
		if len(left) == 0 {
			return nil
		}
		if len(left) < len(batch) {
			failures = 0 // it goes forward
		}
		batch = left
		if failures == maxFailures {
			return fmt.Errorf("dynamostore: write a batch of room %q: %w: %d items stay unprocessed", id, room.ErrUnavailable, len(left))
		}
		if err := s.pause(ctx, failures); err != nil {
			return failed("write a batch", id, err)
		}
	}
}
