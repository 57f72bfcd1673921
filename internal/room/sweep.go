package room

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"
)

// SweepReport says what a sweep did.
type SweepReport struct {
	// Rooms is how many rooms were not clean.
	Rooms int
	// Failed is how many of them could not be checkpointed.
	Failed int
	// Left is how many were not begun because the time was up; the next sweep
	// takes them.
	Left int
	// Lag is the longest that an update waited for the snapshot that covers it,
	// of those that this sweep covered.
	Lag time.Duration
}

// String is for logs.
func (r SweepReport) String() string {
	return fmt.Sprintf("%d rooms, %d failed, %d left for the next sweep, lag %s", r.Rooms, r.Failed, r.Left, r.Lag.Round(time.Millisecond))
}

// sweepMargin is how long before ctx's deadline no further room is begun: time
// enough to finish those at work.
const sweepMargin = 10 * time.Second

// Sweep checkpoints every room that is not clean, several at a time, until all
// are done or ctx's deadline is near. One room's failure does not keep the
// others waiting; the error joins those of all. Two sweeps at once are harmless.
func (s *Service) Sweep(ctx context.Context) (SweepReport, error) {
	rooms, err := s.unclean(ctx)
	report := SweepReport{Rooms: len(rooms)}
	if err != nil {
		return report, err
	}
	var mu sync.Mutex
	var errs []error
	var wg sync.WaitGroup
	todo := make(chan ID)
	for range min(s.concurrency, len(rooms)) {
		wg.Go(func() {
			for room := range todo {
				lag, err := s.checkpoint(ctx, room)
				mu.Lock()
				report.Lag = max(report.Lag, lag)
				if err != nil {
					errs = append(errs, err)
				}
				mu.Unlock()
			}
		})
	}
	for i, room := range rooms {
		if s.timeIsUp(ctx) {
			report.Left = len(rooms) - i
			break
		}
		todo <- room
	}
	close(todo)
	wg.Wait()
	report.Failed = len(errs)
	return report, errors.Join(errs...)
}

// unclean returns the rooms that are not clean, each once, beginning anywhere:
// when there are more than a sweep has time for, it is not always the same ones
// that are left.
func (s *Service) unclean(ctx context.Context) ([]ID, error) {
	var rooms []ID
	seen := map[ID]bool{}
	err := s.Metas.Unclean(ctx, func(room ID) error {
		if !seen[room] {
			seen[room] = true
			rooms = append(rooms, room)
		}
		return nil
	})
	if err != nil || len(rooms) == 0 {
		return nil, err
	}
	start := s.pickAt(len(rooms))
	return append(rooms[start:len(rooms):len(rooms)], rooms[:start]...), nil
}

// timeIsUp says whether ctx has ended or is about to.
func (s *Service) timeIsUp(ctx context.Context) bool {
	if ctx.Err() != nil {
		return true
	}
	deadline, ok := ctx.Deadline()
	return ok && deadline.Sub(s.Clock.Now()) < sweepMargin
}
