package loadtest

import (
	_ "embed"
	"fmt"
	"html/template"
	"maps"
	"math"
	"os"
	"slices"
	"strings"
)

// The report is one HTML file that needs nothing else: the plots are SVG made
// here.

//go:embed report.html
var reportPage string

var reportTemplate = template.Must(template.New("report").Parse(reportPage))

// plot is one diagram over the seconds of the run.
type plot struct {
	Title, Unit string
	Lines       []plotLine
	Max         float64
	Seconds     int
}

type plotLine struct {
	Name   string
	Color  template.CSS
	Points string
}

const (
	plotWidth  = 860
	plotHeight = 180
)

// colors are the page's, for light and for dark.
var colors = []template.CSS{"var(--c0)", "var(--c1)", "var(--c2)", "var(--c3)"}

// series is a line before it is drawn; NaN leaves a point out.
type series struct {
	name   string
	values []float64
}

func draw(title, unit string, all ...series) plot {
	p := plot{Title: title, Unit: unit}
	for _, s := range all {
		p.Seconds = max(p.Seconds, len(s.values))
		for _, v := range s.values {
			if !math.IsNaN(v) {
				p.Max = max(p.Max, v)
			}
		}
	}
	p.Max = niceCeiling(p.Max)
	for i, s := range all {
		var points strings.Builder
		for x, v := range s.values {
			if !math.IsNaN(v) {
				fmt.Fprintf(&points, "%.1f,%.1f ", float64(x)/float64(max(1, p.Seconds-1))*plotWidth, plotHeight-v/p.Max*plotHeight)
			}
		}
		p.Lines = append(p.Lines, plotLine{s.name, colors[i%len(colors)], points.String()})
	}
	return p
}

// niceCeiling is the next number that looks well on an axis.
func niceCeiling(v float64) float64 {
	if v <= 0 {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, f := range []float64{1, 2, 2.5, 5, 10} {
		if v <= f*unit {
			return f * unit
		}
	}
	return 10 * unit
}

// plots are the diagrams of a result.
func plots(r *Result) []plot {
	n := len(r.Seconds)
	p50, p99, top := make([]float64, n), make([]float64, n), make([]float64, n)
	edits, deliveries, presence := make([]float64, n), make([]float64, n), make([]float64, n)
	for i, s := range r.Seconds {
		p50[i], p99[i], top[i] = math.NaN(), math.NaN(), math.NaN()
		if s.Latency.Count > 0 {
			p50[i], p99[i], top[i] = s.Latency.P50, s.Latency.P99, s.Latency.Max
		}
		edits[i], deliveries[i], presence[i] = float64(s.Edits), float64(s.Deliveries), float64(s.Presence)
	}
	cpu, memory, connected := make([]float64, 0, n), make([]float64, 0, n), make([]float64, 0, n)
	for i, s := range r.Server.Samples {
		load := 0.0
		if i > 0 && s.At > r.Server.Samples[i-1].At {
			load = (s.CPU - r.Server.Samples[i-1].CPU) / (s.At - r.Server.Samples[i-1].At) * 100
		}
		cpu, memory = append(cpu, load), append(memory, float64(s.RSS)/(1<<20))
		connected = append(connected, float64(s.Connected))
	}
	return []plot{
		draw("Latency from an edit to each receiver", "ms", series{"p50", p50}, series{"p99", p99}, series{"max", top}),
		draw("Throughput", "a second", series{"deliveries", deliveries}, series{"presence delivered", presence}, series{"edits", edits}),
		draw("Connections", "", series{"connected", connected}),
		draw("Server CPU", "% of one CPU", series{"CPU", cpu}),
		draw("Server memory", "MB", series{"resident", memory}),
		draw("AWS calls per edit, presence and checkpoints included", "", callsPerEdit(r)...),
	}
}

// awsCalls are the lines of that plot: what is billed, by the ports' calls.
var awsCalls = []struct {
	name  string
	calls []string
}{
	{"reads of the table", []string{"member admit", "member list", "meta get", "log read", "log tail"}},
	{"writes to the table", []string{"log append", "meta swap", "member add", "member update", "member remove"}},
	{"posts and disconnects", []string{"post", "disconnect"}},
	{"S3 and fan-out", []string{"snapshot put", "snapshot get", "snapshot delete", "snapshot list", "snapshot archive", "fan-out"}},
}

// callsWindow is the seconds that one point of it covers.
const callsWindow = 5

func callsPerEdit(r *Result) []series {
	all := make([]series, len(awsCalls))
	samples := r.Server.Samples
	for line, kind := range awsCalls {
		all[line].name = kind.name
		for i := range samples {
			v := math.NaN()
			if i >= callsWindow && samples[i-callsWindow].Calls != nil && samples[i].Edits > samples[i-callsWindow].Edits {
				before := samples[i-callsWindow]
				var n int64
				for _, name := range kind.calls {
					n += samples[i].Calls[name] - before.Calls[name]
				}
				v = float64(n) / float64(samples[i].Edits-before.Edits)
			}
			all[line].values = append(all[line].values, v)
		}
	}
	return all
}

type reportCall struct {
	Name    string
	Calls   float64
	PerEdit float64
}

func writeReport(path string, r *Result) error {
	var text strings.Builder
	r.print(&text)
	var calls []reportCall
	for _, name := range slices.Sorted(maps.Keys(r.Server.Calls)) {
		calls = append(calls, reportCall{name, r.Server.Calls[name], r.Server.Calls[name] / float64(max(1, r.Edits))})
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	err = reportTemplate.Execute(f, map[string]any{
		"R": r, "Text": text.String(), "Plots": plots(r), "Calls": calls, "Bill": billing(&r.Profile),
		"Width": plotWidth, "Height": plotHeight, "Problems": r.problems(0),
	})
	if cerr := f.Close(); err == nil {
		err = cerr
	}
	return err
}
