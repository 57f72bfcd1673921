package dynamostore

import (
	"fmt"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/symphony-rt/symphony/internal/layout"
	"github.com/symphony-rt/symphony/internal/room"
)

// Change reads a record of the table's stream (new and old images). The error
// is layout.ErrKey for items that are no part of a room (connections, the
// directory), room.ErrCorrupt for those that cannot be read.
func Change(r events.DynamoDBEventRecord) (room.Change, error) {
	keys, err := images(r.Change.Keys)
	if err != nil {
		return room.Change{}, err
	}
	f := &fields{item: keys}
	key, err := layout.ParseKey(f.text(layout.PartitionAttribute), f.text(layout.SortAttribute))
	if err != nil {
		return room.Change{}, err
	}
	c := room.Change{Room: key.Room, At: r.Change.ApproximateCreationDateTime.UTC()}
	switch key.Kind {
	case layout.KindMeta:
		c.Meta, err = bothImages(r, decodeMeta)
	case layout.KindMember:
		c.Member, err = bothImages(r, decodeMember)
	case layout.KindUpdate:
		c.Update, err = bothImages(r, func(it item) (room.UpdateImage, error) {
			e, err := decodeUpdate(it)
			return room.UpdateImage{Seq: e.Seq, Size: int(e.size), Author: e.Author, Connection: e.Connection, At: e.At}, err
		})
	default:
		return room.Change{}, fmt.Errorf("dynamostore: %w: a %s is no part of a room", layout.ErrKey, key.Kind)
	}
	return c, err
}

func bothImages[T any](r events.DynamoDBEventRecord, decode func(item) (T, error)) (both room.Images[T], err error) {
	for _, side := range []struct {
		image map[string]events.DynamoDBAttributeValue
		to    **T
	}{{r.Change.OldImage, &both.Old}, {r.Change.NewImage, &both.New}} {
		if len(side.image) == 0 {
			continue
		}
		it, err := images(side.image)
		if err != nil {
			return both, err
		}
		v, err := decode(it)
		if err != nil {
			return both, err
		}
		*side.to = &v
	}
	return both, nil
}

// images turns the event's attribute values into the SDK's.
func images(in map[string]events.DynamoDBAttributeValue) (item, error) {
	out := make(item, len(in))
	for name, v := range in {
		var err error
		if out[name], err = attribute(v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func attribute(v events.DynamoDBAttributeValue) (types.AttributeValue, error) {
	switch v.DataType() {
	case events.DataTypeString:
		return text(v.String()), nil
	case events.DataTypeNumber:
		return &types.AttributeValueMemberN{Value: v.Number()}, nil
	case events.DataTypeBinary:
		return octets(v.Binary()), nil
	case events.DataTypeBoolean:
		return &types.AttributeValueMemberBOOL{Value: v.Boolean()}, nil
	case events.DataTypeList:
		list := make([]types.AttributeValue, len(v.List()))
		for i, part := range v.List() {
			var err error
			if list[i], err = attribute(part); err != nil {
				return nil, err
			}
		}
		return &types.AttributeValueMemberL{Value: list}, nil
	case events.DataTypeMap:
		part, err := images(v.Map())
		return &types.AttributeValueMemberM{Value: part}, err
	default:
		return nil, fmt.Errorf("dynamostore: %w: an attribute of type %d", room.ErrCorrupt, v.DataType())
	}
}
