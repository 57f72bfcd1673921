package yjs

import (
	"errors"
	"fmt"
)

// Reasons for which an update, a state vector or a delete set is refused. They arrive wrapped in a *DecodeError.
var (
	// ErrTruncated says that the input ends before what it announces. Every announced length and count is checked
	// against the bytes that are left before anything is allocated or looped over.
	ErrTruncated = errors.New("unexpected end of input")
	// ErrTrailing says that bytes are left after a complete message.
	ErrTrailing = errors.New("trailing bytes")
	// ErrNumber says that a number, or the sum of a clock and a length, exceeds 2^53-1 (Number.MAX_SAFE_INTEGER), or
	// that it is padded beyond ten bytes.
	ErrNumber = errors.New("number exceeds 2^53-1")
	// ErrUTF8 says that a string is not valid UTF-8. Yjs decodes with a fatal TextDecoder, which refuses the same.
	ErrUTF8 = errors.New("invalid UTF-8")
	// ErrJSON says that embed, format or legacy JSON content is not JSON.
	ErrJSON = errors.New("invalid JSON")
	// ErrDepth says that a value is nested deeper than Limits.MaxDepth.
	ErrDepth = errors.New("value nested too deeply")
	// ErrContent says that a struct, type or value carries a tag that Yjs does not know.
	ErrContent = errors.New("unknown content")
	// ErrEmptyStruct says that a struct other than Skip, or a delete range, has length zero.
	ErrEmptyStruct = errors.New("struct or delete range of length zero")
	// ErrDuplicateClient says that one update has two struct lists for one client.
	ErrDuplicateClient = errors.New("two struct lists for one client")
	// ErrSelfReference says that an item names itself or a later item of its own client as origin or parent.
	ErrSelfReference = errors.New("item refers to itself or to a later item of its client")
	// ErrTooLarge says that an input, or what it expands to, exceeds a limit.
	ErrTooLarge = errors.New("larger than the limit")
)

// DecodeError is the error for input that is refused. Offset is the byte at which reading stopped, counted from the
// start of the input (for the v2 encoding: from the start of the part that was being read).
type DecodeError struct {
	Offset int
	Err    error
}

func (e *DecodeError) Error() string {
	return fmt.Sprintf("yjs: at byte %d: %v", e.Offset, e.Err)
}

func (e *DecodeError) Unwrap() error { return e.Err }
