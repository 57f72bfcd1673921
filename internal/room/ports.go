package room

import (
	"context"
	"time"
)

// The ports: what the Service needs from the world. Each is small, each names
// the errors its adapters return, and each has a contract suite in roomtest
// that every adapter runs. All methods are safe for concurrent use and return
// ErrUnavailable (wrapped, with the cause) when the store does not answer in
// the context's time.

// Log is the append-only update log of every room.
type Log interface {
	// Append stores u as the room's next entry and returns its sequence number
	// once it is durable. The number is one more than the highest of the last
	// entry and floor, the sequence covered by the room's snapshot: a writer
	// with a stale tail must collide with an entry that still exists, never
	// slip into a number already trimmed. u.Seq is ignored. Numbers are gapless
	// under contention and crashes. ErrTooLarge when u.Data is over
	// MaxUpdateBytes. After ErrUnavailable the entry may or may not exist.
	Append(ctx context.Context, room ID, floor Seq, u Update) (Seq, error)
	// Read calls fn with every entry after `after` in order, including all
	// whose Append returned before Read was called. It stops with fn's error.
	// ErrTrimmed when entries exist but the first is not after+1; ErrCorrupt
	// when there is a hole further on. u.Data is fn's to keep.
	Read(ctx context.Context, room ID, after Seq, fn func(u Update) error) error
	// Tail returns the sequence number of the last entry, strongly consistent,
	// but never less than floor.
	Tail(ctx context.Context, room ID, floor Seq) (Seq, error)
	// Trim removes the entries up to and including through. Idempotent. A
	// crash half-way leaves a log whose remaining entries are contiguous
	// (entries go oldest first).
	Trim(ctx context.Context, room ID, through Seq) error
	// Large calls fn with the key of every object (ObjectUpdate) in which an
	// entry keeps its bytes, strongly consistent. An object is written before
	// its entry, at most AppendTime before: an older one that no entry names
	// never will be. A store that keeps all bytes in the log calls nothing.
	Large(ctx context.Context, room ID, fn func(key string) error) error
}

// Metas keeps one small record per room, changed by compare-and-swap.
type Metas interface {
	// Get returns the room's record, strongly consistent; the zero Meta
	// (Version 0) when the room has none.
	Get(ctx context.Context, room ID) (Meta, error)
	// Swap stores m as version m.Version+1 if the stored version still is
	// m.Version (0: no record yet), else ErrConflict.
	Swap(ctx context.Context, room ID, m Meta) error
	// Unclean calls fn with every room whose State is not Clean. It may be
	// eventually consistent and may report a room twice.
	Unclean(ctx context.Context, fn func(room ID) error) error
}

// Admission is what one message needs to know before it is let in.
type Admission struct {
	Room   ID
	Meta   Meta
	Member Member
}

// Members keeps who is connected to which room.
type Members interface {
	// Add registers m in room. Adding the same connection again replaces it.
	Add(ctx context.Context, room ID, m Member) error
	// Update replaces a member that exists, else ErrUnknownConnection.
	Update(ctx context.Context, room ID, m Member) error
	// Remove takes the connection out of its room and returns what it was.
	// room may be "": then the store looks it up. ErrUnknownConnection when
	// there is none (already removed).
	Remove(ctx context.Context, room ID, conn ConnectionID) (Admission, error)
	// List returns the room's members, strongly consistent, in no order.
	// Members past MemberTTL are left out.
	List(ctx context.Context, room ID) ([]Member, error)
	// Admit returns the room's meta and this connection's member in one
	// strongly consistent round trip. room may be "": then the store looks it
	// up first. ErrUnknownConnection when the connection is no member.
	Admit(ctx context.Context, room ID, conn ConnectionID) (Admission, error)
}

// Snapshots keeps immutable objects: snapshots and archived stretches of log.
type Snapshots interface {
	// Put stores data as the snapshot of room after seq under a new key that
	// contains nonce, and returns its reference. Durable on return.
	Put(ctx context.Context, room ID, seq Seq, nonce string, data []byte) (SnapshotRef, error)
	// Get returns the object's bytes after checking size and SHA-256 against
	// ref. ErrNotFound, ErrCorrupt.
	Get(ctx context.Context, ref SnapshotRef) ([]byte, error)
	// Delete removes the object. Deleting what is not there is no error.
	Delete(ctx context.Context, ref SnapshotRef) error
	// List calls fn with every object of room that is of this kind, referenced
	// or not; archives and snapshots in the order of their numbers.
	List(ctx context.Context, room ID, kind ObjectKind, fn func(o Object) error) error
	// Open returns an object's bytes, known by its key only, after checking them
	// against the checksum the store keeps beside them. ErrNotFound, ErrCorrupt.
	Open(ctx context.Context, key string) ([]byte, error)
	// Archive stores the encoded log entries from..to (see EncodeArchive).
	// Archiving the same range again overwrites it with the same bytes.
	Archive(ctx context.Context, room ID, from, to Seq, data []byte) (SnapshotRef, error)
}

// Upload is an update too large for a message, on its way in.
type Upload struct {
	Room ID
	// ID is chosen by the Service: random, so that no other connection can
	// guess it, and of [A-Za-z0-9_-] only.
	ID     string
	Size   int64
	SHA256 [32]byte
}

// UploadHeader is one HTTP header an upload must carry.
type UploadHeader struct{ Name, Value string }

// UploadTarget says where a client puts an upload: HTTP PUT to URL with
// exactly these headers.
type UploadTarget struct {
	URL     string
	Headers []UploadHeader
}

// Uploads takes updates too large for a message from clients, and gives them
// to the other members, past the gateway. A deployment may have none.
type Uploads interface {
	// Offer prepares an upload. What the target then accepts is exactly the
	// announced bytes: another size or SHA-256 is refused there. The object goes
	// away by itself after a day.
	Offer(ctx context.Context, u Upload) (UploadTarget, error)
	// Fetch returns the bytes that were put. ErrNotFound when there are none,
	// ErrCorrupt when they are not the announced ones.
	Fetch(ctx context.Context, room ID, upload string) ([]byte, error)
	// Link returns a URL from which members get the bytes for some minutes.
	Link(ctx context.Context, room ID, upload string) (string, error)
	// Discard removes what was put. Discarding what is not there is no error.
	Discard(ctx context.Context, room ID, upload string) error
}

// Links gives out URLs of snapshots, so that a large one reaches who joins past
// the gateway. A deployment may have none.
type Links interface {
	// LinkSnapshot returns a URL from which anybody gets the object's bytes with
	// HTTP GET for as long as life. It does not look whether the object is there.
	LinkSnapshot(ctx context.Context, ref SnapshotRef, life time.Duration) (string, error)
}

// Failure is one receiver a frame did not reach.
type Failure struct {
	Connection ConnectionID
	Err        error
}

// Sender posts frames to connections.
type Sender interface {
	// Post sends one text frame to each connection, with bounded concurrency
	// and a time-out for each, and reports who did not get it. A Failure's Err
	// is ErrGone when the gateway does not know the connection (any more, or
	// yet: a $connect that has not returned), ErrTooLarge, or ErrUnavailable.
	Post(ctx context.Context, to []ConnectionID, frame []byte) []Failure
	// Disconnect closes the connection; the client is expected to come back.
	// A connection that is gone already is no error.
	Disconnect(ctx context.Context, conn ConnectionID) error
}

// Fanout hands slices of a large room's broadcast to further invocations, each
// of which calls Service.Deliver with one. A deployment may have none.
type Fanout interface {
	// Dispatch asks for one invocation for each delivery and returns, once they
	// are all asked for, an error or nil for each: ErrTooLarge, ErrUnavailable.
	// It does not wait for any to run. One that was taken runs soon, usually
	// once, and may run late, twice, or never; one that was refused may run too.
	Dispatch(ctx context.Context, deliveries []Delivery) []error
}

// Clock tells the time. Production uses the system's; tests their own.
type Clock interface {
	Now() time.Time
}
