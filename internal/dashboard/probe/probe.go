// Package probe measures the local stack for the dashboard: what the functions
// do, how long a message takes, what is logged, and what it all would have cost
// on AWS. It wraps what the stack is put together from, and costs each message
// some atomic additions.
package probe

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/symphony-rt/symphony/internal/cost"
	"github.com/symphony-rt/symphony/internal/dashboard"
	"github.com/symphony-rt/symphony/internal/dashboard/series"
	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/room"
)

// Names of the functions that the probe knows something special of.
const (
	functionMessage    = "message"
	functionConnect    = "connect"
	functionCheckpoint = "checkpoint"
)

// FileName is the series' file in a data folder.
const FileName = "dashboard-series.gz"

const (
	// Every is how often the figures are taken: a counter has to move within
	// two seconds (P30).
	Every = time.Second
	// saveEvery is how much of the series a kill can cost.
	saveEvery = time.Minute
	// smooth is how many samples a rate is the mean of: steady enough to be
	// read, quick enough to be live.
	smooth = 5
)

// Gateway is what the probe wants to know of the gateway. Counters only grow.
type Gateway struct {
	// Throttled requests and connects; Errors are functions that failed or did
	// not answer, as the gateway saw them.
	Throttled, Errors int64
	// Posts delivered to clients.
	Posts int64
}

// Options are what a Probe is made of.
type Options struct {
	Catalog *dashboard.Catalog
	Clock   room.Clock
	// Functions are the names of those that run.
	Functions []string
	// InProcess says that the functions run in this process: then nothing starts
	// cold, and a message can be followed to its last post.
	InProcess bool
	// Gateway reads the gateway's counters; nil where there are several gateways
	// in processes of their own.
	Gateway func() Gateway
	// Folder keeps the series between runs; "" keeps them in memory.
	Folder string
	Log    *slog.Logger
}

// counters of one function.
type function struct {
	invocations, errors, cold atomic.Int64
	mu                        sync.Mutex
	times                     series.Histogram
}

// Probe implements dashboard.Source for the local stack. It is safe for
// concurrent use.
type Probe struct {
	Options
	functions map[string]*function
	store     *series.Store
	logs      *ring
	prices    cost.PriceList

	presence  atomic.Int64
	latencyMu sync.Mutex
	latency   series.Histogram
	lagMu     sync.Mutex
	// lag is the longest since the last tick, lastLag that of the last sweep.
	lag, lastLag *time.Duration

	mu     sync.Mutex
	before tick
	recent []tick // the last smooth of them
}

// tick is the counters at one moment.
type tick struct {
	at        time.Time
	growth    dashboard.Growth
	presence  int64
	gateway   Gateway
	functions map[string][3]int64
}

func metrics(functions []string) []series.Metric {
	all := []series.Metric{
		{Key: dashboard.KeyRooms, Kind: series.Gauge}, {Key: dashboard.KeyActiveRooms, Kind: series.Gauge},
		{Key: dashboard.KeyConnections, Kind: series.Gauge},
		{Key: dashboard.KeyEdits, Kind: series.Count}, {Key: dashboard.KeyPresence, Kind: series.Count},
		{Key: dashboard.KeyLatency, Kind: series.Timing},
		{Key: dashboard.KeyErrors, Kind: series.Count}, {Key: dashboard.KeyThrottles, Kind: series.Count},
		{Key: dashboard.KeyLag, Kind: series.Peak}, {Key: dashboard.KeyCost, Kind: series.Count},
	}
	for _, f := range functions {
		all = append(all,
			series.Metric{Key: invocationsOf(f), Kind: series.Count}, series.Metric{Key: errorsOf(f), Kind: series.Count},
			series.Metric{Key: coldOf(f), Kind: series.Count}, series.Metric{Key: timesOf(f), Kind: series.Timing})
	}
	return all
}

func invocationsOf(f string) string { return "function/" + f + "/invocations" }
func errorsOf(f string) string      { return "function/" + f + "/errors" }
func coldOf(f string) string        { return "function/" + f + "/cold" }
func timesOf(f string) string       { return "function/" + f + "/time" }

// New returns a probe. Run has to be called for its figures to move.
func New(o Options) (*Probe, error) {
	prices, err := cost.Published()
	if err != nil {
		return nil, err
	}
	p := &Probe{Options: o, functions: map[string]*function{}, store: series.New(metrics(o.Functions)), logs: newRing(), prices: prices}
	for _, name := range o.Functions {
		p.functions[name] = &function{}
	}
	if o.Folder != "" {
		if err := p.store.Load(p.file()); err != nil {
			// Figures of the past are worth less than a start.
			o.Log.Warn("the dashboard's series begin anew", "error", err)
		}
	}
	return p, nil
}

func (p *Probe) file() string { return filepath.Join(p.Folder, FileName) }

// Run takes the figures until ctx ends, and then keeps them.
func (p *Probe) Run(ctx context.Context) {
	ticker := time.NewTicker(Every)
	defer ticker.Stop()
	saved := p.Clock.Now()
	p.mu.Lock()
	p.before = p.take()
	p.mu.Unlock()
	for {
		select {
		case <-ctx.Done():
			p.Tick()
			p.save()
			return
		case <-ticker.C:
		}
		p.Tick()
		if now := p.Clock.Now(); now.Sub(saved) >= saveEvery {
			saved = now
			p.save()
		}
	}
}

func (p *Probe) save() {
	if p.Folder == "" {
		return
	}
	if err := p.store.Save(p.file()); err != nil {
		p.Options.Log.Warn("the dashboard's series were not kept", "error", err)
	}
}

func (p *Probe) take() tick {
	t := tick{
		at: p.Clock.Now(), growth: p.Catalog.Growth(), presence: p.presence.Load(), functions: map[string][3]int64{},
	}
	if p.Gateway != nil {
		t.gateway = p.Gateway()
	}
	for name, f := range p.functions {
		t.functions[name] = [3]int64{f.invocations.Load(), f.errors.Load(), f.cold.Load()}
	}
	return t
}

// Tick takes the figures once.
func (p *Probe) Tick() {
	totals := p.Catalog.Totals(p.Clock.Now())
	p.mu.Lock()
	defer p.mu.Unlock()
	now, before := p.take(), p.before
	over := now.at.Sub(before.at)
	if before.at.IsZero() || over <= 0 {
		p.before = now
		return
	}
	p.before = now
	p.recent = append(p.recent, before)
	if len(p.recent) > smooth {
		p.recent = slices.Delete(p.recent, 0, 1)
	}
	values := map[string]float64{
		dashboard.KeyRooms: float64(totals.Rooms), dashboard.KeyActiveRooms: float64(totals.Active), dashboard.KeyConnections: float64(totals.Connections),
		dashboard.KeyEdits: float64(now.growth.Edits - before.growth.Edits), dashboard.KeyPresence: float64(now.presence - before.presence),
	}
	sample := series.Sample{Values: values, Timings: map[string]*series.Histogram{}}
	if p.InProcess {
		sample.Timings[dashboard.KeyLatency] = drain(&p.latencyMu, &p.latency)
	}
	failed := 0.0
	for name, f := range p.functions {
		n, o := now.functions[name], before.functions[name]
		values[invocationsOf(name)], values[errorsOf(name)] = float64(n[0]-o[0]), float64(n[1]-o[1])
		failed += values[errorsOf(name)]
		if !p.InProcess {
			values[coldOf(name)] = float64(n[2] - o[2])
		}
		sample.Timings[timesOf(name)] = drain(&f.mu, &f.times)
	}
	values[dashboard.KeyErrors] = failed
	if p.Gateway != nil {
		values[dashboard.KeyThrottles] = float64(now.gateway.Throttled - before.gateway.Throttled)
		values[dashboard.KeyCost] = p.price(before, now, totals)
	}
	p.lagMu.Lock()
	if p.lag != nil {
		values[dashboard.KeyLag] = p.lag.Seconds()
		p.lag, p.lastLag = nil, p.lag
	}
	p.lagMu.Unlock()
	p.store.Record(now.at, over, sample)
}

func drain(mu *sync.Mutex, h *series.Histogram) *series.Histogram {
	mu.Lock()
	defer mu.Unlock()
	taken := *h
	*h = series.Histogram{}
	return &taken
}

// Lag is told by the checkpoint function; see handler.CheckpointOptions.
func (p *Probe) Lag(lag time.Duration) error {
	p.lagMu.Lock()
	defer p.lagMu.Unlock()
	if p.lag == nil || lag > *p.lag {
		p.lag = &lag
	}
	return nil
}

// Invoker runs functions: gateway.Invoker.
type Invoker interface {
	Invoke(ctx context.Context, function string, payload []byte) ([]byte, error)
}

type invoker struct {
	next Invoker
	p    *Probe
}

// Invoker returns next, measured.
func (p *Probe) Invoker(next Invoker) Invoker { return &invoker{next, p} }

type arrival struct{}

// Invoke implements Invoker.
func (i *invoker) Invoke(ctx context.Context, name string, payload []byte) ([]byte, error) {
	f := i.p.functions[name]
	if f == nil {
		return i.next.Invoke(ctx, name, payload)
	}
	if name == functionMessage && isPresence(payload) {
		i.p.presence.Add(1)
	}
	began := time.Now()
	if name == functionMessage && i.p.InProcess {
		ctx = context.WithValue(ctx, arrival{}, began)
	}
	answer, err := i.next.Invoke(ctx, name, payload)
	took := time.Since(began)
	f.invocations.Add(1)
	if err != nil && !errors.Is(ctx.Err(), context.Canceled) {
		f.errors.Add(1)
	}
	f.mu.Lock()
	f.times.Observe(took)
	f.mu.Unlock()
	return answer, err
}

// Cold counts a start of an instance of the function.
func (p *Probe) Cold(function string) {
	if f := p.functions[function]; f != nil {
		f.cold.Add(1)
	}
}

// bodyField is where an event has the frame. Inside of any string the quotes
// would be escaped.
var bodyField = []byte(`"body":"`)

// isPresence says whether an event carries presence.
func isPresence(payload []byte) bool {
	i := bytes.LastIndex(payload, bodyField)
	return i >= 0 && protocol.IsPresence(payload[i+len(bodyField):])
}

type sender struct {
	room.Sender
	p *Probe
}

// Sender returns next, so that a message can be followed to its last post.
func (p *Probe) Sender(next room.Sender) room.Sender { return &sender{next, p} }

// Post implements room.Sender.
func (s *sender) Post(ctx context.Context, to []room.ConnectionID, frame []byte) []room.Failure {
	failures := s.Sender.Post(ctx, to, frame)
	if began, ok := ctx.Value(arrival{}).(time.Time); ok && len(to) > 0 {
		took := time.Since(began)
		s.p.latencyMu.Lock()
		s.p.latency.Observe(took)
		s.p.latencyMu.Unlock()
	}
	return failures
}

// price is what AWS would have charged for what happened between two ticks, by
// the model of docs/COST.md.
func (p *Probe) price(before, now tick, totals dashboard.Totals) float64 {
	edits, presence := float64(now.growth.Edits-before.growth.Edits), float64(now.presence-before.presence)
	size := 1.0
	if edits+presence > 0 {
		size += float64(now.gateway.Posts-before.gateway.Posts) / (edits + presence)
	}
	a := cost.Default
	u := cost.Usage{cost.ConnectionMinute: float64(totals.Connections) * now.at.Sub(before.at).Minutes()}.Plus(
		a.Edit(size).Times(edits), a.Presence(size).Times(presence), a.Session(size).Times(float64(now.functions[functionConnect][0]-before.functions[functionConnect][0])))
	if n := float64(now.growth.Checkpoints - before.growth.Checkpoints); n > 0 {
		u = u.Plus(a.Checkpoint(1).Times(n))
	}
	if n := now.functions[functionCheckpoint][0] - before.functions[functionCheckpoint][0]; n > 0 && totals.Active > 0 {
		u = u.Plus(cost.ScheduleMinute().Times(float64(n) / 2))
	}
	return p.prices.Total(u)
}
