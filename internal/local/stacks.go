package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
)

// engines are the endpoints of a DynamoDB and an S3 that are not this process.
type engines struct {
	dynamodb, s3 string
	stack, why   string
}

// server is what a backend needs to know of the server in front of it.
type server struct {
	// posts reaches connections from this process, base from any other.
	posts poster
	base  string
	// meter counts the calls to the ports; nil when nobody asks.
	meter *meter
	// watch measures for the dashboard; nil when there is none.
	watch *watch
}

// openBackend opens what --stack says, or the best that is there. progress gets
// lines for a person who waits.
func openBackend(ctx context.Context, o options, s server, progress io.Writer, log *slog.Logger) (*backend, error) {
	e, why, err := chooseEngines(ctx, o, progress)
	if err != nil {
		return nil, err
	}
	if e != nil {
		return onEngines(ctx, o, s, *e, log)
	}
	if o.functions == functionsProcess {
		return nil, errors.New("--functions process runs the very files that are deployed, which speak to DynamoDB and S3. " +
			"It wants LocalStack (make local STACK=localstack FUNCTIONS=process), or --dynamodb-endpoint and --s3-endpoint")
	}
	return embedded(ctx, o, s, why, log)
}

// chooseEngines returns nil for the embedded store, and why.
func chooseEngines(ctx context.Context, o options, progress io.Writer) (*engines, string, error) {
	switch {
	case o.dynamodb != "":
		return &engines{o.dynamodb, o.s3, "engines", "--dynamodb-endpoint and --s3-endpoint say so"}, "", nil
	case o.memory:
		return nil, "--memory", nil
	case o.stack == stackEmbedded:
		return nil, "STACK=embedded", nil
	}
	l := localStack{endpoint: localStackEndpoint(), progress: progress}
	found, err := l.find(ctx)
	if err == nil {
		return &engines{l.endpoint, l.endpoint, stackLocalStack, found}, "", nil
	}
	if o.stack == stackLocalStack {
		return nil, "", fmt.Errorf("STACK=localstack, but %w", err)
	}
	return nil, "needs nothing but this process (" + err.Error() + ")", nil
}
