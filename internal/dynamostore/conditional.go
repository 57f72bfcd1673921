package dynamostore

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// errCondition: what is stored does not meet the write's condition.
var errCondition = errors.New("dynamostore: the condition does not hold")

// once keeps the SDK from repeating a call on its own: who repeats a
// conditional write must know that it did.
func once(o *dynamodb.Options) { o.Retryer = aws.NopRetryer{} }

// putOnce tries to write an item once. When its condition does not hold it
// returns errCondition and the item that is there, nil if there is none.
func (s *Store) putOnce(ctx context.Context, in *dynamodb.PutItemInput) (old item, err error) {
	in.ReturnValuesOnConditionCheckFailure = types.ReturnValuesOnConditionCheckFailureAllOld
	_, err = s.db.PutItem(ctx, in, once)
	var condition *types.ConditionalCheckFailedException
	if errors.As(err, &condition) {
		return condition.Item, errCondition
	}
	return nil, err
}

// absent is the condition that there is no such item yet.
func absent(in *dynamodb.PutItemInput, attribute string) {
	in.ConditionExpression = aws.String("attribute_not_exists(#a)")
	in.ExpressionAttributeNames = map[string]string{"#a": attribute}
}
