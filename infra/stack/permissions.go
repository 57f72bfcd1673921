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
	// dirty and active allow queries of the indexes.
	dirty, active bool
	// objects lists S3 actions by the kind of object, below rooms/<any room>/.
	objects map[string][]string
	// list allows listing snapshots, to find orphans.
	list bool
	// connections lists the management API's methods.
	connections []string
}

const (
	rooms       = layout.RoomPrefix + "*"
	connections = layout.ConnectionPrefix + "*"
	directory   = layout.DirectoryPrefix + "*"
)

var grants = map[string]grantee{
	// The authorizer reads its secret (grantSecret) and nothing else.
	"authorize": {},
	"connect": {
		table:      []string{"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:DeleteItem"},
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
			"updates":   {"s3:GetObject", "s3:PutObject", "s3:DeleteObject"},
			// PutObject and the tag are what a presigned upload may do: it acts
			// with this function's rights.
			"uploads": {"s3:GetObject", "s3:PutObject", "s3:PutObjectTagging", "s3:DeleteObject"},
		},
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
		table:      []string{"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem", "dynamodb:DeleteItem"},
		partitions: []string{directory},
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
	s.grantSecret()
	s.grantSchedule()
}

func (s *Stack) grantTable(f awslambda.Function, g grantee) {
	if len(g.table) > 0 {
		p := statement(g.table, *s.Table.TableArn())
		p.AddCondition(jsii.String("ForAllValues:StringLike"), map[string]any{"dynamodb:LeadingKeys": g.partitions})
		f.AddToRolePolicy(p)
	}
	if g.dirty {
		f.AddToRolePolicy(statement([]string{"dynamodb:Query"}, *s.Table.TableArn()+"/index/"+layout.DirtyIndex))
	}
	if g.active {
		f.AddToRolePolicy(statement([]string{"dynamodb:Query"}, *s.Table.TableArn()+"/index/"+layout.ActiveIndex))
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
		p := statement([]string{"s3:ListBucket"}, *s.Bucket.BucketArn())
		p.AddCondition(jsii.String("StringLike"), map[string]any{"s3:prefix": layout.RoomsFolder + "*/snapshots/*"})
		f.AddToRolePolicy(p)
	}
}

// executeAPI is the ARN of the management API of this stage:
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
}

// grantSchedule lets the two functions that know turn the schedule on and off.
func (s *Stack) grantSchedule() {
	arn := s.Root.FormatArn(&awscdk.ArnComponents{
		Service: jsii.String("events"), Resource: jsii.String("rule"), ResourceName: jsii.String(s.Options.Name() + "-checkpoint"),
	})
	s.Functions["stream"].AddToRolePolicy(statement([]string{"events:EnableRule"}, *arn))
	s.Functions["checkpoint"].AddToRolePolicy(statement([]string{"events:EnableRule", "events:DisableRule"}, *arn))
}
