package streamsource

import (
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

// encodeEvent returns the event that Lambda gives a function for these records
// (https://docs.aws.amazon.com/lambda/latest/dg/with-ddb.html#events-sample-dynamodb).
func encodeEvent(arn, region string, records []types.Record) ([]byte, error) {
	list := make([]map[string]any, len(records))
	for i, r := range records {
		change := map[string]any{
			"SequenceNumber": aws.ToString(r.Dynamodb.SequenceNumber),
			"SizeBytes":      aws.ToInt64(r.Dynamodb.SizeBytes),
			"StreamViewType": string(r.Dynamodb.StreamViewType),
		}
		if at := r.Dynamodb.ApproximateCreationDateTime; at != nil {
			change["ApproximateCreationDateTime"] = at.Unix()
		}
		for name, image := range map[string]map[string]types.AttributeValue{
			"Keys": r.Dynamodb.Keys, "NewImage": r.Dynamodb.NewImage, "OldImage": r.Dynamodb.OldImage,
		} {
			if image == nil {
				continue
			}
			v, err := encodeImage(image)
			if err != nil {
				return nil, err
			}
			change[name] = v
		}
		record := map[string]any{
			"eventID": aws.ToString(r.EventID), "eventName": string(r.EventName), "eventVersion": "1.1",
			"eventSource": "aws:dynamodb", "eventSourceARN": arn, "awsRegion": region, "dynamodb": change,
		}
		if r.UserIdentity != nil {
			record["userIdentity"] = map[string]string{
				"type": aws.ToString(r.UserIdentity.Type), "principalId": aws.ToString(r.UserIdentity.PrincipalId),
			}
		}
		list[i] = record
	}
	return json.Marshal(map[string]any{"Records": list})
}

func encodeImage(image map[string]types.AttributeValue) (map[string]any, error) {
	out := make(map[string]any, len(image))
	for name, v := range image {
		var err error
		if out[name], err = encodeAttribute(v); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// encodeAttribute returns DynamoDB's JSON of a value; encoding/json writes
// binary values in base64, as it should be.
func encodeAttribute(v types.AttributeValue) (map[string]any, error) {
	switch v := v.(type) {
	case *types.AttributeValueMemberS:
		return map[string]any{"S": v.Value}, nil
	case *types.AttributeValueMemberN:
		return map[string]any{"N": v.Value}, nil
	case *types.AttributeValueMemberB:
		return map[string]any{"B": v.Value}, nil
	case *types.AttributeValueMemberBOOL:
		return map[string]any{"BOOL": v.Value}, nil
	case *types.AttributeValueMemberNULL:
		return map[string]any{"NULL": v.Value}, nil
	case *types.AttributeValueMemberSS:
		return map[string]any{"SS": v.Value}, nil
	case *types.AttributeValueMemberNS:
		return map[string]any{"NS": v.Value}, nil
	case *types.AttributeValueMemberBS:
		return map[string]any{"BS": v.Value}, nil
	case *types.AttributeValueMemberM:
		m, err := encodeImage(v.Value)
		return map[string]any{"M": m}, err
	case *types.AttributeValueMemberL:
		list := make([]map[string]any, len(v.Value))
		for i, part := range v.Value {
			var err error
			if list[i], err = encodeAttribute(part); err != nil {
				return nil, err
			}
		}
		return map[string]any{"L": list}, nil
	}
	return nil, fmt.Errorf("streamsource: an attribute value of type %T", v)
}
