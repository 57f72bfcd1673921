package pebblestore

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"math/bits"
	"strconv"
	"strings"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/cockroachdb/pebble/v2/vfs/atomicfs"
)

// Pebble takes a record it cannot read in its newest log or in its manifest
// for the end of the file: what a crash leaves of a write it interrupted. But
// when another record begins further on, the unreadable one was durable: the
// committer (like Pebble with its manifest) begins no record before the one
// before is synced. Then acknowledged data is damaged, and to go on would lose
// it and everything behind it without a word.
//
// The format is that of Pebble's record package
// (https://pkg.go.dev/github.com/cockroachdb/pebble/v2/record): blocks of
// 32 KiB hold chunks, which do not cross blocks; a chunk has a checksum (4
// bytes), the length of its payload (2), a type (1) and, in a log, the log's
// number (4) and how much of it was synced (8).
const (
	recordBlock  = 32 << 10
	headerLegacy = 7
	headerReused = headerLegacy + 4
	headerSynced = headerReused + 8
	chunkTypes   = 12
	reusedFull   = 5 // with the next log's number: a clean end
)

// chunkHeader returns the size of the header of a chunk type and whether such
// a chunk begins a record.
func chunkHeader(kind byte) (size int, begins bool) {
	switch position := (kind - 1) % 4; {
	case kind == 0 || kind > chunkTypes:
		return 0, false
	case kind <= 4:
		return headerLegacy, position < 2
	case kind <= 8:
		return headerReused, position < 2
	default:
		return headerSynced, position < 2
	}
}

// checkRecords returns ErrDamaged when the newest log or the manifest in use
// has a whole record behind an unreadable one.
func (f *folder) checkRecords() error {
	store := f.path(storeDir)
	names, err := f.fs.List(store)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // Open knows whether that is right
	}
	if err != nil {
		return f.explain(err)
	}
	if err := f.checkRecordFile(newestLog(names)); err != nil {
		return err
	}
	manifest, err := atomicfs.ReadMarker(f.fs, store, "manifest")
	if err != nil {
		return f.damaged(err)
	}
	return f.checkRecordFile(manifest, 0)
}

// newestLog returns the log with the highest number, "" when there is none.
func newestLog(names []string) (name string, number uint32) {
	for _, n := range names {
		digits, ok := strings.CutSuffix(n, ".log")
		v, err := strconv.ParseUint(digits, 10, 64)
		if ok && err == nil && (name == "" || uint32(v) > number) {
			name, number = n, uint32(v)
		}
	}
	return name, number
}

func (f *folder) checkRecordFile(name string, logNumber uint32) error {
	if name == "" {
		return nil
	}
	file, err := f.fs.Open(f.fs.PathJoin(f.path(storeDir), name), vfs.SequentialReadsOption)
	if errors.Is(err, fs.ErrNotExist) {
		return nil // Pebble says so, and whether it matters
	}
	if err != nil {
		return f.explain(err)
	}
	defer file.Close()
	c := recordChecker{logNumber: logNumber}
	block := make([]byte, recordBlock)
	for {
		n, err := io.ReadFull(file, block)
		if n > 0 && !c.block(block[:n]) {
			return f.damaged(fmt.Errorf("%s is unreadable at byte %d, but goes on at byte %d", name, c.broken, c.found))
		}
		switch {
		case c.ended, errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil
		case err != nil:
			return f.explain(err)
		}
	}
}

// recordChecker reads a file of records block by block.
type recordChecker struct {
	logNumber uint32 // 0: the manifest, which has no numbers

	offset   int64 // of the current block
	ended    bool  // a clean end was seen
	isBroken bool
	broken   int64 // the first place that is no chunk
	found    int64 // a record that begins behind it
}

// block returns false when a record begins behind an unreadable place.
func (c *recordChecker) block(b []byte) bool {
	defer func() { c.offset += int64(len(b)) }()
	for at := 0; at+headerLegacy <= len(b); {
		size, begins := c.chunk(b[at:])
		switch {
		case size > 0 && begins && c.isBroken:
			c.found = c.offset + int64(at)
			return false
		case size > 0:
			at += size
		case c.isBroken:
			at++
		case c.isEnd(b[at:]):
			c.ended = true
			return true
		case len(b)-at < headerSynced && isZero(b[at:]):
			return true // too little room for another chunk
		default:
			c.isBroken, c.broken = true, c.offset+int64(at)
			at++
		}
	}
	return true
}

// chunk returns the size of the chunk at the start of b, 0 when there is none
// of this file, and whether it begins a record.
func (c *recordChecker) chunk(b []byte) (size int, begins bool) {
	header, begins := chunkHeader(b[6])
	if header == 0 || header > len(b) || (header == headerLegacy) != (c.logNumber == 0) {
		return 0, false
	}
	if c.logNumber != 0 && binary.LittleEndian.Uint32(b[headerLegacy:]) != c.logNumber {
		return 0, false
	}
	size = header + int(binary.LittleEndian.Uint16(b[4:]))
	if size > len(b) || binary.LittleEndian.Uint32(b) != recordSum(b[6:size]) {
		return 0, false
	}
	return size, begins
}

// isEnd says whether b starts with the mark of a log that was closed.
func (c *recordChecker) isEnd(b []byte) bool {
	return c.logNumber != 0 && len(b) >= headerReused && isZero(b[:6]) && b[6] == reusedFull &&
		binary.LittleEndian.Uint32(b[headerLegacy:]) == c.logNumber+1
}

func isZero(b []byte) bool { return len(bytes.TrimLeft(b, "\x00")) == 0 }

// recordSum is the masked CRC-32C of the record format.
func recordSum(b []byte) uint32 {
	return bits.RotateLeft32(crc32.Checksum(b, castagnoli), 17) + 0xa282ead8
}
