package probe

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"testing/slogtest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/cost"
	"github.com/symphony-rt/symphony/internal/dashboard"
	"github.com/symphony-rt/symphony/internal/dashboard/series"
	"github.com/symphony-rt/symphony/internal/directory"
	"github.com/symphony-rt/symphony/internal/room"
)

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

type functions func(ctx context.Context, name string) error

func (f functions) Invoke(ctx context.Context, name string, _ []byte) ([]byte, error) {
	return nil, f(ctx, name)
}

type nobody struct{ room.Sender }

func (nobody) Post(context.Context, []room.ConnectionID, []byte) []room.Failure { return nil }

func newProbe(t *testing.T, change func(o *Options)) (*Probe, *clock) {
	t.Helper()
	c := &clock{now: noon}
	o := Options{
		Catalog: dashboard.NewCatalog(), Clock: c, Functions: []string{"connect", "message", "checkpoint"}, InProcess: true,
		Gateway: func() Gateway { return Gateway{} }, Log: slog.New(slog.DiscardHandler),
	}
	if change != nil {
		change(&o)
	}
	p, err := New(o)
	require.NoError(t, err)
	p.Tick()
	return p, c
}

func (p *Probe) tick(c *clock) {
	c.now = c.now.Add(time.Second)
	p.Tick()
}

func figures(t *testing.T, p *Probe) dashboard.Figures {
	t.Helper()
	f, err := p.Now(t.Context())
	require.NoError(t, err)
	return f
}

func message(frame []byte) []byte {
	body, _ := json.Marshal(base64.StdEncoding.EncodeToString(frame))
	return fmt.Appendf(nil, `{"requestContext":{"authorizer":{"name":"a \"body\":\"AQ\" b"}},"body":%s,"isBase64Encoded":false}`, body)
}

func TestPresenceIsTold(t *testing.T) {
	for first := range 256 {
		require.Equal(t, first == 1 || first == 124, isPresence(message([]byte{byte(first), 0x99, 0x12})), first)
	}
	require.False(t, isPresence([]byte(`{"body":""}`)))
	require.False(t, isPresence([]byte(`{}`)))
}

func TestFunctionsAreMeasured(t *testing.T) {
	p, c := newProbe(t, nil)
	fails := errors.New("no")
	invoke := p.Invoker(functions(func(ctx context.Context, name string) error {
		if name == "message" {
			p.Sender(nobody{}).Post(ctx, []room.ConnectionID{"a"}, nil)
		}
		if name == "checkpoint" {
			return fails
		}
		return nil
	}))
	_, known := figures(t, p)[dashboard.KeyLatencyP50]
	require.False(t, known, "nothing was delivered yet")
	for range 10 {
		_, _ = invoke.Invoke(t.Context(), "message", message([]byte{1}))
	}
	_, _ = invoke.Invoke(t.Context(), "message", message([]byte{102}))
	_, err := invoke.Invoke(t.Context(), "checkpoint", nil)
	require.ErrorIs(t, err, fails)
	_, _ = invoke.Invoke(t.Context(), "unknown", nil)
	p.tick(c)
	f := figures(t, p)
	require.EqualValues(t, 10, f[dashboard.KeyPresence])
	require.EqualValues(t, 1, f[dashboard.KeyErrors])
	require.Positive(t, f[dashboard.KeyLatencyP50])
	r, err := p.Functions(t.Context(), series.Hour)
	require.NoError(t, err)
	by := map[string]dashboard.Function{}
	for _, fn := range r.Functions {
		by[fn.Name] = fn
	}
	require.EqualValues(t, 11, *by["message"].Invocations)
	require.EqualValues(t, 0, *by["message"].Errors)
	require.EqualValues(t, 1, *by["checkpoint"].Errors)
	require.EqualValues(t, 0, *by["connect"].Invocations, "measured, and none")
	require.Nil(t, by["message"].ColdStarts, "nothing starts cold here")
	require.Nil(t, by["connect"].P50)
}

// What cannot be measured is absent.
func TestWhatCannotBeMeasuredIsAbsent(t *testing.T) {
	p, c := newProbe(t, func(o *Options) { o.Gateway, o.InProcess = nil, false })
	p.Cold("message")
	p.Cold("message")
	p.Cold("unknown")
	p.tick(c)
	r, err := p.Functions(t.Context(), series.Hour)
	require.NoError(t, err)
	for _, fn := range r.Functions {
		require.EqualValues(t, map[string]float64{"message": 2}[fn.Name], *fn.ColdStarts, "processes of their own start cold")
	}
	f := figures(t, p)
	for _, key := range []string{dashboard.KeyThrottles, dashboard.KeyCost, dashboard.KeyCostTotal, dashboard.KeyLag, dashboard.KeyLatencyP50} {
		require.NotContains(t, f, key)
	}
	require.Contains(t, f, dashboard.KeyErrors)
}

// Edits come from the directory, also those of rooms that are gone by now.
func TestEditsComeFromTheDirectory(t *testing.T) {
	p, c := newProbe(t, nil)
	for i := range 5 {
		p.Catalog.Put(directory.Entry{Room: "plan", Updates: uint64(10 * (i + 1)), Joined: map[int64]int{noon.Unix(): 3}}, c.now)
		p.tick(c)
	}
	f := figures(t, p)
	require.EqualValues(t, 10, f[dashboard.KeyEdits])
	require.EqualValues(t, 50, f[dashboard.KeyUpdates])
	require.EqualValues(t, 3, f[dashboard.KeyConnections])
	p.Catalog.Remove("plan")
	p.tick(c)
	require.GreaterOrEqual(t, figures(t, p)[dashboard.KeyEdits], 0.0)
	require.Zero(t, figures(t, p)[dashboard.KeyUpdates])
}

// N8: what is metered, priced by the model, is the model's bill for that load.
func TestCostIsTheModelsWithinOnePercent(t *testing.T) {
	var posts, edits int64
	p, c := newProbe(t, func(o *Options) { o.Gateway = func() Gateway { return Gateway{Posts: posts} } })
	invoke := p.Invoker(functions(func(context.Context, string) error { return nil }))
	const users, size, seconds = 40, 4, 600
	p.Catalog.Put(directory.Entry{Room: "plan", Joined: map[int64]int{noon.Unix(): users}}, c.now)
	for range seconds {
		for range 4 { // 0.1 a second each
			edits++
			posts += size - 1
		}
		for range 8 {
			_, _ = invoke.Invoke(t.Context(), "message", message([]byte{1}))
			posts += size - 1
		}
		p.Catalog.Put(directory.Entry{Room: "plan", Updates: uint64(edits), Joined: map[int64]int{noon.Unix(): users}}, c.now)
		p.tick(c)
	}
	a := cost.Default
	want := p.prices.Total(cost.Usage{cost.ConnectionMinute: users * seconds / 60}.Plus(
		a.Edit(size).Times(4*seconds), a.Presence(size).Times(8*seconds)))
	require.InEpsilon(t, want, figures(t, p)[dashboard.KeyCostTotal], 0.01)
	require.InEpsilon(t, want*3600/seconds, figures(t, p)[dashboard.KeyCost], 0.01)
}

func TestLagIsOfTheLastSweep(t *testing.T) {
	p, c := newProbe(t, nil)
	require.NoError(t, p.Lag(9*time.Second))
	require.NoError(t, p.Lag(4*time.Second))
	p.tick(c)
	require.EqualValues(t, 9, figures(t, p)[dashboard.KeyLag])
	require.NoError(t, p.Lag(2*time.Second))
	p.tick(c)
	p.tick(c)
	require.EqualValues(t, 2, figures(t, p)[dashboard.KeyLag])
}

// The series outlive the process.
func TestSeriesOutliveTheProcess(t *testing.T) {
	folder := t.TempDir()
	in := func(o *Options) { o.Folder = folder }
	p, c := newProbe(t, in)
	p.Catalog.Put(directory.Entry{Room: "plan", Updates: 7}, c.now)
	p.tick(c)
	p.save()
	again, _ := newProbe(t, in)
	again.Clock = c
	l, err := again.Series(t.Context(), series.Week)
	require.NoError(t, err)
	values := l.Values[dashboard.KeyEdits]
	require.EqualValues(t, 7, values[len(values)-1])
	for key := range l.Values {
		require.NotContains(t, key, "/", "lines of single functions are not asked for here")
	}
}

func TestLogIsKeptFilteredAndBounded(t *testing.T) {
	p, _ := newProbe(t, nil)
	var out strings.Builder
	log := slog.New(p.Log(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelWarn})))
	log.Debug("not kept")
	log.With("part", "functions").Info("swept", "function", "checkpoint", "report", "2 rooms")
	log.WithGroup("g").Warn("refused", "room", "plan", slog.Group("h", "a", 1))
	require.NotContains(t, out.String(), "swept", "the terminal keeps its level")
	require.Contains(t, out.String(), "refused")
	page := func(q dashboard.LogQuery) dashboard.LogPage {
		if q.Limit == 0 {
			q.Limit = 100
		}
		got, err := p.Logs(t.Context(), q)
		require.NoError(t, err)
		return got
	}
	all := page(dashboard.LogQuery{})
	require.Len(t, all.Lines, 2)
	require.Equal(t, "checkpoint", all.Lines[0].Function)
	require.Equal(t, `report="2 rooms"`, all.Lines[0].Fields)
	require.Equal(t, "g.room=plan g.h.a=1", all.Lines[1].Fields)
	require.Len(t, page(dashboard.LogQuery{Level: "warn"}).Lines, 1)
	require.Len(t, page(dashboard.LogQuery{Text: "2 ROOMS"}).Lines, 1)
	require.Len(t, page(dashboard.LogQuery{Function: "checkpoint"}).Lines, 1)
	require.Empty(t, page(dashboard.LogQuery{After: all.Next}).Lines)
	_, err := p.Logs(t.Context(), dashboard.LogQuery{Level: "loud"})
	require.ErrorIs(t, err, dashboard.ErrQuery)

	for i := range maxLines + 50 {
		log.Info("line", "i", i)
	}
	next := page(dashboard.LogQuery{After: all.Next, Limit: 2 * maxLines})
	require.True(t, next.Missed)
	require.Len(t, next.Lines, maxLines)
	require.Equal(t, fmt.Sprintf("i=%d", maxLines+49), next.Lines[maxLines-1].Fields)
	last := page(dashboard.LogQuery{Limit: 3})
	require.Equal(t, next.Next, last.Next)
	require.Len(t, last.Lines, 3)
	require.True(t, page(dashboard.LogQuery{After: "99999999"}).Missed, "of a process before")
}

// The handler passes on what it should: the standard library's own suite.
func TestLogHandlerIsTransparent(t *testing.T) {
	p, _ := newProbe(t, nil)
	var out strings.Builder
	err := slogtest.TestHandler(p.Log(slog.NewJSONHandler(&out, nil)), func() (all []map[string]any) {
		for line := range strings.Lines(out.String()) {
			m := map[string]any{}
			require.NoError(t, json.Unmarshal([]byte(line), &m))
			all = append(all, m)
		}
		return all
	})
	require.NoError(t, err)
}
