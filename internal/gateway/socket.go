package gateway

import (
	"errors"
	"io"
	"net"
	"syscall"
)

// socket reads from and writes to a hijacked connection and holds a read
// buffer only while it has unread bytes in it. That is what makes an idle
// connection cheap.
type socket struct {
	net.Conn
	raw syscall.RawConn // nil: wait with a buffer in hand

	buf  *[]byte // from readBuffers, or nil
	r, w int     // unread bytes are (*buf)[r:w]

	// Between tryRead and fill.
	readErr error
	try     func(fd uintptr) bool
}

// start prepares s for conn. lead is what was read from it before.
func (s *socket) start(conn net.Conn, lead []byte) {
	s.Conn = conn
	if sc, ok := conn.(syscall.Conn); ok && rawIO {
		if raw, err := sc.SyscallConn(); err == nil {
			s.raw = raw
			s.try = s.tryRead
		}
	}
	if len(lead) > 0 {
		b := append(make([]byte, 0, max(len(lead), readBuffer)), lead...)
		b = b[:cap(b)]
		s.buf, s.w = &b, len(lead)
	}
}

// unread returns the bytes that can be used without waiting.
func (s *socket) unread() []byte {
	if s.buf == nil {
		return nil
	}
	return (*s.buf)[s.r:s.w]
}

// consume drops the first n unread bytes and gives the buffer back when it was
// the last of them.
func (s *socket) consume(n int) {
	s.r += n
	if s.r == s.w {
		s.release()
	}
}

func (s *socket) release() {
	if s.buf != nil && len(*s.buf) == readBuffer {
		readBuffers.Put(s.buf)
	}
	s.buf, s.r, s.w = nil, 0, 0
}

// fill waits until there is at least one more unread byte.
func (s *socket) fill() error {
	if s.buf != nil && s.r > 0 {
		s.w = copy(*s.buf, (*s.buf)[s.r:s.w])
		s.r = 0
	}
	before := s.w
	if s.raw != nil {
		if err := s.raw.Read(s.try); err != nil {
			return err
		}
		return s.readErr
	}
	if s.buf == nil {
		s.buf = readBuffers.Get().(*[]byte)
	}
	n, err := s.Read((*s.buf)[s.w:])
	s.w += n
	if s.w > before {
		return nil
	}
	s.consume(0)
	return err
}

// peek returns at least n unread bytes, waiting for them. n is at most
// maxHeader.
func (s *socket) peek(n int) ([]byte, error) {
	for s.w-s.r < n {
		if err := s.fill(); err != nil {
			if s.w > s.r && errors.Is(err, io.EOF) {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
	return s.unread(), nil
}

// appendTo moves exactly n bytes to the end of dst, which grows only as they
// arrive: a length that was announced costs nothing.
func (s *socket) appendTo(dst []byte, n int) ([]byte, error) {
	for n > 0 {
		if s.w == s.r {
			if err := s.fill(); err != nil {
				return dst, err
			}
		}
		part := s.unread()
		part = part[:min(len(part), n)]
		dst = append(dst, part...)
		n -= len(part)
		s.consume(len(part))
	}
	return dst, nil
}

// skip drops n bytes as they arrive.
func (s *socket) skip(n uint64) error {
	for n > 0 {
		if s.w == s.r {
			if err := s.fill(); err != nil {
				return err
			}
		}
		part := min(uint64(s.w-s.r), n)
		n -= part
		s.consume(int(part))
	}
	return nil
}
