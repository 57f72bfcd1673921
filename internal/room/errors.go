package room

import (
	"errors"
	"fmt"
)

// The errors of this package and of every adapter behind its ports. They are
// compared with errors.Is; internal/handler has the one table that turns them
// into what a client sees, so no internal text ever reaches one.
var (
	// ErrRoomID: the room id is empty, over MaxIDBytes or not UTF-8.
	ErrRoomID = errors.New("room: not a room id")
	// ErrMalformed: the frame is not base64 or not a known, complete message.
	ErrMalformed = errors.New("room: malformed message")
	// ErrTooLarge: a message, update or state is over its limit.
	ErrTooLarge = errors.New("room: too large")
	// ErrInvalidUpdate: the bytes are not a Yjs update.
	ErrInvalidUpdate = errors.New("room: not a valid update")
	// ErrInvalidAwareness: the bytes are not an awareness update.
	ErrInvalidAwareness = errors.New("room: not a valid awareness update")
	// ErrReadOnly: the member may not change this room.
	ErrReadOnly = errors.New("room: read only")
	// ErrDenied: the user's access to this room was revoked.
	ErrDenied = errors.New("room: access denied")
	// ErrUnknownConnection: no member has this connection id.
	ErrUnknownConnection = errors.New("room: unknown connection")
	// ErrUnsupported: this deployment does not offer what was asked.
	ErrUnsupported = errors.New("room: not supported")
	// ErrUnavailable: a store or the sender did not answer; the same call may
	// work later. Nothing is known to be written.
	ErrUnavailable = errors.New("room: temporarily unavailable")
	// ErrConflict: a conditional write lost against another writer.
	ErrConflict = errors.New("room: lost a conditional write")
	// ErrTrimmed: the log no longer has the entry that was asked for; the
	// snapshot covers it.
	ErrTrimmed = errors.New("room: log entry already trimmed")
	// ErrNotFound: there is no such snapshot or archive.
	ErrNotFound = errors.New("room: no such object")
	// ErrCorrupt: stored bytes are not what was written (checksum, gap, or an
	// update that no longer decodes). Never treated as an empty document.
	ErrCorrupt = errors.New("room: stored data is damaged")
	// ErrDisconnected: the Service has closed (or tried to close) this
	// connection because of the error it is joined with; there is no answer to
	// send. The client comes back and starts over.
	ErrDisconnected = errors.New("room: disconnected")
	// ErrGone: the gateway no longer knows the connection (HTTP 410).
	ErrGone = errors.New("room: connection gone")
)

// MessageError says which of a client's messages failed: ID is the message id
// of its submit, upload request or upload commit.
type MessageError struct {
	ID  uint64
	Err error
}

func (e *MessageError) Error() string { return fmt.Sprintf("message %d: %v", e.ID, e.Err) }

// Unwrap returns the reason.
func (e *MessageError) Unwrap() error { return e.Err }
