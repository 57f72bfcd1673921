package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsapigatewayv2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsdynamodb"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/constructs-go/constructs/v10"
	"github.com/aws/jsii-runtime-go"
)

// Stack is everything a deployment has. Its fields are for tests.
type Stack struct {
	Root      awscdk.Stack
	Options   Options
	Table     awsdynamodb.Table
	Bucket    awss3.Bucket
	API       awsapigatewayv2.WebSocketApi
	Stage     awsapigatewayv2.WebSocketStage
	Functions map[string]awslambda.Function
	Dead      awssqs.Queue
	Schedule  awsevents.Rule
	Alarms    []awscloudwatch.Alarm
}

// The tags of all resources. Cost allocation tags are activated by these names.
const (
	TagApp   = "symphony:app"
	TagStage = "symphony:stage"
)

// Name is the stack's and the table's name.
func (o Options) Name() string { return "symphony-" + o.Stage }

// New adds the stack to scope.
func New(scope constructs.Construct, o Options) *Stack {
	props := &awscdk.StackProps{
		StackName:             jsii.String(o.Name()),
		Description:           jsii.String("Symphony, stage " + o.Stage + ": collaborative rooms over WebSocket. Idle, it costs its storage."),
		TerminationProtection: jsii.Bool(o.Retain),
	}
	if o.Account != "" || o.Region != "" {
		props.Env = &awscdk.Environment{Account: optional(o.Account), Region: optional(o.Region)}
	}
	s := &Stack{Root: awscdk.NewStack(scope, jsii.String(o.Name()), props), Options: o}
	s.addTable()
	s.addBucket()
	s.addFunctions()
	s.addAPI()
	s.addFanout()
	s.addSchedule()
	s.addFeed()
	s.grant()
	s.addDashboard()
	s.addAlarms()
	s.addOutputs()
	// On every resource that can have tags, to find what a deployment has and
	// what it costs.
	awscdk.Tags_Of(s.Root).Add(jsii.String(TagApp), jsii.String("symphony"), nil)
	awscdk.Tags_Of(s.Root).Add(jsii.String(TagStage), jsii.String(o.Stage), nil)
	return s
}

func (s *Stack) removal() awscdk.RemovalPolicy {
	if s.Options.Retain {
		return awscdk.RemovalPolicy_RETAIN
	}
	return awscdk.RemovalPolicy_DESTROY
}

func (s *Stack) addOutputs() {
	out := func(id, description string, value *string) {
		awscdk.NewCfnOutput(s.Root, jsii.String(id), &awscdk.CfnOutputProps{Value: value, Description: jsii.String(description)})
	}
	url := s.Stage.Url()
	if s.Options.Domain != "" {
		url = jsii.String("wss://" + s.Options.Domain)
	}
	out("WebSocketUrl", "What clients connect to, with ?room=<id>", url)
	out("TableName", "Rooms, members, update log", s.Table.TableName())
	out("BucketName", "Snapshots, log archive, uploads", s.Bucket.BucketName())
}

func optional(v string) *string {
	if v == "" {
		return nil
	}
	return &v
}
