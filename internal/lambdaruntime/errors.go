package lambdaruntime

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// Errors of an invocation that never reached the function, with the names
// Lambda's Invoke API has for them
// (https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html).
var (
	// ErrUnknownFunction is ResourceNotFoundException (404).
	ErrUnknownFunction = errors.New("lambdaruntime: ResourceNotFoundException: no such function")
	// ErrThrottled is TooManyRequestsException (429).
	ErrThrottled = errors.New("lambdaruntime: TooManyRequestsException: rate exceeded")
	// ErrRequestTooLarge is RequestTooLargeException (413).
	ErrRequestTooLarge = errors.New("lambdaruntime: RequestTooLargeException: request payload over the limit")
	// ErrClosed: the Runtime was shut down.
	ErrClosed = errors.New("lambdaruntime: shut down")
	// ErrEntrypoint: the bootstrap file is missing or cannot be run.
	ErrEntrypoint = errors.New("lambdaruntime: bootstrap cannot be run")
)

// The errorType values Lambda itself reports.
const (
	TypeTimeout          = "Sandbox.Timedout"
	TypeExit             = "Runtime.ExitError"
	TypeEntrypoint       = "Runtime.InvalidEntrypoint"
	TypeResponseTooLarge = "Function.ResponseSizeTooLarge"
)

// unhandled is the one value X-Amz-Function-Error has nowadays.
const unhandled = "Unhandled"

// Result is what Lambda's Invoke API answers.
type Result struct {
	RequestID string
	// Payload is the function's response, or its error as JSON.
	Payload []byte
	// FunctionError is "" or "Unhandled" (the header X-Amz-Function-Error).
	FunctionError string
	// Cold says that an instance was started for this event; Init is how long
	// that took, Duration how long the event did.
	Cold           bool
	Init, Duration time.Duration
}

// FunctionError is a failure inside a function.
type FunctionError struct {
	RequestID string
	// Type is the errorType: one of the Type constants or the function's own.
	Type    string
	Message string
}

func (e *FunctionError) Error() string {
	return fmt.Sprintf("lambdaruntime: %s: %s (request %s)", e.Type, e.Message, e.RequestID)
}

// errorBody is how errors look in payloads.
type errorBody struct {
	Message string `json:"errorMessage"`
	Type    string `json:"errorType"`
}

// Err returns a *FunctionError when the function failed, nil otherwise.
func (r Result) Err() error {
	if r.FunctionError == "" {
		return nil
	}
	var body errorBody
	_ = json.Unmarshal(r.Payload, &body) // the function's own error may be anything
	return &FunctionError{RequestID: r.RequestID, Type: body.Type, Message: body.Message}
}

func encodeError(errorType, message string) []byte {
	b, err := json.Marshal(errorBody{message, errorType})
	if err != nil {
		panic("lambdaruntime: two strings always marshal: " + err.Error())
	}
	return b
}

// failed returns the Result for an error that Lambda reports itself.
func failed(requestID, errorType, message string) Result {
	return Result{
		RequestID: requestID, FunctionError: unhandled,
		Payload: encodeError(errorType, "RequestId: "+requestID+" Error: "+message),
	}
}

func timedOut(requestID string, after time.Duration) Result {
	return failed(requestID, TypeTimeout, fmt.Sprintf("Task timed out after %.2f seconds", after.Seconds()))
}

func exited(requestID string, cause error) Result {
	if cause == nil {
		return failed(requestID, TypeExit, "Runtime exited without providing a reason")
	}
	return failed(requestID, TypeExit, "Runtime exited with error: "+cause.Error())
}

func checkEntrypoint(c *FunctionConfig) error {
	path, err := filepath.Abs(c.Path)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrEntrypoint, err)
	}
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("%w: %s does not exist; build it first", ErrEntrypoint, path)
	case err != nil:
		return fmt.Errorf("%w: %w", ErrEntrypoint, err)
	case info.IsDir() || info.Mode()&0o111 == 0:
		return fmt.Errorf("%w: %s is not an executable file", ErrEntrypoint, path)
	}
	c.Path = path
	return nil
}

func newUUID() string {
	var b [16]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	b[6], b[8] = b[6]&0x0f|0x40, b[8]&0x3f|0x80
	return fmt.Sprintf("%x-%x-%x-%x-%x", b[:4], b[4:6], b[6:8], b[8:10], b[10:])
}

// traceID returns an X-Ray trace header
// (https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader).
func traceID(now time.Time) string {
	var b [20]byte
	_, _ = rand.Read(b[:])
	return fmt.Sprintf("Root=1-%08x-%s;Parent=%s;Sampled=0", uint32(now.Unix()), hex.EncodeToString(b[:12]), hex.EncodeToString(b[12:]))
}
