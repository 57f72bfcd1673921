package dynamostore

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/symphony-rt/symphony/internal/awscall"
	"github.com/symphony-rt/symphony/internal/layout"
	"github.com/symphony-rt/symphony/internal/room"
)

func encodeMember(id room.ID, m room.Member) item {
	it := key(layout.RoomPartition(id), layout.MemberSort(m.Connection))
	it[attrUser] = text(m.User.ID)
	it[attrName] = text(m.User.Name)
	it[attrAccess] = text(string(m.Access))
	it[attrClient] = number(m.Client)
	if len(m.Tabs) > 0 {
		it[attrTabs] = numbers(m.Tabs)
	}
	it[attrSymphony] = &types.AttributeValueMemberBOOL{Value: m.Symphony}
	instant(it, attrConnected, m.ConnectedAt)
	expires(it, m)
	return it
}

// expires lets the table drop the item by itself, some time after MemberTTL.
func expires(it item, m room.Member) {
	it[layout.ExpiresAttribute] = number(m.ConnectedAt.Add(room.MemberTTL).Unix() + 1)
}

func decodeMember(it item) (room.Member, error) {
	f := &fields{item: it}
	conn, err := layout.ConnectionFromMember(f.text(layout.SortAttribute))
	if err != nil {
		return room.Member{}, fmt.Errorf("dynamostore: %w: %w", room.ErrCorrupt, err)
	}
	return room.Member{
		Connection:  conn,
		User:        room.User{ID: f.text(attrUser), Name: f.text(attrName)},
		Access:      room.Access(f.text(attrAccess)),
		Client:      f.uint(attrClient),
		Tabs:        f.uints(attrTabs),
		Symphony:    f.bool(attrSymphony),
		ConnectedAt: f.instant(attrConnected),
	}, f.err
}

// oldest is the ConnectedAt of the oldest member that counts.
func (s *Store) oldest() time.Time { return s.opts.Clock.Now().Add(-room.MemberTTL) }

// Add implements room.Members with two puts at once: the member, and the item
// that says which room the connection is in. When only one of them gets there
// the caller hears of it; what is left expires.
func (s *Store) Add(ctx context.Context, id room.ID, m room.Member) error {
	if err := id.Validate(); err != nil {
		return err
	}
	ctx, cancel := s.within(ctx)
	defer cancel()
	done := make(chan error, 1)
	go func() { done <- s.putMember(ctx, id, m) }()
	old, err := s.putHome(ctx, id, m)
	if err := errors.Join(err, <-done); err != nil {
		return failed("add a member", id, err)
	}
	if old != "" && old != id {
		return s.deleteItem(ctx, old, layout.RoomPartition(old), layout.MemberSort(m.Connection))
	}
	return nil
}

func (s *Store) putMember(ctx context.Context, id room.ID, m room.Member) error {
	_, err := s.db.PutItem(ctx, &dynamodb.PutItemInput{TableName: &s.table, Item: encodeMember(id, m)})
	return err
}

// putHome writes which room the connection is in and returns which it was in.
func (s *Store) putHome(ctx context.Context, id room.ID, m room.Member) (old room.ID, err error) {
	it := key(layout.ConnectionPartition(m.Connection), layout.ConnectionSort)
	it[attrRoom] = text(string(id))
	expires(it, m)
	res, err := s.db.PutItem(ctx, &dynamodb.PutItemInput{TableName: &s.table, Item: it, ReturnValues: types.ReturnValueAllOld})
	if err != nil {
		return "", err
	}
	f := &fields{item: res.Attributes}
	return room.ID(f.text(attrRoom)), f.err
}

// home looks up which room a connection is in.
func (s *Store) home(ctx context.Context, conn room.ConnectionID) (room.ID, error) {
	res, err := s.db.GetItem(ctx, &dynamodb.GetItemInput{
		TableName:      &s.table,
		Key:            key(layout.ConnectionPartition(conn), layout.ConnectionSort),
		ConsistentRead: aws.Bool(true),
	})
	if err != nil {
		return "", fmt.Errorf("dynamostore: look up connection %q: %w: %w", conn, room.ErrUnavailable, err)
	}
	f := &fields{item: res.Item}
	id := room.ID(f.text(attrRoom))
	if f.err == nil && id == "" {
		return "", unknown("", conn)
	}
	return id, f.err
}

func unknown(id room.ID, conn room.ConnectionID) error {
	return fmt.Errorf("dynamostore: %w: %q in room %q", room.ErrUnknownConnection, conn, id)
}

// Update implements room.Members with one conditional put.
func (s *Store) Update(ctx context.Context, id room.ID, m room.Member) error {
	if err := id.Validate(); err != nil {
		return err
	}
	ctx, cancel := s.within(ctx)
	defer cancel()
	_, err := s.db.PutItem(ctx, &dynamodb.PutItemInput{
		TableName:                 &s.table,
		Item:                      encodeMember(id, m),
		ConditionExpression:       aws.String("#c >= :oldest"),
		ExpressionAttributeNames:  map[string]string{"#c": attrConnected},
		ExpressionAttributeValues: item{":oldest": number(s.oldest().UnixNano())},
	})
	var condition *types.ConditionalCheckFailedException
	if errors.As(err, &condition) {
		return unknown(id, m.Connection)
	}
	if err != nil {
		return failed("update a member", id, err)
	}
	return nil
}

// List implements room.Members with consistent queries, to the last page.
func (s *Store) List(ctx context.Context, id room.ID) ([]room.Member, error) {
	if err := id.Validate(); err != nil {
		return nil, err
	}
	oldest := s.oldest()
	var list []room.Member
	in := &dynamodb.QueryInput{
		TableName:                 &s.table,
		ConsistentRead:            aws.Bool(true),
		KeyConditionExpression:    aws.String("#p = :p AND begins_with(#s, :member)"),
		ExpressionAttributeNames:  map[string]string{"#p": layout.PartitionAttribute, "#s": layout.SortAttribute},
		ExpressionAttributeValues: item{":p": text(layout.RoomPartition(id)), ":member": text(layout.MemberPrefix)},
	}
	err := s.query(ctx, in, func(it item) error {
		m, err := decodeMember(it)
		if err == nil && !m.ConnectedAt.Before(oldest) {
			list = append(list, m)
		}
		return err
	})
	return list, err
}

// Admit implements room.Members with one consistent BatchGetItem.
func (s *Store) Admit(ctx context.Context, id room.ID, conn room.ConnectionID) (room.Admission, error) {
	ctx, cancel := s.within(ctx)
	defer cancel()
	if conn == "" {
		return room.Admission{}, unknown(id, conn) // no item can have such a key
	}
	if id == "" {
		var err error
		if id, err = s.home(ctx, conn); err != nil {
			return room.Admission{}, err
		}
	}
	if err := id.Validate(); err != nil {
		return room.Admission{}, err
	}
	items, err := s.getBatch(ctx, id, layout.MetaSort, layout.MemberSort(conn))
	if err != nil {
		return room.Admission{}, err
	}
	adm := room.Admission{Room: id}
	if adm.Meta, err = decodeMeta(items[layout.MetaSort]); err != nil {
		return room.Admission{}, err
	}
	it, ok := items[layout.MemberSort(conn)]
	if !ok {
		return room.Admission{}, unknown(id, conn)
	}
	if adm.Member, err = decodeMember(it); err != nil {
		return room.Admission{}, err
	}
	if adm.Member.ConnectedAt.Before(s.oldest()) {
		return room.Admission{}, unknown(id, conn)
	}
	return adm, nil
}

// getBatch reads items of the room's partition, consistently, by sort key.
func (s *Store) getBatch(ctx context.Context, id room.ID, sorts ...string) (map[string]item, error) {
	keys := make([]item, len(sorts))
	for i, sort := range sorts {
		keys[i] = key(layout.RoomPartition(id), sort)
	}
	want := types.KeysAndAttributes{Keys: keys, ConsistentRead: aws.Bool(true)}
	got := make(map[string]item, len(sorts))
	for failures := 0; ; failures++ {
		res, err := s.db.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{
			RequestItems: map[string]types.KeysAndAttributes{s.table: want},
		})
		if err != nil {
			return nil, failed("read a batch", id, err)
		}
		for _, it := range res.Responses[s.table] {
			got[(&fields{item: it}).text(layout.SortAttribute)] = it
		}
		left, more := res.UnprocessedKeys[s.table]
		if !more || len(left.Keys) == 0 {
			return got, nil
		}
		// The two may now come from different moments; each is still as new as
		// this call, which is all that is promised.
		want.Keys = left.Keys
		if failures == maxFailures {
			return nil, fmt.Errorf("dynamostore: read a batch of room %q: %w: %d keys stay unprocessed", id, room.ErrUnavailable, len(left.Keys))
		}
		if err := s.pause(ctx, failures); err != nil {
			return nil, failed("read a batch", id, err)
		}
	}
}

// Remove implements room.Members. Of several calls at once, one gets the member.
func (s *Store) Remove(ctx context.Context, id room.ID, conn room.ConnectionID) (room.Admission, error) {
	adm, err := s.Admit(ctx, id, conn)
	if err != nil {
		return room.Admission{}, err
	}
	ctx, cancel := s.within(ctx)
	defer cancel()
	if err := s.takeMember(ctx, adm.Room, conn); err != nil {
		return room.Admission{}, err
	}
	// The member is gone, which is what counts; should this fail, the item
	// points at nothing and expires.
	_ = s.deleteItem(ctx, adm.Room, layout.ConnectionPartition(conn), layout.ConnectionSort)
	return adm, nil
}

// takeMember deletes the member, or reports that somebody else has. After an
// attempt that may have had its effect nobody can tell who it was; then both
// may think they did, which costs a second "left" message and nothing else.
func (s *Store) takeMember(ctx context.Context, id room.ID, conn room.ConnectionID) error {
	in := &dynamodb.DeleteItemInput{
		TableName:                &s.table,
		Key:                      key(layout.RoomPartition(id), layout.MemberSort(conn)),
		ConditionExpression:      aws.String("attribute_exists(#s)"),
		ExpressionAttributeNames: map[string]string{"#s": layout.SortAttribute},
	}
	for failures := 0; ; failures++ {
		_, err := s.db.DeleteItem(ctx, in, once)
		var condition *types.ConditionalCheckFailedException
		switch {
		case err == nil, errors.As(err, &condition) && failures > 0:
			return nil
		case errors.As(err, &condition):
			return unknown(id, conn)
		case !awscall.MayPass(err) || failures == maxFailures || s.pause(ctx, failures) != nil:
			return failed("remove a member", id, err)
		}
	}
}

func (s *Store) deleteItem(ctx context.Context, id room.ID, partition, sort string) error {
	_, err := s.db.DeleteItem(ctx, &dynamodb.DeleteItemInput{TableName: &s.table, Key: key(partition, sort)})
	if err != nil {
		return failed("delete "+strconv.Quote(sort), id, err)
	}
	return nil
}
