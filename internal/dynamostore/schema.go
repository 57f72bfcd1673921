package dynamostore

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/symphony-rt/symphony/internal/layout"
)

// Schema is the table: on demand, its stream with both images, the sparse index
// of rooms to checkpoint and the index of the room directory. The
// infrastructure is tested to be the same.
func Schema(table string) *dynamodb.CreateTableInput {
	attribute := func(name string, t types.ScalarAttributeType) types.AttributeDefinition {
		return types.AttributeDefinition{AttributeName: aws.String(name), AttributeType: t}
	}
	return &dynamodb.CreateTableInput{
		TableName:   aws.String(table),
		BillingMode: types.BillingModePayPerRequest,
		AttributeDefinitions: []types.AttributeDefinition{
			attribute(layout.PartitionAttribute, types.ScalarAttributeTypeS),
			attribute(layout.SortAttribute, types.ScalarAttributeTypeS),
			attribute(layout.DirtyAttribute, types.ScalarAttributeTypeS),
			attribute(layout.ActiveAttribute, types.ScalarAttributeTypeS),
			attribute(layout.LastActiveAttribute, types.ScalarAttributeTypeN),
		},
		KeySchema: keySchema(layout.PartitionAttribute, layout.SortAttribute),
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{
			{
				IndexName:  aws.String(layout.DirtyIndex),
				KeySchema:  keySchema(layout.DirtyAttribute, layout.PartitionAttribute),
				Projection: &types.Projection{ProjectionType: types.ProjectionTypeKeysOnly},
			},
			{
				IndexName:  aws.String(layout.ActiveIndex),
				KeySchema:  keySchema(layout.ActiveAttribute, layout.LastActiveAttribute),
				Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
			},
		},
		StreamSpecification: &types.StreamSpecification{
			StreamEnabled:  aws.Bool(true),
			StreamViewType: types.StreamViewTypeNewAndOldImages,
		},
	}
}

func keySchema(hash, sort string) []types.KeySchemaElement {
	return []types.KeySchemaElement{
		{AttributeName: aws.String(hash), KeyType: types.KeyTypeHash},
		{AttributeName: aws.String(sort), KeyType: types.KeyTypeRange},
	}
}

// tableTimeout bounds the wait for a new table; AWS makes one in seconds.
const tableTimeout = 5 * time.Minute

// EnsureTable creates the table if there is none, waits until it is active and
// turns its TTL on. Doing it again, or from two places at once, is no error.
func EnsureTable(ctx context.Context, db *dynamodb.Client, table string) error {
	_, err := db.CreateTable(ctx, Schema(table), patient)
	var inUse *types.ResourceInUseException
	if err != nil && !errors.As(err, &inUse) {
		return fmt.Errorf("dynamostore: create table %s: %w", table, err)
	}
	name := &dynamodb.DescribeTableInput{TableName: aws.String(table)}
	if err := dynamodb.NewTableExistsWaiter(db, fastWaiter).Wait(ctx, name, tableTimeout); err != nil {
		return fmt.Errorf("dynamostore: table %s: %w", table, err)
	}
	return ensureTTL(ctx, db, table)
}

// createTimeout ends one attempt to create the table: an engine that starts
// with its first request takes many seconds.
const createTimeout = time.Minute

func patient(o *dynamodb.Options) {
	if c, ok := o.HTTPClient.(*awshttp.BuildableClient); ok {
		o.HTTPClient = c.WithTimeout(createTimeout)
	}
}

func fastWaiter(o *dynamodb.TableExistsWaiterOptions) {
	o.MinDelay, o.MaxDelay = 100*time.Millisecond, 2*time.Second
}

func ensureTTL(ctx context.Context, db *dynamodb.Client, table string) error {
	on, err := hasTTL(ctx, db, table)
	if err != nil || on {
		return err
	}
	_, err = db.UpdateTimeToLive(ctx, &dynamodb.UpdateTimeToLiveInput{
		TableName: aws.String(table),
		TimeToLiveSpecification: &types.TimeToLiveSpecification{
			AttributeName: aws.String(layout.ExpiresAttribute), Enabled: aws.Bool(true),
		},
	})
	if err == nil {
		return nil
	}
	if on, again := hasTTL(ctx, db, table); again == nil && on {
		return nil // somebody else was faster
	}
	return fmt.Errorf("dynamostore: time to live of %s: %w", table, err)
}

func hasTTL(ctx context.Context, db *dynamodb.Client, table string) (bool, error) {
	res, err := db.DescribeTimeToLive(ctx, &dynamodb.DescribeTimeToLiveInput{TableName: aws.String(table)})
	if err != nil {
		return false, fmt.Errorf("dynamostore: time to live of %s: %w", table, err)
	}
	d := res.TimeToLiveDescription
	return d != nil && (d.TimeToLiveStatus == types.TimeToLiveStatusEnabled || d.TimeToLiveStatus == types.TimeToLiveStatusEnabling), nil
}
