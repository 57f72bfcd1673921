package handler

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/symphony-rt/symphony/internal/room"
)

// Sweeper checkpoints every room that changed.
type Sweeper interface {
	Sweep(ctx context.Context) (room.SweepReport, error)
}

// Checkpoint serves the schedule.
type Checkpoint struct {
	sweeper Sweeper
	wait    func(ctx context.Context, d time.Duration) error
	log     *slog.Logger
}

// NewCheckpoint returns the handler. wait pauses between two sweeps of one
// event; nil means a timer.
func NewCheckpoint(s Sweeper, wait func(context.Context, time.Duration) error, log *slog.Logger) *Checkpoint {
	if wait == nil {
		wait = pause
	}
	return &Checkpoint{sweeper: s, wait: wait, log: log}
}

// maxSweeps bounds what one event may ask for.
const maxSweeps = 10

// plan is the detail of the schedule's event. A schedule steps in minutes and
// an edited room is to be checkpointed within 30 s, so a deployment's schedule
// asks for two sweeps 30 s apart; an event without detail gets one.
type plan struct {
	Sweeps       int `json:"sweeps"`
	EverySeconds int `json:"everySeconds"`
}

// Handle runs the event's sweeps. It fails when a sweep did, so that the
// function's error metric and alarm see it; rooms are independent of each other.
func (c *Checkpoint) Handle(ctx context.Context, event events.CloudWatchEvent) error {
	p := plan{Sweeps: 1}
	if len(event.Detail) > 0 {
		if err := json.Unmarshal(event.Detail, &p); err != nil {
			return fmt.Errorf("handler: the schedule's detail: %w", err)
		}
	}
	p.Sweeps = min(max(p.Sweeps, 1), maxSweeps)
	var failed error
	for i := range p.Sweeps {
		if i > 0 {
			if err := c.wait(ctx, time.Duration(p.EverySeconds)*time.Second); err != nil {
				return err
			}
		}
		report, err := c.sweeper.Sweep(ctx)
		if err != nil {
			failed = err
			c.log.Error("checkpoint sweep", "report", report, "error", err)
			continue
		}
		c.log.Info("checkpoint sweep", "report", report)
	}
	return failed
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
