package local

import (
	"context"
	"io"
	"log/slog"
	"net/http"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/symphony-rt/symphony/internal/directory"
	"github.com/symphony-rt/symphony/internal/dynamodirectory"
	"github.com/symphony-rt/symphony/internal/dynamostore"
	"github.com/symphony-rt/symphony/internal/gateway"
	"github.com/symphony-rt/symphony/internal/streamsource"
)

// streamFunction is the stream function's handler for this process. The
// metrics go nowhere: CloudWatch, which would take them from the log, is not here.
func streamFunction(db *dynamodb.Client, log *slog.Logger) gateway.Handler {
	keeper := directory.NewKeeper(dynamodirectory.New(db, localTable, systemClock{}))
	stream := dynamodirectory.NewStream(dynamostore.Change, keeper, directory.NewMetrics(io.Discard, localTable), systemClock{}, log)
	return guarded{gateway.Instances(func() gateway.Handler { return lambda.NewHandler(stream.Handle) }), fnStream, log}
}

// feedStream gives the table's stream to the stream function until the backend
// is closed, as Lambda's event source mapping does.
func (b *backend) feedStream(ctx context.Context, cfg aws.Config, endpoint string, log *slog.Logger) error {
	cfg.BaseEndpoint = &endpoint
	source, err := streamsource.New(ctx, cfg, localTable, func(ctx context.Context, event []byte) ([]byte, error) {
		return b.functions.Invoke(ctx, fnStream, event)
	}, streamsource.Options{Log: log})
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = source.Run(ctx) // ends with ctx, and with nothing else
	}()
	before := b.close
	b.close = func(ctx context.Context) error {
		cancel()
		<-done
		return before(ctx)
	}
	return nil
}

// tableRooms lists the directory that the stream function keeps in the table.
func tableRooms(db *dynamodb.Client) http.Handler {
	store := dynamodirectory.New(db, localTable, systemClock{})
	return serveRooms(func(ctx context.Context) ([]directory.Entry, error) {
		var all []directory.Entry
		for _, active := range []bool{true, false} {
			if err := store.List(ctx, active, func(e directory.Entry) error { all = append(all, e); return nil }); err != nil {
				return nil, err
			}
		}
		return all, nil
	})
}
