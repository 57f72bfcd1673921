package handler

import (
	"context"
	"encoding/json"
	"errors"
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

// Rule is the schedule's switch. An idle deployment runs nothing (N9), so the
// rule is on only while rooms are not clean: the stream function enables it
// when a room becomes dirty, and Checkpoint disables it when none is left.
type Rule interface {
	Enable(ctx context.Context) error
	Disable(ctx context.Context) error
}

// CheckpointOptions are what a Checkpoint can be given; zero values are good.
type CheckpointOptions struct {
	// Rule is nil when the schedule always runs, as it does on a laptop.
	Rule Rule
	// Lag is told the longest that an update waited for its snapshot, after each
	// sweep that found rooms; nil tells nobody.
	Lag func(lag time.Duration) error
	// Wait pauses between two sweeps of one event; nil means a timer.
	Wait func(ctx context.Context, d time.Duration) error
}

// Checkpoint serves the schedule.
type Checkpoint struct {
	sweeper Sweeper
	CheckpointOptions
	log *slog.Logger
}

// NewCheckpoint returns the handler.
func NewCheckpoint(s Sweeper, o CheckpointOptions, log *slog.Logger) *Checkpoint {
	if o.Wait == nil {
		o.Wait = pause
	}
	return &Checkpoint{sweeper: s, CheckpointOptions: o, log: log}
}

const (
	// maxSweeps bounds what one event may ask for.
	maxSweeps = 10
	// indexLag is how long a room that became dirty may be missing from the
	// index a sweep reads: a DynamoDB index is eventually consistent, usually
	// within a second.
	indexLag = 5 * time.Second
)

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
	idle := false
	for i := range p.Sweeps {
		if i > 0 {
			if err := c.Wait(ctx, time.Duration(p.EverySeconds)*time.Second); err != nil {
				return errors.Join(failed, err)
			}
		}
		var err error
		if idle, err = c.sweep(ctx); err != nil {
			failed = err
		}
	}
	if idle && c.Rule != nil {
		failed = errors.Join(failed, c.rest(ctx))
	}
	return failed
}

// sweep says whether every room was clean.
func (c *Checkpoint) sweep(ctx context.Context) (idle bool, err error) {
	report, err := c.sweeper.Sweep(ctx)
	if err != nil {
		c.log.Error("checkpoint sweep", "report", report, "error", err)
		return false, err
	}
	c.log.Info("checkpoint sweep", "report", report)
	if c.Lag != nil && report.Rooms > 0 {
		if err := c.Lag(report.Lag); err != nil {
			c.log.Error("checkpoint lag metric", "error", err)
		}
	}
	return report.Rooms == 0, nil
}

// rest turns the schedule off, and on again if a room turns out to have become
// dirty meanwhile. The stream function may have enabled the rule for that room
// just before it was disabled here, so after the index's lag it is looked for
// once more; a room that becomes dirty later is reported later, and enables the
// rule after this.
func (c *Checkpoint) rest(ctx context.Context) error {
	if err := c.Rule.Disable(ctx); err != nil {
		return err
	}
	// Whatever goes wrong from here on, a schedule that runs for nothing is
	// better than one that does not run.
	err := c.Wait(ctx, indexLag)
	if err == nil {
		var idle bool
		if idle, err = c.sweep(ctx); idle {
			return nil
		}
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), indexLag)
	defer cancel()
	return errors.Join(err, c.Rule.Enable(ctx))
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
