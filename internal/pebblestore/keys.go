package pebblestore

import (
	"fmt"
	"strings"

	"github.com/symphony-rt/symphony/internal/layout"
	"github.com/symphony-rt/symphony/internal/room"
)

// The key space. Items have the keys of the DynamoDB table (partition, a zero
// byte, sort), objects those of S3 behind a namespace of their own; neither
// partition keys nor object names contain a zero byte.
//
//	room#<room> 00 meta | member#<connection> | update#<seq>
//	connection#<connection> 00 connection        the room's id
//	dirty 00 <room>                              rooms whose State is not Clean
//	head 00 <object>                             size, checksum, generation
//	part 00 <object> 00 <generation> 00 <part>   up to partBytes of an object
//	pending 00 <object> 00 <generation>          parts that have no head yet
//	offer 00 <object>                            an upload that was announced
//	commits                                      the number of the last commit
//	secret                                       what signs the URLs of uploads
const (
	separator     = "\x00"
	dirtySpace    = "dirty" + separator
	headSpace     = "head" + separator
	partSpace     = "part" + separator
	pendingSpace  = "pending" + separator
	offerSpace    = "offer" + separator
	secretKey     = "secret"
	commitsKey    = "commits"
	afterUpdates  = "update$" // '$' follows '#'
	afterMembers  = "member$"
	afterConnects = "connection$"
)

func metaKey(id room.ID) []byte {
	return []byte(layout.RoomPartition(id) + separator + layout.MetaSort)
}

func updateKey(id room.ID, seq room.Seq) []byte {
	return []byte(layout.RoomPartition(id) + separator + layout.UpdateSort(seq))
}

// updatesEnd is the first key after all updates of the room.
func updatesEnd(id room.ID) []byte {
	return []byte(layout.RoomPartition(id) + separator + afterUpdates)
}

func memberKey(id room.ID, conn room.ConnectionID) []byte {
	return []byte(layout.RoomPartition(id) + separator + layout.MemberSort(conn))
}

// membersSpan bounds the keys of the room's members.
func membersSpan(id room.ID) (lower, upper []byte) {
	p := layout.RoomPartition(id) + separator
	return []byte(p + layout.MemberPrefix), []byte(p + afterMembers)
}

func connectionKey(conn room.ConnectionID) []byte {
	return []byte(layout.ConnectionPartition(conn) + separator + layout.ConnectionSort)
}

// connectionFromKey is the inverse of connectionKey.
func connectionFromKey(key []byte) (room.ConnectionID, error) {
	partition, ok := strings.CutSuffix(string(key), separator+layout.ConnectionSort)
	if !ok {
		return "", fmt.Errorf("%w: key %q", room.ErrCorrupt, key)
	}
	return layout.ConnectionFromPartition(partition)
}

// seqFromKey returns the sequence number in an update's key.
func seqFromKey(key []byte) (room.Seq, error) {
	_, sort, _ := strings.Cut(string(key), separator)
	seq, err := layout.SeqFromUpdate(sort)
	if err != nil {
		return 0, fmt.Errorf("%w: %w", room.ErrCorrupt, err)
	}
	return seq, nil
}

func dirtyKey(id room.ID) []byte { return []byte(dirtySpace + layout.EscapeRoom(id)) }

func headKey(object string) []byte { return []byte(headSpace + object) }

func partKey(object, generation string, part int) []byte {
	return fmt.Appendf(nil, "%s%s%s%s%s%08d", partSpace, object, separator, generation, separator, part)
}

// partsSpan bounds the keys of one generation of an object's parts.
func partsSpan(object, generation string) (lower, upper []byte) {
	p := partSpace + object + separator + generation
	return []byte(p + separator), []byte(p + "\x01")
}

func offerKey(object string) []byte { return []byte(offerSpace + object) }

func pendingKey(object, generation string) []byte {
	return []byte(pendingSpace + object + separator + generation)
}

// after returns the first key after all keys that start with prefix, whose
// last byte must not be 0xFF.
func after(prefix string) []byte {
	end := []byte(prefix)
	end[len(end)-1]++
	return end
}
