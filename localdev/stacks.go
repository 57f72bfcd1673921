package main

import (
	"context"
	"errors"
	"log/slog"
)

// openBackend opens what --stack says.
func openBackend(ctx context.Context, o options, posts poster, base string, log *slog.Logger) (*backend, error) {
	if o.functions == functionsProcess && o.stack == stackEmbedded {
		return nil, errors.New("--functions process runs the deployed files, which speak to DynamoDB and S3: it wants --stack localstack, or --dynamodb-endpoint and --s3-endpoint")
	}
	return embedded(ctx, o, posts, base, "the default; needs nothing but this process", log)
}
