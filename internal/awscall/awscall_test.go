package awscall

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/stretchr/testify/require"
)

func status(code int) error {
	return &awshttp.ResponseError{ResponseError: &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: code}}, Err: errors.New("x"),
	}}
}

func TestMayPass(t *testing.T) {
	code := func(s string) error { return &smithy.GenericAPIError{Code: s} }
	for _, err := range []error{
		status(429), status(500), status(503), code("ThrottlingException"), code("ProvisionedThroughputExceededException"),
		code("LimitExceededException"), fmt.Errorf("read: %w", io.ErrUnexpectedEOF), &smithyhttp.RequestSendError{Err: errors.New("reset")},
	} {
		require.True(t, MayPass(err), "%v", err)
	}
	for _, err := range []error{
		nil, status(400), status(410), code("ValidationException"), code("AccessDeniedException"), context.Canceled,
	} {
		require.False(t, MayPass(err), "%v", err)
	}
}

func TestBackoffIsBounded(t *testing.T) {
	for attempt := 1; attempt < 70; attempt++ {
		d, err := backoff(attempt, nil)
		require.NoError(t, err)
		require.GreaterOrEqual(t, d, 0*maxBackoff)
		require.Less(t, d, maxBackoff)
	}
}

// TestHTTPClient: the default configuration brings the SDK's client with it,
// which has no time-out of its own.
func TestHTTPClient(t *testing.T) {
	cfg, err := config.LoadDefaultConfig(t.Context(), config.WithRegion("us-east-1"))
	require.NoError(t, err)
	with := func(c *awshttp.BuildableClient) *awshttp.BuildableClient { return c.WithTimeout(time.Second) }
	for _, cfg := range []aws.Config{cfg, {}} {
		require.Equal(t, time.Second, HTTPClient(cfg, with).(*awshttp.BuildableClient).GetTimeout())
	}
	own := &http.Client{}
	require.Same(t, own, HTTPClient(aws.Config{HTTPClient: own}, with))
}
