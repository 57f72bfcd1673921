package directory

import (
	"encoding/json"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/symphony-rt/symphony/internal/room"
)

// Namespace is that of the metrics in CloudWatch.
const Namespace = "Symphony"

// The metrics. The infrastructure's alarms and the dashboard name them.
const (
	MetricUpdates     = "Updates"
	MetricUpdateBytes = "UpdateBytes"
	MetricConnects    = "Connects"
	MetricDisconnects = "Disconnects"
	MetricCheckpoints = "Checkpoints"
	MetricSkipped     = "SkippedRecords"
	// MetricRooms and MetricActiveRooms are by how many more, or fewer, rooms there
	// are, and rooms that somebody is in: their sums are lines of both.
	MetricRooms       = "RoomsChange"
	MetricActiveRooms = "ActiveRoomsChange"
	// MetricPresence counts messages, by the functions that handled them.
	MetricPresence = "Presence"
	// MetricCheckpointLag is in seconds, one value a sweep that found rooms.
	MetricCheckpointLag = "CheckpointLag"
)

// Counts are what happened in some changes.
type Counts struct {
	Updates, UpdateBytes, Connects, Disconnects, Checkpoints int64
	// Rooms and ActiveRooms are by how much their numbers changed.
	Rooms, ActiveRooms int64
	// Skipped counts records that could not be read.
	Skipped int64
}

// Add counts one change.
func (n *Counts) Add(c room.Change) {
	if c.Update.New != nil && c.Update.Old == nil {
		n.Updates++
		n.UpdateBytes += int64(c.Update.New.Size)
	}
	if c.Member.New != nil && c.Member.Old == nil {
		n.Connects++
	}
	if c.Member.Old != nil && c.Member.New == nil {
		n.Disconnects++
	}
	if c.Meta.New != nil && c.Meta.New.Snapshot.Key != "" && (c.Meta.Old == nil || c.Meta.Old.Snapshot.Key != c.Meta.New.Snapshot.Key) {
		n.Checkpoints++
	}
}

// Metrics writes counts as lines of CloudWatch's embedded metric format, which
// a function's log turns into metrics without a call:
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
// It is safe for concurrent use.
type Metrics struct {
	mu    sync.Mutex
	out   io.Writer
	table string
}

// NewMetrics returns metrics written to out (a function's standard output),
// for the deployment with this table, which is their one dimension.
func NewMetrics(out io.Writer, table string) *Metrics { return &Metrics{out: out, table: table} }

type metricUnit struct {
	Name string
	Unit string
}

// Write writes one line, or none when there is nothing to tell.
func (m *Metrics) Write(at time.Time, n Counts) error {
	if n == (Counts{}) {
		return nil
	}
	return m.line(at, []metricUnit{
		{MetricUpdates, "Count"}, {MetricUpdateBytes, "Bytes"}, {MetricConnects, "Count"},
		{MetricDisconnects, "Count"}, {MetricCheckpoints, "Count"}, {MetricSkipped, "Count"},
		{MetricRooms, "Count"}, {MetricActiveRooms, "Count"},
	}, map[string]any{
		MetricUpdates:     n.Updates,
		MetricUpdateBytes: n.UpdateBytes,
		MetricConnects:    n.Connects,
		MetricDisconnects: n.Disconnects,
		MetricCheckpoints: n.Checkpoints,
		MetricSkipped:     n.Skipped,
		MetricRooms:       n.Rooms,
		MetricActiveRooms: n.ActiveRooms,
	})
}

// WritePresence writes a number of messages.
func (m *Metrics) WritePresence(at time.Time, messages int64) error {
	return m.line(at, []metricUnit{{MetricPresence, "Count"}}, map[string]any{MetricPresence: messages})
}

// WriteCheckpointLag writes the longest that an update waited in a sweep.
func (m *Metrics) WriteCheckpointLag(at time.Time, lag time.Duration) error {
	return m.line(at, []metricUnit{{MetricCheckpointLag, "Seconds"}}, map[string]any{MetricCheckpointLag: lag.Seconds()})
}

// line writes values with what makes metrics of them.
func (m *Metrics) line(at time.Time, units []metricUnit, values map[string]any) error {
	values["Table"] = m.table
	values["_aws"] = map[string]any{
		"Timestamp": at.UnixMilli(),
		"CloudWatchMetrics": []any{map[string]any{
			"Namespace":  Namespace,
			"Dimensions": [][]string{{"Table"}},
			"Metrics":    units,
		}},
	}
	line, err := json.Marshal(values)
	if err != nil {
		return fmt.Errorf("directory: metrics: %w", err)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := m.out.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("directory: metrics: %w", err)
	}
	return nil
}
