package gateway

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"net"
	"sync"
	"time"
)

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
