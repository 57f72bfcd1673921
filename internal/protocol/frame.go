package protocol

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"
)

// strict is standard base64 with padding (RFC 4648 section 4) whose unused
// bits must be zero, so that every message has exactly one frame.
var strict = base64.StdEncoding.Strict()

// scratch holds raw messages between encoding and base64.
var scratch = sync.Pool{New: func() any { return new([]byte) }}

// FrameSize returns the number of characters of the text frame for a raw
// message of n bytes.
func FrameSize(n int) int { return strict.EncodedLen(n) }

// EncodeFrame returns the text frame of m: the base64 of Encode(m).
func EncodeFrame(m Message) []byte {
	return AppendFrame(make([]byte, 0, FrameSize(Size(m))), m)
}

// EncodeFrameString is EncodeFrame for a route response, which is a string.
func EncodeFrameString(m Message) string {
	raw := scratch.Get().(*[]byte)
	*raw = Append((*raw)[:0], m)
	frame := strict.EncodeToString(*raw)
	scratch.Put(raw)
	return frame
}

// AppendFrame appends the text frame of m to dst and returns the extended
// slice.
func AppendFrame(dst []byte, m Message) []byte {
	raw := scratch.Get().(*[]byte)
	*raw = Append((*raw)[:0], m)
	dst = strict.AppendEncode(dst, *raw)
	scratch.Put(raw)
	return dst
}

// FrameOf returns the text frame of an encoded message.
func FrameOf(raw []byte) []byte {
	return strict.AppendEncode(make([]byte, 0, FrameSize(len(raw))), raw)
}

// IsPresence says whether a client's frame carries presence, its own or another
// tab's, from the two characters in which the first byte is: enough to count
// by, without a look at the rest.
func IsPresence[F string | []byte](frame F) bool {
	if len(frame) < 2 {
		return false
	}
	first, second := digits[frame[0]], digits[frame[1]]
	if first < 0 || second < 0 {
		return false
	}
	t := Type(first<<2 | second>>4)
	return t == TypeAwareness || t == TypeTabPresence
}

// digits are the values of base64's characters, -1 for any other byte.
var digits = func() (d [256]int8) {
	for i := range d {
		d[i] = -1
	}
	for i, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/" {
		d[c] = int8(i)
	}
	return d
}()

// DecodeFrame reads a frame of either direction: ErrNotBase64, ErrTooLarge over
// MaxPost characters, and the errors of Decode.
func DecodeFrame[F string | []byte](frame F) (Message, error) {
	raw, err := decodeText(frame, MaxPost)
	if err != nil {
		return nil, err
	}
	return Decode(raw)
}

// DecodeClientFrame reads a frame a client sent: ErrNotBase64 and the errors of
// DecodeClient. What is too large is refused before it is decoded.
func DecodeClientFrame[F string | []byte](frame F) (Message, error) {
	raw, err := decodeText(frame, FrameSize(MaxClientMessage))
	if err != nil {
		return nil, err
	}
	return DecodeClient(raw)
}

// DecodeServerFrame reads a frame a server sent: ErrNotBase64, ErrTooLarge over
// MaxPost characters, the errors of DecodeServer, and a *GatewayError when the
// frame is not of the server's but of the gateway's own making.
func DecodeServerFrame[F string | []byte](frame F) (Message, error) {
	raw, err := decodeText(frame, MaxPost)
	if err != nil {
		if g := gatewayError(string(frame)); g != nil {
			return nil, g
		}
		return nil, err
	}
	return DecodeServer(raw)
}

// decodeText returns the bytes of a frame of at most limit characters.
func decodeText[F string | []byte](frame F, limit int) ([]byte, error) {
	if len(frame) > limit {
		return nil, fmt.Errorf("%w: %d characters, at most %d", ErrTooLarge, len(frame), limit)
	}
	var raw []byte
	var err error
	// Go's decoder skips line ends even when strict; they are refused here.
	// Two branches, as a conversion would copy the frame.
	lineEnd := false
	switch text := any(frame).(type) {
	case string:
		lineEnd = strings.IndexByte(text, '\n') >= 0 || strings.IndexByte(text, '\r') >= 0
		raw, err = strict.DecodeString(text)
	case []byte:
		lineEnd = bytes.IndexByte(text, '\n') >= 0 || bytes.IndexByte(text, '\r') >= 0
		raw = make([]byte, strict.DecodedLen(len(text)))
		var n int
		n, err = strict.Decode(raw, text)
		raw = raw[:n]
	}
	if lineEnd {
		return nil, fmt.Errorf("%w: it has a line end", ErrNotBase64)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrNotBase64, err)
	}
	return raw, nil
}
