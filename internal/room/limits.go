package room

import "time"

// The limits of the domain, each with its reason. Those of the wire are in
// internal/protocol.
const (
	// MaxIDBytes bounds a room id: base64url of 256 bytes still fits a DynamoDB
	// key (2,048 bytes) and an S3 key (1,024 bytes) with its prefix and suffix.
	MaxIDBytes = 256
	// MaxUpdateBytes bounds one update, which must be merged in a function's
	// memory several times over. Larger than a frame: such updates are uploaded.
	MaxUpdateBytes = 50 << 20
	// MemberTTL drops members whose $disconnect never came. API Gateway ends
	// every connection after two hours; five minutes cover clocks and retries.
	MemberTTL = 2*time.Hour + 5*time.Minute
	// ConnectGrace is how long after ConnectedAt a "gone" answer may only mean
	// that $connect has not returned yet: API Gateway gives an integration 29 s.
	ConnectGrace = 45 * time.Second
	// DefaultGrace is how long replaced snapshots and covered log entries stay.
	// It must outlast any reader's read and any writer's time-out: an
	// integration has 29 s, a function at most what it is given (under 60 s).
	DefaultGrace = 2 * time.Minute
	// AppendTime is the longest an append may take from its first write to its
	// last, in a store that needs several: a function is stopped before
	// (an integration has 29 s), and an object that old is no longer waited for.
	AppendTime = 30 * time.Second
	// MinGrace is the shortest grace a deployment may choose: twice an
	// integration's 29 s, for the reasons above.
	MinGrace = time.Minute
	// MaxAwarenessStates bounds one awareness message: ten times the members of
	// a room that is called large, who a client may all know of.
	MaxAwarenessStates = 1_000
	// DefaultSweepConcurrency is how many rooms a sweep checkpoints at a time:
	// enough to hide the stores' latency, few enough that their documents fit a
	// function's memory together.
	DefaultSweepConcurrency = 8
	// LinkBytes is what a client must lack for the snapshot to come by URL. It
	// makes eleven posts, one after the other: about the time a browser takes for
	// a new connection to the store and a request there.
	LinkBytes = 1 << 20
	// MaxSuperseded bounds Meta.Superseded: with a checkpoint every 30 s and a
	// grace of 2 min at most five are waiting.
	MaxSuperseded = 16
)
