package layout

import (
	"fmt"
	"hash/fnv"
	"strings"

	"github.com/symphony-rt/symphony/internal/room"
)

// The attributes and indexes of the one DynamoDB table, shared by the store,
// the stream function and the infrastructure that creates the table.
const (
	// PartitionAttribute and SortAttribute are the table's primary key.
	PartitionAttribute = "partition"
	SortAttribute      = "sort"
	// ExpiresAttribute is the TTL attribute: Unix time in seconds.
	ExpiresAttribute = "expires"

	// DirtyIndex lists the rooms whose State is not Clean. It is sparse: only
	// their meta items have DirtyAttribute (the index's partition key, see
	// DirtyShard). Its sort key is PartitionAttribute, so that a page of it
	// names the rooms.
	DirtyIndex     = "dirty"
	DirtyAttribute = "dirty"

	// ActiveIndex lists the room directory, active rooms and idle ones apart
	// (ActiveAttribute, the index's partition key, see ActiveShard), each by
	// when it was last active (LastActiveAttribute, its sort key: Unix time in
	// milliseconds).
	ActiveIndex         = "active"
	ActiveAttribute     = "active"
	LastActiveAttribute = "lastActive"
)

// The sort keys that are not followed by anything.
const (
	MetaSort       = "meta"
	ConnectionSort = "connection"
	DirectorySort  = "directory"
)

// The prefixes of partition and sort keys. RoomPrefix is also what the stream
// function's event filter asks for: only changes of rooms, not those of the
// directory it writes itself.
const (
	RoomPrefix       = "room#"
	ConnectionPrefix = "connection#"
	DirectoryPrefix  = "directory#"
	MemberPrefix     = "member#"
	UpdatePrefix     = "update#"
)

// RoomPartition is the partition key of everything an edit touches: the room's
// meta, members and updates.
func RoomPartition(id room.ID) string { return RoomPrefix + escape(string(id)) }

// RoomFromPartition is the inverse of RoomPartition; ErrKey for anything else.
func RoomFromPartition(partition string) (room.ID, error) {
	s, ok := strings.CutPrefix(partition, RoomPrefix)
	if !ok {
		return "", fmt.Errorf("%w: %q", ErrKey, partition)
	}
	return UnescapeRoom(s)
}

// MemberSort is the sort key of a member in its room's partition.
func MemberSort(conn room.ConnectionID) string { return MemberPrefix + string(conn) }

// ConnectionFromMember is the inverse of MemberSort; ErrKey for anything else.
func ConnectionFromMember(sort string) (room.ConnectionID, error) {
	s, ok := strings.CutPrefix(sort, MemberPrefix)
	if !ok || s == "" {
		return "", fmt.Errorf("%w: %q", ErrKey, sort)
	}
	return room.ConnectionID(s), nil
}

// UpdateSort is the sort key of one log entry in its room's partition. The
// order of these keys is the order of the sequence numbers.
func UpdateSort(seq room.Seq) string { return UpdatePrefix + formatSeq(seq) }

// SeqFromUpdate is the inverse of UpdateSort; ErrKey for anything else.
func SeqFromUpdate(sort string) (room.Seq, error) {
	s, ok := strings.CutPrefix(sort, UpdatePrefix)
	if !ok {
		return 0, fmt.Errorf("%w: %q", ErrKey, sort)
	}
	return parseSeq(s)
}

// ConnectionPartition is the partition key of the item (sort ConnectionSort)
// that says which room a connection is in.
func ConnectionPartition(conn room.ConnectionID) string {
	return ConnectionPrefix + string(conn)
}

// ConnectionFromPartition is the inverse of ConnectionPartition.
func ConnectionFromPartition(partition string) (room.ConnectionID, error) {
	s, ok := strings.CutPrefix(partition, ConnectionPrefix)
	if !ok || s == "" {
		return "", fmt.Errorf("%w: %q", ErrKey, partition)
	}
	return room.ConnectionID(s), nil
}

// DirectoryPartition is the partition key of the room's entry in the room
// directory (sort DirectorySort). It is a partition of its own, so that the
// stream function's writes neither share a partition with edits nor come back
// through its filter.
func DirectoryPartition(id room.ID) string { return DirectoryPrefix + escape(string(id)) }

// RoomFromDirectory is the inverse of DirectoryPartition.
func RoomFromDirectory(partition string) (room.ID, error) {
	s, ok := strings.CutPrefix(partition, DirectoryPrefix)
	if !ok {
		return "", fmt.Errorf("%w: %q", ErrKey, partition)
	}
	return UnescapeRoom(s)
}

// Shards is how many partitions each index is spread over. One DynamoDB
// partition takes 1,000 writes a second
// (https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/bp-partition-key-design.html);
// a room writes to an index a few times a minute at most, so sixteen carry
// 5,000 busy rooms many times over, and a scan of all costs sixteen queries.
const Shards = 16

func shard(id room.ID) uint32 {
	h := fnv.New32a()
	h.Write([]byte(id)) // never fails
	return h.Sum32() % Shards
}

// DirtyShard is the value of DirtyAttribute while the room's State is not
// Clean. A room stays in its shard for ever.
func DirtyShard(id room.ID) string { return shardKey("dirty", shard(id)) }

// DirtyShards returns all values DirtyShard can have: query each of them.
func DirtyShards() []string { return shardKeys("dirty") }

// ActiveShard is the value of ActiveAttribute of the room's directory entry.
func ActiveShard(id room.ID, active bool) string { return shardKey(activeName(active), shard(id)) }

// ActiveShards returns all values ActiveShard can have for active.
func ActiveShards(active bool) []string { return shardKeys(activeName(active)) }

func activeName(active bool) string {
	if active {
		return "active"
	}
	return "idle"
}

func shardKey(name string, n uint32) string { return fmt.Sprintf("%s#%02d", name, n) }

func shardKeys(name string) []string {
	keys := make([]string, Shards)
	for n := range keys {
		keys[n] = shardKey(name, uint32(n))
	}
	return keys
}
