package rtclient_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/auth"
	"github.com/symphony-rt/symphony/internal/gateway"
	"github.com/symphony-rt/symphony/internal/handler"
	"github.com/symphony-rt/symphony/internal/memstore"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/rtclient"
	"github.com/symphony-rt/symphony/internal/yjs"
)

// stack is the real server: gateway, handlers, domain, and a store in memory.
type stack struct {
	url  string
	http *http.Client
}

type wallClock struct{}

func (wallClock) Now() time.Time { return time.Now() }

// toGateway is room.Sender over the gateway of this process.
type toGateway struct{ gw *gateway.Gateway }

func (s *toGateway) Post(ctx context.Context, to []room.ConnectionID, frame []byte) (failures []room.Failure) {
	for _, c := range to {
		if err := s.gw.Post(ctx, string(c), bytes.Clone(frame)); err != nil {
			failures = append(failures, room.Failure{Connection: c, Err: fmt.Errorf("%w: %w", room.ErrGone, err)})
		}
	}
	return failures
}

func (s *toGateway) Disconnect(ctx context.Context, c room.ConnectionID) error {
	return s.gw.Close(ctx, string(c))
}

// memoryURLs is a transport that also serves the URLs of memstore's uploads.
type memoryURLs struct {
	http.RoundTripper
	uploads memstore.Uploads
}

func (m memoryURLs) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != "memory" {
		return m.RoundTripper.RoundTrip(r)
	}
	answer := httptest.NewRecorder()
	if r.Method == http.MethodPut {
		data, err := io.ReadAll(r.Body)
		if err == nil {
			err = m.uploads.PutURL(r.URL.String(), data)
		}
		if err != nil {
			answer.WriteHeader(http.StatusForbidden)
		}
		return answer.Result(), nil
	}
	data, err := m.uploads.GetURL(r.URL.String())
	if err != nil {
		answer.WriteHeader(http.StatusNotFound)
	}
	_, _ = answer.Write(data)
	return answer.Result(), nil
}

func instances(f any) gateway.Handler {
	return gateway.Instances(func() gateway.Handler { return lambda.NewHandler(f) })
}

func newStack(t *testing.T, chaos gateway.Chaos) *stack {
	store := memstore.New(wallClock{})
	sender := &toGateway{}
	service, err := room.NewService(room.Ports{
		Log: store.Log(), Metas: store.Metas(), Members: store.Members(), Snapshots: store.Snapshots(),
		Uploads: store.Uploads(), Links: store.Uploads(), Sender: sender, Clock: wallClock{},
	}, room.Options{})
	require.NoError(t, err)
	log := slog.New(slog.DiscardHandler)
	h := handler.New(service, nil, wallClock{}, log)
	sender.gw, err = gateway.New(gateway.Config{
		Stage: "dev", Chaos: chaos,
		Invoker: gateway.Handlers{
			"authorize": instances(handler.NewAuthorizer(auth.Open{}, log).Authorize), "connect": instances(h.Connect),
			"message": handler.MessageFunction{Handler: h}, "disconnect": instances(h.Disconnect),
		},
		Functions:  gateway.Functions{Authorizer: "authorize", Connect: "connect", Message: "message", Disconnect: "disconnect"},
		Authorizer: gateway.AuthorizerConfig{IdentitySources: []string{"route.request.querystring.room"}},
	})
	require.NoError(t, err)
	srv := httptest.NewServer(sender.gw)
	t.Cleanup(srv.Close)
	t.Cleanup(func() { _ = sender.gw.Shutdown(context.Background()) })
	return &stack{
		url:  "ws" + strings.TrimPrefix(srv.URL, "http") + "/dev",
		http: &http.Client{Transport: memoryURLs{http.DefaultTransport, store.Uploads()}},
	}
}

// author is a client with a document that writes into it.
type author struct {
	t      *testing.T
	client *rtclient.Client
	id     byte

	mu    sync.Mutex
	doc   document
	clock uint64
	seen  map[uint64]bool
}

func (a *author) Apply(update []byte) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.doc.Apply(update)
}

func (a *author) StateVector() []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.doc.StateVector()
}

func (a *author) Diff(vector []byte) ([]byte, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.doc.Diff(vector)
}

func (a *author) state() []byte {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.doc.state
}

// join opens a client of room "r" with a new document.
func (s *stack) join(t *testing.T, id byte, mode rtclient.Mode) *author {
	a := &author{t: t, id: id, doc: document{t: t, state: []byte{0, 0}}, seen: map[uint64]bool{}}
	var err error
	a.client, err = rtclient.Dial(context.Background(), s.url, rtclient.Options{
		Mode: mode, Room: "r", Client: uint64(id), Document: a, HTTPClient: s.http,
		Times: rtclient.Times{ProbeQuiet: 300 * time.Millisecond, BackoffBase: 20 * time.Millisecond, GapPatience: 50 * time.Millisecond},
		Events: rtclient.Events{OnUpdate: func(seq uint64, _ []byte) {
			if seq != 0 && a.seen[seq] {
				t.Errorf("client %d got number %d twice", id, seq)
			}
			a.seen[seq] = true
		}},
	})
	require.NoError(t, err)
	t.Cleanup(func() { _ = a.client.Close() })
	return a
}

// write inserts n characters and hands the update to the client.
func (a *author) write(n int) {
	update := []byte{1, 1, a.id}
	for _, v := range []uint64{a.clock} {
		for ; v >= 0x80; v >>= 7 {
			update = append(update, byte(v)|0x80)
		}
		update = append(update, byte(v))
	}
	update = append(update, 4, 1, 1, 't') // a string at the start of the root "t"
	v := n
	for ; v >= 0x80; v >>= 7 {
		update = append(update, byte(v)|0x80)
	}
	update = append(update, byte(v))
	update = append(update, bytes.Repeat([]byte{'a' + a.id%26}, n)...)
	update = append(update, 0)
	a.clock += uint64(n)
	require.NoError(a.t, a.Apply(update))
	_, err := a.client.Submit(update) // a plain client that is offline sends it when it is back
	if err != nil {
		require.ErrorIs(a.t, err, rtclient.ErrNotConnected)
	}
}

func converged(t *testing.T, all []*author) bool {
	for _, a := range all[1:] {
		same, err := yjs.Equal(all[0].state(), a.state())
		require.NoError(t, err)
		if !same {
			return false
		}
	}
	return true
}

// P20, P21, P22, N6: against the real gateway, handlers and domain, with
// messages shuffled, $disconnect events dropped and connections cut, all
// documents converge, every submit is acknowledged, no number comes twice, and
// who joins at the end has everything.
func TestConvergesThroughTheGateway(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	s := newStack(t, gateway.Chaos{Seed: seed, Shuffle: 3 * time.Millisecond, DropDisconnect: 0.3})
	r := rand.New(rand.NewPCG(seed, 2))
	var all []*author
	for id := range byte(8) {
		mode := rtclient.Symphony
		if id%4 == 3 {
			mode = rtclient.Plain
		}
		all = append(all, s.join(t, id+1, mode))
	}
	for i := range 240 {
		a := all[r.IntN(len(all))]
		switch {
		case i == 100:
			all[0].write(150_000) // goes by upload, and to the plain clients in pieces
		case r.IntN(12) == 0:
			a.client.Drop()
		default:
			a.write(1 + r.IntN(50))
		}
		time.Sleep(time.Duration(r.IntN(4)) * time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	for _, a := range all {
		require.NoError(t, a.client.Flush(ctx), "client %d", a.id)
	}
	require.Eventually(t, func() bool { return converged(t, all) }, time.Minute, 20*time.Millisecond)
	for _, mode := range []rtclient.Mode{rtclient.Symphony, rtclient.Plain} {
		late := s.join(t, 100+byte(mode), mode)
		require.NoError(t, late.client.WaitSynced(ctx))
		require.True(t, converged(t, []*author{all[0], late}), "mode %d", mode)
	}
}
