package handler

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/symphony-rt/symphony/internal/auth"
	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/room"
)

// fault is what a client gets to know of an error. The error's own text stays
// in the log.
type fault struct {
	// status refuses a connection ($connect).
	status int
	// code, retry and text answer a message.
	code  protocol.Code
	retry time.Duration
	text  string
}

// retryUnavailable is how long a client waits after a store did not answer:
// long enough for a throttled partition to recover, short enough not to be felt.
const retryUnavailable = time.Second

// faults is the one table from errors to what clients see; the first match
// counts. docs/PROTOCOL.md tells clients what to do for each code.
var faults = []struct {
	is error
	fault
}{
	{auth.ErrToken, fault{http.StatusUnauthorized, protocol.CodeDenied, 0, "The token is missing or not valid."}},
	{auth.ErrForbidden, fault{http.StatusForbidden, protocol.CodeDenied, 0, "The token does not allow this room."}},
	{room.ErrRoomID, fault{http.StatusBadRequest, protocol.CodeRoomID, 0, "The room id must be 1 to 256 bytes of UTF-8."}},
	{room.ErrDenied, fault{http.StatusForbidden, protocol.CodeDenied, 0, "Access to this room was revoked."}},
	{room.ErrReadOnly, fault{http.StatusForbidden, protocol.CodeReadOnly, 0, "This connection may read the room, not change it."}},
	{room.ErrMalformed, fault{http.StatusBadRequest, protocol.CodeMalformed, 0, "Not a frame of this protocol: base64 of one complete message."}},
	{room.ErrTooLarge, fault{http.StatusRequestEntityTooLarge, protocol.CodeTooLarge, 0, "The message is over its limit."}},
	{room.ErrInvalidUpdate, fault{http.StatusBadRequest, protocol.CodeInvalidUpdate, 0, "The bytes are not a valid Yjs update."}},
	{room.ErrInvalidAwareness, fault{http.StatusBadRequest, protocol.CodeInvalidAwareness, 0, "The bytes are not a valid awareness update."}},
	{room.ErrUnknownConnection, fault{http.StatusGone, protocol.CodeUnknownConnection, 0, "The server does not know this connection. Connect again."}},
	{room.ErrUnsupported, fault{http.StatusNotImplemented, protocol.CodeUnsupported, 0, "This server does not offer that."}},
	{room.ErrUnavailable, fault{http.StatusServiceUnavailable, protocol.CodeUnavailable, retryUnavailable, "The store did not answer. Try again."}},
	{room.ErrConflict, fault{http.StatusServiceUnavailable, protocol.CodeUnavailable, retryUnavailable, "The room is busy. Try again."}},
	{context.DeadlineExceeded, fault{http.StatusServiceUnavailable, protocol.CodeUnavailable, retryUnavailable, "The store did not answer in time. Try again."}},
	{context.Canceled, fault{http.StatusServiceUnavailable, protocol.CodeUnavailable, retryUnavailable, "The server is stopping. Try again."}},
}

// internal answers what is in no table: a defect, or damaged data.
var internal = fault{http.StatusInternalServerError, protocol.CodeInternal, 0, "Something went wrong on the server."}

func faultOf(err error) fault {
	for _, f := range faults {
		if errors.Is(err, f.is) {
			return f.fault
		}
	}
	return internal
}

// frame returns the error message for the client, naming the message it answers.
func (f fault) frame(err error) string {
	m := &protocol.Error{Code: f.code, RetryMS: uint64(f.retry / time.Millisecond), Text: f.text}
	var answered *room.MessageError
	if errors.As(err, &answered) {
		m.ID = answered.ID
	}
	return protocol.EncodeFrameString(m)
}
