package loadtest

import (
	"bytes"
	"context"
	"encoding/json"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/yjs"
)

// faultyServer speaks y-websocket's protocol and does wrong what it is told to,
// with every 7th delivery.
type faultyServer struct {
	drop, twice, swap bool
	// forget leaves every 5th edit out of what a joiner is given; stranger adds
	// one that nobody wrote.
	forget bool

	mu    sync.Mutex
	rooms map[string]*faultyRoom
	// done counts what was done wrong.
	done int
}

type faultyRoom struct {
	log   [][]byte
	conns map[*websocket.Conn]bool
	kept  map[*websocket.Conn][]byte
	n     int
}

func (f *faultyServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	c, err := websocket.Accept(w, r, nil)
	if err != nil {
		return
	}
	defer c.CloseNow() //nolint:errcheck // it has ended
	f.mu.Lock()
	if f.rooms == nil {
		f.rooms = map[string]*faultyRoom{}
	}
	room := f.rooms[r.URL.Path]
	if room == nil {
		room = &faultyRoom{conns: map[*websocket.Conn]bool{}, kept: map[*websocket.Conn][]byte{}}
		f.rooms[r.URL.Path] = room
	}
	room.conns[c] = true
	vector := yjs.EncodeStateVector(nil)
	if len(room.log) > 0 {
		merged, _ := yjs.Merge(room.log...)
		vector, _ = yjs.StateVector(merged)
	}
	f.write(c, append([]byte{messageSync, syncStep1}, lengthPrefixed(vector)...))
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		delete(room.conns, c)
		f.mu.Unlock()
	}()
	for {
		_, m, err := c.Read(context.Background())
		if err != nil {
			return
		}
		f.mu.Lock()
		f.receive(room, c, m)
		f.mu.Unlock()
	}
}

func (f *faultyServer) write(c *websocket.Conn, m []byte) {
	_ = c.Write(context.Background(), websocket.MessageBinary, m)
}

func (f *faultyServer) receive(room *faultyRoom, from *websocket.Conn, m []byte) {
	if m[0] == messageAwareness {
		for c := range room.conns {
			f.write(c, m)
		}
		return
	}
	body, _, _ := readBytes(m[2:])
	switch m[1] {
	case syncStep1:
		update := []byte{0, 0}
		log := room.log
		if f.forget && len(log) > 5 {
			log = log[:len(log)-1]
		}
		if len(log) > 0 {
			update, _ = yjs.Merge(log...)
		}
		f.write(from, append([]byte{messageSync, syncStep2}, lengthPrefixed(update)...))
	case syncUpdate:
		room.log = append(room.log, bytes.Clone(body))
		for c := range room.conns {
			if c != from {
				f.deliver(room, c, m)
			}
		}
	}
}

func (f *faultyServer) deliver(room *faultyRoom, to *websocket.Conn, m []byte) {
	room.n++
	if kept := room.kept[to]; kept != nil {
		delete(room.kept, to)
		f.write(to, m)
		f.write(to, kept) // the later one came first
		return
	}
	if room.n%7 == 0 && (f.drop || f.twice || f.swap) {
		f.done++
		switch {
		case f.drop:
			return
		case f.twice:
			f.write(to, m)
		case f.swap:
			room.kept[to] = m
			return
		}
	}
	f.write(to, m)
}

// load runs the program against the server and returns its result.
func load(t *testing.T, f http.Handler, args ...string) (code int, r Result, out string) {
	t.Helper()
	server := httptest.NewServer(f)
	defer server.Close()
	var stdout, stderr bytes.Buffer
	file := filepath.Join(t.TempDir(), "result.json")
	page := filepath.Join(t.TempDir(), "report.html")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	code = Main(ctx, append([]string{"--target", "y-websocket", "--url", "ws" + strings.TrimPrefix(server.URL, "http"), "--users", "12", "--room-size", "3",
		"--duration", "1500ms", "--edit-every", "40ms", "--presence-every", "100ms", "--ramp", "100ms", "--settle", "100ms", "--drain", "10s", "--sample", "4",
		"--json", file, "--report", page}, args...), nil, &stdout, &stderr)
	b, err := os.ReadFile(file)
	require.NoError(t, err, "%s%s", &stdout, &stderr)
	require.NoError(t, json.Unmarshal(b, &r))
	html, err := os.ReadFile(page)
	require.NoError(t, err)
	require.Contains(t, string(html), "<polyline")
	require.NotContains(t, string(html), "src=", "the report needs nothing else")
	return code, r, stdout.String() + stderr.String()
}

// A server without faults is found to have none, and every number adds up.
func TestAnHonestServerPasses(t *testing.T) {
	t.Parallel()
	code, r, out := load(t, &faultyServer{})
	require.Equal(t, exitOK, code, out)
	require.Positive(t, r.Edits)
	require.Equal(t, 2*r.Edits, r.Delivered, "each edit reaches both others")
	require.Zero(t, r.Lost+r.Duplicates+r.Repeats+r.Reordered+r.CaughtUp)
	require.Equal(t, r.Delivered, r.Latency.Count)
	require.Positive(t, r.PresenceDelivered)
	require.EqualValues(t, 12, r.Receivers)
	require.Equal(t, LateJoiners{Joined: 4, Complete: 4, Latency: r.Late.Latency}, r.Late)
	var perSecond int64
	for _, s := range r.Seconds {
		perSecond += s.Deliveries
	}
	require.Equal(t, r.Delivered, perSecond)
}

// Each delivery that is left out is counted, neither more nor less.
func TestLossIsCaught(t *testing.T) {
	t.Parallel()
	f := &faultyServer{drop: true}
	code, r, out := load(t, f)
	require.Equal(t, exitError, code)
	require.Contains(t, out, "edits lost")
	require.Positive(t, f.done)
	require.EqualValues(t, f.done, r.Lost)
	require.Equal(t, 2*r.Edits-r.Lost, r.Delivered)
	require.Zero(t, r.Duplicates)
}

func TestDuplicatesAreCaught(t *testing.T) {
	t.Parallel()
	f := &faultyServer{twice: true}
	code, r, out := load(t, f)
	require.Equal(t, exitError, code)
	require.Contains(t, out, "duplicates")
	require.Positive(t, f.done)
	require.EqualValues(t, f.done, r.Duplicates)
	require.Zero(t, r.Lost)
	require.Equal(t, 2*r.Edits, r.Delivered, "a duplicate is no delivery")
}

// Two deliveries in the wrong order, of one author, are seen. (Of two authors
// there is no order.)
func TestDisorderIsCaught(t *testing.T) {
	t.Parallel()
	f := &faultyServer{swap: true}
	_, r, _ := load(t, f, "--room-size", "2")
	require.Positive(t, f.done)
	require.Positive(t, r.Reordered)
	require.LessOrEqual(t, r.Reordered, int64(f.done))
	require.Zero(t, r.Duplicates)
}

// A joiner who is given less than was written is found.
func TestIncompleteJoinersAreCaught(t *testing.T) {
	t.Parallel()
	code, r, out := load(t, &faultyServer{forget: true})
	require.Equal(t, exitError, code)
	require.Contains(t, out, "late joiners incomplete")
	require.Zero(t, r.Late.Complete)
	require.EqualValues(t, 4, r.Late.Missing, "one edit in each room")
}

// Users who are cut off, or leave, and come back have everything again, and
// what they were not there for does not count as latency. (This target speaks
// y-protocols, which has no acknowledgements: an edit on its way when its
// author's socket is cut may be lost, so that is not looked at here.)
func TestChurn(t *testing.T) {
	t.Parallel()
	_, r, _ := load(t, &faultyServer{}, "--churn", "60", "--drain", "10s")
	require.Positive(t, r.Delivered)
	require.Positive(t, r.Disconnects)
	require.Positive(t, r.CaughtUp)
	require.Equal(t, r.Delivered, r.Latency.Count+r.CaughtUp)
	require.EqualValues(t, 12, r.Receivers)
}

// A target that nobody can connect to is an error, and soon.
func TestNothingThere(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	var stdout, stderr bytes.Buffer
	code := Main(ctx, []string{"--target", "y-websocket", "--url", "ws://127.0.0.1:1", "--users", "1", "--room-size", "1", "--duration", "100ms", "--settle", "0", "--drain", "100ms"}, nil, &stdout, &stderr)
	require.Equal(t, exitError, code)
	require.Contains(t, stderr.String(), "not connected")
}

// --saturate raises the rate until the server is too slow, and says how far it
// got.
func TestSaturation(t *testing.T) {
	t.Parallel()
	slow := &faultyServer{}
	server := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { slow.ServeHTTP(w, r) })
	code, r, out := load(t, server, "--saturate", "1ns", "--step", "2s", "--duration", "30s", "--growth", "2")
	require.Equal(t, exitOK, code, out)
	require.NotNil(t, r.Saturation)
	require.Len(t, r.Saturation.Steps, 1, "the first rate was too high already")
	require.Less(t, len(r.Seconds), 30, "and the run ended then, not after its --duration")
}

func TestThePlotOfCallsPerEdit(t *testing.T) {
	r := &Result{}
	for i := range 12 {
		r.Server.Samples = append(r.Server.Samples, Sample{
			At: float64(i), Edits: int64(10 * i),
			Calls: map[string]int64{"member admit": int64(30 * i), "member list": int64(30 * i), "log append": int64(10 * i), "post": int64(90 * i), "fan-out": int64(i)},
		})
	}
	for line, want := range []float64{6, 1, 9, 0.1} {
		values := callsPerEdit(r)[line].values
		require.True(t, math.IsNaN(values[callsWindow-1]), "the first seconds say nothing")
		require.InDelta(t, want, values[11], 1e-9, awsCalls[line].name)
	}
	r.Server.Samples[3].Calls = nil // it did not answer once
	require.True(t, math.IsNaN(callsPerEdit(r)[0].values[3+callsWindow]))
}
