package cost

import "math"

// blocks is how many request units of so many bytes an item takes.
func blocks(bytes, size float64) float64 { return math.Max(1, math.Ceil(bytes/size)) }

const (
	writeBytes = 1 * kilobyte // of a write request unit
	readBytes  = 4 * kilobyte // of a consistent read request unit
)

// run is one invocation of a function.
func run(gb, ms float64) Usage { return Usage{Invocation: 1, ComputeSecond: gb * ms / 1000} }

// observed is what watching one message costs: its line in the access log, what
// the function logs, and its share of sampled traces.
func (a Assumptions) observed() Usage {
	return Usage{Log: (a.AccessLogBytes + a.FunctionLogBytes) / gigabyte, Trace: tracedShare}
}

// record is the one read before anything is done for an edit or a presence
// update: the room's record, consistent.
var record = Usage{ReadUnit: 1}

// admit is the one read before anything is done for any other message: the
// record and the sender's membership, two items of one BatchGetItem, consistent.
var admit = Usage{ReadUnit: 2}

// members is the query of the room's members, consistent.
func (a Assumptions) members(room float64) Usage {
	return Usage{ReadUnit: blocks(room*a.MemberBytes, readBytes)}
}

// fanout is a frame to everybody else in the room.
func fanout(room, bytes float64) Usage {
	return Usage{Message: room - 1, Transfer: (room - 1) * bytes / gigabyte}
}

// Edit is one update in a room of so many: the record, put, list the members, post
// to each of the others, acknowledge as the route response. Later the entry is
// archived and deleted from the table (one more write), and the stream function
// notes it in the room directory: a read, and a write of the item and of its
// copy in the index, once for all of a room's edits in a batch. That every edit
// comes in a batch of its own is the most it can be.
func (a Assumptions) Edit(room float64) Usage {
	put := blocks(a.EntryBytes, writeBytes)
	handle := Usage{Message: 2, Transfer: a.AckBytes / gigabyte, WriteUnit: put}
	note := run(SmallGB, a.StreamMs).Times(1 / a.SharedBatch).Plus(Usage{ReadUnit: 1, WriteUnit: 2})
	return handle.Plus(run(MessageGB, a.EditMs), record, a.members(room), fanout(room, a.EditBytes), a.observed(), note, Usage{WriteUnit: put})
}

// Presence is one presence update: the record, list the members, post to each of
// the others. Nothing is written.
func (a Assumptions) Presence(room float64) Usage {
	return Usage{Message: 1}.Plus(run(MessageGB, a.PresenceMs), record, a.members(room), fanout(room, a.PresenceBytes), a.observed())
}

// Session is what one connection costs beside its minutes: the authorizer, two
// writes and a read to join, two writes, three reads and a message to each of the
// others to leave, the hello with the document, and the room directory's notes of both.
func (a Assumptions) Session(room float64) Usage {
	join := Usage{WriteUnit: 2, ReadUnit: 1}.Plus(run(SmallGB, a.AuthorizeMs), run(SmallGB, a.ConnectMs), a.observed())
	hello := Usage{Message: 2, WriteUnit: 1, ReadUnit: 1, ObjectGet: 1, Transfer: a.SnapshotBytes * 4 / 3 / gigabyte}.Plus(
		run(MessageGB, 2*a.EditMs), admit, a.members(room), fanout(room, a.AckBytes), a.observed(),
		Usage{Message: math.Max(0, math.Ceil(a.SnapshotBytes*4/3/(32*kilobyte))-1)})
	leave := Usage{WriteUnit: 2}.Plus(run(SmallGB, a.DisconnectMs), admit, a.members(room), fanout(room, a.AckBytes), a.observed())
	note := Usage{ReadUnit: 2, WriteUnit: 6}
	return join.Plus(hello, leave, note)
}

// Checkpoint is one room's pass after so many edits: the record, the log, the
// old snapshot; the new one put, read back and pointed to; and what is retired
// later: the archive put and read back, the record twice. Deleting objects is
// free, deleting entries is counted with the edits.
func (a Assumptions) Checkpoint(edits float64) Usage {
	log := blocks(edits*a.EntryBytes, readBytes)
	return Usage{ReadUnit: 2 + 3*log, WriteUnit: 3, ObjectGet: 3, ObjectPut: 2}.Plus(
		Usage{ComputeSecond: CheckpointGB * a.CheckpointMs / 1000 / 8}, Usage{ReadUnit: 1, WriteUnit: 3})
}

// ScheduleMinute is one minute of the schedule, which is on only while a room
// is not clean: one invocation, two sweeps of the index, the wait between them.
func ScheduleMinute() Usage {
	return Usage{Invocation: 1, ComputeSecond: CheckpointGB * waitSeconds, ReadUnit: sweepsPerMinute * shards * 0.5}
}

// Stored is a month of keeping rooms: their snapshots in the bucket (with old
// versions, as much again), and their records in the table, which
// point-in-time recovery keeps too.
func (a Assumptions) Stored(rooms float64) Usage {
	table := rooms * 2 * kilobyte / gigabyte
	return Usage{ObjectStorage: rooms * 2 * a.SnapshotBytes / gigabyte, TableStorage: table, Recovery: table}
}
