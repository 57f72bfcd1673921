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
	// Left is how many were not begun because the time was up, or were cut off
	// because ctx was cancelled; the next sweep takes them.
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
	cutOff := 0
	todo := make(chan ID)
	for range min(s.concurrency, len(rooms)) {
		wg.Go(func() {
			for room := range todo {
				lag, err := s.checkpoint(Unhurried(ctx), room)
				mu.Lock()
				report.Lag = max(report.Lag, lag)
				switch {
				case err == nil:
				case errors.Is(ctx.Err(), context.Canceled):
					cutOff++
				default:
					errs = append(errs, err)
				}
				mu.Unlock()
			}
		})
	}
	pace := newPace(s.sweepSpread, len(rooms))
	for i, room := range rooms {
		pace.wait(ctx, i)
		if s.timeIsUp(ctx) {
			report.Left = len(rooms) - i
			break
		}
		todo <- room
	}
	close(todo)
	wg.Wait()
	report.Failed = len(errs)
	report.Left += cutOff
	return report, errors.Join(errs...)
}

// longestSlot is the most time that a room gets of a sweep's spread: a few
// rooms are not kept waiting.
const longestSlot = 10 * time.Millisecond

// pace spreads the beginnings of rooms over time: room i begins at its slot, or
// at once when the sweep is behind.
type pace struct {
	began time.Time
	slot  time.Duration
}

func newPace(spread time.Duration, rooms int) pace {
	return pace{time.Now(), min(spread/time.Duration(max(rooms, 1)), longestSlot)}
}

// wait returns when room i may begin, or when ctx ends.
func (p pace) wait(ctx context.Context, i int) {
	rest := time.Until(p.began.Add(p.slot * time.Duration(i)))
	if p.slot == 0 || rest <= 0 {
		return
	}
	timer := time.NewTimer(rest)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	}
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
