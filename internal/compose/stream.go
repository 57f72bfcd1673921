package compose

import (
	"context"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/symphony-rt/symphony/internal/config"
	"github.com/symphony-rt/symphony/internal/directory"
	"github.com/symphony-rt/symphony/internal/dynamodirectory"
	"github.com/symphony-rt/symphony/internal/dynamostore"
)

// StreamHandler serves the table's stream.
type StreamHandler interface {
	Handle(ctx context.Context, event events.DynamoDBEvent) (events.DynamoDBEventResponse, error)
}

// Stream returns the handler of the table's stream. Metrics go to standard
// output, from where CloudWatch takes them; the log goes to standard error.
func Stream() (StreamHandler, error) {
	e, err := Start(config.NeedStore)
	if err != nil {
		return nil, err
	}
	store := dynamodirectory.New(dynamostore.NewClient(e.AWS), e.Config.Table, Clock{})
	metrics := directory.NewMetrics(os.Stdout, e.Config.Table)
	stream := dynamodirectory.NewStream(dynamostore.Change, directory.NewKeeper(store), metrics, Clock{}, e.Log)
	if rule := e.Rule(); rule != nil {
		return &waker{rule: rule, change: dynamostore.Change, next: stream.Handle, now: time.Now}, nil
	}
	return stream, nil
}
