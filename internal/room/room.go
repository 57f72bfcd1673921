// Package room is Symphony's domain: rooms, their members and their update
// log, and the Service that joins, receives, leaves and checkpoints. It knows
// nothing of AWS, of sockets or of any store; those stand behind the ports in
// ports.go. Read this package first.
package room

import (
	"fmt"
	"time"
	"unicode/utf8"
)

// ID names a room: any non-empty UTF-8 text of at most MaxIDBytes bytes.
// Stores must encode it so that no id can escape its prefix (see
// internal/layout).
type ID string

// Validate reports ErrRoomID when id is empty, too long or not UTF-8.
func (id ID) Validate() error {
	switch {
	case id == "":
		return fmt.Errorf("%w: it is empty", ErrRoomID)
	case len(id) > MaxIDBytes:
		return fmt.Errorf("%w: %d bytes, at most %d", ErrRoomID, len(id), MaxIDBytes)
	case !utf8.ValidString(string(id)):
		return fmt.Errorf("%w: it is not UTF-8", ErrRoomID)
	}
	return nil
}

// Seq is the position of an update in its room's log. The first update has
// sequence number 1; 0 means "before the first". Numbers are gapless.
type Seq uint64

// ConnectionID is the gateway's name for one WebSocket connection.
type ConnectionID string

// Access says what a member may do.
type Access string

const (
	// AccessWrite lets a member read the room and change it.
	AccessWrite Access = "write"
	// AccessRead lets a member read the room and show presence, not change it.
	AccessRead Access = "read"
)

// User is who a connection authenticated as. ID is "" for an anonymous user.
type User struct {
	ID   string
	Name string
}

// Member is one connection's presence in a room.
type Member struct {
	Connection ConnectionID
	User       User
	Access     Access
	// Client is the Yjs client id the connection announced, 0 until known.
	Client uint64
	// Tabs are the Yjs client ids of other tabs that share the connection, the
	// last protocol.MaxTabs that showed their presence on it.
	Tabs []uint64
	// Symphony is true once the connection said hello; until then it is served
	// as a plain y-protocols client.
	Symphony bool
	// ConnectedAt is when the gateway accepted the socket. A store drops the
	// member MemberTTL later even when no $disconnect ever arrives.
	ConnectedAt time.Time
}

// Update is one entry of a room's log: a validated Yjs v1 update.
type Update struct {
	Seq  Seq
	Data []byte
	// Author is the authenticated user id (N12), whatever client ids the bytes
	// claim. Connection is the connection that sent it.
	Author     string
	Connection ConnectionID
	At         time.Time
}

// SnapshotRef points at a stored snapshot: the whole document after update
// Seq. Without a Key there is no object: the document was empty after Seq, as
// every room's is after 0.
type SnapshotRef struct {
	Key    string
	Seq    Seq
	Size   int64
	SHA256 [32]byte
}

// DirtyState says whether a room has changed since its last checkpoint.
type DirtyState uint8

const (
	// Clean rooms are not visited by the checkpoint.
	Clean DirtyState = iota
	// Dirty rooms have, or are about to have, updates no snapshot covers.
	Dirty
	// Cleaning rooms had nothing new in the last pass. They become Clean one
	// grace period later, unless a writer marks them Dirty again; a writer that
	// read Dirty before the change has finished by then.
	Cleaning
)

// Superseded is a snapshot that was replaced at At by one that covers the log
// through By. One grace period after At, Ref's object is deleted and the log is
// archived and trimmed through By: by then no reader is still using either.
type Superseded struct {
	Ref SnapshotRef
	By  Seq
	At  time.Time
}

// Meta is a room's record, changed only by compare-and-swap on Version.
type Meta struct {
	// Version is 0 for a room that has no record yet; every Swap adds one.
	Version uint64
	// Epoch tells one life of a room id from the next: random, set when the
	// record is created. A client that resumes with another epoch starts over.
	Epoch   string
	Created time.Time
	// Snapshot is the current snapshot and the sequence it covers.
	Snapshot       SnapshotRef
	LastCheckpoint time.Time
	// Superseded waits for its grace period, oldest first, at most
	// MaxSuperseded entries.
	Superseded []Superseded
	// Trimmed is the highest sequence number already archived and trimmed.
	Trimmed Seq
	// Erased is the entry the room's history begins with, because everything
	// before it was erased (Erase); 0 when nothing was.
	Erased Seq
	State  DirtyState
	// StateAt is when State last changed.
	StateAt time.Time
	// Denied holds the user ids whose access was revoked.
	Denied map[string]bool
}
