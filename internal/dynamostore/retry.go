package dynamostore

import (
	"context"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"

	"github.com/symphony-rt/symphony/internal/room"
)

const (
	// callTimeout bounds one call of the store whose context has no deadline.
	// An integration has 29 s (https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html).
	callTimeout = 25 * time.Second
	// maxFailures is how many attempts of a conditional write may fail in a row
	// (other calls leave that to the SDK): two seconds of throttling.
	maxFailures = 8
	// firstPause is the mean pause after the first lost race, about one
	// write's time; each further one doubles it, up to maxPause.
	firstPause = 10 * time.Millisecond
	maxPause   = 400 * time.Millisecond
	// nonceBytes makes two nonces equal once in 2^96.
	nonceBytes = 12
)

// within returns ctx ending Reserve before its deadline, or after callTimeout
// when it has none.
func (s *Store) within(ctx context.Context) (context.Context, context.CancelFunc) {
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithDeadline(ctx, deadline.Add(-s.opts.Reserve))
	}
	return context.WithTimeout(ctx, callTimeout)
}

// dice shares one source of randomness among goroutines.
type dice struct {
	mu     sync.Mutex
	random io.Reader
}

func (d *dice) bytes(b []byte) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	_, err := io.ReadFull(d.random, b)
	return err
}

// nonce returns a random name of [A-Za-z0-9_-].
func (d *dice) nonce() (string, error) {
	var b [nonceBytes]byte
	if err := d.bytes(b[:]); err != nil {
		return "", fmt.Errorf("dynamostore: no randomness: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(b[:]), nil
}

// intn returns a number in [0, n).
func (d *dice) intn(n int64) (int64, error) {
	var b [8]byte
	if err := d.bytes(b[:]); err != nil {
		return 0, fmt.Errorf("dynamostore: no randomness: %w", err)
	}
	return int64(binary.LittleEndian.Uint64(b[:]) % uint64(n)), nil
}

// pause waits with full jitter
// (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/).
// It returns ctx's error when that ends first.
func (s *Store) pause(ctx context.Context, attempt int) error {
	most := maxPause
	if attempt < 6 {
		most = min(most, 2*firstPause<<attempt)
	}
	n, err := s.dice.intn(int64(most))
	if err != nil {
		return err
	}
	t := time.NewTimer(time.Duration(n))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// failed turns an SDK error into the domain's.
func failed(what string, id room.ID, err error) error {
	is := error(room.ErrUnavailable)
	var api smithy.APIError
	var size *types.ItemCollectionSizeLimitExceededException
	if errors.As(err, &size) || errors.As(err, &api) && tooLarge(api) {
		is = room.ErrTooLarge
	}
	return fmt.Errorf("dynamostore: %s of room %q: %w: %w", what, id, is, err)
}

// tooLarge recognises "Item size has exceeded the maximum allowed size", which
// has no error code of its own.
func tooLarge(err smithy.APIError) bool {
	return err.ErrorCode() == "ValidationException" && sizeMessage.MatchString(err.ErrorMessage())
}
