package stack

import (
	"fmt"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
	"github.com/cdklabs/cdk-nag-go/cdknag/v2"

	"github.com/symphony-rt/symphony/internal/layout"
)

// AddNag has cdk-nag check the stack by the rules of its AWS Solutions pack: a
// finding that has no reason below fails the synthesis. Wildcards are excused
// one by one, so that a new one is found.
func (s *Stack) AddNag() {
	awscdk.Aspects_Of(s.Root).Add(cdknag.NewAwsSolutionsChecks(&cdknag.NagPackProps{
		Verbose: jsii.Bool(true), Reports: jsii.Bool(true),
	}), nil)
	excuse(s.Bucket, "AwsSolutions-S1", "Server access logs would need a second bucket that is written for every read. "+
		"Every object is written and read by the functions, whose logs name the room; CloudTrail data events can be turned on for the bucket when an audit wants them.")
	excuse(s.Dead, "AwsSolutions-SQS3", "This queue is itself the dead-letter queue of the stream mapping.")
	if !s.Options.AccessLogs {
		excuse(s.Stage, "AwsSolutions-APIG1", "-c accessLogs=false: at many messages a second the lines cost more than the functions (docs/COST.md).")
	}
	for _, route := range []string{"$default-Route", "$disconnect-Route"} {
		excuse(s.API.Node().FindChild(jsii.String(route)), "AwsSolutions-APIG4",
			"WebSocket APIs authorize at $connect only; API Gateway takes no authorizer on other routes and hands them the context of the connection.")
	}
	if role := s.Root.Node().TryFindChild(jsii.String("Role-apigateway-logs")); role != nil {
		excuse(role, "AwsSolutions-IAM4", "API Gateway wants its account-wide logging role to have exactly this policy.",
			"Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs")
	}
	for _, name := range FunctionNames {
		s.excuseWildcards(name)
	}
}

// excuseWildcards gives the reason of each wildcard in a function's policy.
func (s *Stack) excuseWildcards(name string) {
	role, g := s.Root.Node().FindChild(jsii.String("Role-"+name)), grants[name]
	star := "X-Ray's PutTraceSegments and PutTelemetryRecords know no resources."
	if name == "stream" {
		star += " Nor does DynamoDB's ListStreams, which the stream mapping wants."
	}
	if s.Options.Tracing || name == "stream" {
		excuse(role, "AwsSolutions-IAM5", star, "Resource::*")
	}
	bucket := *s.Root.GetLogicalId(s.Bucket.Node().DefaultChild().(awscdk.CfnElement))
	for _, kind := range kinds {
		if len(g.objects[kind]) > 0 {
			excuse(role, "AwsSolutions-IAM5", "The rooms and the objects in a room's folder are not known beforehand; the kind of object is.",
				fmt.Sprintf("Resource::<%s.Arn>/%s*/%s/*", bucket, layout.RoomsFolder, kind))
		}
	}
	api := *s.Root.GetLogicalId(s.API.Node().DefaultChild().(awscdk.CfnElement))
	for _, method := range g.connections {
		excuse(role, "AwsSolutions-IAM5", "Connection ids are not known beforehand; API, stage and method are.",
			fmt.Sprintf("Resource::arn:<AWS::Partition>:execute-api:%s:%s:<%s>/%s/%s/@connections/*",
				s.placeholder(s.Options.Region, "Region"), s.placeholder(s.Options.Account, "AccountId"), api, s.Options.Stage, method))
	}
}

// placeholder is how cdk-nag writes a region or account: as it is when it is
// fixed, else the name of CloudFormation's pseudo parameter.
func (s *Stack) placeholder(fixed, name string) string {
	if fixed != "" {
		return fixed
	}
	return "<AWS::" + name + ">"
}

func excuse(at constructs.IConstruct, rule, reason string, appliesTo ...string) {
	suppression := &cdknag.NagPackSuppression{Id: jsii.String(rule), Reason: jsii.String(reason)}
	if len(appliesTo) > 0 {
		list := make([]any, len(appliesTo))
		for i, a := range appliesTo {
			list[i] = a
		}
		suppression.AppliesTo = &list
	}
	cdknag.NagSuppressions_AddResourceSuppressions(at, &[]*cdknag.NagPackSuppression{suppression}, jsii.Bool(true))
}
