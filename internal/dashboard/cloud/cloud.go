// Package cloud is dashboard.Source for a deployed stage: its series come from
// CloudWatch, its log from CloudWatch Logs, and what changes within two seconds
// from the room directory, read while a page is open.
package cloud

import (
	"context"
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatch/types"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/symphony-rt/symphony/internal/cost"
	"github.com/symphony-rt/symphony/internal/dashboard"
	"github.com/symphony-rt/symphony/internal/dashboard/series"
	"github.com/symphony-rt/symphony/internal/directory"
	"github.com/symphony-rt/symphony/internal/room"
)

// Metrics is what is called of CloudWatch: *cloudwatch.Client.
type Metrics interface {
	GetMetricData(ctx context.Context, in *cloudwatch.GetMetricDataInput, options ...func(*cloudwatch.Options)) (*cloudwatch.GetMetricDataOutput, error)
}

// Logs is what is called of CloudWatch Logs: *cloudwatchlogs.Client.
type Logs interface {
	FilterLogEvents(ctx context.Context, in *cloudwatchlogs.FilterLogEventsInput, options ...func(*cloudwatchlogs.Options)) (*cloudwatchlogs.FilterLogEventsOutput, error)
}

// Options are what a Source is made of.
type Options struct {
	Metrics Metrics
	Logs    Logs
	Catalog *dashboard.Catalog
	Clock   room.Clock
	// Stage, APIID and Table name the deployment; a function is called
	// <Prefix>-<name>.
	Stage, APIID, Table, Prefix string
	FunctionNames               []string
}

// Every is how often figures are sent to an open page, and the active rooms
// read; Pace is how often the directory is.
const Every = 2 * time.Second

// Pace of the directory: five thousand active rooms are about 190 read units a
// reading, which makes four cents an hour while a page is open; the others are
// read seldom.
var Pace = dashboard.Pace{Active: Every, All: 5 * time.Minute}

// plan is how a window is asked for: a metric a call is what CloudWatch charges,
// so an answer is used for as long as it has no newer point.
type plan struct {
	period, length time.Duration
}

var plans = map[series.Window]plan{
	series.Hour: {time.Minute, time.Hour},
	series.Day:  {5 * time.Minute, 24 * time.Hour},
	series.Week: {time.Hour, 7 * 24 * time.Hour},
}

// Source implements dashboard.Source. It is safe for concurrent use.
type Source struct {
	Options
	prices cost.PriceList

	mu      sync.Mutex
	answers map[series.Window]*answer
	samples []sample

	startsMu sync.Mutex
	starts   map[string]*starts
}

// answer is the values of every query in a window, NaN where CloudWatch has no
// point.
type answer struct {
	from   time.Time
	step   time.Duration
	values map[string][]float64
	until  time.Time
}

// sample is the directory's count of edits at one moment.
type sample struct {
	at    time.Time
	edits int64
}

// smooth is how many samples the rate of edits is the mean of.
const smooth = 5

// New returns the source of a stage.
func New(o Options) (*Source, error) {
	prices, err := cost.Published()
	if err != nil {
		return nil, err
	}
	return &Source{Options: o, prices: prices, answers: map[series.Window]*answer{}, starts: map[string]*starts{}}, nil
}

// The keys of queries beside the dashboard's own.
const (
	keyMessages = "messages"
	keyReads    = "reads"
	keyWrites   = "writes"
	keyFailed   = "failed"
	keyJoined   = "joined"
	keyLeft     = "left"
)

type query struct {
	key               string
	namespace, metric string
	statistic         string
	dimensions        map[string]string
}

func (s *Source) queries() []query {
	api := map[string]string{"ApiId": s.APIID, "Stage": s.Stage}
	table := map[string]string{"TableName": s.Table}
	ours := map[string]string{"Table": s.Table}
	all := []query{
		{key: dashboard.KeyEdits, namespace: directory.Namespace, metric: directory.MetricUpdates, statistic: "Sum", dimensions: ours},
		{key: dashboard.KeyPresence, namespace: directory.Namespace, metric: directory.MetricPresence, statistic: "Sum", dimensions: ours},
		{key: keyJoined, namespace: directory.Namespace, metric: directory.MetricConnects, statistic: "Sum", dimensions: ours},
		{key: keyLeft, namespace: directory.Namespace, metric: directory.MetricDisconnects, statistic: "Sum", dimensions: ours},
		{key: dashboard.KeyRooms, namespace: directory.Namespace, metric: directory.MetricRooms, statistic: "Sum", dimensions: ours},
		{key: dashboard.KeyActiveRooms, namespace: directory.Namespace, metric: directory.MetricActiveRooms, statistic: "Sum", dimensions: ours},
		{key: dashboard.KeyLag, namespace: directory.Namespace, metric: directory.MetricCheckpointLag, statistic: "Maximum", dimensions: ours},
		{key: dashboard.KeyLatencyP50, namespace: "AWS/ApiGateway", metric: "IntegrationLatency", statistic: "p50", dimensions: api},
		{key: dashboard.KeyLatencyP99, namespace: "AWS/ApiGateway", metric: "IntegrationLatency", statistic: "p99", dimensions: api},
		{key: keyMessages, namespace: "AWS/ApiGateway", metric: "MessageCount", statistic: "Sum", dimensions: api},
		{key: keyFailed, namespace: "AWS/ApiGateway", metric: "ExecutionError", statistic: "Sum", dimensions: api},
		{key: keyReads, namespace: "AWS/DynamoDB", metric: "ConsumedReadCapacityUnits", statistic: "Sum", dimensions: table},
		{key: keyWrites, namespace: "AWS/DynamoDB", metric: "ConsumedWriteCapacityUnits", statistic: "Sum", dimensions: table},
	}
	for _, f := range s.FunctionNames {
		name := map[string]string{"FunctionName": s.Prefix + "-" + f}
		for _, q := range []query{
			{key: "invocations", metric: "Invocations", statistic: "Sum"}, {key: "errors", metric: "Errors", statistic: "Sum"},
			{key: "throttles", metric: "Throttles", statistic: "Sum"}, {key: "p50", metric: "Duration", statistic: "p50"},
			{key: "p99", metric: "Duration", statistic: "p99"}, {key: "duration", metric: "Duration", statistic: "Sum"},
		} {
			q.key, q.namespace, q.dimensions = f+"/"+q.key, "AWS/Lambda", name
			all = append(all, q)
		}
	}
	return all
}

// window returns the values of a window, from CloudWatch when those at hand are
// old.
func (s *Source) window(ctx context.Context, w series.Window) (*answer, error) {
	p, ok := plans[w]
	if !ok {
		return nil, fmt.Errorf("%w: there is no window %q", dashboard.ErrQuery, w)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.Clock.Now()
	if a := s.answers[w]; a != nil && now.Before(a.until) {
		return a, nil
	}
	to := now.Truncate(p.period).Add(p.period)
	n := int(p.length / p.period)
	a := &answer{from: to.Add(-p.length), step: p.period, values: map[string][]float64{}, until: now.Add(min(p.period, 5*time.Minute))}
	queries := s.queries()
	in := &cloudwatch.GetMetricDataInput{StartTime: &a.from, EndTime: &to}
	for i, q := range queries {
		values := make([]float64, n)
		for k := range values {
			values[k] = math.NaN()
		}
		a.values[q.key] = values
		in.MetricDataQueries = append(in.MetricDataQueries, q.data(i, p.period))
	}
	for pages := cloudwatch.NewGetMetricDataPaginator(s.Metrics, in); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("dashboard: CloudWatch: %w", err)
		}
		for _, r := range page.MetricDataResults {
			var i int
			if _, err := fmt.Sscanf(aws.ToString(r.Id), "q%d", &i); err != nil || i < 0 || i >= len(queries) {
				continue
			}
			for k, at := range r.Timestamps {
				if slot := int(at.Sub(a.from) / p.period); k < len(r.Values) && slot >= 0 && slot < n {
					a.values[queries[i].key][slot] = r.Values[k]
				}
			}
		}
	}
	s.answers[w] = a
	return a, nil
}

func (q query) data(i int, period time.Duration) types.MetricDataQuery {
	m := &types.Metric{Namespace: aws.String(q.namespace), MetricName: aws.String(q.metric)}
	for name, value := range q.dimensions {
		m.Dimensions = append(m.Dimensions, types.Dimension{Name: aws.String(name), Value: aws.String(value)})
	}
	return types.MetricDataQuery{Id: aws.String(fmt.Sprintf("q%d", i)), MetricStat: &types.MetricStat{
		Metric: m, Period: aws.Int32(int32(period.Seconds())), Stat: aws.String(q.statistic),
	}}
}
