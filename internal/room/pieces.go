package room

import (
	"context"
	"errors"
	"fmt"

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

// deliver posts frames to the sender of the message being answered, ahead of
// the route response, which travels once the function has returned. The order
// is kept: a post has been answered when the next one goes out. The first
// failure ends it, because what follows would claim to be complete.
func (s *Service) deliver(ctx context.Context, v *visit, frames ...[]byte) error {
	for _, frame := range frames {
		if failures := s.Sender.Post(ctx, []ConnectionID{v.Member.Connection}, frame); len(failures) > 0 {
			return fmt.Errorf("%w: answering in several posts: %w", ErrUnavailable, failures[0].Err)
		}
	}
	return nil
}
