package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/jsii-runtime-go"

	"github.com/symphony-rt/symphony/internal/layout"
)

// addTable adds the one table of docs/ARCHITECTURE.md, "Data". Names are
// layout's; a test compares the whole with dynamostore.Schema.
func (s *Stack) addTable() {
	attribute := func(name string, t awsdynamodb.AttributeType) *awsdynamodb.Attribute {
		return &awsdynamodb.Attribute{Name: jsii.String(name), Type: t}
	}
	const text, number = awsdynamodb.AttributeType_STRING, awsdynamodb.AttributeType_NUMBER
	s.Table = awsdynamodb.NewTable(s.Root, jsii.String("Table"), &awsdynamodb.TableProps{
		TableName:           jsii.String(s.Options.Name()),
		PartitionKey:        attribute(layout.PartitionAttribute, text),
		SortKey:             attribute(layout.SortAttribute, text),
		BillingMode:         awsdynamodb.BillingMode_PAY_PER_REQUEST,
		Stream:              awsdynamodb.StreamViewType_NEW_AND_OLD_IMAGES,
		TimeToLiveAttribute: jsii.String(layout.ExpiresAttribute),
		Encryption:          awsdynamodb.TableEncryption_DEFAULT,
		DeletionProtection:  jsii.Bool(s.Options.Retain),
		PointInTimeRecoverySpecification: &awsdynamodb.PointInTimeRecoverySpecification{
			PointInTimeRecoveryEnabled: jsii.Bool(true),
		},
		RemovalPolicy: s.removal(),
	})
	// Rooms changed since their last checkpoint: sparse, so it costs a write
	// only when a room becomes dirty or clean.
	s.Table.AddGlobalSecondaryIndex(&awsdynamodb.GlobalSecondaryIndexProps{
		IndexName:      jsii.String(layout.DirtyIndex),
		PartitionKey:   attribute(layout.DirtyAttribute, text),
		SortKey:        attribute(layout.PartitionAttribute, text),
		ProjectionType: awsdynamodb.ProjectionType_KEYS_ONLY,
	})
	// The room directory, kept by the stream function.
	s.Table.AddGlobalSecondaryIndex(&awsdynamodb.GlobalSecondaryIndexProps{
		IndexName:      jsii.String(layout.ActiveIndex),
		PartitionKey:   attribute(layout.ActiveAttribute, text),
		SortKey:        attribute(layout.LastActiveAttribute, number),
		ProjectionType: awsdynamodb.ProjectionType_ALL,
	})
}
