package protocol

import "errors"

// ErrMalformed is the parent of every decoding error of this package: all the
// others below are errors.Is(err, ErrMalformed) except ErrTooLarge, which has
// its own error code on the wire.
var ErrMalformed = errors.New("protocol: malformed message")

// ErrTooLarge: the frame or message is over its limit; nothing was decoded.
var ErrTooLarge = errors.New("protocol: message too large")

// The kinds of ErrMalformed.
var (
	// ErrNotBase64: the frame is not standard base64 with padding, without
	// white space and with zero padding bits.
	ErrNotBase64 = kind("the frame is not standard base64")
	// ErrTruncated: the message ends before its last field does.
	ErrTruncated = kind("truncated")
	// ErrUnknownType: there is no message of this type, or no sync or auth
	// message of this kind.
	ErrUnknownType = kind("unknown type")
	// ErrDirection: the message exists, but only the other side sends it.
	ErrDirection = kind("not sent in this direction")
	// ErrTrailing: bytes follow the last field of the message.
	ErrTrailing = kind("trailing bytes")
	// ErrOutOfRange: a number is over MaxUint, or a field has a value that its
	// definition does not allow.
	ErrOutOfRange = kind("field out of range")
	// ErrNotUTF8: a string is not UTF-8 (lib0 reads strings with a decoder
	// that throws on it).
	ErrNotUTF8 = kind("string is not UTF-8")
)

// malformed is one kind of ErrMalformed.
type malformed struct{ text string }

func kind(text string) error { return &malformed{text: "protocol: malformed message: " + text} }

func (m *malformed) Error() string        { return m.text }
func (m *malformed) Is(target error) bool { return target == ErrMalformed }
