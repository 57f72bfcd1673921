package operate_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/directory"
	"github.com/symphony-rt/symphony/internal/operate"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/yjs"
)

// edits makes n updates of one document, each pushing a number to a list.
func edits(t *testing.T, n int) (updates [][]byte, doc *yjs.Doc) {
	t.Helper()
	doc = yjs.NewDoc()
	for i := range n {
		u, err := doc.Transact(7, func(tx *yjs.Tx) error { return tx.Array("list").Push(i) })
		require.NoError(t, err)
		updates = append(updates, u)
	}
	return updates, doc
}

// both runs a test on the operations and on the same behind an address.
func both(t *testing.T, test func(t *testing.T, w *world, rooms operate.Rooms)) {
	t.Run("direct", func(t *testing.T) { w := newWorld(t); test(t, w, w.rooms) })
	t.Run("remote", func(t *testing.T) {
		w := newWorld(t)
		token := operate.NewToken()
		server := httptest.NewServer(operate.Handler(w.rooms, token))
		defer server.Close()
		test(t, w, operate.NewRemote(server.URL, token))
	})
}

func TestImportAndExportAreByteTrue(t *testing.T) {
	both(t, func(t *testing.T, w *world, rooms operate.Rooms) {
		updates, doc := edits(t, 40)
		for _, u := range updates {
			_, err := rooms.Import(t.Context(), "a", u, true)
			require.NoError(t, err)
		}
		first, err := rooms.Export(t.Context(), "a", operate.Point{})
		require.NoError(t, err)
		require.EqualValues(t, 40, first.Seq)
		equal, err := yjs.Equal(doc.Encode(), first.Update)
		require.NoError(t, err)
		require.True(t, equal)

		_, err = rooms.Import(t.Context(), "b", first.Update, false)
		require.NoError(t, err)
		second, err := rooms.Export(t.Context(), "b", operate.Point{})
		require.NoError(t, err)
		require.Equal(t, first.Update, second.Update)
		w.settle("b")
		second, err = rooms.Export(t.Context(), "b", operate.Point{})
		require.NoError(t, err)
		require.Equal(t, first.Update, second.Update)

		_, err = rooms.Import(t.Context(), "b", first.Update, false)
		require.ErrorIs(t, err, operate.ErrNotEmpty)
		_, err = rooms.Import(t.Context(), "c", []byte{1, 2, 3}, false)
		require.ErrorIs(t, err, room.ErrInvalidUpdate)
		_, err = rooms.Export(t.Context(), "c", operate.Point{})
		require.ErrorIs(t, err, operate.ErrNoRoom)
	})
}

func TestDocumentIsJSON(t *testing.T) {
	both(t, func(t *testing.T, _ *world, rooms operate.Rooms) {
		doc := yjs.NewDoc()
		update, err := doc.Transact(1, func(tx *yjs.Tx) error {
			require.NoError(t, tx.Text("title").Insert(0, "Plan <&>"))
			require.NoError(t, tx.Map("todo").Set("a", yjs.MapOf{"done": false, "n": 1.5}))
			return tx.Array("list").Push("x", nil, yjs.ArrayOf{true})
		})
		require.NoError(t, err)
		_, err = rooms.Import(t.Context(), "a", update, false)
		require.NoError(t, err)
		got, err := rooms.Document(t.Context(), "a", operate.Point{})
		require.NoError(t, err)
		require.JSONEq(t, `{"title":"Plan <&>","todo":{"a":{"done":false,"n":1.5}},"list":["x",null,[true]]}`, string(got))
	})
}

func TestPointsOfHistory(t *testing.T) {
	both(t, func(t *testing.T, w *world, rooms operate.Rooms) {
		updates, _ := edits(t, 10)
		var times []time.Time
		for i, u := range updates {
			_, err := rooms.Import(t.Context(), "a", u, true)
			require.NoError(t, err)
			times = append(times, w.clock.Now())
			w.clock.step(time.Second)
			if i == 4 || i == 7 {
				w.settle("a")
			}
		}
		list := func(p operate.Point) string {
			got, err := rooms.Document(t.Context(), "a", p)
			require.NoError(t, err)
			var doc struct{ List json.RawMessage }
			require.NoError(t, json.Unmarshal(got, &doc))
			return string(doc.List)
		}
		require.Equal(t, "[0,1]", list(operate.Point{Seq: 2}))
		require.Equal(t, "[0,1,2,3,4,5,6]", list(operate.Point{Seq: 7}))
		require.Equal(t, "[0,1,2]", list(operate.Point{At: times[2]}))
		require.Equal(t, "[0,1,2,3,4,5,6,7,8,9]", list(operate.Point{}))
		require.Empty(t, list(operate.Point{At: times[0].Add(-time.Hour)}))
		_, err := rooms.Document(t.Context(), "a", operate.Point{Seq: 11})
		require.ErrorIs(t, err, operate.ErrPoint)
	})
}

func TestHandlerLetsInNobodyElse(t *testing.T) {
	w := newWorld(t)
	server := httptest.NewServer(operate.Handler(w.rooms, "secret"))
	defer server.Close()
	try := func(change func(r *http.Request)) int {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, server.URL+"/operate/v1", strings.NewReader(`{"op":"list"}`))
		require.NoError(t, err)
		r.Header.Set("Authorization", "Bearer secret")
		change(r)
		res, err := http.DefaultClient.Do(r)
		require.NoError(t, err)
		require.NoError(t, res.Body.Close())
		return res.StatusCode
	}
	require.Equal(t, 200, try(func(*http.Request) {}))
	require.Equal(t, 200, try(func(r *http.Request) { r.Host = "localhost:80" }))
	require.Equal(t, 403, try(func(r *http.Request) { r.Host = "evil.example" }), "DNS rebinding")
	require.Equal(t, 403, try(func(r *http.Request) { r.Header.Set("Origin", "https://evil.example") }))
	require.Equal(t, 401, try(func(r *http.Request) { r.Header.Set("Authorization", "Bearer other") }))
	require.Equal(t, 401, try(func(r *http.Request) { r.Header.Del("Authorization") }))
	require.Equal(t, 405, try(func(r *http.Request) { r.Method = "GET" }))
}

func TestSelect(t *testing.T) {
	now := time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)
	here := map[int64]int{now.Truncate(directory.Step).Unix(): 2}
	entries := []directory.Entry{
		{Room: "alpha", Updates: 3, SnapshotBytes: 10, LastActive: now.Add(-time.Hour)},
		{Room: "Beta", Updates: 9, LogBytes: 5, LastActive: now, Joined: here},
		{Room: "gamma", Updates: 1, SnapshotBytes: 99, LastActive: now.Add(-time.Minute)},
	}
	names := func(q operate.Query) (out []room.ID) {
		p, err := operate.Select(entries, q, now)
		require.NoError(t, err)
		require.Equal(t, 3, p.Total)
		require.Equal(t, 1, p.Active)
		require.Equal(t, 2, p.Connections)
		for _, s := range p.Rooms {
			out = append(out, s.Room)
		}
		return out
	}
	require.Equal(t, []room.ID{"Beta", "gamma", "alpha"}, names(operate.Query{}))
	require.Equal(t, []room.ID{"gamma", "alpha", "Beta"}, names(operate.Query{Sort: operate.SortSize}))
	require.Equal(t, []room.ID{"gamma", "alpha", "Beta"}, names(operate.Query{Sort: operate.SortUpdates, Reverse: true}))
	require.Equal(t, []room.ID{"Beta"}, names(operate.Query{Search: "ET"}))
	require.Equal(t, []room.ID{"Beta"}, names(operate.Query{ActiveOnly: true}))
	require.Equal(t, []room.ID{"gamma"}, names(operate.Query{Offset: 1, Limit: 1}))
	require.Empty(t, names(operate.Query{Offset: 7}))
	_, err := operate.Select(entries, operate.Query{Sort: "colour"}, now)
	require.ErrorContains(t, err, "colour")
}

func TestControlFile(t *testing.T) {
	folder := t.TempDir()
	_, err := operate.ReadControl(folder)
	require.ErrorIs(t, err, operate.ErrNotRunning)
	first, second := operate.Control{URL: "http://127.0.0.1:1", Token: "one"}, operate.Control{URL: "http://127.0.0.1:2", Token: "two"}
	require.NoError(t, first.Write(folder))
	require.NoError(t, second.Write(folder))
	require.NoError(t, first.Remove(folder), "it is the other's by now")
	got, err := operate.ReadControl(folder)
	require.NoError(t, err)
	require.Equal(t, second, got)
	require.NoError(t, second.Remove(folder))
	_, err = operate.ReadControl(folder)
	require.ErrorIs(t, err, operate.ErrNotRunning)
}
