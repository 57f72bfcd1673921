package gateway

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
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

// LinkInvoker is the gateway's end: an Invoker of the backend's functions.
type LinkInvoker struct{ link *link }

// DialLink connects gateway process number to the backend's Links at address.
// gateway is asked for when the backend posts, which is not before a
// connection was made there.
func DialLink(ctx context.Context, address, secret string, number uint16, gateway func() *Gateway) (*LinkInvoker, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	l := newLink(conn, func(_ context.Context, kind byte, body []byte) []byte { return gateway().serveLink(kind, body) })
	if err := l.send(linkHello, uint64(number), []byte(secret)); err != nil {
		return nil, err
	}
	go l.read(bufio.NewReaderSize(conn, linkBuffer))
	return &LinkInvoker{l}, nil
}

// Done is closed when the backend is gone.
func (i *LinkInvoker) Done() <-chan struct{} { return i.link.ctx.Done() }

// Close ends the link.
func (i *LinkInvoker) Close() { i.link.fail(net.ErrClosed) }

// Invoke implements Invoker.
func (i *LinkInvoker) Invoke(ctx context.Context, function string, payload []byte) ([]byte, error) {
	if len(function) > 255 || len(payload) > maxPayload {
		return nil, fmt.Errorf("%w: invoking %q with %d bytes", ErrTooLarge, function, len(payload))
	}
	body, err := i.link.call(ctx, linkInvoke, []byte{byte(len(function))}, []byte(function), payload)
	if err != nil {
		return nil, err
	}
	if len(body) == 0 {
		return nil, errBatch
	}
	switch body[0] {
	case invokedOK:
		return body[1:], nil
	case invokedFailed:
		var failed invokeError
		if err := json.Unmarshal(body[1:], &failed); err != nil {
			return nil, errBatch
		}
		return nil, &FunctionError{Type: failed.Type, Message: failed.Message}
	default:
		return nil, fmt.Errorf("gateway: invoking %q: %s", function, body[1:])
	}
}

// serveLink runs a request of the backend.
func (g *Gateway) serveLink(kind byte, body []byte) []byte {
	switch kind {
	case linkPost:
		ids, data, err := parseBatch(body)
		if err != nil {
			return nil
		}
		answer := make([]byte, 0, 2*len(ids))
		for _, id := range ids {
			answer = binary.BigEndian.AppendUint16(answer, uint16(statusOf(g.postHere(id, data))))
		}
		return answer
	case linkClose:
		return binary.BigEndian.AppendUint16(nil, uint16(statusOf(g.closeHere(string(body)))))
	}
	return nil
}

// Links is the backend's end: it runs the gateways' invocations and reaches
// their connections, as a Fleet does over HTTP. Its errors are those of a
// Gateway, and ErrLink.
type Links struct {
	invoker Invoker
	secret  string

	mu    sync.Mutex
	links map[uint16]*link
	down  bool
}

// NewLinks returns the backend's end. Gateways must know the secret.
func NewLinks(invoker Invoker, secret string) *Links {
	return &Links{invoker: invoker, secret: secret, links: map[uint16]*link{}}
}

// Serve takes gateways from listener until it is closed.
func (s *Links) Serve(listener net.Listener) error {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return err
		}
		go s.welcome(conn)
	}
}

func (s *Links) welcome(conn net.Conn) {
	_ = conn.SetReadDeadline(time.Now().Add(linkHelloTime))
	r := bufio.NewReaderSize(conn, linkBuffer)
	kind, number, body, err := readLink(r)
	if err != nil || kind != linkHello || number > 1<<16-1 || string(body) != s.secret {
		_ = conn.Close()
		return
	}
	_ = conn.SetReadDeadline(time.Time{})
	l := newLink(conn, s.run)
	s.mu.Lock()
	old := s.links[uint16(number)]
	s.links[uint16(number)] = l
	down := s.down
	s.mu.Unlock()
	if old != nil {
		old.fail(net.ErrClosed)
	}
	if down {
		l.fail(net.ErrClosed)
		return
	}
	l.read(r)
}

// run is one invocation.
func (s *Links) run(ctx context.Context, kind byte, body []byte) []byte {
	if kind != linkInvoke || len(body) == 0 || len(body) < 1+int(body[0]) {
		return nil
	}
	name, payload := string(body[1:1+body[0]]), body[1+body[0]:]
	answer, err := s.invoker.Invoke(ctx, name, payload)
	var failed *FunctionError
	switch {
	case errors.As(err, &failed):
		text, _ := json.Marshal(invokeError{Type: failed.Type, Message: failed.Message}) // two strings
		return append([]byte{invokedFailed}, text...)
	case err != nil:
		return append([]byte{invokedNot}, "cannot invoke"...)
	case len(answer) > maxPayload:
		text, _ := json.Marshal(invokeError{Type: "Function.ResponseSizeTooLarge", Message: "response over 6 MB"})
		return append([]byte{invokedFailed}, text...)
	}
	return append(append(make([]byte, 0, 1+len(answer)), invokedOK), answer...)
}

func (s *Links) link(number uint16) *link {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.links[number]
}

// PostMany is Gateway.PostMany: the gateways are asked at the same time.
func (s *Links) PostMany(ctx context.Context, ids []string, data []byte) []error {
	errs := make([]error, len(ids))
	byGateway := make(map[uint16][]int, 2)
	for i, id := range ids {
		number, ok := NumberOf(id)
		if !ok || s.link(number) == nil {
			errs[i] = ErrGone
			continue
		}
		byGateway[number] = append(byGateway[number], i)
	}
	var others sync.WaitGroup
	for number, indexes := range byGateway {
		if len(byGateway) == 1 {
			s.post(ctx, number, ids, indexes, data, errs)
		} else {
			others.Go(func() { s.post(ctx, number, ids, indexes, data, errs) })
		}
	}
	others.Wait()
	return errs
}

func (s *Links) post(ctx context.Context, number uint16, ids []string, indexes []int, data []byte, errs []error) {
	for from := 0; from < len(indexes); from += maxBatch {
		chunk := indexes[from:min(len(indexes), from+maxBatch)]
		head := make([]byte, 0, len(chunk)*(idLength+1))
		for n, i := range chunk {
			if n > 0 {
				head = append(head, ',')
			}
			head = append(head, ids[i]...)
		}
		answer, err := s.link(number).call(ctx, linkPost, append(head, '\n'), data)
		if err == nil && len(answer) != 2*len(chunk) {
			err = errBatch
		}
		for n, i := range chunk {
			if errs[i] = err; err == nil {
				errs[i] = errorOf(int(binary.BigEndian.Uint16(answer[2*n:])))
			}
		}
	}
}

// Close is Gateway.Close.
func (s *Links) Close(ctx context.Context, id string) error {
	number, ok := NumberOf(id)
	l := s.link(number)
	if !ok || l == nil {
		return ErrGone
	}
	answer, err := l.call(ctx, linkClose, []byte(id))
	switch {
	case err != nil:
		return err
	case len(answer) != 2:
		return errBatch
	}
	return errorOf(int(binary.BigEndian.Uint16(answer)))
}

// Shutdown ends all links and takes no more.
func (s *Links) Shutdown() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.down = true
	for _, l := range s.links {
		l.fail(net.ErrClosed)
	}
}
