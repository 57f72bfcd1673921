package gateway

import "sync"

// readBuffer is the size of the buffers that sockets are read into: most
// frames fit one, and only connections being read hold one.
const readBuffer = 8 << 10

// keepBuffer is the largest buffer that goes back to a pool; larger ones were
// for a rare message and would stay forever.
const keepBuffer = 64 << 10

var readBuffers = sync.Pool{New: func() any { b := make([]byte, readBuffer); return &b }}

// scratch holds buffers that grow as needed: incoming messages, events and
// small outgoing frames.
var scratch = sync.Pool{New: func() any { return new([]byte) }}

func getScratch() *[]byte {
	b := scratch.Get().(*[]byte)
	*b = (*b)[:0]
	return b
}

func putScratch(b *[]byte) {
	if cap(*b) <= keepBuffer {
		scratch.Put(b)
	}
}
