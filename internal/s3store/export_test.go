package s3store

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"
)

// WithPageSize makes lists come in pages of n, as S3's come in pages of 1,000.
func WithPageSize(n int32) func(*s3.Options) {
	return func(o *s3.Options) {
		o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
			return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("pages",
				func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
					if list, ok := in.Parameters.(*s3.ListObjectsV2Input); ok {
						list.MaxKeys = aws.Int32(n)
					}
					return next.HandleInitialize(ctx, in)
				}), middleware.Before)
		})
	}
}
