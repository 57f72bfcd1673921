package gateway

import (
	"bufio"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"time"
)

// A link joins a gateway process and its backend with one connection that
// carries any number of invocations, posts and their answers at once. Under
// load many of them share one system call, where HTTP takes a connection and
// several calls for each. It is ours alone; AWS has nothing like it.
//
// A message on it is a length (4 bytes, big-endian, of what follows), a kind (1
// byte), the number of the request it is or answers (8 bytes), and the body.
// The gateway begins with linkHello, the shared secret and its number.

const (
	linkHello  = 'h' // gateway to backend: secret
	linkInvoke = 'i' // gateway to backend: length of the name (1 byte), name, payload
	linkPost   = 'p' // backend to gateway: a batch, as in fleet.go
	linkClose  = 'c' // backend to gateway: connection id
	linkAnswer = 'a' // either: what the request's kind says
)

// The first byte of an invocation's answer.
const (
	invokedOK     = 0 // the function's answer
	invokedFailed = 1 // an invokeError, in JSON
	invokedNot    = 2 // text: it could not be run
)

const (
	linkHeader = 4 + 1 + 8
	// maxLinkMessage bounds a message: Lambda's payload limit and its envelope.
	maxLinkMessage = maxPayload + 64<<10
	// linkBuffer is for reading; a system call then brings many messages.
	linkBuffer = 64 << 10
	// linkHelloTime bounds the wait for a gateway's first message.
	linkHelloTime = 5 * time.Second
	// maxLinkQueue bounds what waits to be written; beyond, requests fail.
	maxLinkQueue = 64 << 20
)

// ErrLink means that the other process is gone, or does not keep up.
var ErrLink = errors.New("gateway: link broken")

// link is one end. serve runs a request of the other end and returns the
// answer's body.
type link struct {
	conn  net.Conn
	serve func(ctx context.Context, kind byte, body []byte) []byte
	ctx   context.Context
	end   context.CancelFunc
	// workers run the other end's requests.
	workers workers

	mu      sync.Mutex
	out     []byte // waits to be written
	spare   []byte
	writing bool
	n       uint64
	pending map[uint64]chan []byte
	err     error
}

func newLink(conn net.Conn, serve func(context.Context, byte, []byte) []byte) *link {
	l := &link{conn: conn, serve: serve, pending: map[uint64]chan []byte{}}
	l.ctx, l.end = context.WithCancel(context.Background())
	return l
}

// send queues a message made of parts; whoever finds nobody writing writes,
// and goes on while others queue.
func (l *link) send(kind byte, n uint64, parts ...[]byte) error {
	size := linkHeader - 4
	for _, p := range parts {
		size += len(p)
	}
	if size > maxLinkMessage {
		return ErrTooLarge
	}
	l.mu.Lock()
	if l.err != nil || len(l.out) > maxLinkQueue {
		l.mu.Unlock()
		return ErrLink
	}
	l.out = binary.BigEndian.AppendUint32(l.out, uint32(size))
	l.out = append(l.out, kind)
	l.out = binary.BigEndian.AppendUint64(l.out, n)
	for _, p := range parts {
		l.out = append(l.out, p...)
	}
	start := !l.writing
	l.writing = true
	l.mu.Unlock()
	if start {
		go l.write()
	}
	return nil
}

// keepLinkBuffer is the largest write buffer that is used again.
const keepLinkBuffer = 1 << 20

func (l *link) write() {
	for {
		l.mu.Lock()
		out := l.out
		if len(out) == 0 || l.err != nil {
			l.writing = false
			l.mu.Unlock()
			return
		}
		l.out, l.spare = l.spare[:0], nil
		l.mu.Unlock()
		_, err := l.conn.Write(out)
		l.mu.Lock()
		if cap(out) <= keepLinkBuffer {
			l.spare = out[:0]
		}
		l.mu.Unlock()
		if err != nil {
			l.fail(err)
		}
	}
}

// fail ends the link: every request under way gets ErrLink.
func (l *link) fail(err error) {
	l.mu.Lock()
	if l.err == nil {
		l.err = fmt.Errorf("%w: %w", ErrLink, err)
	}
	pending := l.pending
	l.pending = map[uint64]chan []byte{}
	l.mu.Unlock()
	for _, answer := range pending {
		close(answer)
	}
	l.end()
	l.workers.stop()
	_ = l.conn.Close()
}

// call makes one request and waits for its answer.
func (l *link) call(ctx context.Context, kind byte, parts ...[]byte) ([]byte, error) {
	answer := make(chan []byte, 1)
	l.mu.Lock()
	l.n++
	n := l.n
	l.pending[n] = answer
	l.mu.Unlock()
	if err := l.send(kind, n, parts...); err != nil {
		l.forget(n)
		return nil, err
	}
	select {
	case body, ok := <-answer:
		if !ok {
			return nil, ErrLink
		}
		return body, nil
	case <-ctx.Done():
		l.forget(n)
		return nil, ctx.Err()
	}
}

func (l *link) forget(n uint64) {
	l.mu.Lock()
	delete(l.pending, n)
	l.mu.Unlock()
}

// read handles what comes until the link ends.
func (l *link) read(r *bufio.Reader) {
	for {
		kind, n, body, err := readLink(r)
		if err != nil {
			l.fail(err)
			return
		}
		if kind == linkAnswer {
			l.mu.Lock()
			answer := l.pending[n]
			delete(l.pending, n)
			l.mu.Unlock()
			if answer != nil {
				answer <- body
			}
			continue
		}
		l.workers.run(func() { _ = l.send(linkAnswer, n, l.serve(l.ctx, kind, body)) })
	}
}

func readLink(r io.Reader) (kind byte, n uint64, body []byte, err error) {
	var header [linkHeader]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return 0, 0, nil, err
	}
	size := int(binary.BigEndian.Uint32(header[:])) - (linkHeader - 4)
	if size < 0 || size > maxLinkMessage {
		return 0, 0, nil, errBatch
	}
	body = make([]byte, size)
	_, err = io.ReadFull(r, body)
	return header[4], binary.BigEndian.Uint64(header[5:]), body, err
}
