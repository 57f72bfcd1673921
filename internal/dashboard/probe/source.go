package probe

import (
	"context"
	"math"
	"time"

	"github.com/symphony-rt/symphony/internal/dashboard"
	"github.com/symphony-rt/symphony/internal/dashboard/series"
)

// recentTime is what the latency of now is taken over.
const recentTime = time.Minute

// Now implements dashboard.Source.
func (p *Probe) Now(context.Context) (dashboard.Figures, error) {
	now := p.Clock.Now()
	f := p.Catalog.Totals(now).Figures()
	hour := p.store.Totals(series.Hour, now)
	p.mu.Lock()
	if n := len(p.recent); n > 0 {
		from, to := p.recent[0], p.before
		if over := to.at.Sub(from.at).Seconds(); over > 0 {
			f[dashboard.KeyEdits] = float64(to.growth.Edits-from.growth.Edits) / over
			f[dashboard.KeyPresence] = float64(to.presence-from.presence) / over
		}
	}
	p.mu.Unlock()
	if t := hour[dashboard.KeyErrors]; t.Cover > 0 {
		f[dashboard.KeyErrors] = t.Sum
	}
	if t := hour[dashboard.KeyThrottles]; t.Cover > 0 {
		f[dashboard.KeyThrottles] = t.Sum
	}
	p.lagMu.Lock()
	if p.lastLag != nil {
		f[dashboard.KeyLag] = p.lastLag.Seconds()
	}
	p.lagMu.Unlock()
	p.latencyNow(f, now)
	p.costNow(f, now)
	return f, nil
}

// latencyNow is over the last minute.
func (p *Probe) latencyNow(f dashboard.Figures, now time.Time) {
	h := p.store.Recent(dashboard.KeyLatency, now, recentTime)
	if h.Timing.Count() > 0 {
		f[dashboard.KeyLatencyP50], f[dashboard.KeyLatencyP99] = h.Timing.Quantile(0.5), h.Timing.Quantile(0.99)
	}
}

// costNow: an hour at the pace of the last five minutes, and all of the last
// seven days.
func (p *Probe) costNow(f dashboard.Figures, now time.Time) {
	if t := p.store.Recent(dashboard.KeyCost, now, 5*time.Minute); t.Cover > 0 {
		f[dashboard.KeyCost] = t.Sum / t.Cover * time.Hour.Seconds()
	}
	if t := p.store.Totals(series.Week, now)[dashboard.KeyCost]; t.Cover > 0 {
		f[dashboard.KeyCostTotal] = t.Sum
	}
}

// Series implements dashboard.Source.
func (p *Probe) Series(_ context.Context, w series.Window) (series.Lines, error) {
	all, ok := p.store.Read(w, p.Clock.Now())
	if !ok {
		return series.Lines{}, dashboard.ErrQuery
	}
	for i, v := range all.Values[dashboard.KeyCost] { // dollars a second → an hour
		all.Values[dashboard.KeyCost][i] = v * time.Hour.Seconds()
	}
	for key := range all.Values {
		if !overview[key] {
			delete(all.Values, key)
		}
	}
	return all, nil
}

// overview are the lines that are not of a single function.
var overview = map[string]bool{
	dashboard.KeyRooms: true, dashboard.KeyActiveRooms: true, dashboard.KeyConnections: true, dashboard.KeyEdits: true, dashboard.KeyPresence: true,
	dashboard.KeyLatencyP50: true, dashboard.KeyLatencyP99: true, dashboard.KeyErrors: true, dashboard.KeyThrottles: true, dashboard.KeyLag: true,
	dashboard.KeyCost: true,
}

// Functions implements dashboard.Source.
func (p *Probe) Functions(_ context.Context, w series.Window) (dashboard.FunctionReport, error) {
	now := p.Clock.Now()
	all, ok := p.store.Read(w, now)
	if !ok {
		return dashboard.FunctionReport{}, dashboard.ErrQuery
	}
	totals := p.store.Totals(w, now)
	report := dashboard.FunctionReport{From: all.From, Step: all.Step}
	for _, name := range p.Options.Functions {
		f := dashboard.Function{Name: name, Rate: all.Values[invocationsOf(name)]}
		f.Invocations, f.Errors, f.ColdStarts = sum(totals[invocationsOf(name)]), sum(totals[errorsOf(name)]), sum(totals[coldOf(name)])
		times := totals[timesOf(name)].Timing
		f.P50, f.P99 = known(times.Quantile(0.5)), known(times.Quantile(0.99))
		report.Functions = append(report.Functions, f)
	}
	return report, nil
}

func sum(t series.Total) *float64 {
	if t.Cover == 0 {
		return nil
	}
	return &t.Sum
}

func known(v float64) *float64 {
	if math.IsNaN(v) {
		return nil
	}
	return &v
}

// Logs implements dashboard.Source.
func (p *Probe) Logs(_ context.Context, q dashboard.LogQuery) (dashboard.LogPage, error) {
	return p.logs.page(q)
}
