package protocol

import (
	"strconv"
	"time"
)

// Code says what an Error is about. docs/PROTOCOL.md says what a client does
// for each. A client treats a code it does not know like CodeInternal.
type Code uint64

const (
	// CodeMalformed: the frame is not base64 or not a message a client sends.
	CodeMalformed Code = 1
	// CodeTooLarge: the message or update is over its limit.
	CodeTooLarge Code = 2
	// CodeInvalidUpdate: the bytes are not a Yjs update.
	CodeInvalidUpdate Code = 3
	// CodeInvalidAwareness: the bytes are not an awareness update.
	CodeInvalidAwareness Code = 4
	// CodeReadOnly: this connection may not change the room.
	CodeReadOnly Code = 5
	// CodeDenied: the user's access to the room was revoked.
	CodeDenied Code = 6
	// CodeUnknownConnection: the server has no member for this connection.
	CodeUnknownConnection Code = 7
	// CodeUnavailable: a store did not answer; the update may or may not be
	// stored, and submitting it again is right.
	CodeUnavailable Code = 8
	// CodeUnsupported: the version or feature is not offered here.
	CodeUnsupported Code = 9
	// CodeRoomID: the room id is missing, too long or not UTF-8.
	CodeRoomID Code = 10
	// CodeThrottled: too many messages; slow down.
	CodeThrottled Code = 11
	// CodeInternal: a defect on the server; nothing was stored.
	CodeInternal Code = 12
)

var codeNames = [...]string{
	CodeMalformed:         "malformed",
	CodeTooLarge:          "too large",
	CodeInvalidUpdate:     "invalid update",
	CodeInvalidAwareness:  "invalid awareness",
	CodeReadOnly:          "read only",
	CodeDenied:            "denied",
	CodeUnknownConnection: "unknown connection",
	CodeUnavailable:       "unavailable",
	CodeUnsupported:       "unsupported",
	CodeRoomID:            "room id",
	CodeThrottled:         "throttled",
	CodeInternal:          "internal",
}

// String returns the code's name in docs/PROTOCOL.md.
func (c Code) String() string {
	if c > 0 && c < Code(len(codeNames)) {
		return codeNames[c]
	}
	return "code " + strconv.FormatUint(uint64(c), 10)
}

// Error makes *Error usable as a Go error on the client's side.
func (m *Error) Error() string {
	return "protocol: the server says " + m.Code.String() + ": " + m.Text
}

// RetryAfter returns RetryMS as a duration of at most a day.
func (m *Error) RetryAfter() time.Duration {
	const day = 24 * time.Hour
	if m.RetryMS > uint64(day/time.Millisecond) {
		return day
	}
	return time.Duration(m.RetryMS) * time.Millisecond
}
