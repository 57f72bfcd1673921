//go:build unix

package gateway

import (
	"io"
	"syscall"
)

// rawIO says that sockets can be tried without blocking.
const rawIO = true

// tryRead reads what is there into the buffer, taking one first if need be.
// It reports false, without a buffer in hand, when nothing is there: the
// runtime then waits for the socket to become readable and calls it again.
func (s *socket) tryRead(fd uintptr) bool {
	if s.buf == nil {
		s.buf = readBuffers.Get().(*[]byte)
	}
	for {
		n, err := syscall.Read(int(fd), (*s.buf)[s.w:])
		switch {
		case err == syscall.EINTR:
			continue
		case err == syscall.EAGAIN:
			if s.r == s.w {
				s.release()
			}
			return false
		case err != nil:
			s.readErr = err
		case n == 0:
			s.readErr = io.EOF
		default:
			s.readErr = nil
			s.w += n
			return true
		}
		if s.r == s.w {
			s.release()
		}
		return true
	}
}

// tryWrite writes as much of b as the socket takes at once. err is nil when it
// took nothing because its buffer is full.
func (s *socket) tryWrite(b []byte) (n int, err error) {
	callErr := s.raw.Write(func(fd uintptr) bool {
		for {
			n, err = syscall.Write(int(fd), b)
			if err != syscall.EINTR {
				return true
			}
		}
	})
	n = max(n, 0)
	if callErr != nil {
		return n, callErr
	}
	if err == syscall.EAGAIN {
		err = nil
	}
	return n, err
}
