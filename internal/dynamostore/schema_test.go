package dynamostore_test

import (
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/awstest"
	"github.com/symphony-rt/symphony/internal/dynamostore"
	"github.com/symphony-rt/symphony/internal/layout"
)

func TestEnsureTableIsIdempotent(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	db := dynamostore.NewClient(awstest.Config(f.stack.DynamoDB))
	table := f.table + "-ensured"
	var wg sync.WaitGroup
	errs := make([]error, 4)
	for i := range errs {
		wg.Go(func() { errs[i] = dynamostore.EnsureTable(t.Context(), db, table) })
	}
	wg.Wait()
	for _, err := range append(errs, dynamostore.EnsureTable(t.Context(), db, table)) {
		require.NoError(t, err)
	}
	res, err := db.DescribeTable(t.Context(), &dynamodb.DescribeTableInput{TableName: &table})
	require.NoError(t, err)
	require.Equal(t, types.StreamViewTypeNewAndOldImages, res.Table.StreamSpecification.StreamViewType)
	var indexes []string
	for _, index := range res.Table.GlobalSecondaryIndexes {
		indexes = append(indexes, aws.ToString(index.IndexName))
	}
	require.ElementsMatch(t, []string{layout.DirtyIndex, layout.ActiveIndex}, indexes)
	ttl, err := db.DescribeTimeToLive(t.Context(), &dynamodb.DescribeTimeToLiveInput{TableName: &table})
	require.NoError(t, err)
	require.Equal(t, layout.ExpiresAttribute, aws.ToString(ttl.TimeToLiveDescription.AttributeName))
}
