package local

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/symphony-rt/symphony/internal/gateway"
	"github.com/symphony-rt/symphony/internal/room"
)

// poster is what the gateways, one in this process or many in others, offer. A
// round of posts takes at most postTimeout.
type poster interface {
	PostMany(ctx context.Context, ids []string, data []byte) []error
	Close(ctx context.Context, id string) error
}

// sender is room.Sender over the local gateway.
type sender struct{ posts poster }

const (
	// postTimeout bounds one round of posts to all receivers.
	postTimeout = 10 * time.Second
	// postTries and postPause: a throttled post is tried again after a random
	// time up to postPause times two to the try, as the AWS sender does.
	postTries = 4
	postPause = 25 * time.Millisecond
)

// Post implements room.Sender.
func (s *sender) Post(ctx context.Context, to []room.ConnectionID, frame []byte) []room.Failure {
	ids := make([]string, len(to))
	for i, c := range to {
		ids[i] = string(c)
	}
	var failures []room.Failure
	for try := 1; len(ids) > 0; try++ {
		var again []string
		for i, err := range s.posts.PostMany(ctx, ids, frame) {
			switch {
			case err == nil:
			case errors.Is(err, gateway.ErrLimit) && try < postTries:
				again = append(again, ids[i])
			default:
				failures = append(failures, room.Failure{Connection: room.ConnectionID(ids[i]), Err: sendError(err)})
			}
		}
		if ids = again; len(ids) > 0 {
			pause := rand.N(postPause << try)
			select {
			case <-time.After(pause):
			case <-ctx.Done():
			}
		}
	}
	return failures
}

// Disconnect implements room.Sender.
func (s *sender) Disconnect(ctx context.Context, conn room.ConnectionID) error {
	err := s.posts.Close(ctx, string(conn))
	if err == nil || errors.Is(err, gateway.ErrGone) {
		return nil
	}
	return sendError(err)
}

// sendError turns the gateway's errors into the domain's.
func sendError(err error) error {
	switch {
	case errors.Is(err, gateway.ErrGone):
		return fmt.Errorf("%w: %w", room.ErrGone, err)
	case errors.Is(err, gateway.ErrTooLarge):
		return fmt.Errorf("%w: %w", room.ErrTooLarge, err)
	default:
		return fmt.Errorf("%w: %w", room.ErrUnavailable, err)
	}
}
