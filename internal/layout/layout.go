// Package layout builds every DynamoDB key and every S3 object name, and takes
// them apart again. Nothing else in the repository concatenates one.
//
// Room ids are arbitrary UTF-8 (room.ID), so they are escaped: the bytes
// [A-Za-z0-9_-] stand for themselves, any other byte becomes '.' and two
// uppercase hex digits. The escape is injective, its output has neither '#' nor
// '/', and is never "." or "..", so no id can leave its partition or its
// folder, nor can one room's folder be the prefix of another's. All the
// characters used are in S3's "safe characters"
// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html) and
// unreserved in URLs (RFC 3986 section 2.3).
//
// Sequence numbers are written with SeqWidth decimal digits, so that the order
// of keys (DynamoDB and S3 both sort by UTF-8 bytes) is the order of numbers.
package layout

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/symphony-rt/symphony/internal/room"
)

// ErrKey: the text is not a key that this package builds.
var ErrKey = errors.New("layout: not a key of this layout")

const (
	// SeqWidth is the number of digits of the largest uint64.
	SeqWidth = 20
	// MaxNameBytes bounds nonces and upload ids (a UUID has 36 characters).
	MaxNameBytes = 64
	// MaxObjectBytes is S3's limit for an object key
	// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/object-keys.html).
	MaxObjectBytes = 1024
	// maxEscapedRoom is the longest escaped room id: three bytes for each.
	maxEscapedRoom = 3 * room.MaxIDBytes
	// longestObject is the longest name built here: a snapshot's.
	longestObject = len("rooms/") + maxEscapedRoom + len("/snapshots/") + SeqWidth + len("-") + MaxNameBytes
)

// Does not compile when a room id of the longest kind would not fit S3's limit
// (DynamoDB's, 2,048 bytes for a partition key and 1,024 for a sort key, are
// no narrower: only the partition key holds the room).
const _ = uint(MaxObjectBytes - longestObject)

// EscapeRoom returns the room id as it stands in keys and object names.
func EscapeRoom(id room.ID) string { return escape(string(id)) }

// UnescapeRoom is the inverse of EscapeRoom. ErrKey when EscapeRoom returns s
// for no valid room id.
func UnescapeRoom(s string) (room.ID, error) {
	raw, err := unescape(s)
	if err != nil {
		return "", err
	}
	id := room.ID(raw)
	if err := id.Validate(); err != nil {
		return "", fmt.Errorf("%w: %q: %w", ErrKey, s, err)
	}
	return id, nil
}

const upperHex = "0123456789ABCDEF"

func kept(c byte) bool {
	return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '_' || c == '-'
}

func escape(s string) string {
	extra := 0
	for i := range len(s) {
		if !kept(s[i]) {
			extra += 2
		}
	}
	if extra == 0 {
		return s
	}
	out := make([]byte, 0, len(s)+extra)
	for i := range len(s) {
		if c := s[i]; kept(c) {
			out = append(out, c)
		} else {
			out = append(out, '.', upperHex[c>>4], upperHex[c&15])
		}
	}
	return string(out)
}

// unescape accepts only what escape writes, so that two texts never name the
// same room.
func unescape(s string) (string, error) {
	out := make([]byte, 0, len(s))
	for i := 0; i < len(s); i++ {
		if kept(s[i]) {
			out = append(out, s[i])
			continue
		}
		if s[i] != '.' || i+2 >= len(s) {
			return "", fmt.Errorf("%w: %q", ErrKey, s)
		}
		high := strings.IndexByte(upperHex, s[i+1])
		low := strings.IndexByte(upperHex, s[i+2])
		c := byte(high<<4 | low&15)
		if high < 0 || low < 0 || kept(c) {
			return "", fmt.Errorf("%w: %q", ErrKey, s)
		}
		out = append(out, c)
		i += 2
	}
	return string(out), nil
}

func formatSeq(seq room.Seq) string {
	return fmt.Sprintf("%0*d", SeqWidth, uint64(seq))
}

func parseSeq(s string) (room.Seq, error) {
	if len(s) != SeqWidth || strings.Trim(s, "0123456789") != "" {
		return 0, fmt.Errorf("%w: sequence %q", ErrKey, s)
	}
	n, err := strconv.ParseUint(s, 10, 64)
	if err != nil {
		return 0, fmt.Errorf("%w: sequence %q", ErrKey, s)
	}
	return room.Seq(n), nil
}
