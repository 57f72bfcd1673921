package directory_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/directory"
	"github.com/symphony-rt/symphony/internal/room"
)

func TestMetricsAreEmbeddedMetricFormat(t *testing.T) {
	var out strings.Builder
	m := directory.NewMetrics(&out, "table")
	require.NoError(t, m.Write(time.UnixMilli(5), directory.Counts{}))
	require.Empty(t, out.String(), "nothing to tell")

	var n directory.Counts
	n.Add(room.Change{Update: room.Images[room.UpdateImage]{New: &room.UpdateImage{Size: 7}}})
	n.Add(room.Change{Update: room.Images[room.UpdateImage]{Old: &room.UpdateImage{Size: 7}}})
	n.Add(room.Change{Member: room.Images[room.Member]{New: &room.Member{}}})
	n.Add(room.Change{Member: room.Images[room.Member]{Old: &room.Member{}, New: &room.Member{}}})
	n.Add(room.Change{Member: room.Images[room.Member]{Old: &room.Member{}}})
	n.Add(room.Change{Meta: room.Images[room.Meta]{New: &room.Meta{Snapshot: room.SnapshotRef{Key: "a"}}}})
	n.Add(room.Change{Meta: room.Images[room.Meta]{Old: &room.Meta{}, New: &room.Meta{State: room.Dirty}}})
	require.Equal(t, directory.Counts{Updates: 1, UpdateBytes: 7, Connects: 1, Disconnects: 1, Checkpoints: 1}, n)
	require.NoError(t, m.Write(time.UnixMilli(1700000000123), n))
	require.Equal(t, 1, strings.Count(out.String(), "\n"), "one line")

	var line struct {
		AWS struct {
			Timestamp         int64
			CloudWatchMetrics []struct {
				Namespace  string
				Dimensions [][]string
				Metrics    []struct{ Name, Unit string }
			}
		} `json:"_aws"`
	}
	var values map[string]any
	require.NoError(t, json.Unmarshal([]byte(out.String()), &line))
	require.NoError(t, json.Unmarshal([]byte(out.String()), &values))
	require.EqualValues(t, 1700000000123, line.AWS.Timestamp)
	directive := line.AWS.CloudWatchMetrics[0]
	require.Equal(t, directory.Namespace, directive.Namespace)
	// Every dimension and metric that is announced has a value on the line.
	for _, d := range directive.Dimensions[0] {
		require.Equal(t, "table", values[d])
	}
	require.Len(t, directive.Metrics, 8)
	for _, metric := range directive.Metrics {
		require.IsType(t, 0.0, values[metric.Name], metric.Name)
		require.Contains(t, []string{"Count", "Bytes"}, metric.Unit)
	}
	require.EqualValues(t, 7, values[directory.MetricUpdateBytes])
}
