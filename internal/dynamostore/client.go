package dynamostore

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

const (
	// attemptTimeout ends one HTTP attempt. DynamoDB answers in single-digit
	// milliseconds; an attempt that takes a second will not come back, and
	// there is time for others before an integration's 29 s are over.
	attemptTimeout = 3 * time.Second
	// sdkAttempts is how often the SDK tries one call; the store's own loops
	// (append, unprocessed items) come on top.
	sdkAttempts = 4
	// maxBackoff bounds the pause between the SDK's attempts: longer only
	// helps batch jobs, and a person is waiting.
	maxBackoff = 500 * time.Millisecond
)

// NewClient returns a client with time-outs and jittered retries that suit a
// function with a person waiting. cfg brings region, credentials, endpoint and,
// if set, the HTTP client.
func NewClient(cfg aws.Config, options ...func(*dynamodb.Options)) *dynamodb.Client {
	defaults := func(o *dynamodb.Options) {
		o.Retryer = retry.NewStandard(func(r *retry.StandardOptions) {
			r.MaxAttempts = sdkAttempts
			r.MaxBackoff = maxBackoff
		})
		if cfg.HTTPClient == nil {
			o.HTTPClient = awshttp.NewBuildableClient().WithTimeout(attemptTimeout)
		}
	}
	return dynamodb.NewFromConfig(cfg, append([]func(*dynamodb.Options){defaults}, options...)...)
}
