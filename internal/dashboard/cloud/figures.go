package cloud

import (
	"context"
	"math"
	"time"

	"github.com/symphony-rt/symphony/internal/cost"
	"github.com/symphony-rt/symphony/internal/dashboard"
	"github.com/symphony-rt/symphony/internal/dashboard/series"
)

// memory is what each function is billed by, in GB: infra/stack/functions.go.
var memory = map[string]float64{"message": cost.MessageGB, "fanout": cost.MessageGB, "checkpoint": cost.CheckpointGB}

// plus adds up what is known; NaN when nothing is.
func plus(values ...float64) float64 {
	sum, any := 0.0, false
	for _, v := range values {
		if !math.IsNaN(v) {
			sum, any = sum+v, true
		}
	}
	if !any {
		return math.NaN()
	}
	return sum
}

func (s *Source) each(a *answer, key string, i int) []float64 {
	var all []float64
	for _, f := range s.FunctionNames {
		all = append(all, a.values[f+"/"+key][i])
	}
	return all
}

// dollars is the price of what CloudWatch metered in one step.
func (s *Source) dollars(a *answer, i int) float64 {
	u := cost.Usage{}
	known := false
	add := func(unit cost.Unit, n float64) {
		if !math.IsNaN(n) {
			u[unit] += n
			known = true
		}
	}
	add(cost.Message, a.values[keyMessages][i])
	add(cost.ReadUnit, a.values[keyReads][i])
	add(cost.WriteUnit, a.values[keyWrites][i])
	for _, f := range s.FunctionNames {
		gb := memory[f]
		if gb == 0 {
			gb = cost.SmallGB
		}
		add(cost.Invocation, a.values[f+"/invocations"][i])
		add(cost.ComputeSecond, a.values[f+"/duration"][i]/1000*gb)
	}
	if !known {
		return math.NaN()
	}
	return s.prices.Total(u)
}

// Series implements dashboard.Source.
func (s *Source) Series(ctx context.Context, w series.Window) (series.Lines, error) {
	a, err := s.window(ctx, w)
	if err != nil {
		return series.Lines{}, err
	}
	l := series.Lines{From: a.from, Step: a.step, Values: map[string][]float64{}}
	line := func(key string, value func(i int) float64) {
		values := make([]float64, len(a.values[keyMessages]))
		for i := range values {
			values[i] = value(i)
		}
		l.Values[key] = values
	}
	seconds := a.step.Seconds()
	line(dashboard.KeyEdits, func(i int) float64 { return a.values[dashboard.KeyEdits][i] / seconds })
	line(dashboard.KeyErrors, func(i int) float64 {
		return plus(append(s.each(a, "errors", i), a.values[keyFailed][i])...) / seconds
	})
	line(dashboard.KeyThrottles, func(i int) float64 { return plus(s.each(a, "throttles", i)...) / seconds })
	line(dashboard.KeyCost, func(i int) float64 { return s.dollars(a, i) * time.Hour.Seconds() / seconds })
	line(dashboard.KeyPresence, func(i int) float64 { return a.values[dashboard.KeyPresence][i] / seconds })
	for _, key := range []string{dashboard.KeyLag, dashboard.KeyLatencyP50, dashboard.KeyLatencyP99} {
		line(key, func(i int) float64 { return a.values[key][i] })
	}
	now := s.Catalog.Totals(s.Clock.Now())
	l.Values[dashboard.KeyRooms] = countedBack(float64(now.Rooms), a.values[dashboard.KeyRooms])
	l.Values[dashboard.KeyActiveRooms] = countedBack(float64(now.Active), a.values[dashboard.KeyActiveRooms])
	change := make([]float64, len(a.values[keyJoined]))
	for i := range change {
		change[i] = plus(a.values[keyJoined][i], -a.values[keyLeft][i])
	}
	l.Values[dashboard.KeyConnections] = countedBack(float64(now.Connections), change)
	return l, nil
}

// countedBack is a line that ends at now, from the change in each step: CloudWatch
// keeps no levels of ours, only what the stream function counted. A step without
// a point had no change. What expired without a word (a lost $disconnect) is in
// the level of now and in no step, so that the line cannot go below nothing.
func countedBack(now float64, change []float64) []float64 {
	line := make([]float64, len(change))
	for i := len(change) - 1; i >= 0; i-- {
		line[i] = max(0, now)
		if !math.IsNaN(change[i]) {
			now -= change[i]
		}
	}
	return line
}

// lately is the rate of a count over the last whole step that has a point; 0 when
// none of the last few has: metrics are a minute late or two.
func lately(values []float64, step time.Duration) float64 {
	const late = 3
	for i := len(values) - 2; i >= max(0, len(values)-2-late); i-- {
		if !math.IsNaN(values[i]) {
			return values[i] / step.Seconds()
		}
	}
	return 0
}

// Now implements dashboard.Source.
func (s *Source) Now(ctx context.Context) (dashboard.Figures, error) {
	now := s.Clock.Now()
	f := s.Catalog.Totals(now).Figures()
	if rate, ok := s.rate(now); ok {
		f[dashboard.KeyEdits] = rate
	}
	hour, err := s.window(ctx, series.Hour)
	if err != nil {
		return f, err
	}
	week, err := s.window(ctx, series.Week)
	if err != nil {
		return f, err
	}
	f[dashboard.KeyPresence] = lately(hour.values[dashboard.KeyPresence], hour.step)
	errs, throttles := math.NaN(), math.NaN()
	for i := range hour.values[keyMessages] {
		errs = plus(append(s.each(hour, "errors", i), hour.values[keyFailed][i], errs)...)
		throttles = plus(append(s.each(hour, "throttles", i), throttles)...)
		// The last that is known, and for the cost the last whole minute's pace.
		for _, key := range []string{dashboard.KeyLag, dashboard.KeyLatencyP50, dashboard.KeyLatencyP99} {
			if v := hour.values[key][i]; !math.IsNaN(v) {
				f[key] = v
			}
		}
		if v := s.dollars(hour, i); !math.IsNaN(v) && i < len(hour.values[keyMessages])-1 {
			f[dashboard.KeyCost] = v * time.Hour.Seconds() / hour.step.Seconds()
		}
	}
	f[dashboard.KeyErrors], f[dashboard.KeyThrottles] = errs, throttles
	total := math.NaN()
	for i := range week.values[keyMessages] {
		total = plus(total, s.dollars(week, i))
	}
	f[dashboard.KeyCostTotal] = total
	return f, nil
}

// rate is edits a second by the room directory, which is quicker than any metric.
func (s *Source) rate(now time.Time) (float64, bool) {
	edits := s.Catalog.Growth().Edits
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.samples); n == 0 || now.Sub(s.samples[n-1].at) >= Every/2 {
		s.samples = append(s.samples, sample{now, edits})
	}
	s.samples = s.samples[max(0, len(s.samples)-smooth-1):]
	first := s.samples[0]
	if over := now.Sub(first.at).Seconds(); over > 0 {
		return float64(edits-first.edits) / over, true
	}
	return 0, false
}

// Functions implements dashboard.Source. CloudWatch has quantiles for each
// period only: the median is the mean of the periods', by their invocations, and
// p99 the highest.
func (s *Source) Functions(ctx context.Context, w series.Window) (dashboard.FunctionReport, error) {
	a, err := s.window(ctx, w)
	if err != nil {
		return dashboard.FunctionReport{}, err
	}
	report := dashboard.FunctionReport{From: a.from, Step: a.step}
	for _, name := range s.FunctionNames {
		get := func(key string) []float64 { return a.values[name+"/"+key] }
		row := dashboard.Function{Name: name, Rate: make([]float64, len(get("p50")))}
		invocations, errs, median, weight, p99 := math.NaN(), math.NaN(), 0.0, 0.0, math.NaN()
		for i, n := range get("invocations") {
			row.Rate[i] = n / a.step.Seconds()
			invocations, errs = plus(invocations, n), plus(errs, get("errors")[i])
			if v := get("p50")[i]; !math.IsNaN(v) && n > 0 {
				median, weight = median+v*n, weight+n
			}
			if v := get("p99")[i]; !math.IsNaN(v) && !(v < p99) {
				p99 = v
			}
		}
		row.Invocations, row.Errors, row.P50, row.P99 = known(invocations), known(errs), known(median/weight), known(p99)
		report.Functions = append(report.Functions, row)
	}
	if problem := s.coldStarts(ctx, a.from, report.Functions); problem != "" {
		report.Why = map[string]string{"coldStarts": problem}
	}
	return report, nil
}

func known(v float64) *float64 {
	if math.IsNaN(v) {
		return nil
	}
	return &v
}

// Info returns what is not measured in the cloud, and what figures mean there.
func (s *Source) Info() dashboard.Info {
	return dashboard.Info{
		Kind: dashboard.KindCloud, Stage: s.Stage, Store: "table " + s.Table, Started: s.Clock.Now(), Every: Every,
		Why: map[string]string{
			"stream": "Median and p99 are taken from CloudWatch's periods: the mean of their medians by invocations, and the highest p99.",
		},
		Notes: map[string]string{
			dashboard.KeyPresence:  "as the functions count it, a minute or two late",
			dashboard.KeyLatency:   "time to answer a message, which includes its posts",
			dashboard.KeyErrors:    "function runs that failed, and those the gateway could not reach",
			dashboard.KeyThrottles: "function runs over the account's concurrency",
			dashboard.KeyCost:      "messages, functions and the table as metered; not connection minutes, S3, logs and storage",
		},
	}
}
