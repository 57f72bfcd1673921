package compose

import (
	"context"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/symphony-rt/symphony/internal/handler"
	"github.com/symphony-rt/symphony/internal/room"
)

// wakeInterval is how long the schedule is taken to be still on after it was
// turned on. The checkpoint that turns it off looks for rooms once more, five
// seconds later (handler.Checkpoint); a room that became dirty within these two
// has three to get into the index it looks in.
const wakeInterval = 2 * time.Second

// waker turns the schedule on when the stream says that a room is no longer
// clean, before it hands the batch on. An error makes Lambda deliver the batch
// again.
type waker struct {
	rule   handler.Rule
	change func(events.DynamoDBEventRecord) (room.Change, error)
	next   func(context.Context, events.DynamoDBEvent) (events.DynamoDBEventResponse, error)
	now    func() time.Time

	mu   sync.Mutex
	last time.Time
}

// Handle serves the table's stream.
func (w *waker) Handle(ctx context.Context, event events.DynamoDBEvent) (events.DynamoDBEventResponse, error) {
	for _, record := range event.Records {
		if c, err := w.change(record); err == nil && dirtied(c) {
			if err := w.wake(ctx); err != nil {
				return events.DynamoDBEventResponse{}, err
			}
			break
		}
	}
	return w.next(ctx, event)
}

// dirtied says whether a change took a room out of Clean.
func dirtied(c room.Change) bool {
	m := c.Meta
	return m.New != nil && m.New.State != room.Clean && (m.Old == nil || m.Old.State == room.Clean)
}

func (w *waker) wake(ctx context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.now()
	if !w.last.IsZero() && now.Sub(w.last) < wakeInterval {
		return nil
	}
	if err := w.rule.Enable(ctx); err != nil {
		return err
	}
	w.last = now
	return nil
}
