// Package dynamodirectory keeps the room directory in the rooms' own DynamoDB
// table, each entry in a partition of its own, and feeds it from the table's
// stream. The ActiveIndex lists the entries for the dashboard.
package dynamodirectory

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/symphony-rt/symphony/internal/directory"
	"github.com/symphony-rt/symphony/internal/layout"
	"github.com/symphony-rt/symphony/internal/room"
)

// The attributes of an entry beside those of internal/layout. Times are Unix
// nanoseconds, but for LastActiveAttribute, which is in milliseconds, and to
// the minute.
const (
	attrPosition   = "position"
	attrNonce      = "nonce"
	attrCreated    = "created"
	attrLastActive = "lastActiveAt"
	attrUpdates    = "updates"
	attrBytes      = "bytes"
	attrEntries    = "logEntries"
	attrLog        = "logBytes"
	attrSnapshot   = "snapshotBytes"
	attrErased     = "erased" // absent in most
	attrJoined     = "joined"
)

// indexStep is how exactly the index orders by the time of last activity. A
// write that leaves an index's key alone is billed one write there instead of
// two (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/GSI.html):
// a room that is edited all the time moves once a minute.
const indexStep = time.Minute

// Store implements directory.Store. It is safe for concurrent use.
type Store struct {
	db    *dynamodb.Client
	table string
	clock room.Clock
}

var _ directory.Store = (*Store)(nil)

// New returns the directory in table. Make db with dynamostore.NewClient.
func New(db *dynamodb.Client, table string, clock room.Clock) *Store {
	return &Store{db: db, table: table, clock: clock}
}

type item = map[string]types.AttributeValue

func text(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }

func number(n int64) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.FormatInt(n, 10)}
}

func instant(t time.Time) types.AttributeValue {
	if t.IsZero() {
		return number(0)
	}
	return number(t.UnixNano())
}

func key(id room.ID) item {
	return item{layout.PartitionAttribute: text(layout.DirectoryPartition(id)), layout.SortAttribute: text(layout.DirectorySort)}
}

func (s *Store) encode(e directory.Entry, at directory.Position) item {
	joined := item{}
	for began, n := range e.Joined {
		joined[strconv.FormatInt(began, 10)] = number(int64(n))
	}
	it := key(e.Room)
	it[layout.ActiveAttribute] = text(layout.ActiveShard(e.Room, e.Active(s.clock.Now())))
	it[layout.LastActiveAttribute] = number(e.LastActive.Truncate(indexStep).UnixMilli())
	it[attrPosition] = text(string(at))
	it[attrCreated] = instant(e.Created)
	it[attrLastActive] = instant(e.LastActive)
	it[attrUpdates] = number(int64(e.Updates))
	it[attrBytes] = number(e.Bytes)
	it[attrEntries] = number(e.LogEntries)
	it[attrLog] = number(e.LogBytes)
	it[attrSnapshot] = number(e.SnapshotBytes)
	if e.Erased != 0 {
		it[attrErased] = number(int64(e.Erased))
	}
	it[attrJoined] = &types.AttributeValueMemberM{Value: joined}
	return it
}

func decode(it item) (directory.Entry, directory.Position, error) {
	f := &fields{item: it}
	id, err := layout.RoomFromDirectory(f.text(layout.PartitionAttribute))
	if err != nil {
		return directory.Entry{}, "", fmt.Errorf("dynamodirectory: %w: %w", room.ErrCorrupt, err)
	}
	e := directory.Entry{
		Room:          id,
		Created:       f.instant(attrCreated),
		LastActive:    f.instant(attrLastActive),
		Updates:       uint64(f.int(attrUpdates)),
		Bytes:         f.int(attrBytes),
		LogEntries:    f.int(attrEntries),
		LogBytes:      f.int(attrLog),
		SnapshotBytes: f.int(attrSnapshot),
		Joined:        map[int64]int{},
	}
	if _, ok := it[attrErased]; ok {
		e.Erased = uint64(f.int(attrErased))
	}
	joined, _ := it[attrJoined].(*types.AttributeValueMemberM)
	if joined == nil {
		f.wrong(attrJoined)
		return directory.Entry{}, "", f.err
	}
	steps := &fields{item: joined.Value}
	for name := range joined.Value {
		began, err := strconv.ParseInt(name, 10, 64)
		if err != nil {
			steps.wrong(name)
		}
		e.Joined[began] = int(steps.int(name))
	}
	return e, directory.Position(f.text(attrPosition)), errors.Join(f.err, steps.err)
}

// fields reads attributes and remembers the first that is not what it should be.
type fields struct {
	item item
	err  error
}

func (f *fields) wrong(name string) {
	if f.err == nil {
		f.err = fmt.Errorf("dynamodirectory: %w: attribute %q is %T", room.ErrCorrupt, name, f.item[name])
	}
}

func (f *fields) text(name string) string {
	if v, ok := f.item[name].(*types.AttributeValueMemberS); ok {
		return v.Value
	}
	f.wrong(name)
	return ""
}

func (f *fields) int(name string) int64 {
	if v, ok := f.item[name].(*types.AttributeValueMemberN); ok {
		if n, err := strconv.ParseInt(v.Value, 10, 64); err == nil {
			return n
		}
	}
	f.wrong(name)
	return 0
}

func (f *fields) instant(name string) time.Time {
	if n := f.int(name); n != 0 {
		return time.Unix(0, n).UTC()
	}
	return time.Time{}
}

// Load implements directory.Store.
func (s *Store) Load(ctx context.Context, id room.ID) (directory.Entry, directory.Position, error) {
	res, err := s.db.GetItem(ctx, &dynamodb.GetItemInput{TableName: &s.table, Key: key(id), ConsistentRead: aws.Bool(true)})
	if err != nil {
		return directory.Entry{}, "", failed("read", id, err)
	}
	if len(res.Item) == 0 {
		return directory.Entry{}, "", nil
	}
	return decode(res.Item)
}

// Save implements directory.Store with one conditional PutItem. Its nonce tells
// an entry put by an attempt whose answer was lost from another function's.
func (s *Store) Save(ctx context.Context, e directory.Entry, from, to directory.Position) error {
	nonce := rand.Text()
	it := s.encode(e, to)
	it[attrNonce] = text(nonce)
	put := &dynamodb.PutItemInput{
		TableName:                           &s.table,
		Item:                                it,
		ConditionExpression:                 aws.String("#at = :from"),
		ExpressionAttributeNames:            map[string]string{"#at": attrPosition},
		ExpressionAttributeValues:           item{":from": text(string(from))},
		ReturnValuesOnConditionCheckFailure: types.ReturnValuesOnConditionCheckFailureAllOld,
	}
	if from == "" {
		put.ConditionExpression, put.ExpressionAttributeValues = aws.String("attribute_not_exists(#at)"), nil
	}
	_, err := s.db.PutItem(ctx, put)
	var condition *types.ConditionalCheckFailedException
	if errors.As(err, &condition) {
		if len(condition.Item) > 0 && (&fields{item: condition.Item}).text(attrNonce) == nonce {
			return nil
		}
		return fmt.Errorf("dynamodirectory: room %q: %w", e.Room, directory.ErrMoved)
	}
	if err != nil {
		return failed("write", e.Room, err)
	}
	return nil
}

// List calls fn with the entries of the rooms that were active, or not, when
// they last changed: shard after shard, each from the last active on (to the
// minute: sort by the entry's own LastActive), to the last page. Ask the entry itself whether it still is. Eventually consistent.
func (s *Store) List(ctx context.Context, active bool, fn func(directory.Entry) error) error {
	for _, shard := range layout.ActiveShards(active) {
		pages := dynamodb.NewQueryPaginator(s.db, &dynamodb.QueryInput{
			TableName:                 &s.table,
			IndexName:                 aws.String(layout.ActiveIndex),
			KeyConditionExpression:    aws.String("#a = :shard"),
			ExpressionAttributeNames:  map[string]string{"#a": layout.ActiveAttribute},
			ExpressionAttributeValues: item{":shard": text(shard)},
			ScanIndexForward:          aws.Bool(false),
		})
		for pages.HasMorePages() {
			page, err := pages.NextPage(ctx)
			if err != nil {
				return fmt.Errorf("dynamodirectory: list %s: %w: %w", shard, room.ErrUnavailable, err)
			}
			for _, it := range page.Items {
				e, _, err := decode(it)
				if err != nil {
					return err
				}
				if err := fn(e); err != nil {
					return err
				}
			}
		}
	}
	return nil
}

func failed(what string, id room.ID, err error) error {
	return fmt.Errorf("dynamodirectory: %s the entry of room %q: %w: %w", what, id, room.ErrUnavailable, err)
}
