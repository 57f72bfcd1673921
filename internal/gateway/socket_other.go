//go:build !unix

package gateway

// rawIO is false where sockets cannot be tried without blocking: an idle
// connection then keeps a read buffer.
const rawIO = false

func (s *socket) tryRead(uintptr) bool { return true }

func (s *socket) tryWrite([]byte) (int, error) { return 0, nil }
