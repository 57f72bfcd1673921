package dashboard

import (
	"bufio"
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/room"
)

func TestPagesAndDeepLinks(t *testing.T) {
	w := newWorld(t)
	for _, path := range []string{"/", "/rooms?q=x&page=2", "/room?id=a%2Fb", "/functions", "/logs"} {
		status, body, h := w.do(http.MethodGet, path, "", nil)
		require.Equal(t, 200, status, path)
		require.Contains(t, body, "page", path)
		require.Equal(t, "no-cache", h.Get("Cache-Control"), path)
	}
	_, _, h := w.do(http.MethodGet, "/assets/a.js", "", nil)
	require.Contains(t, h.Get("Cache-Control"), "immutable")
	for path, want := range map[string]int{"/nothing": 404, "/../server.go": 307, "/api/nothing": 404, "/api/series?window=2h": 400, "/api/rooms?sort=price": 400, "/api/rooms?page=-1": 400, "/api/rooms?size=9999": 400, "/api/room?room=": 400, "/api/room?room=absent": 404, "/api/functions": 501} {
		status, body, _ := w.do(http.MethodGet, path, "", nil)
		require.Equal(t, want, status, "%s: %s", path, body)
	}
	status, _, _ := w.do(http.MethodPost, "/", "", nil)
	require.Equal(t, 405, status)
}

// What is not measured is absent or null, never 0.
func TestUnknownIsNotZero(t *testing.T) {
	w := newWorld(t)
	w.source.set(Figures{KeyEdits: 3, KeyLatencyP50: math.NaN()}, nil)
	now := get[map[string]any](w, "/api/now")
	require.Equal(t, map[string]any{KeyEdits: 3.0}, now["figures"])
	l := get[struct{ Values map[string][]*float64 }](w, "/api/series")
	values := l.Values[KeyEdits]
	require.Nil(t, values[0])
	require.EqualValues(t, 7, *values[len(values)-1])
}

type event struct {
	Figures Figures
	Problem string
}

func events(t *testing.T, w *world) func() event {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, w.base()+"/api/live", nil)
	require.NoError(t, err)
	res, err := http.DefaultClient.Do(r)
	require.NoError(t, err)
	t.Cleanup(func() { _ = res.Body.Close() })
	require.Equal(t, "text/event-stream", res.Header.Get("Content-Type"))
	lines := bufio.NewScanner(res.Body)
	return func() event {
		for lines.Scan() {
			if data, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				var e event
				require.NoError(t, json.Unmarshal([]byte(data), &e))
				return e
			}
		}
		t.Fatal("the stream ended")
		return event{}
	}
}

// P30: what changes is on its way without being asked for; a failure is told
// and does not end the stream; several pages get the same.
func TestLiveStream(t *testing.T) {
	w := newWorld(t)
	one, two := events(t, w), events(t, w)
	require.EqualValues(t, 3, one().Figures[KeyEdits], "at once")
	w.source.set(Figures{KeyEdits: 4}, nil)
	for _, next := range []func() event{one, two} {
		for next().Figures[KeyEdits] != 4 { // those that were on their way
		}
	}
	w.source.set(nil, errors.New("no answer"))
	for one().Problem == "" {
	}
	w.source.set(Figures{KeyEdits: 5}, nil)
	for one().Figures[KeyEdits] != 5 {
	}
}

// Nothing is read while nobody looks: in the cloud, reading costs.
func TestNobodyLooksNothingIsRead(t *testing.T) {
	w := newWorld(t)
	next := events(t, w)
	next()
	require.NotNil(t, w.live.stop)
	require.NoError(t, w.http.Close())
	require.Eventually(t, func() bool {
		w.live.mu.Lock()
		defer w.live.mu.Unlock()
		return w.live.stop == nil && len(w.live.streams) == 0
	}, time.Minute, time.Millisecond)
}

func TestRoomAndItsEdits(t *testing.T) {
	const id = "plan/⭐ <b>"
	w := newWorld(t)
	w.rooms.members = []room.Member{{Connection: "c", User: room.User{ID: "ada", Name: "Ada"}, Access: room.AccessRead, Symphony: true, ConnectedAt: noon}}
	w.Catalog.Put(entry(id, 1, 10, noon), noon)
	w.Catalog.Put(entry(id, 2, 12, noon), noon.Add(2*time.Second))
	q := url.QueryEscape(id)
	r := get[roomBody](w, "/api/room?room="+q)
	require.EqualValues(t, id, r.Room)
	require.Equal(t, 2, r.Users)
	require.EqualValues(t, 12, r.Versions)
	require.Equal(t, "Ada", r.Members[0].Name)
	require.Len(t, r.History, 2)
	require.EqualValues(t, 120, r.History[1].Size)
	e := get[editsBody](w, "/api/room/edits?room="+q)
	require.Equal(t, 10, e.Count)
	sum := 0
	for _, n := range e.Edits {
		sum += n
	}
	require.Equal(t, 10, sum)
	require.True(t, e.Whole)
	require.EqualValues(t, 77, e.Sizes[0].Size)
	require.LessOrEqual(t, len(e.Edits), maxBars+1)
}

func TestBarsOfAnyAge(t *testing.T) {
	for _, age := range []time.Duration{0, time.Second, time.Hour, 30 * 24 * time.Hour, 20 * 365 * 24 * time.Hour} {
		b := bars([]Edit{{noon.Add(-age), 5}, {noon, 7}}, noon)
		require.LessOrEqual(t, len(b.Edits), 100*maxBars, age)
		sum := 0
		for _, n := range b.Edits {
			sum += n
		}
		require.Equal(t, 2, sum, age)
	}
	require.Empty(t, bars(nil, noon).Edits)
}
