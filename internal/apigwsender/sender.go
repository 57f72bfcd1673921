// Package apigwsender posts frames to WebSocket connections through API
// Gateway's management API (@connections). It implements room.Sender.
package apigwsender

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	"github.com/aws/smithy-go"

	"github.com/symphony-rt/symphony/internal/awscall"
	"github.com/symphony-rt/symphony/internal/room"
)

const (
	// DefaultConcurrency is how many posts one invocation makes at a time. A
	// post takes some ten milliseconds: a room of a hundred is served in three
	// rounds, and a function of 128 MB holds as many connections.
	DefaultConcurrency = 32
	// DefaultTimeout is how long one post may take with all its attempts. A
	// receiver that was missed sees the gap and asks, so nobody waits longer.
	DefaultTimeout = 5 * time.Second
	// attemptTimeout ends one HTTP attempt.
	attemptTimeout = 2 * time.Second
	// DefaultReserve is how long before the context's deadline posting stops,
	// so that the function can still acknowledge.
	DefaultReserve = 500 * time.Millisecond
	// idleTimeout keeps connections open between invocations.
	idleTimeout = 90 * time.Second
)

// Options are what a Sender can be given; zero values mean the defaults.
type Options struct {
	Concurrency int
	Timeout     time.Duration
	Reserve     time.Duration
}

// Sender posts through one API's endpoint. Make one for each process: it keeps
// its HTTP connections open from one invocation to the next. It is safe for
// concurrent use.
type Sender struct {
	api  *apigatewaymanagementapi.Client
	opts Options
}

var _ room.Sender = (*Sender)(nil)

// New returns a sender for the stage at endpoint, as
// https://{api}.execute-api.{region}.amazonaws.com/{stage}. cfg brings region,
// credentials and, if set, the HTTP client.
func New(cfg aws.Config, endpoint string, opts Options) *Sender {
	if opts.Concurrency <= 0 {
		opts.Concurrency = DefaultConcurrency
	}
	if opts.Timeout <= 0 {
		opts.Timeout = DefaultTimeout
	}
	if opts.Reserve <= 0 {
		opts.Reserve = DefaultReserve
	}
	api := apigatewaymanagementapi.NewFromConfig(cfg, func(o *apigatewaymanagementapi.Options) {
		o.BaseEndpoint = aws.String(strings.TrimSuffix(endpoint, "/"))
		o.Retryer = awscall.New()
		o.HTTPClient = awscall.HTTPClient(cfg, func(c *awshttp.BuildableClient) *awshttp.BuildableClient {
			return c.WithTimeout(attemptTimeout).WithTransportOptions(func(t *http.Transport) {
				t.MaxIdleConns, t.MaxIdleConnsPerHost = opts.Concurrency, opts.Concurrency
				t.IdleConnTimeout = idleTimeout
			})
		})
	})
	return &Sender{api: api, opts: opts}
}

// Post implements room.Sender. 429 and 5xx are tried again with jitter, within
// each post's time-out; what is not posted by the end of ctx, less the reserve,
// is reported as ErrUnavailable. A post that was tried again may arrive twice.
func (s *Sender) Post(ctx context.Context, to []room.ConnectionID, frame []byte) []room.Failure {
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-s.opts.Reserve))
		defer cancel()
	}
	errs := make([]error, len(to))
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(s.opts.Concurrency, len(to)) {
		workers.Go(func() {
			for i := range next {
				errs[i] = s.post(ctx, to[i], frame)
			}
		})
	}
	for i := range to {
		next <- i
	}
	close(next)
	workers.Wait()
	var failures []room.Failure
	for i, err := range errs {
		if err != nil {
			failures = append(failures, room.Failure{Connection: to[i], Err: err})
		}
	}
	return failures
}

func (s *Sender) post(ctx context.Context, conn room.ConnectionID, frame []byte) error {
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	_, err := s.api.PostToConnection(ctx, &apigatewaymanagementapi.PostToConnectionInput{
		ConnectionId: aws.String(string(conn)), Data: frame,
	})
	return failed("post to", conn, err)
}

// Disconnect implements room.Sender.
func (s *Sender) Disconnect(ctx context.Context, conn room.ConnectionID) error {
	ctx, cancel := context.WithTimeout(ctx, s.opts.Timeout)
	defer cancel()
	_, err := s.api.DeleteConnection(ctx, &apigatewaymanagementapi.DeleteConnectionInput{ConnectionId: aws.String(string(conn))})
	if err = failed("disconnect", conn, err); errors.Is(err, room.ErrGone) {
		return nil
	}
	return err
}

// failed turns the management API's answer into the domain's error
// (https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-how-to-call-websocket-api-connections.html).
func failed(what string, conn room.ConnectionID, err error) error {
	if err == nil {
		return nil
	}
	is := error(room.ErrUnavailable)
	var status *awshttp.ResponseError
	if errors.As(err, &status) {
		switch status.HTTPStatusCode() {
		case http.StatusGone:
			is = room.ErrGone
		case http.StatusRequestEntityTooLarge:
			is = room.ErrTooLarge
		case http.StatusBadRequest:
			if isNoConnection(err) {
				is = room.ErrGone
			}
		}
	}
	return fmt.Errorf("apigwsender: %s %q: %w: %w", what, conn, is, err)
}

// isNoConnection recognises 400 "Invalid connectionId: ...": an id the gateway
// never gave to anybody.
func isNoConnection(err error) bool {
	var api smithy.APIError
	return errors.As(err, &api) && strings.Contains(strings.ToLower(api.ErrorMessage()), "connectionid")
}
