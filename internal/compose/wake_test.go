package compose

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/room"
)

type fakeRule struct {
	enabled int
	fail    error
}

func (r *fakeRule) Enable(context.Context) error  { r.enabled++; return r.fail }
func (r *fakeRule) Disable(context.Context) error { return errors.New("the stream never turns it off") }

// N9, P24: the schedule runs as soon as a room is dirty, and only then.
func TestStreamWakesTheSchedule(t *testing.T) {
	meta := func(s room.DirtyState) *room.Meta { return &room.Meta{State: s} }
	changes := map[string]room.Change{
		"new room":         {Meta: room.Images[room.Meta]{New: meta(room.Dirty)}},
		"clean to dirty":   {Meta: room.Images[room.Meta]{Old: meta(room.Clean), New: meta(room.Dirty)}},
		"dirty as before":  {Meta: room.Images[room.Meta]{Old: meta(room.Dirty), New: meta(room.Dirty)}},
		"cleaning again":   {Meta: room.Images[room.Meta]{Old: meta(room.Cleaning), New: meta(room.Dirty)}},
		"dirty to clean":   {Meta: room.Images[room.Meta]{Old: meta(room.Cleaning), New: meta(room.Clean)}},
		"deleted":          {Meta: room.Images[room.Meta]{Old: meta(room.Clean)}},
		"an update":        {Update: room.Images[room.UpdateImage]{New: &room.UpdateImage{Seq: 1}}},
		"created as clean": {Meta: room.Images[room.Meta]{New: meta(room.Clean)}},
	}
	now := time.Unix(1_000_000, 0)
	rule, handed := &fakeRule{}, 0
	w := &waker{
		rule: rule, now: func() time.Time { return now },
		change: func(r events.DynamoDBEventRecord) (room.Change, error) {
			c, ok := changes[r.EventID]
			if !ok {
				return c, errors.New("not a room's record")
			}
			return c, nil
		},
		next: func(context.Context, events.DynamoDBEvent) (events.DynamoDBEventResponse, error) {
			handed++
			return events.DynamoDBEventResponse{}, nil
		},
	}
	batch := func(ids ...string) error {
		var e events.DynamoDBEvent
		for _, id := range ids {
			e.Records = append(e.Records, events.DynamoDBEventRecord{EventID: id})
		}
		_, err := w.Handle(t.Context(), e)
		return err
	}
	require.NoError(t, batch("dirty as before", "cleaning again", "dirty to clean", "deleted", "an update", "created as clean", "unreadable"))
	require.Zero(t, rule.enabled)
	require.NoError(t, batch("an update", "new room", "clean to dirty"))
	require.Equal(t, 1, rule.enabled, "once a batch")
	require.NoError(t, batch("clean to dirty"))
	require.Equal(t, 1, rule.enabled, "it was turned on a moment ago")
	now = now.Add(wakeInterval)
	require.NoError(t, batch("clean to dirty"))
	require.Equal(t, 2, rule.enabled)
	require.Equal(t, 4, handed)

	now = now.Add(time.Minute)
	rule.fail = errors.New("throttled")
	require.ErrorIs(t, batch("clean to dirty"), rule.fail)
	require.Equal(t, 4, handed, "Lambda delivers the batch again")
	rule.fail = nil
	require.NoError(t, batch("clean to dirty"))
	require.Equal(t, 4, rule.enabled, "a failed one does not count")
}
