package awstest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/dynamostore"
	"github.com/symphony-rt/symphony/internal/s3store"
)

// NewTable creates a table as a deployment has it, under a name of its own.
func NewTable(tb testing.TB, s Stack) string {
	tb.Helper()
	table := name("symphony")
	require.NoError(tb, dynamostore.EnsureTable(tb.Context(), dynamostore.NewClient(Config(s.DynamoDB)), table))
	return table
}

// NewBucket creates a bucket under a name of its own.
func NewBucket(tb testing.TB, s Stack) string {
	tb.Helper()
	bucket := name("symphony")
	require.NoError(tb, s3store.EnsureBucket(tb.Context(), s3store.NewClient(Config(s.S3), true), bucket))
	return bucket
}

// NewObjects returns a store in a bucket of its own.
func NewObjects(tb testing.TB, s Stack) *s3store.Store {
	tb.Helper()
	return s3store.New(s3store.NewClient(Config(s.S3), true), NewBucket(tb, s), s3store.Options{})
}
