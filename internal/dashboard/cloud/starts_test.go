package cloud

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	logtypes "github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"
	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/config"
	"github.com/symphony-rt/symphony/internal/dashboard/series"
)

// Cold starts are the lines that instances log, each counted once, in the window
// that is asked for, however many pages it takes and however late a line comes.
func TestColdStarts(t *testing.T) {
	s, f, c := newSource(t)
	const group = "/aws/lambda/symphony-dev-message"
	var text strings.Builder
	slog.New(slog.NewJSONHandler(&text, nil)).Info(config.LogStarted)
	started := text.String()
	put := func(ago time.Duration, message string) {
		id := fmt.Sprint(len(f.events[group]))
		f.events[group] = append(f.events[group], logtypes.FilteredLogEvent{EventId: &id, Timestamp: aws.Int64(c.now.Add(-ago).UnixMilli()), Message: &message})
	}
	cold := func(w series.Window) (n any, why string) {
		r, err := s.Functions(t.Context(), w)
		require.NoError(t, err)
		if p := r.Functions[0].ColdStarts; p != nil {
			n = *p
		}
		return n, r.Why["coldStarts"]
	}
	put(6*24*time.Hour, started)
	put(3*time.Hour, started)
	put(20*time.Minute, started)
	put(10*time.Minute, `{"msg":"fine","of":"instance started"}`)
	put(time.Minute, started)
	n, why := cold(series.Hour)
	require.EqualValues(t, 2.0, n)
	require.Empty(t, why)
	n, _ = cold(series.Day)
	require.EqualValues(t, 3.0, n)
	n, _ = cold(series.Week)
	require.EqualValues(t, 4.0, n)
	calls := f.logCalls
	n, _ = cold(series.Hour)
	require.EqualValues(t, 2.0, n)
	require.Equal(t, calls, f.logCalls, "a count serves for half a minute")

	put(10*time.Second, started) // a line that comes late: its time was read already
	c.now = c.now.Add(startsFresh)
	n, _ = cold(series.Hour)
	require.EqualValues(t, 3.0, n)
	c.now = c.now.Add(45 * time.Minute)
	n, _ = cold(series.Hour)
	require.EqualValues(t, 2.0, n, "one is older than an hour now")

	f.err = errors.New("throttled")
	c.now = c.now.Add(startsFresh)
	n, why = cold(series.Hour)
	require.Nil(t, n, "not known is not zero")
	require.Contains(t, why, "throttled")
	f.err = nil
	n, _ = cold(series.Hour)
	require.EqualValues(t, 2.0, n)
}

// A long log is read on at the next question instead of all at once.
func TestColdStartsOfALongLog(t *testing.T) {
	s, f, c := newSource(t)
	f.perPage = 1
	for i := range 2*startPages + 1 {
		id, message := fmt.Sprint(i), `{"msg":"instance started"}`
		f.events["/aws/lambda/symphony-dev-stream"] = append(f.events["/aws/lambda/symphony-dev-stream"],
			logtypes.FilteredLogEvent{EventId: &id, Timestamp: aws.Int64(c.now.Add(-time.Minute).UnixMilli()), Message: &message})
	}
	for range 2 {
		r, err := s.Functions(t.Context(), series.Hour)
		require.NoError(t, err)
		require.Nil(t, r.Functions[1].ColdStarts)
		require.Contains(t, r.Why["coldStarts"], "still being read")
	}
	r, err := s.Functions(t.Context(), series.Hour)
	require.NoError(t, err)
	require.EqualValues(t, 2*startPages+1, *r.Functions[1].ColdStarts)
	require.Equal(t, 2*startPages+1, f.logCalls-1, "and one of the other function, which has no log")
}
