package pebblestore

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"hash/crc32"
	"time"

	"github.com/symphony-rt/symphony/internal/room"
)

// Every value ends with a CRC-32C over its key and its bytes: Pebble checks
// its blocks, this checks the way from here to there and back, and that a
// value stands under its own key.
const sumBytes = 4

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func checksum(key, body []byte) uint32 {
	return crc32.Update(crc32.Checksum(key, castagnoli), castagnoli, body)
}

// seal appends the checksum to body.
func seal(key, body []byte) []byte {
	return binary.LittleEndian.AppendUint32(body, checksum(key, body))
}

// unseal returns body without its checksum, ErrCorrupt when it does not match.
func unseal(key, value []byte) ([]byte, error) {
	if len(value) < sumBytes {
		return nil, fmt.Errorf("%w: value of %d bytes under %q", room.ErrCorrupt, len(value), key)
	}
	body := value[:len(value)-sumBytes]
	if binary.LittleEndian.Uint32(value[len(body):]) != checksum(key, body) {
		return nil, fmt.Errorf("%w: checksum of %q", room.ErrCorrupt, key)
	}
	return body, nil
}

func sealJSON(key []byte, v any) []byte {
	body, err := json.Marshal(v)
	if err != nil {
		panic("pebblestore: records always marshal: " + err.Error())
	}
	return seal(key, body)
}

func unsealJSON(key, value []byte, v any) error {
	body, err := unseal(key, value)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(body, v); err != nil {
		return fmt.Errorf("%w: record %q: %w", room.ErrCorrupt, key, err)
	}
	return nil
}

// updateVersion is the first byte of an encoded update.
const updateVersion = 1

// encodeUpdate returns the value of a log entry: version, time, author,
// connection, the update's bytes up to the checksum.
func encodeUpdate(key []byte, u room.Update) []byte {
	head := 1 + 2*binary.MaxVarintLen64 + 2*binary.MaxVarintLen32 + len(u.Author) + len(u.Connection)
	b := make([]byte, 0, head+len(u.Data)+sumBytes)
	b = append(b, updateVersion)
	b = binary.AppendVarint(b, u.At.Unix())
	b = binary.AppendUvarint(b, uint64(u.At.Nanosecond()))
	b = appendString(b, u.Author)
	b = appendString(b, string(u.Connection))
	b = append(b, u.Data...)
	return seal(key, b)
}

// decodeUpdate is the inverse of encodeUpdate. Data points into value.
func decodeUpdate(key, value []byte) (room.Update, error) {
	b, err := unseal(key, value)
	if err != nil {
		return room.Update{}, err
	}
	r := reader{rest: b}
	version := r.byte()
	sec, nsec := r.varint(), r.uvarint()
	author, conn := r.string(), r.string()
	if r.failed || version != updateVersion || nsec >= uint64(time.Second) {
		return room.Update{}, fmt.Errorf("%w: log entry %q", room.ErrCorrupt, key)
	}
	return room.Update{
		Data:       r.rest,
		Author:     author,
		Connection: room.ConnectionID(conn),
		At:         time.Unix(sec, int64(nsec)).UTC(),
	}, nil
}

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// reader takes fields from the front of rest; failed once one was not there.
type reader struct {
	rest   []byte
	failed bool
}

func (r *reader) byte() byte {
	if len(r.rest) == 0 {
		r.failed = true
		return 0
	}
	c := r.rest[0]
	r.rest = r.rest[1:]
	return c
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.rest)
	r.skip(n)
	return v
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	r.skip(n)
	return v
}

func (r *reader) skip(n int) {
	if n <= 0 {
		r.failed = true
		r.rest = nil
		return
	}
	r.rest = r.rest[n:]
}

func (r *reader) string() string {
	n := r.uvarint()
	if n > uint64(len(r.rest)) {
		r.failed = true
		return ""
	}
	s := string(r.rest[:n])
	r.rest = r.rest[n:]
	return s
}
