package loadtest

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	hdr "github.com/HdrHistogram/hdrhistogram-go"
)

// Result is what a run found out. Results of several workers or machines add up
// with no loss of precision: histograms are kept whole.
type Result struct {
	Profile Profile
	// Started is when the command began; Machine what it ran on.
	Started time.Time
	Machine Machine

	// Receivers were connected at the end; Absent users were not.
	Receivers, Absent                          int64
	Connects, Reconnects, Disconnects          int64
	Edits, Acknowledged, Unacknowledged        int64
	Delivered, CaughtUp, Lost                  int64
	Duplicates, StoredTwice                    int64
	Repeats, Reordered                         int64
	PresenceSent, PresenceDelivered            int64
	Errors                                     map[string]int64
	Latency, AckLatency, ConnectLatency, Later Histogram
	Late                                       LateJoiners
	Seconds                                    []Second
	Server                                     Server
	// Saturation is there after --saturate.
	Saturation *Saturation `json:",omitempty"`
}

// LateJoiners are fresh users of a sample of rooms, at the end.
type LateJoiners struct {
	Joined, Complete, Missing int64
	Latency                   Histogram
}

// Second is one second of the run, from its start.
type Second struct {
	Edits, Deliveries, Presence int64
	Latency                     Histogram
}

// Machine is where the generator ran.
type Machine struct {
	CPUs       int
	GoVersion  string
	OS         string
	LoadBefore string `json:",omitempty"`
}

// Histogram is an HDR histogram of microseconds in its compressed encoding
// (base64), with the quantiles that people ask for.
type Histogram struct {
	Data []byte `json:",omitempty"`
	// The quantiles are in milliseconds.
	Count                          int64
	P50, P95, P99, P999, Max, Mean float64
}

func encode(h *hdr.Histogram) Histogram {
	if h == nil || h.TotalCount() == 0 {
		return Histogram{}
	}
	data, err := h.Encode(hdr.V2CompressedEncodingCookieBase)
	if err != nil {
		data = nil // the quantiles stand
	}
	ms := func(q float64) float64 { return float64(h.ValueAtQuantile(q)) / 1000 }
	return Histogram{
		Data: data, Count: h.TotalCount(), P50: ms(50), P95: ms(95), P99: ms(99), P999: ms(99.9),
		Max: float64(h.Max()) / 1000, Mean: h.Mean() / 1000,
	}
}

// merged adds histograms up.
func merged(digits int, all ...Histogram) (Histogram, error) {
	sum := newHistogram(digits)
	for _, h := range all {
		if h.Count == 0 {
			continue
		}
		one, err := hdr.Decode(h.Data)
		if err != nil {
			return Histogram{}, fmt.Errorf("loadtest: a histogram: %w", err)
		}
		sum.Merge(one)
	}
	return encode(sum), nil
}

// collect puts the worker's counters into its result.
func (g *generator) collect(r *Result) {
	c := g.count
	r.Profile = g.p
	r.Connects, r.Reconnects, r.Disconnects = c.connects.Load(), c.reconnects.Load(), c.disconnects.Load()
	r.Edits, r.Acknowledged = c.edits.Load(), c.acked.Load()
	r.Delivered, r.CaughtUp = c.delivered.Load(), c.caughtUp.Load()
	r.Duplicates, r.StoredTwice, r.Repeats, r.Reordered = c.duplicates.Load(), c.storedTwice.Load(), c.repeats.Load(), c.reordered.Load()
	r.PresenceSent, r.PresenceDelivered = c.presenceSent.Load(), c.presenceDelivered.Load()
	c.mu.Lock()
	defer c.mu.Unlock()
	r.Errors = c.errors
	r.Latency, r.AckLatency, r.ConnectLatency, r.Later = encode(c.latency), encode(c.acks), encode(c.dials), encode(c.lag)
	for _, s := range c.seconds {
		r.Seconds = append(r.Seconds, Second{Edits: s.edits, Deliveries: s.deliveries, Presence: s.presence, Latency: encode(s.latency)})
	}
}

// mergeResults adds up the results of one run's workers.
func mergeResults(all []*Result) (*Result, error) {
	if len(all) == 0 {
		return nil, errors.New("loadtest: no results")
	}
	sum := &Result{Profile: all[0].Profile, Started: all[0].Started, Machine: all[0].Machine, Server: all[0].Server, Saturation: all[0].Saturation, Errors: map[string]int64{}}
	sum.Profile.Index, sum.Profile.Of = 0, 1
	for _, r := range all {
		if r.Profile.Run != sum.Profile.Run {
			return nil, fmt.Errorf("loadtest: results of different runs, %q and %q", r.Profile.Run, sum.Profile.Run)
		}
		sum.add(r)
	}
	pick := func(f func(*Result) Histogram) []Histogram {
		var hs []Histogram
		for _, r := range all {
			hs = append(hs, f(r))
		}
		return hs
	}
	var errs [5]error
	sum.Latency, errs[0] = merged(runDigits, pick(func(r *Result) Histogram { return r.Latency })...)
	sum.AckLatency, errs[1] = merged(runDigits, pick(func(r *Result) Histogram { return r.AckLatency })...)
	sum.ConnectLatency, errs[2] = merged(runDigits, pick(func(r *Result) Histogram { return r.ConnectLatency })...)
	sum.Later, errs[3] = merged(runDigits, pick(func(r *Result) Histogram { return r.Later })...)
	sum.Late.Latency, errs[4] = merged(runDigits, pick(func(r *Result) Histogram { return r.Late.Latency })...)
	if err := errors.Join(errs[:]...); err != nil {
		return nil, err
	}
	return sum, sum.addSeconds(all)
}

func (r *Result) add(o *Result) {
	for _, f := range []struct{ to, from *int64 }{
		{&r.Receivers, &o.Receivers}, {&r.Absent, &o.Absent}, {&r.Connects, &o.Connects}, {&r.Reconnects, &o.Reconnects},
		{&r.Disconnects, &o.Disconnects}, {&r.Edits, &o.Edits}, {&r.Acknowledged, &o.Acknowledged},
		{&r.Unacknowledged, &o.Unacknowledged}, {&r.Delivered, &o.Delivered}, {&r.CaughtUp, &o.CaughtUp}, {&r.Lost, &o.Lost},
		{&r.Duplicates, &o.Duplicates}, {&r.StoredTwice, &o.StoredTwice}, {&r.Repeats, &o.Repeats}, {&r.Reordered, &o.Reordered},
		{&r.PresenceSent, &o.PresenceSent}, {&r.PresenceDelivered, &o.PresenceDelivered},
		{&r.Late.Joined, &o.Late.Joined}, {&r.Late.Complete, &o.Late.Complete}, {&r.Late.Missing, &o.Late.Missing},
	} {
		*f.to += *f.from
	}
	for what, n := range o.Errors {
		r.Errors[what] += n
	}
}

func (r *Result) addSeconds(all []*Result) error {
	longest := slices.MaxFunc(all, func(a, b *Result) int { return len(a.Seconds) - len(b.Seconds) })
	for i := range longest.Seconds {
		var s Second
		var hs []Histogram
		for _, o := range all {
			if i < len(o.Seconds) {
				s.Edits += o.Seconds[i].Edits
				s.Deliveries += o.Seconds[i].Deliveries
				s.Presence += o.Seconds[i].Presence
				hs = append(hs, o.Seconds[i].Latency)
			}
		}
		var err error
		if s.Latency, err = merged(secondsDigits, hs...); err != nil {
			return err
		}
		r.Seconds = append(r.Seconds, s)
	}
	return nil
}

// problems is why a run is not good enough, empty when it is.
func (r *Result) problems(maxP99 time.Duration) (list []string) {
	say := func(n int64, what string) {
		if n != 0 {
			list = append(list, fmt.Sprintf("%d %s", n, what))
		}
	}
	say(r.Lost, "edits lost")
	say(r.Duplicates, "duplicates")
	say(r.Unacknowledged, "edits never acknowledged")
	say(r.Absent, "users not connected at the end")
	say(r.Late.Joined-r.Late.Complete, "late joiners incomplete")
	if r.Edits == 0 && (r.Profile.EditEvery > 0 || r.Profile.Arrival == ArrivalReplay) {
		list = append(list, "no edits at all")
	}
	if p := time.Duration(r.Latency.P99 * float64(time.Millisecond)); maxP99 > 0 && p > maxP99 {
		list = append(list, fmt.Sprintf("p99 of %s is over %s", p, maxP99))
	}
	return list
}

// print says the result in words.
func (r *Result) print(out io.Writer) {
	p := &r.Profile
	fmt.Fprintf(out, "\n%s: %d users in %d rooms of %d, %s\n\n", p.Target, p.Users, p.Rooms(), p.RoomSize, p.Duration)
	fmt.Fprintf(out, "  connected      %d at the end, %d absent; %d reconnects\n", r.Receivers, r.Absent, r.Reconnects)
	fmt.Fprintf(out, "  edits          %d sent, %d acknowledged, %d never\n", r.Edits, r.Acknowledged, r.Unacknowledged)
	fmt.Fprintf(out, "  deliveries     %d (%d of them in a catch-up), %d lost, %d duplicates, %d of edits stored twice, %d out of order\n",
		r.Delivered, r.CaughtUp, r.Lost, r.Duplicates, r.StoredTwice, r.Reordered)
	fmt.Fprintf(out, "  presence       %d sent, %d delivered\n", r.PresenceSent, r.PresenceDelivered)
	fmt.Fprintf(out, "  late joiners   %d of %d have everything\n\n", r.Late.Complete, r.Late.Joined)
	fmt.Fprintf(out, "  ms             %9s %9s %9s %9s %9s\n", "p50", "p95", "p99", "p99.9", "max")
	for _, row := range []struct {
		name string
		h    Histogram
	}{{"edit to receiver", r.Latency}, {"edit to ack", r.AckLatency}, {"connect+sync", r.ConnectLatency}, {"late join", r.Late.Latency}, {"generator late", r.Later}} {
		if row.h.Count > 0 {
			fmt.Fprintf(out, "  %-16s %7.1f %9.1f %9.1f %9.1f %9.1f\n", row.name, row.h.P50, row.h.P95, row.h.P99, row.h.P999, row.h.Max)
		}
	}
	r.Server.print(out, r)
	if s := r.Saturation; s != nil {
		fmt.Fprintf(out, "\n  saturation     %.0f deliveries/s sustained with p99 %.0f ms; the next rate passed %s\n", s.Deliveries, s.P99, s.Limit)
	}
	for what, n := range r.Errors {
		fmt.Fprintf(out, "  error          %d × %s\n", n, what)
	}
}

func (r *Result) write(path string) error {
	b, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return err
	}
	return os.WriteFile(path, append(b, '\n'), 0o644)
}

// mergeFiles is --merge.
func mergeFiles(o options, out io.Writer) error {
	var all []*Result
	for _, name := range o.files {
		b, err := os.ReadFile(name)
		if err != nil {
			return err
		}
		r := &Result{}
		if err := json.Unmarshal(b, r); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		all = append(all, r)
	}
	sum, err := mergeResults(all)
	if err != nil {
		return err
	}
	return finish(o, sum, out)
}
