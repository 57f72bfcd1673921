package rtclient_test

import (
	"bufio"
	"context"
	"encoding/binary"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"runtime"
	"sync"
	"testing"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/rtclient"
)

// hijack accepts WebSockets on a real socket and hands each over without a
// goroutine of its own, so that what is left are the clients'.
func hijack(t testing.TB) (url string, conns chan net.Conn) {
	conns = make(chan net.Conn, 4096)
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "+
			acceptKey(r.Header.Get("Sec-WebSocket-Key"))+"\r\n\r\n")
		conns <- conn
	}))
	t.Cleanup(srv.Close)
	return srv.URL, conns
}

// frame is one WebSocket frame as the wire has it (RFC 6455 section 5.2).
type frame struct {
	fin     bool
	opcode  byte
	payload []byte
}

func readFrame(r *bufio.Reader) (f frame, err error) {
	var head [2]byte
	if _, err = io.ReadFull(r, head[:]); err != nil {
		return f, err
	}
	f.fin, f.opcode = head[0]&0x80 != 0, head[0]&0x0f
	n := uint64(head[1] & 0x7f)
	if n >= 126 {
		var b [8]byte
		length := b[:2]
		if n == 127 {
			length = b[:]
		}
		if _, err = io.ReadFull(r, length); err != nil {
			return f, err
		}
		if n == 126 {
			n = uint64(binary.BigEndian.Uint16(length))
		} else {
			n = binary.BigEndian.Uint64(length)
		}
	}
	var mask [4]byte
	if _, err = io.ReadFull(r, mask[:]); err != nil {
		return f, err
	}
	f.payload = make([]byte, n)
	_, err = io.ReadFull(r, f.payload)
	for i := range f.payload {
		f.payload[i] ^= mask[i%4]
	}
	return f, err
}

// No WebSocket frame is over the gateway's limit: a message that fits goes as
// one, a larger one (allowed only on purpose) as several.
func TestFramesStayUnderTheLimit(t *testing.T) {
	url, conns := hijack(t)
	c, err := rtclient.Dial(context.Background(), url, rtclient.Options{Mode: rtclient.Plain, MaxMessage: 90_000})
	require.NoError(t, err)
	conn := <-conns
	r := bufio.NewReader(conn)
	_, err = readFrame(r) // step 1
	require.NoError(t, err)
	for _, c2 := range []struct{ raw, frames int }{
		{protocol.MaxClientMessage, 1}, {24_500, 1}, {24_600, 2}, {90_000, 4},
	} {
		update := make([]byte, c2.raw-protocol.Size(&protocol.SyncUpdate{Update: make([]byte, 20_000)})+20_000)
		var sent sync.WaitGroup
		sent.Go(func() { _, err = c.Submit(update) })
		var text []byte
		count := 0
		for done := false; !done; {
			f, err := readFrame(r)
			require.NoError(t, err)
			require.LessOrEqual(t, len(f.payload)+14, protocol.MaxFrame)
			if count == 0 {
				require.EqualValues(t, websocket.MessageText, f.opcode)
			} else {
				require.Zero(t, f.opcode, "a continuation")
			}
			if len(f.payload) > 0 {
				count++
			}
			text = append(text, f.payload...)
			done = f.fin
		}
		sent.Wait()
		require.NoError(t, err)
		require.Equal(t, c2.frames, count, "%d bytes", c2.raw)
		m, err := protocol.DecodeFrame(text)
		require.NoError(t, err)
		require.Equal(t, &protocol.SyncUpdate{Update: update}, m)
		require.Equal(t, c2.raw, protocol.Size(m))
	}
	_ = conn.Close()
	_ = c.Close()
	<-c.Done()
}

// dialMany opens n idle clients and returns what they cost.
func dialMany(t testing.TB, n int) (goroutines, bytes int, closeAll func()) {
	url, conns := hijack(t)
	measure := func() (int, int) {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return runtime.NumGoroutine(), int(m.HeapInuse + m.StackInuse)
	}
	goroutinesBefore, bytesBefore := measure()
	clients := make([]*rtclient.Client, n)
	accepted := make([]net.Conn, n)
	for i := range clients {
		c, err := rtclient.Dial(context.Background(), url, rtclient.Options{})
		require.NoError(t, err)
		clients[i], accepted[i] = c, <-conns
		if _, err := readFrame(bufio.NewReader(accepted[i])); err != nil { // the hello
			require.NoError(t, err)
		}
	}
	goroutinesAfter, bytesAfter := measure()
	return goroutinesAfter - goroutinesBefore, bytesAfter - bytesBefore, func() {
		for i, c := range clients {
			_ = accepted[i].Close()
			_ = c.Close()
			<-c.Done()
		}
	}
}

// A connected client is one goroutine.
func TestOneGoroutineAClient(t *testing.T) {
	const n = 200
	goroutines, bytes, closeAll := dialMany(t, n)
	defer closeAll()
	require.LessOrEqual(t, goroutines, n+10)
	t.Logf("%d clients: %d goroutines, %d bytes of heap and stack each (both ends of the connection)", n, goroutines, bytes/n)
	require.Less(t, bytes/n, 64<<10)
}
