package layout

import (
	"fmt"
	"strings"

	"github.com/symphony-rt/symphony/internal/room"
)

// Kind says what an item of the table is.
type Kind string

// The kinds of items.
const (
	KindMeta       Kind = "meta"
	KindMember     Kind = "member"
	KindUpdate     Kind = "update"
	KindConnection Kind = "connection"
	KindDirectory  Kind = "directory"
)

// Key is an item's primary key taken apart.
type Key struct {
	Kind Kind
	// Room is set for meta, member, update and directory items.
	Room room.ID
	// Connection is set for member and connection items.
	Connection room.ConnectionID
	// Seq is set for update items.
	Seq room.Seq
}

// ParseKey takes a primary key apart, for readers of the table's stream, of a
// scan or of an index. ErrKey when this package builds no such key.
func ParseKey(partition, sort string) (Key, error) {
	var key Key
	var err error
	switch {
	case strings.HasPrefix(partition, RoomPrefix):
		if key.Room, err = RoomFromPartition(partition); err == nil {
			err = key.parseRoomSort(sort)
		}
	case strings.HasPrefix(partition, ConnectionPrefix) && sort == ConnectionSort:
		key.Kind = KindConnection
		key.Connection, err = ConnectionFromPartition(partition)
	case strings.HasPrefix(partition, DirectoryPrefix) && sort == DirectorySort:
		key.Kind = KindDirectory
		key.Room, err = RoomFromDirectory(partition)
	default:
		err = fmt.Errorf("%w: %q, %q", ErrKey, partition, sort)
	}
	if err != nil {
		return Key{}, err
	}
	return key, nil
}

func (key *Key) parseRoomSort(sort string) (err error) {
	switch {
	case sort == MetaSort:
		key.Kind = KindMeta
	case strings.HasPrefix(sort, MemberPrefix):
		key.Kind = KindMember
		key.Connection, err = ConnectionFromMember(sort)
	case strings.HasPrefix(sort, UpdatePrefix):
		key.Kind = KindUpdate
		key.Seq, err = SeqFromUpdate(sort)
	default:
		err = fmt.Errorf("%w: sort %q", ErrKey, sort)
	}
	return err
}
