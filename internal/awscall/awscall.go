// Package awscall is how Symphony calls AWS: with time-outs, and a few times, quickly,
// with full jitter, because a person is waiting.
package awscall

import (
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
)

const (
	// Attempts is how often one call is made.
	Attempts = 4
	// firstBackoff and maxBackoff bound the pause between two attempts. The
	// SDK's own begin at a second, which suits batch jobs.
	firstBackoff = 25 * time.Millisecond
	maxBackoff   = 500 * time.Millisecond
)

// New returns a retryer that makes a call Attempts times, and also repeats
// those that fail with one of codes.
func New(codes ...string) aws.Retryer {
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts = Attempts
		o.Backoff = retry.BackoffDelayerFunc(backoff)
		o.Retryables = append([]retry.IsErrorRetryable{retryableCodes(codes)}, retryables...)
		// The SDK's quota would stop a process that serves many rooms (the
		// local stack) from repeating calls of one because others fail.
		// Attempts and the context bound them already.
		o.RateLimiter = ratelimit.None
	})
}

func retryableCodes(codes []string) retry.IsErrorRetryable {
	set := map[string]struct{}{}
	for _, code := range codes {
		set[code] = struct{}{}
	}
	return retry.RetryableErrorCode{Codes: set}
}

// backoff is full jitter
// (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/);
// attempt counts from 1.
func backoff(attempt int, _ error) (time.Duration, error) {
	most := maxBackoff
	if attempt < 5 {
		most = min(most, firstBackoff<<attempt)
	}
	return rand.N(most), nil
}

// retryables is what the SDK takes for passing; answers that break off in
// their body, which it does not; and 429 whatever its code.
var retryables = append([]retry.IsErrorRetryable{
	retry.IsErrorRetryableFunc(brokenAnswer),
	retry.IsErrorRetryableFunc(tooManyRequests),
}, retry.DefaultRetryables...)

func brokenAnswer(err error) aws.Ternary {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return aws.TrueTernary
	}
	return aws.UnknownTernary
}

func tooManyRequests(err error) aws.Ternary {
	var res *awshttp.ResponseError
	if errors.As(err, &res) && res.HTTPStatusCode() == http.StatusTooManyRequests {
		return aws.TrueTernary
	}
	return aws.UnknownTernary
}

// MayPass says whether the call that returned err may work when it is made
// again. It may also have had its effect already.
func MayPass(err error) bool {
	return retry.IsErrorRetryables(retryables).IsErrorRetryable(err) == aws.TrueTernary
}

// HTTPClient returns cfg's HTTP client as with configures it, when it is the
// SDK's own (which is what the default configuration has too), else as it is.
func HTTPClient(cfg aws.Config, with func(*awshttp.BuildableClient) *awshttp.BuildableClient) aws.HTTPClient {
	switch c := cfg.HTTPClient.(type) {
	case nil:
		return with(awshttp.NewBuildableClient())
	case *awshttp.BuildableClient:
		return with(c)
	default:
		return c
	}
}
