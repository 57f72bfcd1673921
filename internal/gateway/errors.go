package gateway

import "errors"

// What Post, Close and Get answer; the HTTP management API answers the same
// with a status and an x-amzn-ErrorType header. Source: the errors of
// PostToConnection in the "Amazon API Gateway Management API" reference.
var (
	// ErrGone (410 GoneException): no such connection, not any more, or not
	// yet because its $connect function has not returned.
	ErrGone = errors.New("gateway: connection gone")
	// ErrTooLarge (413 PayloadTooLargeException): over Limits.Message bytes.
	ErrTooLarge = errors.New("gateway: payload too large")
	// ErrLimit (429 LimitExceededException): more requests than the account
	// may make, or the connection's send buffer is full because its client
	// does not read. The same post may work later.
	ErrLimit = errors.New("gateway: limit exceeded")
	// ErrForbidden (403 ForbiddenException): not signed, or not this stage.
	ErrForbidden = errors.New("gateway: forbidden")
)

// ErrConfig wraps every error of New.
var ErrConfig = errors.New("gateway: bad configuration")

// ErrShutdown is what Shutdown returns, wrapped with the context's error, when
// it had to leave invocations running.
var ErrShutdown = errors.New("gateway: shutdown incomplete")

// FunctionError is a function that ran and failed (it returned an error, or it
// panicked), as opposed to one that could not be invoked. Type and Message are
// what the Lambda Invoke API reports as errorType and errorMessage.
type FunctionError struct {
	Type    string
	Message string
}

func (e *FunctionError) Error() string {
	return "function failed: " + e.Type + ": " + e.Message
}
