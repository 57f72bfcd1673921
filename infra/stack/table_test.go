package stack_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/dynamostore"
	"github.com/symphony-rt/symphony/internal/layout"
)

// The table is the one the store is tested on, and what only AWS has besides.
func TestTableIsTheStoresSchema(t *testing.T) {
	for name := range contexts {
		d := deployed(t, name)
		require.Len(t, d.all("AWS::DynamoDB::Table"), 1)
		p := d.one(t, "AWS::DynamoDB::Table", "Table").Properties
		want := dynamostore.Schema(d.stack.Options.Name())
		require.Equal(t, *want.TableName, p["TableName"])
		require.EqualValues(t, want.BillingMode, p["BillingMode"])
		require.Equal(t, keys(want.KeySchema), p["KeySchema"])
		require.EqualValues(t, want.StreamSpecification.StreamViewType, dig(t, p, "StreamSpecification", "StreamViewType"))
		var attributes []any
		for _, a := range want.AttributeDefinitions {
			attributes = append(attributes, map[string]any{"AttributeName": *a.AttributeName, "AttributeType": string(a.AttributeType)})
		}
		require.ElementsMatch(t, attributes, p["AttributeDefinitions"])
		var indexes []any
		for _, g := range want.GlobalSecondaryIndexes {
			indexes = append(indexes, map[string]any{
				"IndexName": *g.IndexName, "KeySchema": keys(g.KeySchema),
				"Projection": map[string]any{"ProjectionType": string(g.Projection.ProjectionType)},
			})
		}
		require.Len(t, indexes, 2)
		require.ElementsMatch(t, indexes, p["GlobalSecondaryIndexes"])
		require.Equal(t, map[string]any{"AttributeName": layout.ExpiresAttribute, "Enabled": true}, p["TimeToLiveSpecification"])
		require.Equal(t, true, dig(t, p, "PointInTimeRecoverySpecification", "PointInTimeRecoveryEnabled"))
		require.Nil(t, p["ProvisionedThroughput"])
	}
}

func keys(schema []types.KeySchemaElement) []any {
	var list []any
	for _, k := range schema {
		list = append(list, map[string]any{"AttributeName": *k.AttributeName, "KeyType": string(k.KeyType)})
	}
	return list
}
