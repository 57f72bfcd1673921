package room

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"fmt"
	"time"
)

// Archives are log entries that were trimmed, kept to go back to any sequence
// number or second (N2). One object holds a contiguous stretch:
//
//	"symphony log 1\n"
//	number of entries, first sequence number        (unsigned varints)
//	per entry: time (signed varint, nanoseconds since 1970 UTC), author, connection,
//	           data                                 (each a length and its bytes)
//	SHA-256 of everything before it
//
// The same entries give the same bytes, so archiving twice is harmless.
const archiveMagic = "symphony log 1\n"

// EncodeArchive encodes a contiguous stretch of log. ErrCorrupt when it is
// empty or has a gap.
func EncodeArchive(entries []Update) ([]byte, error) {
	if len(entries) == 0 {
		return nil, fmt.Errorf("%w: an archive of nothing", ErrCorrupt)
	}
	size := len(archiveMagic) + 2*binary.MaxVarintLen64 + sha256.Size
	for i, u := range entries {
		if want := entries[0].Seq + Seq(i); u.Seq != want {
			return nil, fmt.Errorf("%w: archiving entry %d where %d belongs", ErrCorrupt, u.Seq, want)
		}
		size += 4*binary.MaxVarintLen64 + len(u.Author) + len(u.Connection) + len(u.Data)
	}
	b := make([]byte, 0, size)
	b = append(b, archiveMagic...)
	b = binary.AppendUvarint(b, uint64(len(entries)))
	b = binary.AppendUvarint(b, uint64(entries[0].Seq))
	for _, u := range entries {
		at := int64(0)
		if !u.At.IsZero() {
			at = u.At.UnixNano()
		}
		b = binary.AppendVarint(b, at)
		b = appendField(b, u.Author)
		b = appendField(b, u.Connection)
		b = appendField(b, u.Data)
	}
	sum := sha256.Sum256(b)
	return append(b, sum[:]...), nil
}

func appendField[T ~string | ~[]byte](b []byte, field T) []byte {
	return append(binary.AppendUvarint(b, uint64(len(field))), field...)
}

// DecodeArchive is the inverse of EncodeArchive. ErrCorrupt when the bytes are
// not what EncodeArchive made. The entries' Data alias b.
func DecodeArchive(b []byte) ([]Update, error) {
	if len(b) < len(archiveMagic)+sha256.Size || !bytes.HasPrefix(b, []byte(archiveMagic)) {
		return nil, fmt.Errorf("%w: not an archive", ErrCorrupt)
	}
	body, sum := b[:len(b)-sha256.Size], b[len(b)-sha256.Size:]
	if sha256.Sum256(body) != [sha256.Size]byte(sum) {
		return nil, fmt.Errorf("%w: the archive's checksum", ErrCorrupt)
	}
	r := archiveReader{rest: body[len(archiveMagic):]}
	n, seq := r.uvarint(), Seq(r.uvarint())
	if n == 0 || n > uint64(len(r.rest)) { // an entry has four bytes at least
		return nil, fmt.Errorf("%w: an archive of %d entries", ErrCorrupt, n)
	}
	entries := make([]Update, 0, n)
	for range n {
		u := Update{Seq: seq}
		if at := r.varint(); at != 0 {
			u.At = time.Unix(0, at).UTC()
		}
		u.Author = string(r.field())
		u.Connection = ConnectionID(r.field())
		u.Data = r.field()
		entries = append(entries, u)
		seq++
	}
	if r.bad || len(r.rest) != 0 {
		return nil, fmt.Errorf("%w: the archive's length", ErrCorrupt)
	}
	return entries, nil
}

type archiveReader struct {
	rest []byte
	bad  bool
}

func (r *archiveReader) skip(n int) {
	if n <= 0 {
		r.bad, r.rest = true, nil
		return
	}
	r.rest = r.rest[n:]
}

func (r *archiveReader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	r.skip(n)
	return v
}

func (r *archiveReader) varint() int64 {
	v, n := binary.Varint(r.rest)
	r.skip(n)
	return v
}

func (r *archiveReader) field() []byte {
	n := r.uvarint()
	if n > uint64(len(r.rest)) {
		r.bad, r.rest = true, nil
		return nil
	}
	f := r.rest[:n:n]
	r.rest = r.rest[n:]
	return f
}
