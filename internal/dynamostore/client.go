package dynamostore

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/symphony-rt/symphony/internal/awscall"
)

// attemptTimeout ends one HTTP attempt. DynamoDB answers in single-digit
// milliseconds; an attempt that takes seconds will not come back, and there is
// time for others before an integration's 29 s are over.
const attemptTimeout = 3 * time.Second

// NewClient returns a client with time-outs and jittered retries that suit a
// function with a person waiting. cfg brings region, credentials, endpoint and,
// if set, the HTTP client.
func NewClient(cfg aws.Config, options ...func(*dynamodb.Options)) *dynamodb.Client {
	defaults := func(o *dynamodb.Options) {
		o.Retryer = awscall.New()
		o.HTTPClient = awscall.HTTPClient(cfg, func(c *awshttp.BuildableClient) *awshttp.BuildableClient {
			return c.WithTimeout(attemptTimeout)
		})
	}
	return dynamodb.NewFromConfig(cfg, append([]func(*dynamodb.Options){defaults}, options...)...)
}
