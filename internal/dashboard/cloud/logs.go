package cloud

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudwatchlogs"

	"github.com/symphony-rt/symphony/internal/dashboard"
)

const (
	// lookBack is how old lines may be that are shown first.
	lookBack = 15 * time.Minute
	// overlap is read again each time: lines come into CloudWatch late and out of
	// order. The page knows those it has by their id.
	overlap = 15 * time.Second
	// logPages bounds the calls a group's reading takes.
	logPages = 3
)

var levels = []string{"debug", "info", "warn", "error"}

// Logs implements dashboard.Source.
func (s *Source) Logs(ctx context.Context, q dashboard.LogQuery) (dashboard.LogPage, error) {
	now := s.Clock.Now()
	from := now.Add(-lookBack)
	if q.After != "" {
		ms, err := strconv.ParseInt(q.After, 10, 64)
		if err != nil {
			return dashboard.LogPage{}, fmt.Errorf("%w: after is what next was", dashboard.ErrQuery)
		}
		from = time.UnixMilli(ms)
	}
	page := dashboard.LogPage{Lines: []dashboard.LogLine{}, Next: strconv.FormatInt(now.Add(-overlap).UnixMilli(), 10)}
	for _, name := range s.FunctionNames {
		if q.Function != "" && q.Function != name {
			continue
		}
		more, err := s.group(ctx, name, from, &page)
		if err != nil {
			return dashboard.LogPage{}, err
		}
		page.Missed = page.Missed || more
	}
	text, least := strings.ToLower(q.Text), slices.Index(levels, q.Level)
	page.Lines = slices.DeleteFunc(page.Lines, func(l dashboard.LogLine) bool {
		return slices.Index(levels, l.Level) < least || !strings.Contains(strings.ToLower(l.Text+" "+l.Fields), text)
	})
	slices.SortStableFunc(page.Lines, func(a, b dashboard.LogLine) int { return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.ID, b.ID)) })
	page.Lines = page.Lines[max(0, len(page.Lines)-q.Limit):]
	return page, nil
}

// group reads one function's log; more says that there was more than is read.
func (s *Source) group(ctx context.Context, name string, from time.Time, page *dashboard.LogPage) (more bool, err error) {
	in := &cloudwatchlogs.FilterLogEventsInput{LogGroupName: aws.String("/aws/lambda/" + s.Prefix + "-" + name), StartTime: aws.Int64(from.UnixMilli())}
	for range logPages {
		out, err := s.Options.Logs.FilterLogEvents(ctx, in)
		if err != nil {
			return false, fmt.Errorf("dashboard: the log of %s: %w", name, err)
		}
		for _, e := range out.Events {
			page.Lines = append(page.Lines, line(aws.ToString(e.EventId), name, aws.ToInt64(e.Timestamp), aws.ToString(e.Message)))
		}
		if out.NextToken == nil {
			return false, nil
		}
		in.NextToken = out.NextToken
	}
	return true, nil
}

// line reads a line as log/slog or Lambda writes it; any other is its own text.
func line(id, function string, at int64, message string) dashboard.LogLine {
	l := dashboard.LogLine{ID: id, At: time.UnixMilli(at).UTC(), Level: "info", Function: function, Text: strings.TrimSpace(message)}
	var fields map[string]any
	if json.Unmarshal([]byte(message), &fields) != nil {
		return l
	}
	take := func(names ...string) string {
		for _, n := range names {
			if v, ok := fields[n].(string); ok {
				delete(fields, n)
				return v
			}
		}
		return ""
	}
	if level := strings.ToLower(take("level")); slices.Contains(levels, level) {
		l.Level = level
	}
	if text := take("msg", "message", "type"); text != "" {
		l.Text = text
	} else if _, metric := fields["_aws"]; metric {
		l.Text = "metrics"
		delete(fields, "_aws")
	}
	take("time")
	var rest []string
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		b, err := json.Marshal(fields[name])
		if err == nil {
			rest = append(rest, name+"="+string(b))
		}
	}
	l.Fields = strings.Join(rest, " ")
	return l
}
