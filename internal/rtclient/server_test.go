package rtclient_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/rtclient"
)

// server is a WebSocket server inside a synctest bubble: connections are
// net.Pipes and time is virtual, so a test decides what happens when. It does
// nothing by itself; the test plays it.
type server struct {
	t      *testing.T
	http   *http.Client
	listen chan net.Conn

	mu     sync.Mutex
	peers  []*peer
	taken  int
	status int // answer handshakes with this instead, when not 0
	files  http.Handler
}

// peer is the server's end of one connection.
type peer struct {
	t       *testing.T
	conn    *websocket.Conn
	request *http.Request

	mu       sync.Mutex
	received []protocol.Message
	ended    error
	// deaf, once set, is waited for after each message: nothing more is read.
	deaf chan struct{}
}

// newServer must be called in a synctest bubble.
func newServer(t *testing.T) *server {
	s := &server{t: t, listen: make(chan net.Conn)}
	ctx, stop := context.WithCancel(context.Background())
	transport := &http.Transport{DialContext: func(dialCtx context.Context, _, _ string) (net.Conn, error) {
		ours, theirs := net.Pipe()
		select {
		case s.listen <- theirs:
			return ours, nil
		case <-ctx.Done():
			return nil, net.ErrClosed
		case <-dialCtx.Done():
			return nil, dialCtx.Err()
		}
	}}
	s.http = &http.Client{Transport: transport}
	srv := &http.Server{Handler: http.HandlerFunc(s.serve)}
	go func() { _ = srv.Serve(pipeListener{s.listen, ctx}) }()
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		stop()
		_ = srv.Close()
		s.mu.Lock()
		defer s.mu.Unlock()
		for _, p := range s.peers {
			_ = p.conn.CloseNow()
		}
	})
	return s
}

type pipeListener struct {
	conns chan net.Conn
	ctx   context.Context
}

func (l pipeListener) Accept() (net.Conn, error) {
	select {
	case c := <-l.conns:
		return c, nil
	case <-l.ctx.Done():
		return nil, net.ErrClosed
	}
}
func (l pipeListener) Close() error   { return nil }
func (l pipeListener) Addr() net.Addr { return &net.UnixAddr{Name: "pipe"} }

func (s *server) serve(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	status, files := s.status, s.files
	s.mu.Unlock()
	if files != nil && r.Header.Get("Upgrade") == "" {
		files.ServeHTTP(w, r)
		return
	}
	if status != 0 {
		w.WriteHeader(status)
		return
	}
	conn, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{protocol.Subprotocol}})
	if err != nil {
		return
	}
	conn.SetReadLimit(protocol.MaxPost)
	p := &peer{t: s.t, conn: conn, request: r}
	s.mu.Lock()
	s.peers = append(s.peers, p)
	s.mu.Unlock()
	p.read()
}

func (s *server) refuse(status int) {
	s.mu.Lock()
	s.status = status
	s.mu.Unlock()
}

// count returns how many connections there have been.
func (s *server) count() int {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.peers)
}

// accept returns the next connection a client has opened.
func (s *server) accept() *peer {
	s.t.Helper()
	require.Greater(s.t, s.count(), s.taken, "no new connection")
	s.mu.Lock()
	defer s.mu.Unlock()
	s.taken++
	return s.peers[s.taken-1]
}

func (p *peer) read() {
	for {
		_, data, err := p.conn.Read(context.Background())
		var m protocol.Message
		if err == nil {
			m, err = protocol.DecodeFrame(data)
		}
		p.mu.Lock()
		if err != nil {
			p.ended = err
			p.mu.Unlock()
			return
		}
		p.received = append(p.received, m)
		deaf := p.deaf
		p.mu.Unlock()
		if deaf != nil {
			<-deaf
		}
	}
}

// deafen makes the server's end read no more than the next message until the
// test ends.
func (p *peer) deafen() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.deaf = make(chan struct{})
	p.t.Cleanup(func() { close(p.deaf) })
}

func (p *peer) send(messages ...protocol.Message) {
	p.t.Helper()
	for _, m := range messages {
		require.NoError(p.t, p.conn.Write(context.Background(), websocket.MessageText, protocol.EncodeFrame(m)))
	}
	synctest.Wait()
}

// nothing asserts that the client has sent nothing that was not looked at.
func (p *peer) nothing() {
	p.t.Helper()
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	require.Empty(p.t, p.received)
}

func (p *peer) closeError() error {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.ended
}

// next returns the client's next message, which must be a T.
func next[T protocol.Message](p *peer) T {
	p.t.Helper()
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	require.NotEmpty(p.t, p.received, "the client sent nothing")
	m, ok := p.received[0].(T)
	require.True(p.t, ok, "the client sent %T: %+v", p.received[0], p.received[0])
	p.received = p.received[1:]
	return m
}

// welcome answers the hello that must be next.
func (p *peer) welcome(through uint64, update ...byte) *protocol.Hello {
	p.t.Helper()
	h := next[*protocol.Hello](p)
	p.send(&protocol.Welcome{
		Version: 1, Epoch: "e1", Through: through, Connection: "c", Access: protocol.AccessWrite, Members: 1, Update: update,
	})
	return h
}

// log is what a client's callbacks said, in words.
type log struct {
	mu    sync.Mutex
	lines []string
}

func (l *log) add(s string) {
	l.mu.Lock()
	l.lines = append(l.lines, s)
	l.mu.Unlock()
}

// take returns the lines since the last take.
func (l *log) take() []string {
	synctest.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	lines := l.lines
	l.lines = nil
	return lines
}

// connect dials s; the client is closed with the test.
func (s *server) connect(opt rtclient.Options) (*rtclient.Client, *log) {
	s.t.Helper()
	events := &log{}
	opt.Events = events.events(opt.Events)
	opt.HTTPClient = s.http
	if opt.Rand == nil {
		opt.Rand = func() float64 { return 0.5 }
	}
	c, err := rtclient.Dial(context.Background(), "ws://server/dev", opt)
	require.NoError(s.t, err)
	s.t.Cleanup(func() {
		_ = c.Close()
		<-c.Done()
	})
	return c, events
}

var errDocument = errors.New("the document says no")
