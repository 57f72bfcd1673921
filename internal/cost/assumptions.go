package cost

// Assumptions are the sizes and durations that the model puts in; they were not
// measured on AWS. Sizes are in bytes, durations in milliseconds.
type Assumptions struct {
	// EditBytes and PresenceBytes are frames on the wire, base64 included; an
	// acknowledgement is AckBytes.
	EditBytes, PresenceBytes, AckBytes float64
	// EntryBytes is a log entry in the table: the update, the author, the
	// connection, names of attributes. MemberBytes is a member's.
	EntryBytes, MemberBytes float64
	// SnapshotBytes is a document.
	SnapshotBytes float64
	// EditMs ... are how long the functions run.
	EditMs, PresenceMs, ConnectMs, AuthorizeMs, DisconnectMs, StreamMs float64
	// CheckpointMs is the work for one room, eight at a time.
	CheckpointMs float64
	// AccessLogBytes is a line of the access log, FunctionLogBytes what a
	// function writes at level info for an invocation.
	AccessLogBytes, FunctionLogBytes float64
	// SharedBatch is how many rooms' changes a stream invocation takes when the
	// deployment is busy.
	SharedBatch float64
}

// Default is a whiteboard: short strokes and a moving cursor.
var Default = Assumptions{
	EditBytes: 400, PresenceBytes: 300, AckBytes: 40,
	EntryBytes: 500, MemberBytes: 350, SnapshotBytes: 200_000,
	EditMs: 30, PresenceMs: 20, ConnectMs: 25, AuthorizeMs: 5, DisconnectMs: 30, StreamMs: 30, CheckpointMs: 200,
	AccessLogBytes: 350, FunctionLogBytes: 0,
	SharedBatch: 100,
}

// Memory of the functions in GB, as infra/stack/functions.go sets it (a test
// there compares).
const (
	SmallGB      = 0.25 // authorize, connect, disconnect, stream
	MessageGB    = 1.0
	CheckpointGB = 2.0
)

// The schedule while rooms are edited: one invocation a minute that sweeps
// twice, waiting 30 s in between, which is billed as well.
const (
	sweepsPerMinute = 2
	waitSeconds     = 30
	// shards is how many index queries find the rooms of a sweep
	// (layout.Shards).
	shards = 16
)

// tracedShare is what X-Ray samples beyond one request a second
// (https://docs.aws.amazon.com/lambda/latest/dg/services-xray.html).
const tracedShare = 0.05

const kilobyte, gigabyte = 1024, 1 << 30
