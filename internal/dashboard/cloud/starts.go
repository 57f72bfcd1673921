package cloud

import (
	"context"
	"errors"
	"maps"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs/types"

	"github.com/symphony-rt/symphony/internal/config"
	"github.com/symphony-rt/symphony/internal/dashboard"
)

// CloudWatch has no metric of cold starts, and Lambda's REPORT lines, whose Init
// Duration tells of one, are turned off in the stack: at a thousand messages a
// second they would be the larger part of the bill. So each instance logs one
// line when it starts, which is counted here. FilterLogEvents costs nothing by
// itself; a call reads a megabyte of log.

const (
	// startPages bounds the calls a function's count takes at a time. A longer log
	// is read on at the next question; until then its count is not known.
	startPages = 4
	// startsFresh is how old a count may be.
	startsFresh = 30 * time.Second
	// startsKept is the longest window.
	startsKept = 7 * 24 * time.Hour
)

// startPattern matches the line, as log/slog writes it.
// https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/FilterAndPatternSyntax.html
const startPattern = `{ $.msg = "` + config.LogStarted + `" }`

// starts are the starts of a function's instances that are known: all between
// from and until.
type starts struct {
	from, until time.Time
	at          map[string]time.Time // by event id
	reading     *stretch
}

// stretch is a part of a log that is being read.
type stretch struct {
	from, to time.Time
	token    *string
}

// next says what to read so that everything since from is known, or nil.
func (k *starts) next(from, now time.Time) *stretch {
	switch {
	case k.reading != nil:
		return k.reading
	case k.until.IsZero():
		return &stretch{from: from, to: now}
	case from.Before(k.from):
		return &stretch{from: from, to: k.from}
	case now.Sub(k.until) >= startsFresh:
		return &stretch{from: k.until.Add(-overlap), to: now} // lines come late
	}
	return nil
}

// read takes one page of the stretch.
func (s *Source) readStarts(ctx context.Context, name string, k *starts, part *stretch) error {
	out, err := s.Options.Logs.FilterLogEvents(ctx, &cloudwatchlogs.FilterLogEventsInput{
		LogGroupName: aws.String("/aws/lambda/" + s.Prefix + "-" + name), FilterPattern: aws.String(startPattern),
		StartTime: aws.Int64(part.from.UnixMilli()), EndTime: aws.Int64(part.to.UnixMilli()), NextToken: part.token,
	})
	var none *types.ResourceNotFoundException
	if err != nil && !errors.As(err, &none) {
		k.reading = nil // its token may be what is wrong
		return err
	}
	if out != nil {
		for _, e := range out.Events {
			k.at[aws.ToString(e.EventId)] = time.UnixMilli(aws.ToInt64(e.Timestamp))
		}
		if out.NextToken != nil {
			part.token, k.reading = out.NextToken, part
			return nil
		}
	}
	k.reading = nil
	if k.until.IsZero() || part.from.Before(k.from) {
		k.from = part.from
	}
	if part.to.After(k.until) {
		k.until = part.to
	}
	return nil
}

// coldStarts fills in how many instances started since from, and says why where
// that is not known.
func (s *Source) coldStarts(ctx context.Context, from time.Time, rows []dashboard.Function) (problem string) {
	s.startsMu.Lock()
	defer s.startsMu.Unlock()
	now := s.Clock.Now()
	for i := range rows {
		k := s.starts[rows[i].Name]
		if k == nil {
			k = &starts{at: map[string]time.Time{}}
			s.starts[rows[i].Name] = k
		}
		for range startPages {
			part := k.next(from, now)
			if part == nil {
				break
			}
			if err := s.readStarts(ctx, rows[i].Name, k, part); err != nil {
				problem = "The log could not be read: " + err.Error()
				break
			}
		}
		maps.DeleteFunc(k.at, func(_ string, at time.Time) bool { return now.Sub(at) > startsKept+time.Hour })
		if k.next(from, now) != nil {
			if problem == "" {
				problem = "The log of " + rows[i].Name + " is long; it is still being read."
			}
			continue
		}
		n := 0.0
		for _, at := range k.at {
			if !at.Before(from) {
				n++
			}
		}
		rows[i].ColdStarts = &n
	}
	return problem
}
