package loadtest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime/debug"
	"sync"
	"time"
)

// workerRole, as the only argument, makes this process one worker of a run: it
// reads its Profile as a JSON line, writes a progress line every second and the
// result as the last one, and stops early when its input ends.
const workerRole = "loadtest-worker"

// collectorPercent is the generator's GOGC: it has memory to spare and shares
// its CPUs with what it measures.
const collectorPercent = 400

// Progress is what a worker says every second. The totals grow.
type Progress struct {
	Connected, Edits, Acknowledged, Delivered, Presence int64
	// Latency is that of Second, the last whole second.
	Second  int
	Latency Histogram
}

// line is one line of a worker's output.
type line struct {
	Progress *Progress `json:",omitempty"`
	Result   *Result   `json:",omitempty"`
}

func (g *generator) progress() Progress {
	c := g.count
	p := Progress{
		Connected: c.connected.Load(), Edits: c.edits.Load(), Acknowledged: c.acked.Load(), Delivered: c.delivered.Load(),
		Presence: c.presenceDelivered.Load(), Second: int(g.now()/time.Second) - 1,
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if p.Second >= 0 && p.Second < len(c.seconds) {
		p.Latency = encode(c.seconds[p.Second].latency)
	}
	return p
}

// runWorker runs p here and calls progress every second.
func runWorker(ctx context.Context, p Profile, progress func(Progress)) (*Result, error) {
	g, err := newGenerator(p)
	if err != nil {
		return nil, err
	}
	debug.SetGCPercent(collectorPercent)
	ticker := time.NewTicker(time.Second)
	defer ticker.Stop()
	done := make(chan *Result, 1)
	go func() { done <- g.run(ctx) }()
	for {
		select {
		case <-ticker.C:
			progress(g.progress())
		case r := <-done:
			return r, nil
		}
	}
}

func workerMain(ctx context.Context, in io.Reader, out io.Writer) error {
	input := bufio.NewReader(in)
	first, err := input.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("its profile: %w", err)
	}
	var p Profile
	if err := json.Unmarshal(first, &p); err != nil {
		return fmt.Errorf("its profile: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, input)
		cancel()
	}()
	encoder := json.NewEncoder(out)
	var mu sync.Mutex
	r, err := runWorker(ctx, p, func(now Progress) {
		mu.Lock()
		defer mu.Unlock()
		_ = encoder.Encode(line{Progress: &now})
	})
	if err != nil {
		return err
	}
	return encoder.Encode(line{Result: r})
}

// team is the workers of a run, in this process when there is one.
type team struct {
	mu      sync.Mutex
	latest  []Progress
	perStep map[int][]Histogram // by second, of all workers
	cancel  context.CancelFunc
}

// run runs p, divided over n workers, and returns the sum of their results.
func (t *team) run(ctx context.Context, p Profile, n int) (*Result, error) {
	ctx, t.cancel = context.WithCancel(ctx)
	defer t.cancel()
	t.latest = make([]Progress, n)
	t.perStep = map[int][]Histogram{}
	results := make([]*Result, n)
	errs := make([]error, n)
	var all sync.WaitGroup
	for i := range n {
		mine := p
		mine.Index, mine.Of = p.Index*n+i, p.Of*n
		all.Go(func() {
			note := func(now Progress) { t.note(i, now) }
			if n == 1 {
				results[i], errs[i] = runWorker(ctx, mine, note)
			} else {
				results[i], errs[i] = runProcess(ctx, mine, note)
			}
			if errs[i] != nil {
				t.cancel()
			}
		})
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return mergeResults(results)
}

func (t *team) note(i int, now Progress) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.latest[i] = now
	if now.Latency.Count > 0 {
		t.perStep[now.Second] = append(t.perStep[now.Second], now.Latency)
	}
}

// sum is the last progress of all workers together.
func (t *team) sum() (s Progress) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, p := range t.latest {
		s.Connected += p.Connected
		s.Edits += p.Edits
		s.Acknowledged += p.Acknowledged
		s.Delivered += p.Delivered
		s.Presence += p.Presence
		s.Second = max(s.Second, p.Second)
	}
	var all []Histogram
	for n := range 2 { // the workers' seconds end at different moments
		all = append(all, t.perStep[s.Second-n]...)
	}
	s.Latency, _ = merged(secondsDigits, all...)
	return s
}

// between is the latency of the seconds from..to, to not included.
func (t *team) between(from, to int) Histogram {
	t.mu.Lock()
	defer t.mu.Unlock()
	var all []Histogram
	for i := from; i < to; i++ {
		all = append(all, t.perStep[i]...)
	}
	h, _ := merged(secondsDigits, all...)
	return h
}

// runProcess runs p in a process of its own.
func runProcess(ctx context.Context, p Profile, note func(Progress)) (*Result, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(self, workerRole)
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	stop := context.AfterFunc(ctx, func() { _ = stdin.Close() })
	defer stop()
	var result *Result
	err = json.NewEncoder(stdin).Encode(p)
	for d := json.NewDecoder(out); err == nil && result == nil; {
		var l line
		if err = d.Decode(&l); err == nil && l.Progress != nil {
			note(*l.Progress)
		}
		result = l.Result
	}
	_ = stdin.Close()
	if err != nil {
		_ = cmd.Process.Kill()
	}
	if werr := cmd.Wait(); err == nil {
		err = werr
	}
	if err != nil {
		return nil, fmt.Errorf("worker %d: %w", p.Index, err)
	}
	return result, nil
}
