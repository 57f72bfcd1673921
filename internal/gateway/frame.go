package gateway

import (
	"encoding/binary"
	"errors"
)

// Opcodes of RFC 6455 section 5.2.
const (
	opContinuation = 0x0
	opText         = 0x1
	opBinary       = 0x2
	opClose        = 0x8
	opPing         = 0x9
	opPong         = 0xA
)

// maxControl is the largest payload of a control frame, RFC 6455 section 5.5.
const maxControl = 125

// maxHeader is the longest frame header: two bytes, a 64-bit length, a mask.
const maxHeader = 14

// errFrame is any violation of RFC 6455; the connection closes with 1002.
var errFrame = errors.New("gateway: invalid frame")

// header is a frame header, RFC 6455 section 5.2.
type header struct {
	fin    bool
	op     byte
	length uint64
	key    [4]byte
}

func (h header) control() bool { return h.op&0x8 != 0 }

// parseHeader reads the header of a client's frame from the start of b.
// size is how many bytes it has; while b is shorter, the header is not there
// yet and only size is valid. errFrame for what a client may not send:
// reserved bits (no extension is ever negotiated) or opcodes, an unmasked
// frame, a length not in its shortest form, a control frame that is fragmented
// or over maxControl.
func parseHeader(b []byte) (h header, size int, err error) {
	if len(b) < 2 {
		return h, 2, nil
	}
	h.fin = b[0]&0x80 != 0
	h.op = b[0] & 0x0F
	if b[0]&0x70 != 0 || b[1]&0x80 == 0 {
		return h, 2, errFrame
	}
	switch h.op {
	case opContinuation, opText, opBinary, opClose, opPing, opPong:
	default:
		return h, 2, errFrame
	}
	size = 6
	length := b[1] & 0x7F
	switch length {
	case 126:
		size += 2
	case 127:
		size += 8
	}
	if h.control() && (!h.fin || length > maxControl) {
		return h, 2, errFrame
	}
	if len(b) < size {
		return h, size, nil
	}
	h.length = uint64(length)
	switch length {
	case 126:
		h.length = uint64(binary.BigEndian.Uint16(b[2:]))
		if h.length < 126 {
			return h, size, errFrame
		}
	case 127:
		h.length = binary.BigEndian.Uint64(b[2:])
		if h.length < 1<<16 || h.length >= 1<<63 {
			return h, size, errFrame
		}
	}
	copy(h.key[:], b[size-4:])
	return h, size, nil
}

// appendHeader appends the header of a server's frame, which is not masked.
func appendHeader(dst []byte, op byte, fin bool, length int) []byte {
	if fin {
		op |= 0x80
	}
	dst = append(dst, op)
	switch {
	case length < 126:
		return append(dst, byte(length))
	case length < 1<<16:
		return binary.BigEndian.AppendUint16(append(dst, 126), uint16(length))
	default:
		return binary.BigEndian.AppendUint64(append(dst, 127), uint64(length))
	}
}

// unmask applies a mask (RFC 6455 section 5.3) to b, the part of a payload that
// starts at offset.
func unmask(b []byte, key [4]byte, offset uint64) {
	var k [8]byte
	for i := range k {
		k[i] = key[(offset+uint64(i))&3]
	}
	word := binary.LittleEndian.Uint64(k[:])
	for len(b) >= 8 {
		binary.LittleEndian.PutUint64(b, binary.LittleEndian.Uint64(b)^word)
		b = b[8:]
	}
	for i := range b {
		b[i] ^= k[i]
	}
}

// parseClose reads a close frame's payload, RFC 6455 section 5.5.1. An empty
// one means code 1005. errFrame for codes that may not be sent (section 7.4).
func parseClose(payload []byte) (code int, reason string, err error) {
	if len(payload) == 0 {
		return closeNoStatus, "", nil
	}
	if len(payload) == 1 {
		return 0, "", errFrame
	}
	code = int(binary.BigEndian.Uint16(payload))
	switch {
	case code >= 1000 && code <= 1003, code >= 1007 && code <= 1014, code >= 3000 && code <= 4999:
		return code, string(payload[2:]), nil
	}
	return 0, "", errFrame
}

// appendClose appends a close frame's payload; 1005 is never sent, it stands
// for an empty one.
func appendClose(dst []byte, code int, reason string) []byte {
	if code == closeNoStatus {
		return dst
	}
	dst = binary.BigEndian.AppendUint16(dst, uint16(code))
	return append(dst, reason[:min(len(reason), maxControl-2)]...)
}
