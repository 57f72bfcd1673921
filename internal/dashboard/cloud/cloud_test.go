package cloud

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/cost"
	"github.com/symphony-rt/symphony/internal/dashboard"
	"github.com/symphony-rt/symphony/internal/dashboard/series"
	"github.com/symphony-rt/symphony/internal/directory"
)

var noon = time.Date(2026, 11, 1, 12, 0, 0, 0, time.UTC)

type clock struct{ now time.Time }

func (c *clock) Now() time.Time { return c.now }

// fake is CloudWatch as its documentation has it: it refuses a query that is not
// well-formed, answers in pages, the newest first, and leaves out periods with
// nothing in them.
type fake struct {
	t     *testing.T
	calls int
	err   error
	// points are by "namespace metric statistic dimension-values".
	points map[string]map[time.Time]float64
	events map[string][]logtypes.FilteredLogEvent
	// perPage is how many events of a group a call looks at; a page may be empty
	// and yet have a next one.
	perPage, logCalls int
}

func (f *fake) GetMetricData(_ context.Context, in *cloudwatch.GetMetricDataInput, _ ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error) {
	f.calls++
	if f.err != nil {
		return nil, f.err
	}
	require.LessOrEqual(f.t, len(in.MetricDataQueries), 500)
	require.True(f.t, in.StartTime.Before(*in.EndTime))
	out := &cloudwatch.GetMetricDataOutput{}
	half := len(in.MetricDataQueries) / 2
	queries := in.MetricDataQueries[:half]
	if in.NextToken != nil {
		queries = in.MetricDataQueries[half:]
	} else {
		out.NextToken = aws.String("more")
	}
	for _, q := range queries {
		require.Regexp(f.t, "^[a-z][a-zA-Z0-9_]*$", *q.Id)
		s := q.MetricStat
		require.Zero(f.t, *s.Period%60)
		name := fmt.Sprintf("%s %s %s", *s.Metric.Namespace, *s.Metric.MetricName, *s.Stat)
		for _, d := range s.Metric.Dimensions {
			if *d.Name == "FunctionName" {
				name += " " + *d.Value
			}
		}
		r := types.MetricDataResult{Id: q.Id}
		for at, v := range f.points[name] {
			if !at.Before(*in.StartTime) && at.Before(*in.EndTime) {
				r.Timestamps, r.Values = append(r.Timestamps, at.Truncate(time.Duration(*s.Period)*time.Second)), append(r.Values, v)
			}
		}
		out.MetricDataResults = append(out.MetricDataResults, r)
	}
	return out, nil
}

func (f *fake) FilterLogEvents(_ context.Context, in *cloudwatchlogs.FilterLogEventsInput, _ ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.FilterLogEventsOutput, error) {
	if f.err != nil {
		return nil, f.err
	}
	f.logCalls++
	all, there := f.events[*in.LogGroupName]
	if !there {
		return nil, &logtypes.ResourceNotFoundException{}
	}
	out, skip := &cloudwatchlogs.FilterLogEventsOutput{}, 0
	if in.NextToken != nil {
		_, err := fmt.Sscanf(*in.NextToken, "from %d", &skip)
		require.NoError(f.t, err)
	}
	for i, e := range all[skip:] {
		if f.perPage > 0 && i == f.perPage {
			out.NextToken = aws.String(fmt.Sprintf("from %d", skip+i))
			break
		}
		if *e.Timestamp < *in.StartTime || in.EndTime != nil && *e.Timestamp > *in.EndTime {
			continue
		}
		if in.FilterPattern != nil {
			require.Equal(f.t, `{ $.msg = "instance started" }`, *in.FilterPattern)
			var line struct{ Msg string }
			if json.Unmarshal([]byte(*e.Message), &line) != nil || line.Msg != "instance started" {
				continue
			}
		}
		out.Events = append(out.Events, e)
	}
	return out, nil
}

func newSource(t *testing.T) (*Source, *fake, *clock) {
	t.Helper()
	f, c := &fake{t: t, points: map[string]map[time.Time]float64{}, events: map[string][]logtypes.FilteredLogEvent{}}, &clock{noon.Add(30 * time.Second)}
	s, err := New(Options{
		Metrics: f, Logs: f, Catalog: dashboard.NewCatalog(), Clock: c, Stage: "dev", APIID: "abc", Table: "table", Prefix: "symphony-dev",
		FunctionNames: []string{"message", "stream"},
	})
	require.NoError(t, err)
	return s, f, c
}

// What CloudWatch has no point of is unknown; everything else is in its unit.
func TestFiguresAndSeries(t *testing.T) {
	s, f, c := newSource(t)
	minute := noon.Add(-2 * time.Minute)
	f.points = map[string]map[time.Time]float64{
		"Symphony Updates Sum":                            {minute: 120},
		"Symphony Presence Sum":                           {minute: 180},
		"Symphony Connects Sum":                           {minute: 3, noon: 1},
		"Symphony Disconnects Sum":                        {minute: 1, minute.Add(-time.Minute): 5},
		"Symphony RoomsChange Sum":                        {minute: 1},
		"Symphony ActiveRoomsChange Sum":                  {minute: -4, noon: 1},
		"Symphony CheckpointLag Maximum":                  {minute: 17},
		"AWS/ApiGateway IntegrationLatency p50":           {minute: 12},
		"AWS/ApiGateway MessageCount Sum":                 {minute: 1000},
		"AWS/Lambda Errors Sum symphony-dev-message":      {minute: 2},
		"AWS/Lambda Errors Sum symphony-dev-stream":       {minute: 1},
		"AWS/ApiGateway ExecutionError Sum":               {minute: 4},
		"AWS/Lambda Invocations Sum symphony-dev-message": {minute: 500, noon: 100},
		"AWS/Lambda Duration Sum symphony-dev-message":    {minute: 15000},
		"AWS/Lambda Duration p50 symphony-dev-message":    {minute: 20, noon: 80},
		"AWS/Lambda Duration p99 symphony-dev-message":    {minute: 90, noon: 70},
	}
	s.Catalog.Load([]directory.Entry{{Room: "a", Updates: 5, Joined: map[int64]int{noon.Unix(): 2}}}, c.now)
	now, err := s.Now(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1, now[dashboard.KeyRooms])
	require.EqualValues(t, 2, now[dashboard.KeyConnections])
	require.EqualValues(t, 17, now[dashboard.KeyLag])
	require.EqualValues(t, 12, now[dashboard.KeyLatencyP50])
	require.EqualValues(t, 7, now[dashboard.KeyErrors])
	require.EqualValues(t, 3, now[dashboard.KeyPresence], "180 a minute")
	require.NotContains(t, now, dashboard.KeyLatencyP99)
	require.True(t, math.IsNaN(now[dashboard.KeyThrottles]))
	bill := s.prices.Total(cost.Usage{cost.Message: 1000, cost.Invocation: 500, cost.ComputeSecond: 15 * cost.MessageGB})
	require.InDelta(t, bill*60, now[dashboard.KeyCost], 1e-9)

	l, err := s.Series(t.Context(), series.Hour)
	require.NoError(t, err)
	at := func(key string, when time.Time) float64 { return l.Values[key][int(when.Sub(l.From)/l.Step)] }
	require.EqualValues(t, 2, at(dashboard.KeyEdits, minute), "120 a minute")
	require.True(t, math.IsNaN(at(dashboard.KeyEdits, noon)))
	require.EqualValues(t, 3, at(dashboard.KeyPresence, minute))
	// Levels are counted back from now: two connections, one active room of one.
	line := func(key string) (last []float64) {
		for ago := range 5 {
			last = append(last, at(key, noon.Add(-time.Duration(ago)*time.Minute)))
		}
		return last
	}
	require.Equal(t, []float64{2, 1, 1, 0, 4}, line(dashboard.KeyConnections), "one joined now, two more before, five left before that")
	require.Equal(t, []float64{1, 1, 1, 0, 0}, line(dashboard.KeyRooms))
	require.Equal(t, []float64{1, 0, 0, 4, 4}, line(dashboard.KeyActiveRooms))
	require.InDelta(t, 7.0/60, at(dashboard.KeyErrors, minute), 1e-9)
	require.InDelta(t, bill*60, at(dashboard.KeyCost, minute), 1e-9)

	r, err := s.Functions(t.Context(), series.Hour)
	require.NoError(t, err)
	require.EqualValues(t, 600, *r.Functions[0].Invocations)
	require.EqualValues(t, 30, *r.Functions[0].P50, "500 of 20 ms and 100 of 80 ms")
	require.EqualValues(t, 90, *r.Functions[0].P99)
	require.Nil(t, r.Functions[1].Invocations)
	require.Nil(t, r.Functions[1].P50)
	require.Zero(t, *r.Functions[0].ColdStarts, "there is no log yet")
	for _, w := range []series.Window{series.Day, series.Week} {
		_, err := s.Series(t.Context(), w)
		require.NoError(t, err)
	}
	_, err = s.Series(t.Context(), "2h")
	require.ErrorIs(t, err, dashboard.ErrQuery)
}

// CloudWatch charges by the metric asked for: an answer serves until there is a
// newer point.
func TestCloudWatchIsNotAskedTwice(t *testing.T) {
	s, f, c := newSource(t)
	for range 5 {
		_, err := s.Now(t.Context())
		require.NoError(t, err)
		c.now = c.now.Add(Every)
	}
	require.Equal(t, 4, f.calls, "two windows of two pages")
	c.now = c.now.Add(time.Minute)
	_, err := s.Now(t.Context())
	require.NoError(t, err)
	require.Equal(t, 6, f.calls)
	f.err = errors.New("throttled")
	c.now = c.now.Add(time.Minute)
	_, err = s.Now(t.Context())
	require.ErrorIs(t, err, f.err)
}

// P30: edits move with the room directory, minutes before any metric does.
func TestEditsMoveWithTheDirectory(t *testing.T) {
	s, _, c := newSource(t)
	for i := range 4 {
		s.Catalog.Put(directory.Entry{Room: "a", Updates: uint64(20 * i)}, c.now)
		now, err := s.Now(t.Context())
		require.NoError(t, err)
		if i > 0 {
			require.EqualValues(t, 10, now[dashboard.KeyEdits])
		}
		c.now = c.now.Add(Every)
	}
}

func TestLog(t *testing.T) {
	s, f, c := newSource(t)
	event := func(id string, ago time.Duration, message string) logtypes.FilteredLogEvent {
		return logtypes.FilteredLogEvent{EventId: &id, Timestamp: aws.Int64(c.now.Add(-ago).UnixMilli()), Message: &message}
	}
	f.events["/aws/lambda/symphony-dev-message"] = []logtypes.FilteredLogEvent{
		event("1", time.Hour, `{"level":"ERROR","msg":"too old"}`),
		event("2", time.Minute, `{"time":"x","level":"WARN","msg":"message refused","room":"a b","n":3}`),
		event("3", time.Second, "panic: no JSON\n"),
	}
	f.events["/aws/lambda/symphony-dev-stream"] = []logtypes.FilteredLogEvent{event("4", 30*time.Second, `{"level":"INFO","msg":"fine"}`)}
	page := func(q dashboard.LogQuery) (ids []string, p dashboard.LogPage) {
		q.Limit = 100
		p, err := s.Logs(t.Context(), q)
		require.NoError(t, err)
		for _, l := range p.Lines {
			ids = append(ids, l.ID)
		}
		return ids, p
	}
	ids, all := page(dashboard.LogQuery{})
	require.Equal(t, []string{"2", "4", "3"}, ids)
	require.Equal(t, dashboard.LogLine{ID: "2", At: all.Lines[0].At, Level: "warn", Function: "message", Text: "message refused", Fields: `n=3 room="a b"`}, all.Lines[0])
	require.Equal(t, "panic: no JSON", all.Lines[2].Text)
	ids, _ = page(dashboard.LogQuery{Level: "warn"})
	require.Equal(t, []string{"2"}, ids)
	ids, _ = page(dashboard.LogQuery{Function: "stream"})
	require.Equal(t, []string{"4"}, ids)
	ids, _ = page(dashboard.LogQuery{Text: "REFUSED"})
	require.Equal(t, []string{"2"}, ids)
	ids, _ = page(dashboard.LogQuery{After: all.Next})
	require.Equal(t, []string{"3"}, ids, "read again: lines come late")
}
