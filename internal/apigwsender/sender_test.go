package apigwsender_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/apigwsender"
	"github.com/symphony-rt/symphony/internal/room"
)

// gateway is a management API that answers as each connection's script says,
// 200 when it has none left.
type gateway struct {
	*httptest.Server
	mu      sync.Mutex
	scripts map[string][]int
	got     map[string][]string
	methods map[string]string
	opened  atomic.Int64
	running atomic.Int64
	most    atomic.Int64
	hold    chan struct{}
}

const hang = -1

func newGateway(t *testing.T) *gateway {
	g := &gateway{scripts: map[string][]int{}, got: map[string][]string{}, methods: map[string]string{}}
	g.Server = httptest.NewUnstartedServer(g)
	g.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			g.opened.Add(1)
		}
	}
	g.Start()
	t.Cleanup(g.Close)
	return g
}

func (g *gateway) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	now := g.running.Add(1)
	defer g.running.Add(-1)
	for most := g.most.Load(); now > most && !g.most.CompareAndSwap(most, now); most = g.most.Load() {
	}
	if g.hold != nil {
		<-g.hold
	}
	body, _ := io.ReadAll(req.Body)
	path, found := strings.CutPrefix(req.URL.EscapedPath(), "/stage/@connections/")
	conn, err := url.PathUnescape(path)
	if !found || err != nil || !strings.HasPrefix(req.Header.Get("Authorization"), "AWS4-HMAC-SHA256") {
		w.WriteHeader(http.StatusForbidden)
		return
	}
	g.mu.Lock()
	status := http.StatusOK
	if s := g.scripts[conn]; len(s) > 0 {
		status, g.scripts[conn] = s[0], s[1:]
	}
	if status == http.StatusOK {
		g.got[conn] = append(g.got[conn], string(body))
		g.methods[conn] = req.Method
	}
	g.mu.Unlock()
	switch status {
	case hang:
		<-req.Context().Done()
	case http.StatusBadRequest:
		w.Header().Set("X-Amzn-Errortype", "BadRequestException")
		w.WriteHeader(status)
		fmt.Fprint(w, `{"message":"Invalid connectionId: x"}`)
	case http.StatusGone:
		w.Header().Set("X-Amzn-Errortype", "GoneException")
		w.WriteHeader(status)
	default:
		w.WriteHeader(status)
	}
}

func (g *gateway) sender(opts apigwsender.Options) *apigwsender.Sender {
	return apigwsender.New(aws.Config{
		Region: "us-east-1", Credentials: credentials.NewStaticCredentialsProvider("a", "b", ""),
	}, g.URL+"/stage/", opts)
}

func TestPostReports(t *testing.T) {
	g := newGateway(t)
	always := func(status int) []int { return []int{status, status, status, status, status, status, status} }
	want := map[room.ConnectionID]error{
		"ok": nil, "L0SM9cOFvHcCIhw=": nil, "a/b c": nil,
		"throttled": nil, "failed": nil, "gone": room.ErrGone, "not yet": room.ErrGone, "invalid": room.ErrGone,
		"large": room.ErrTooLarge, "forbidden": room.ErrUnavailable, "always throttled": room.ErrUnavailable, "always failed": room.ErrUnavailable,
	}
	g.scripts = map[string][]int{
		"throttled": {429, 429}, "failed": {500, 503, 504}, "gone": always(410), "not yet": {410, 200}, "invalid": {400}, "large": {413},
		"forbidden": {403}, "always throttled": always(429), "always failed": always(500),
	}
	var to []room.ConnectionID
	for conn := range want {
		to = append(to, conn)
	}
	reported := map[room.ConnectionID]error{}
	for _, f := range g.sender(apigwsender.Options{}).Post(t.Context(), to, []byte("frame+/=")) {
		reported[f.Connection] = f.Err
	}
	for conn, err := range want {
		if err == nil {
			require.NoError(t, reported[conn], "%s", conn)
			require.Equal(t, []string{"frame+/="}, g.got[string(conn)], "%s", conn)
			require.Equal(t, http.MethodPost, g.methods[string(conn)])
		} else {
			require.ErrorIs(t, reported[conn], err, "%s", conn)
			require.Empty(t, g.got[string(conn)], "%s", conn)
		}
	}
	require.Len(t, g.scripts["gone"], 6, "410 is not tried again")
	require.Empty(t, g.sender(apigwsender.Options{}).Post(t.Context(), nil, []byte("x")))
}

func TestPostIsBoundedAndReusesConnections(t *testing.T) {
	g := newGateway(t)
	g.hold = make(chan struct{})
	s := g.sender(apigwsender.Options{Concurrency: 8, Timeout: time.Minute})
	var to []room.ConnectionID
	for i := range 100 {
		to = append(to, room.ConnectionID(fmt.Sprint("c", i)))
	}
	done := make(chan []room.Failure)
	go func() { done <- s.Post(t.Context(), to, []byte("x")) }()
	for g.running.Load() < 8 {
		time.Sleep(time.Millisecond)
	}
	close(g.hold)
	require.Empty(t, <-done)
	require.EqualValues(t, 8, g.most.Load(), "at most this many at a time")
	for range 5 {
		require.Empty(t, s.Post(t.Context(), to, []byte("x")))
	}
	// net/http takes a connection back a moment after its answer was read; who is faster opens one more.
	require.Less(t, g.opened.Load(), int64(60), "600 posts over the same connections")
	for _, conn := range to {
		require.Len(t, g.got[string(conn)], 6)
	}
}

func TestPostTimesOutOneByOne(t *testing.T) {
	g := newGateway(t)
	g.scripts = map[string][]int{"slow": {hang, hang, hang, hang}}
	failures := g.sender(apigwsender.Options{Timeout: time.Second}).Post(t.Context(), []room.ConnectionID{"slow", "fast"}, []byte("x"))
	require.Len(t, failures, 1)
	require.Equal(t, room.ConnectionID("slow"), failures[0].Connection)
	require.ErrorIs(t, failures[0].Err, room.ErrUnavailable)
	require.Equal(t, []string{"x"}, g.got["fast"])
}

func TestPostEndsBeforeItsContext(t *testing.T) {
	g := newGateway(t)
	var to []room.ConnectionID
	for i := range 20 {
		conn := fmt.Sprint("c", i)
		g.scripts[conn] = []int{hang, hang, hang, hang}
		to = append(to, room.ConnectionID(conn))
	}
	const reserve = 30 * time.Second
	ctx, cancel := context.WithTimeout(t.Context(), reserve+200*time.Millisecond)
	defer cancel()
	failures := g.sender(apigwsender.Options{Concurrency: 2, Reserve: reserve}).Post(ctx, to, []byte("x"))
	require.Len(t, failures, len(to), "all are reported, those never tried too")
	for _, f := range failures {
		require.ErrorIs(t, f.Err, room.ErrUnavailable)
	}
	require.NoError(t, ctx.Err(), "the reserve is untouched")
}

func TestDisconnect(t *testing.T) {
	g := newGateway(t)
	g.scripts = map[string][]int{"gone": {410}, "broken": {500, 500, 500, 500}}
	s := g.sender(apigwsender.Options{})
	require.NoError(t, s.Disconnect(t.Context(), "c="))
	require.Equal(t, http.MethodDelete, g.methods["c="])
	require.NoError(t, s.Disconnect(t.Context(), "gone"), "gone already")
	require.ErrorIs(t, s.Disconnect(t.Context(), "broken"), room.ErrUnavailable)
}
