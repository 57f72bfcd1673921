package room

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/yjs"
)

// split cuts an update into pieces that fit a message. ErrTooLarge when one
// value in it is larger than that; see checkDeliverable.
func split(update []byte, limit int) ([][]byte, error) {
	pieces, err := yjs.Split(update, limit)
	if errors.Is(err, yjs.ErrTooLarge) {
		return nil, fmt.Errorf("%w: %w", ErrTooLarge, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return pieces, nil
}

// rangeFrames encodes pieces as one range. Only the last says "no more": until
// a client has it, the client's number stays where it was, so a piece that was
// lost is asked for again.
func rangeFrames(after, through Seq, pieces [][]byte) [][]byte {
	frames := make([][]byte, len(pieces))
	for i, p := range pieces {
		frames[i] = protocol.EncodeFrame(&protocol.Range{
			After: uint64(after), Through: uint64(through), More: i < len(pieces)-1, Update: p,
		})
	}
	return frames
}

const (
	// longAnswer is how many frames may come faster than a connection takes
	// them: some 3 MB.
	longAnswer = 32
	// deliverPatience is how long the posts of a long answer may be held up in
	// all: about half of what a function has.
	deliverPatience = 15 * time.Second
	// deliverWait is the first wait before a post is tried again.
	deliverWait = 20 * time.Millisecond
)

// deliver posts frames to the sender of the message being answered, ahead of
// the route response, which travels once the function has returned. The order
// is kept: a post has been answered when the next one goes out. The first
// failure ends it, because what follows would claim to be complete; in a long
// answer only after some patience, because the gateway refuses posts (429) that
// come faster than the client reads.
func (s *Service) deliver(ctx context.Context, v *visit, frames ...[]byte) error {
	var patience time.Duration
	if len(frames) >= longAnswer {
		patience = deliverPatience
	}
	for _, frame := range frames {
		for wait := deliverWait; ; wait *= 2 {
			failures := s.Sender.Post(ctx, []ConnectionID{v.Member.Connection}, frame)
			if len(failures) == 0 {
				break
			}
			err := failures[0].Err
			if wait > patience || errors.Is(err, ErrGone) || errors.Is(err, ErrTooLarge) || pause(ctx, wait) != nil {
				return fmt.Errorf("%w: answering in several posts: %w", ErrUnavailable, err)
			}
			patience -= wait
		}
	}
	return nil
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
