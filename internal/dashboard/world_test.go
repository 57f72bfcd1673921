package dashboard

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/dashboard/series"
	"github.com/symphony-rt/symphony/internal/directory"
	"github.com/symphony-rt/symphony/internal/room"
)

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

type fixedClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *fixedClock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *fixedClock) step(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

// source is a Source that says what it is told to.
type source struct {
	mu      sync.Mutex
	figures Figures
	err     error
}

func (s *source) set(f Figures, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.figures, s.err = f, err
}

func (s *source) Now(context.Context) (Figures, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.figures, s.err
}

func (s *source) Series(context.Context, series.Window) (series.Lines, error) {
	store := series.New([]series.Metric{{Key: KeyEdits, Kind: series.Count}})
	store.Record(noon, time.Second, series.Sample{Values: map[string]float64{KeyEdits: 7}})
	l, _ := store.Read(series.Hour, noon)
	return l, nil
}

func (s *source) Functions(context.Context, series.Window) (FunctionReport, error) {
	return FunctionReport{}, ErrNotHere
}

func (s *source) Logs(context.Context, LogQuery) (LogPage, error) { return LogPage{}, nil }

// rooms is a Rooms in memory.
type rooms struct {
	mu        sync.Mutex
	documents map[room.ID]string
	members   []room.Member
	deleted   []room.ID
	reads     int
}

func (r *rooms) Members(context.Context, room.ID) ([]room.Member, error) { return r.members, nil }

func (r *rooms) Document(_ context.Context, id room.ID) ([]byte, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.reads++
	d, ok := r.documents[id]
	if !ok {
		return nil, room.ErrNotFound
	}
	return []byte(d), nil
}

func (r *rooms) Past(context.Context, room.ID) (Past, error) {
	p := Past{Whole: true, Sizes: []SnapshotSize{{At: noon, Size: 77}}}
	for i := range 10 {
		p.Edits = append(p.Edits, Edit{noon.Add(time.Duration(i-10) * time.Second), 100})
	}
	return p, nil
}

func (r *rooms) Verify(context.Context, room.ID) (Verification, error) {
	return Verification{Healthy: true, Checks: []string{"all of it"}}, nil
}

func (r *rooms) Delete(_ context.Context, id room.ID) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.deleted = append(r.deleted, id)
	return nil
}

type world struct {
	*Server
	t      *testing.T
	clock  *fixedClock
	source *source
	rooms  *rooms
}

func newWorld(t *testing.T, change ...func(o *Options)) *world {
	t.Helper()
	w := &world{t: t, clock: &fixedClock{now: noon}, source: &source{figures: Figures{KeyEdits: 3}}, rooms: &rooms{documents: map[room.ID]string{}}}
	o := Options{
		Info: Info{Kind: KindLocal, Every: 10 * time.Millisecond}, Source: w.source, Catalog: NewCatalog(), Rooms: w.rooms, Clock: w.clock,
		Page: fstest.MapFS{"index.html": {Data: []byte("<title>page</title>")}, "assets/a.js": {Data: []byte("1")}},
	}
	for _, c := range change {
		c(&o)
	}
	var err error
	w.Server, err = Listen(t.Context(), 0, o)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, w.Close()) })
	return w
}

func entry(id room.ID, connections int, updates uint64, last time.Time) directory.Entry {
	e := directory.Entry{Room: id, Created: noon.Add(-time.Hour), LastActive: last, Updates: updates, LogEntries: int64(updates), LogBytes: int64(10 * updates)}
	if connections > 0 {
		e.Joined = map[int64]int{noon.Truncate(directory.Step).Unix(): connections}
	}
	return e
}

// base is the URL without a token.
func (w *world) base() string { return "http://" + w.listener.Addr().String() }

func (w *world) do(method, path, body string, change func(r *http.Request)) (int, string, http.Header) {
	w.t.Helper()
	r, err := http.NewRequestWithContext(w.t.Context(), method, w.base()+path, strings.NewReader(body))
	require.NoError(w.t, err)
	if change != nil {
		change(r)
	}
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(r)
	require.NoError(w.t, err)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	require.NoError(w.t, err)
	return res.StatusCode, string(b), res.Header
}

// get asks and decodes what is answered.
func get[T any](w *world, path string) T {
	w.t.Helper()
	status, body, _ := w.do(http.MethodGet, path, "", nil)
	require.Equal(w.t, http.StatusOK, status, body)
	var v T
	require.NoError(w.t, json.Unmarshal([]byte(body), &v), body)
	return v
}

func roomName(i int) room.ID { return room.ID(fmt.Sprintf("room-%06d", i)) }
