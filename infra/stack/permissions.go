package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"

	"github.com/symphony-rt/symphony/internal/layout"
)

// grantee is what one function may do. Each line is an action it really calls
// (policy_test.go compares the template with a list that a person has agreed
// to), on the partitions and objects it really touches.
type grantee struct {
	// table lists DynamoDB actions on the table; partitions restricts them by
	// the beginning of the partition key.
	table, partitions []string
	// dirty allows queries of the index of rooms to checkpoint.
	dirty bool
	// objects lists S3 actions by the kind of object, below rooms/<any room>/.
	objects map[string][]string
	// list allows listing the bucket. It is not only for listing: without it S3
	// answers 403 instead of 404 for an object that is not there
	// (https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html), and
	// "trimmed meanwhile" could not be told from "forbidden". No condition on the
	// prefix: a GET of an object has none, and there is nothing but rooms.
	list bool
	// connections lists the management API's methods.
	connections []string
}

const (
	rooms       = layout.RoomPrefix + "*"
	connections = layout.ConnectionPrefix + "*"
	entries     = layout.DirectoryPrefix + "*"
)

var grants = map[string]grantee{
	// The authorizer reads its secret (grantSecret) and nothing else.
	"authorize": {},
	"connect": {
		table:      []string{"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"},
		partitions: []string{rooms, connections},
	},
	"disconnect": {
		table:       []string{"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:DeleteItem", "dynamodb:Query"},
		partitions:  []string{rooms, connections},
		connections: []string{"POST"},
	},
	"message": {
		table:      []string{"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem", "dynamodb:Query"},
		partitions: []string{rooms, connections},
		objects: map[string][]string{
			"snapshots": {"s3:GetObject"},
			"updates":   {"s3:GetObject", "s3:PutObject"},
			// PutObject and the tag are what a presigned upload may do: it acts
			// with this function's rights.
			"uploads": {"s3:GetObject", "s3:PutObject", "s3:PutObjectTagging", "s3:DeleteObject"},
		},
		list:        true,
		connections: []string{"POST", "DELETE"},
	},
	// The second level posts, and removes members whose connection is gone.
	"fanout": {
		table:       []string{"dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:DeleteItem", "dynamodb:Query"},
		partitions:  []string{rooms, connections},
		connections: []string{"POST", "DELETE"},
	},
	"checkpoint": {
		table:      []string{"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:BatchWriteItem"},
		partitions: []string{rooms},
		dirty:      true,
		objects: map[string][]string{
			"snapshots": {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"},
			"log":       {"s3:GetObject", "s3:PutObject", "s3:PutObjectTagging"},
			"updates":   {"s3:GetObject", "s3:DeleteObject"},
		},
		list: true,
	},
	"stream": {
		table:      []string{"dynamodb:GetItem", "dynamodb:PutItem"},
		partitions: []string{entries},
	},
}

func statement(actions []string, resources ...string) awsiam.PolicyStatement {
	return awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions: jsii.Strings(actions...), Resources: jsii.Strings(resources...),
	})
}

// grant gives each function's role its lines.
func (s *Stack) grant() {
	for _, name := range FunctionNames {
		f, g := s.Functions[name], grants[name]
		s.grantTable(f, g)
		s.grantBucket(f, g)
		for _, method := range g.connections {
			f.AddToRolePolicy(statement([]string{"execute-api:ManageConnections"},
				*s.Root.FormatArn(s.executeAPI(method))))
		}
	}
	s.Functions["message"].AddToRolePolicy(statement([]string{"lambda:InvokeFunction"}, *s.Functions["fanout"].FunctionArn()))
	s.grantSecret()
	s.grantSchedule()
}

// onlyPartitions restricts p to partition keys that match one of patterns. DynamoDB
// gives every key of a batch, so ForAllValues holds only when each of them
// matches. ForAllValues also holds when there is no key at all, which none of
// the actions granted here allows (a Scan would).
// https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/specifying-conditions.html
func onlyPartitions(p awsiam.PolicyStatement, patterns []string) {
	p.AddCondition(jsii.String("ForAllValues:StringLike"), map[string]any{"dynamodb:LeadingKeys": patterns})
}

func (s *Stack) grantTable(f awslambda.Function, g grantee) {
	if len(g.table) > 0 {
		p := statement(g.table, *s.Table.TableArn())
		onlyPartitions(p, g.partitions)
		f.AddToRolePolicy(p)
	}
	if g.dirty {
		// In a query of an index the leading key is the index's: the shard.
		p := statement([]string{"dynamodb:Query"}, *s.Table.TableArn()+"/index/"+layout.DirtyIndex)
		onlyPartitions(p, []string{layout.DirtyAttribute + "#*"})
		f.AddToRolePolicy(p)
	}
}

// kinds orders grants.objects, so that the template is always the same.
var kinds = []string{"snapshots", "log", "updates", "uploads"}

func (s *Stack) grantBucket(f awslambda.Function, g grantee) {
	for _, kind := range kinds {
		if actions := g.objects[kind]; len(actions) > 0 {
			f.AddToRolePolicy(statement(actions, *s.Bucket.ArnForObjects(jsii.String(layout.RoomsFolder + "*/" + kind + "/*"))))
		}
	}
	if g.list {
		f.AddToRolePolicy(statement([]string{"s3:ListBucket"}, *s.Bucket.BucketArn()))
	}
}

// executeAPI says the ARN of the management API of this stage:
// {api}/{stage}/{method}/@connections/{connection}. Connection ids are not
// known beforehand, so the end is a wildcard.
func (s *Stack) executeAPI(method string) *awscdk.ArnComponents {
	return &awscdk.ArnComponents{
		Service: jsii.String("execute-api"), Resource: s.API.ApiId(),
		ResourceName: jsii.String(s.Options.Stage + "/" + method + "/@connections/*"),
	}
}

func (s *Stack) grantSecret() {
	if s.Options.Open {
		return
	}
	s.Functions["authorize"].AddToRolePolicy(statement([]string{"ssm:GetParameter"}, *s.Root.FormatArn(&awscdk.ArnComponents{
		Service: jsii.String("ssm"), Resource: jsii.String("parameter"), ResourceName: jsii.String(s.Options.SecretParameter[1:]),
	})))
	// The key aws/ssm lets in whoever may read the parameter; another one wants
	// to be asked.
	if s.Options.SecretKey != "" {
		p := statement([]string{"kms:Decrypt"}, s.Options.SecretKey)
		p.AddCondition(jsii.String("StringEquals"), map[string]any{"kms:ViaService": *awscdk.Fn_Sub(jsii.String("ssm.${AWS::Region}.${AWS::URLSuffix}"), nil)})
		s.Functions["authorize"].AddToRolePolicy(p)
	}
}

// grantSchedule lets the two functions that know turn the schedule on and off.
func (s *Stack) grantSchedule() {
	arn := s.Root.FormatArn(&awscdk.ArnComponents{
		Service: jsii.String("events"), Resource: jsii.String("rule"), ResourceName: jsii.String(s.Options.ScheduleName()),
	})
	s.Functions["stream"].AddToRolePolicy(statement([]string{"events:EnableRule"}, *arn))
	s.Functions["checkpoint"].AddToRolePolicy(statement([]string{"events:EnableRule", "events:DisableRule"}, *arn))
}
