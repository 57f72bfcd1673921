// Package lambdafanout hands slices of a large room's broadcast to further
// invocations of a Lambda function. It implements room.Fanout.
package lambdafanout

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"

	"github.com/symphony-rt/symphony/internal/awscall"
	"github.com/symphony-rt/symphony/internal/room"
)

// concurrency is how many invocations are asked for at a time: a room of 10,000
// is 40 slices, two rounds of some 15 ms.
const concurrency = 20

// Fanout invokes one function. It is safe for concurrent use.
type Fanout struct {
	api      *lambda.Client
	function string
}

var _ room.Fanout = (*Fanout)(nil)

// New returns a fan-out over function, by name or ARN.
func New(cfg aws.Config, function string) *Fanout {
	return &Fanout{function: function, api: lambda.NewFromConfig(cfg, func(o *lambda.Options) {
		o.Retryer = awscall.New()
		o.HTTPClient = awscall.HTTPClient(cfg, func(c *awshttp.BuildableClient) *awshttp.BuildableClient {
			return c.WithTransportOptions(func(t *http.Transport) {
				t.MaxIdleConns, t.MaxIdleConnsPerHost = concurrency, concurrency
			})
		})
	})}
}

// Dispatch implements room.Fanout with asynchronous invocations: Lambda has
// queued them when it answers 202
// (https://docs.aws.amazon.com/lambda/latest/api/API_Invoke.html).
func (f *Fanout) Dispatch(ctx context.Context, deliveries []room.Delivery) []error {
	errs := make([]error, len(deliveries))
	next := make(chan int)
	var workers sync.WaitGroup
	for range min(concurrency, len(deliveries)) {
		workers.Go(func() {
			for i := range next {
				errs[i] = f.invoke(ctx, deliveries[i])
			}
		})
	}
	for i := range deliveries {
		next <- i
	}
	close(next)
	workers.Wait()
	return errs
}

func (f *Fanout) invoke(ctx context.Context, d room.Delivery) error {
	payload, err := room.EncodeDelivery(d)
	if err != nil {
		return err
	}
	_, err = f.api.Invoke(ctx, &lambda.InvokeInput{
		FunctionName: aws.String(f.function), InvocationType: types.InvocationTypeEvent, Payload: payload,
	})
	if err == nil {
		return nil
	}
	is := room.ErrUnavailable
	var tooLarge *types.RequestTooLargeException
	if errors.As(err, &tooLarge) {
		is = room.ErrTooLarge
	}
	return fmt.Errorf("lambdafanout: %w: %w", is, err)
}
