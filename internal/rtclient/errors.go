package rtclient

import (
	"errors"
	"fmt"
)

var (
	// ErrClosed: the client was closed.
	ErrClosed = errors.New("rtclient: closed")
	// ErrPending: too many updates wait for an acknowledgement.
	ErrPending = errors.New("rtclient: too many unacknowledged updates")
	// ErrReadOnly: the server gave this connection read access only.
	ErrReadOnly = errors.New("rtclient: the room is read-only here")
	// ErrTooLarge: the message is over the limit and cannot be split or
	// uploaded (plain mode, awareness).
	ErrTooLarge = errors.New("rtclient: message too large")
	// ErrNotConnected: there is no connection at the moment; only messages
	// that are not kept for later give it.
	ErrNotConnected = errors.New("rtclient: not connected")
	// ErrRefused: the server refuses this client for good (its room, token or
	// version); reconnecting would not help.
	ErrRefused = errors.New("rtclient: refused")
	// ErrDocument: the document did not take an update of the room.
	ErrDocument = errors.New("rtclient: the document refuses an update")

	errHello   = errors.New("rtclient: no welcome in time")
	errSilent  = errors.New("rtclient: no answer to a probe in time")
	errWrite   = errors.New("rtclient: a message could not be written in time")
	errRestart = errors.New("rtclient: the room starts over")
	errEarly   = errors.New("rtclient: too many messages before the welcome")
	errFetch   = errors.New("rtclient: could not download what the server offered")
)

// DialError is a handshake the server answered with something else than a
// WebSocket. It is ErrRefused when trying again would not help.
type DialError struct {
	// Status is the HTTP status.
	Status int
	Err    error
}

// Error implements error.
func (e *DialError) Error() string {
	return fmt.Sprintf("rtclient: HTTP status %d: %v", e.Status, e.Err)
}

// Unwrap returns the cause.
func (e *DialError) Unwrap() error { return e.Err }

// Is reports ErrRefused for the client errors: a bad request, a token that is
// missing, wrong or for another room. 408 and 429 only say "not now".
func (e *DialError) Is(target error) bool {
	return target == ErrRefused && e.Status >= 400 && e.Status < 500 && e.Status != 408 && e.Status != 429
}
