package local

import (
	"context"
	"encoding/json"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/symphony-rt/symphony/internal/pebblestore"
)

// invoker runs a function by name with JSON bytes in and out, as AWS does.
type invoker interface {
	Invoke(ctx context.Context, function string, payload []byte) ([]byte, error)
}

// sweepSpread is over how long the sweep of a local checkpoint spreads its rooms.
// The next sweep begins so much earlier than a checkpoint is due, for a room may
// be first in one sweep and last in the next (P24).
func sweepSpread(checkpoint time.Duration) time.Duration {
	return min(pebblestore.SweepSpread, checkpoint*2/5)
}

// schedule invokes the checkpoint function every interval, as EventBridge
// would, one at a time, until ctx ends.
func schedule(ctx context.Context, functions invoker, every time.Duration, log *slog.Logger) {
	ticker := time.NewTicker(every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case now := <-ticker.C:
			if err := checkpointOnce(ctx, functions, now, every); err != nil && ctx.Err() == nil {
				log.Error("checkpoint", "error", err)
			}
		}
	}
}

// minCheckpointTime is the time-out of a sweep when they come often.
const minCheckpointTime = 30 * time.Second

func checkpointOnce(ctx context.Context, functions invoker, now time.Time, every time.Duration) error {
	event, err := json.Marshal(events.CloudWatchEvent{
		Version: "0", DetailType: "Scheduled Event", Source: "aws.events", Time: now.UTC(), Detail: json.RawMessage(`{}`),
	})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, max(every, minCheckpointTime))
	defer cancel()
	_, err = functions.Invoke(ctx, "checkpoint", event)
	return err
}
