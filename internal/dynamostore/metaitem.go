package dynamostore

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/symphony-rt/symphony/internal/layout"
	"github.com/symphony-rt/symphony/internal/room"
)

// encodeMeta returns the room's meta item. The DirtyIndex sees the room only
// while it is not clean.
func encodeMeta(id room.ID, m room.Meta, nonce string) item {
	it := key(layout.RoomPartition(id), layout.MetaSort)
	it[attrNonce] = text(nonce)
	it[attrVersion] = number(m.Version)
	it[attrEpoch] = text(m.Epoch)
	it[attrState] = number(m.State)
	it[attrTrimmed] = number(m.Trimmed)
	if m.Erased != 0 {
		it[attrErased] = number(m.Erased)
	}
	instant(it, attrCreated, m.Created)
	instant(it, attrLastCheckpoint, m.LastCheckpoint)
	instant(it, attrStateAt, m.StateAt)
	if m.Snapshot != (room.SnapshotRef{}) {
		it[attrSnapshot] = encodeRef(m.Snapshot)
	}
	if m.State != room.Clean {
		it[layout.DirtyAttribute] = text(layout.DirtyShard(id))
	}
	if len(m.Superseded) > 0 {
		list := make([]types.AttributeValue, len(m.Superseded))
		for i, s := range m.Superseded {
			part := item{attrSnapshot: encodeRef(s.Ref), attrBy: number(s.By)}
			instant(part, attrAt, s.At)
			list[i] = &types.AttributeValueMemberM{Value: part}
		}
		it[attrSuperseded] = &types.AttributeValueMemberL{Value: list}
	}
	// A list, not a set: a set cannot hold the empty id of anonymous users.
	var denied []types.AttributeValue
	for _, user := range sortedTrue(m.Denied) {
		denied = append(denied, text(user))
	}
	if denied != nil {
		it[attrDenied] = &types.AttributeValueMemberL{Value: denied}
	}
	return it
}

func decodeMeta(it item) (room.Meta, error) {
	f := &fields{item: it}
	m := room.Meta{
		Version:        f.uint(attrVersion),
		Epoch:          f.text(attrEpoch),
		Created:        f.instant(attrCreated),
		LastCheckpoint: f.instant(attrLastCheckpoint),
		Trimmed:        room.Seq(f.uint(attrTrimmed)),
		Erased:         room.Seq(f.uint(attrErased)),
		State:          room.DirtyState(f.uint(attrState)),
		StateAt:        f.instant(attrStateAt),
		Snapshot:       decodeRef(f, attrSnapshot),
	}
	for _, v := range f.list(attrSuperseded) {
		part := &fields{item: item{"": v}}
		s := part.part("")
		m.Superseded = append(m.Superseded, room.Superseded{
			Ref: decodeRef(s, attrSnapshot), By: room.Seq(s.uint(attrBy)), At: s.instant(attrAt),
		})
		f.join(part)
		f.join(s)
	}
	for _, v := range f.list(attrDenied) {
		if m.Denied == nil {
			m.Denied = map[string]bool{}
		}
		part := &fields{item: item{"": v}}
		m.Denied[part.text("")] = true
		f.join(part)
	}
	return m, f.err
}

func encodeRef(ref room.SnapshotRef) types.AttributeValue {
	return &types.AttributeValueMemberM{Value: item{
		attrKey: text(ref.Key), attrSeq: number(ref.Seq), attrSize: number(ref.Size), attrSHA256: octets(ref.SHA256[:]),
	}}
}

func decodeRef(f *fields, name string) room.SnapshotRef {
	part := f.part(name)
	ref := room.SnapshotRef{
		Key: part.text(attrKey), Seq: room.Seq(part.uint(attrSeq)), Size: part.int(attrSize), SHA256: part.hash(attrSHA256),
	}
	f.join(part)
	return ref
}

func sortedTrue(set map[string]bool) []string {
	var list []string
	for s, in := range set {
		if in {
			list = append(list, s)
		}
	}
	slices.Sort(list)
	return list
}
