package gateway

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// TestIdleConnectionIsSmall states what one idle connection costs this
// process: heap, stacks and goroutines. The clients are another process, so
// that they are not counted. Kernel memory is not counted either.
func TestIdleConnectionIsSmall(t *testing.T) {
	perConn, goroutines := idleCost(t, 1000)
	t.Logf("%d bytes of heap and stacks and %.2f goroutines for each idle connection", perConn, goroutines)
	require.LessOrEqual(t, goroutines, 2.0)
	require.Less(t, perConn, 12<<10)
}

// BenchmarkIdleConnection reports the same of 5,000 connections.
func BenchmarkIdleConnection(b *testing.B) {
	for range b.N {
		perConn, goroutines := idleCost(b, 5000)
		b.ReportMetric(float64(perConn), "B/conn")
		b.ReportMetric(goroutines, "goroutines/conn")
	}
}

const (
	clientsAddress = "GATEWAY_TEST_CLIENTS_ADDRESS"
	clientsCount   = "GATEWAY_TEST_CLIENTS_COUNT"
)

func TestMain(m *testing.M) {
	if address := os.Getenv(clientsAddress); address != "" {
		if err := runClients(address); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// runClients is the other process: it connects, sends one message on each
// connection, waits for the answer, and then idles until its input ends.
func runClients(address string) error {
	count, err := strconv.Atoi(os.Getenv(clientsCount))
	if err != nil {
		return err
	}
	conns := make([]net.Conn, count)
	for i := range conns {
		c, err := net.Dial("tcp", address)
		if err != nil {
			return err
		}
		conns[i] = c
		if _, err := fmt.Fprintf(c, "GET /dev?room=room-%d HTTP/1.1\r\nHost: %s\r\nUser-Agent: Mozilla/5.0 (X11; Linux x86_64)\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n", i/4, address); err != nil {
			return err
		}
		br := bufio.NewReader(c)
		if _, err := http.ReadResponse(br, nil); err != nil {
			return err
		}
		if _, err := c.Write(frame(0x81, []byte("hello"))); err != nil {
			return err
		}
		if _, err := io.ReadFull(br, make([]byte, 2+5)); err != nil {
			return err
		}
	}
	fmt.Println("idle")
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

// idleCost opens count connections from another process and returns what each
// of them adds.
func idleCost(t testing.TB, count int) (bytesPerConn int, goroutinesPerConn float64) {
	g, err := New(Config{
		Stage: "dev", Functions: Functions{Authorizer: "authorizer", Connect: "connect", Message: "message", Disconnect: "disconnect"},
		Invoker: Handlers{
			"authorizer": grant("Allow", "*", map[string]any{"room": "room-1234", "user": "user-1234", "name": "Ada", "access": "write"}),
			"connect":    ok(""), "message": echo, "disconnect": ok(""),
		},
		Limits: Limits{ConnectBurst: 1e6, RequestBurst: 1e6},
	})
	require.NoError(t, err)
	server := httptest.NewServer(g)
	defer server.Close()
	before := runtime.NumGoroutine()
	used := memoryInUse()
	clients := exec.Command(os.Args[0])
	clients.Env = append(os.Environ(), clientsAddress+"="+server.Listener.Addr().String(), clientsCount+"="+strconv.Itoa(count))
	clients.Stderr = os.Stderr
	stdin, err := clients.StdinPipe()
	require.NoError(t, err)
	stdout, err := clients.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, clients.Start())
	line, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(t, err)
	require.Equal(t, "idle\n", line)
	require.EqualValues(t, count, g.Snapshot().Connections)
	require.Eventually(t, func() bool { return g.Snapshot().InFlight == 0 }, testPatience, 1)
	bytesPerConn = (memoryInUse() - used) / count
	goroutinesPerConn = float64(runtime.NumGoroutine()-before) / float64(count)
	require.NoError(t, stdin.Close())
	require.NoError(t, clients.Wait())
	ctx, cancel := context.WithTimeout(context.Background(), testPatience)
	defer cancel()
	require.NoError(t, g.Shutdown(ctx))
	return bytesPerConn, goroutinesPerConn
}

func memoryInUse() int {
	for range 3 { // pools are emptied in two collections
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int(m.HeapAlloc + m.StackInuse)
}

// BenchmarkMessage is one message through an echoing function and back.
func BenchmarkMessage(b *testing.B) {
	answer := []byte(`{"statusCode":200,"body":"ok"}`)
	s := start(b, func(c *Config) {
		c.Limits.RequestBurst = 1e12
		c.Invoker.(Handlers)["message"] = handlerFunc(func(context.Context, []byte) ([]byte, error) { return answer, nil })
		c.Clock, c.Log = nil, nil
	})
	c := s.raw()
	message := frame(0x81, []byte(strings.Repeat("QUJD", 50)))
	reply := make([]byte, 4)
	b.ReportAllocs()
	b.ResetTimer()
	for range b.N {
		_, _ = c.Write(message)
		if _, err := io.ReadFull(c.br, reply); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkPost is one message posted to one of 100 connections.
func BenchmarkPost(b *testing.B) {
	s := start(b, func(c *Config) { c.Limits.RequestBurst = 1e12; c.Clock, c.Log = nil, nil })
	const conns = 100
	for range conns {
		c := s.raw()
		go func() { _, _ = io.Copy(io.Discard, c.br) }()
	}
	var ids []string
	s.conns.each(func(c *conn) { ids = append(ids, c.id) })
	data := []byte(strings.Repeat("QUJD", 50))
	b.ReportAllocs()
	b.ResetTimer()
	for n := range b.N {
		for s.Post(b.Context(), ids[n%conns], data) != nil {
			runtime.Gosched()
		}
	}
}

// BenchmarkMessageEvent is the making of one message's event.
func BenchmarkMessageEvent(b *testing.B) {
	s := start(b)
	s.raw()
	c := s.conns.get(s.onlyConn())
	c.authorizer = `{"access":"write","name":"Ada","principalId":"alice","room":"room-1234","user":"alice"}`
	body := []byte(strings.Repeat("QUJD", 50))
	var event []byte
	b.ReportAllocs()
	for b.Loop() {
		event = s.appendMessageEvent(event[:0], c.event(routeDefault, eventMessage), body)
	}
}
