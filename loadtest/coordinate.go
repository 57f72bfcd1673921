package loadtest

import (
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"time"
)

// coordinate starts the target if need be, runs the workers, watches and
// reports.
func coordinate(ctx context.Context, o options, out, progress io.Writer) error {
	if err := o.fillIn(); err != nil {
		return err
	}
	fmt.Fprintf(out, "seed %d, run %s\n%s", o.Seed, o.Run, billing(&o.Profile))
	target, err := openTarget(ctx, &o)
	if err != nil {
		return err
	}
	defer target.close()
	o.URLs = target.urls
	p := o.Profile
	p.Index, p.Of = o.index, o.of
	p.Start = time.Now().Add(startDelay).Round(0)
	machine := Machine{CPUs: runtime.NumCPU(), GoVersion: runtime.Version(), OS: runtime.GOOS + "/" + runtime.GOARCH, LoadBefore: loadAverage()}

	limit, cancel := context.WithTimeout(ctx, o.editStart()+o.Duration+o.Drain+afterDrain)
	defer cancel()
	t := &team{}
	watched := make(chan struct{})
	watching, stopWatching := context.WithCancel(limit)
	w := &watcher{o: &o, team: t, target: target, out: progress, start: p.Start}
	go func() {
		defer close(watched)
		w.run(watching)
	}()
	go target.profile(watching, &o, p.Start, progress)
	result, err := t.run(limit, p, o.workers)
	stopWatching()
	<-watched
	if err != nil {
		return err
	}
	result.Started, result.Machine = p.Start, machine
	result.Profile.Token = ""
	result.Server = w.server()
	if o.saturate > 0 {
		result.Saturation = saturation(result, &o)
	}
	if err := finish(o, result, out); err != nil {
		return err
	}
	return ctx.Err()
}

const (
	// startDelay gives the worker processes time to start.
	startDelay = 1500 * time.Millisecond
	// afterDrain is for the late joiners.
	afterDrain = 2 * time.Minute
)

// fillIn chooses what the command line left open.
func (o *options) fillIn() error {
	var b [12]byte
	if _, err := rand.Read(b[:]); err != nil {
		return err
	}
	if o.Seed == 0 {
		o.Seed = binary.LittleEndian.Uint64(b[:8])
	}
	if o.Run == "" {
		o.Run = hex.EncodeToString(b[8:])
	}
	return nil
}

// finish prints and writes a result. An error says what was not good enough.
func finish(o options, r *Result, out io.Writer) error {
	r.print(out)
	if o.jsonOut != "" {
		if err := r.write(o.jsonOut); err != nil {
			return err
		}
	}
	if o.report != "" {
		if err := writeReport(o.report, r); err != nil {
			return err
		}
		fmt.Fprintf(out, "\n  report         %s\n", o.report)
	}
	if bad := r.problems(o.limitP99); len(bad) > 0 && !o.allowLosing {
		return errors.New(strings.Join(bad, ", "))
	}
	return nil
}

func loadAverage() string {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return ""
	}
	fields := strings.Fields(string(b))
	return strings.Join(fields[:min(3, len(fields))], " ")
}

// watcher prints the progress line, samples the server and, with --saturate,
// ends the run when the rate is too high.
type watcher struct {
	o       *options
	team    *team
	target  *target
	out     io.Writer
	start   time.Time
	samples []Sample
	before  map[string]int64
	base    int64 // memory before anybody connected
	idle    int64 // memory with everybody connected and nobody editing
	last    Progress
}

func (w *watcher) run(ctx context.Context) {
	w.base = w.target.sample().RSS
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		now := time.Since(w.start)
		w.sample(now)
		w.say(n, now)
		if w.o.saturate > 0 && w.tooHigh(now) {
			w.team.cancel()
		}
	}
}

func (w *watcher) sample(now time.Duration) {
	s := w.target.sample()
	sum := w.team.sum()
	s.At, s.Connected, s.Edits, s.Calls = now.Seconds(), sum.Connected, sum.Edits, w.target.calls()
	w.samples = append(w.samples, s)
	if now < w.o.editStart() && now > w.o.Ramp {
		w.idle = s.RSS
		w.before = w.target.calls()
	}
}

// quietEvery is how many seconds pass between two progress lines.
const quietEvery = 5

func (w *watcher) say(n int, now time.Duration) {
	p := w.team.sum()
	if w.o.quiet || n%quietEvery != 0 {
		return
	}
	per := func(a, b int64) int64 { return (a - b) / quietEvery }
	cpu, rss := 0.0, int64(0)
	if len(w.samples) > 1 {
		a, b := w.samples[max(0, len(w.samples)-1-quietEvery)], w.samples[len(w.samples)-1]
		cpu, rss = (b.CPU-a.CPU)/(b.At-a.At)*100, b.RSS
	}
	fmt.Fprintf(w.out, "%5.0fs  %6d connected  %6d edits/s  %7d deliveries/s  %7d presence/s  p50 %.1f p99 %.1f ms  server %.0f%% CPU %d MB\n",
		now.Seconds(), p.Connected, per(p.Edits, w.last.Edits), per(p.Delivered, w.last.Delivered), per(p.Presence, w.last.Presence),
		p.Latency.P50, p.Latency.P99, cpu, rss>>20)
	w.last = p
}

// tooHigh says whether the last whole step's p99 passed the limit. The first
// second of a step is not looked at.
func (w *watcher) tooHigh(now time.Duration) bool {
	step := int((now-2*time.Second-w.o.editStart())/w.o.Step) - 1
	if step < 0 {
		return false
	}
	from, to := w.o.stepSeconds(step)
	h := w.team.between(from, to)
	return h.Count > 0 && time.Duration(h.P99*float64(time.Millisecond)) > w.o.saturate
}

// stepSeconds are the seconds of a step that count, to not included.
func (o *options) stepSeconds(step int) (from, to int) {
	begin := o.editStart() + time.Duration(step)*o.Step
	return int(begin/time.Second) + 1, int((begin + o.Step) / time.Second)
}

func (w *watcher) server() Server {
	s := Server{Samples: w.samples, Calls: map[string]float64{}, MemoryBefore: w.base, MemoryIdle: w.idle, Processes: len(w.target.pids)}
	after := w.target.calls()
	w.team.mu.Lock()
	var edits int64
	for _, p := range w.team.latest {
		edits += p.Edits
	}
	w.team.mu.Unlock()
	s.EditsCounted = edits
	for name, n := range after {
		if d := n - w.before[name]; d > 0 {
			s.Calls[name] = float64(d)
		}
	}
	return s
}

// Saturation is the highest rate whose p99 stayed below the limit.
type Saturation struct {
	Limit string
	// Deliveries a second, sent edits a second and the p99 of the best step.
	Deliveries, Edits, P99 float64
	Steps                  []Step
}

// Step is one rate.
type Step struct{ Edits, Deliveries, P50, P99 float64 }

func saturation(r *Result, o *options) *Saturation {
	s := &Saturation{Limit: o.saturate.String()}
	for n := 0; ; n++ {
		from, to := o.stepSeconds(n)
		if to > len(r.Seconds) {
			return s
		}
		var step Step
		var hs []Histogram
		for _, second := range r.Seconds[from:to] {
			step.Edits += float64(second.Edits)
			step.Deliveries += float64(second.Deliveries)
			hs = append(hs, second.Latency)
		}
		h, err := merged(secondsDigits, hs...)
		if err != nil || h.Count == 0 {
			return s
		}
		step.Edits /= float64(to - from)
		step.Deliveries /= float64(to - from)
		step.P50, step.P99 = h.P50, h.P99
		s.Steps = append(s.Steps, step)
		if time.Duration(h.P99*float64(time.Millisecond)) > o.saturate {
			return s
		}
		s.Edits, s.Deliveries, s.P99 = step.Edits, step.Deliveries, step.P99
	}
}
