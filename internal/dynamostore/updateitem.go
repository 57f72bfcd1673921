package dynamostore

import (
	"crypto/sha256"
	"fmt"

	"github.com/symphony-rt/symphony/internal/layout"
	"github.com/symphony-rt/symphony/internal/room"
)

// MaxInline is the most update bytes kept in the table; larger ones go to
// Blobs. An item has at most 400 KB with its attributes' names and values
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Constraints.html);
// the room id (768 bytes escaped), an author and the rest fit beside this many.
const MaxInline = 350_000

// encodeUpdate returns an entry's item, still without its sort key. ref is set
// when the bytes are in Blobs.
func encodeUpdate(id room.ID, u room.Update, nonce string, ref *room.SnapshotRef) item {
	it := item{
		layout.PartitionAttribute: text(layout.RoomPartition(id)),
		attrNonce:                 text(nonce),
		attrSize:                  number(len(u.Data)),
		attrAuthor:                text(u.Author),
		attrConnection:            text(string(u.Connection)),
	}
	instant(it, attrAt, u.At)
	if ref == nil {
		it[attrData] = octets(u.Data)
		return it
	}
	it[attrObject] = text(ref.Key)
	it[attrSHA256] = octets(ref.SHA256[:])
	return it
}

// entry is an update item read back.
type entry struct {
	room.Update
	// object says where the bytes are when they are not in Data.
	object room.SnapshotRef
	size   int64
}

func decodeUpdate(it item) (entry, error) {
	f := &fields{item: it}
	seq, err := layout.SeqFromUpdate(f.text(layout.SortAttribute))
	if err != nil {
		return entry{}, fmt.Errorf("dynamostore: %w: %w", room.ErrCorrupt, err)
	}
	e := entry{
		Update: room.Update{
			Seq:        seq,
			Data:       f.bytes(attrData),
			Author:     f.text(attrAuthor),
			Connection: room.ConnectionID(f.text(attrConnection)),
			At:         f.instant(attrAt),
		},
		size: f.int(attrSize),
	}
	if object := f.text(attrObject); object != "" {
		e.object = room.SnapshotRef{Key: object, Size: e.size, SHA256: f.hash(attrSHA256)}
	}
	return e, f.err
}

// checkRef guards against a blob store that stored something else.
func checkRef(ref room.SnapshotRef, data []byte) error {
	if ref.Size != int64(len(data)) || ref.SHA256 != sha256.Sum256(data) {
		return fmt.Errorf("dynamostore: %w: object %s is not the %d bytes it was given", room.ErrCorrupt, ref.Key, len(data))
	}
	return nil
}
