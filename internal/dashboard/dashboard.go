// Package dashboard serves the page of `symphony dashboard` and the figures it
// shows, to this machine only. Where the figures come from is behind the ports
// of ports.go: the local stack measures itself (package probe), a deployment is
// read from CloudWatch (package cloud), and both know their rooms from the room
// directory that the change feed keeps.
//
// A figure that is not measured is absent, and Info.Why says why: nothing here
// turns into a zero for want of an answer.
package dashboard

import (
	"time"

	"github.com/symphony-rt/symphony/internal/dashboard/series"
)

// The figures of the overview. Those of a Timing come as two, see series.Lines.
const (
	// KeyRooms, KeyActiveRooms and KeyConnections are levels, from the room
	// directory; KeyUpdates is how many edits it has ever counted.
	KeyRooms       = "rooms"
	KeyActiveRooms = "activeRooms"
	KeyConnections = "connections"
	KeyUpdates     = "updates"
	// KeyEdits and KeyPresence are messages a second.
	KeyEdits    = "edits"
	KeyPresence = "presence"
	// KeyLatency is how long a message takes from its arrival at the gateway to
	// the last member it is posted to, in milliseconds.
	KeyLatency = "latency"
	// KeyErrors and KeyThrottles are events: a second in a series, in the last
	// hour as a figure.
	KeyErrors    = "errors"
	KeyThrottles = "throttles"
	// KeyLag is the longest an edit waited for its checkpoint, in seconds.
	KeyLag = "checkpointLag"
	// KeyCost is dollars: an hour in a series and as a figure. KeyCostTotal is
	// the sum since Info.CostSince.
	KeyCost      = "cost"
	KeyCostTotal = "costTotal"
)

// The keys of KeyLatency's quantiles.
const (
	KeyLatencyP50 = KeyLatency + "P50"
	KeyLatencyP99 = KeyLatency + "P99"
)

// Kinds of deployment.
const (
	KindLocal = "local"
	KindCloud = "cloud"
)

// Info is what does not change while the dashboard runs.
type Info struct {
	// Kind is KindLocal or KindCloud; Stage, Store and Version name the
	// deployment for people.
	Kind    string `json:"kind"`
	Stage   string `json:"stage"`
	Store   string `json:"store"`
	Version string `json:"version"`
	// Socket is where clients connect, for the empty page's advice.
	Socket string `json:"socket,omitempty"`
	// Started is when this dashboard began.
	Started time.Time `json:"started"`
	// Every is how often the figures are taken.
	Every time.Duration `json:"-"`
	// Changes says whether rooms may be changed; Why what is not measured here,
	// and why, by key; Notes what a figure means here, by key.
	Changes bool              `json:"changes"`
	Why     map[string]string `json:"why"`
	Notes   map[string]string `json:"notes"`
}

// Figures are the values of now, by key. What is not known is absent.
type Figures map[string]float64

// Function is what one function did in a window. Absent figures are nil.
type Function struct {
	Name        string   `json:"name"`
	Invocations *float64 `json:"invocations"`
	Errors      *float64 `json:"errors"`
	ColdStarts  *float64 `json:"coldStarts"`
	// P50 and P99 are how long it ran, in milliseconds.
	P50 *float64 `json:"p50"`
	P99 *float64 `json:"p99"`
	// Rate is invocations a second over the window; NaN where unknown.
	Rate []float64 `json:"-"`
}

// FunctionReport is all functions in a window.
type FunctionReport struct {
	From      time.Time
	Step      time.Duration
	Functions []Function
	// Why says why a figure is absent this time, by key, like Info.Why.
	Why map[string]string
}

// LogQuery asks for lines of the log.
type LogQuery struct {
	// After is the Next of the page before; "" asks for the latest.
	After string
	// Text is what the line contains, whatever its case; Function and Level
	// limit to one function and to a level and above.
	Text, Function, Level string
	Limit                 int
}

// LogLine is one.
type LogLine struct {
	ID       string    `json:"id"`
	At       time.Time `json:"at"`
	Level    string    `json:"level"`
	Function string    `json:"function,omitempty"`
	Text     string    `json:"text"`
	// Fields is the rest of the line, name=value.
	Fields string `json:"fields,omitempty"`
}

// LogPage is lines, the oldest first.
type LogPage struct {
	Lines []LogLine `json:"lines"`
	Next  string    `json:"next"`
	// Missed says that lines between After and the first are no longer kept.
	Missed bool `json:"missed"`
}

// lines is series.Lines on the wire.
type lines struct {
	From   int64              `json:"from"`
	Step   int64              `json:"step"`
	Values map[string]numbers `json:"values"`
}

func wireLines(l series.Lines) lines {
	w := lines{From: l.From.UnixMilli(), Step: l.Step.Milliseconds(), Values: map[string]numbers{}}
	for key, values := range l.Values {
		w.Values[key] = values
	}
	return w
}
