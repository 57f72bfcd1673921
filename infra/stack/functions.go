package stack

import (
	"path/filepath"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslogs"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3assets"
	"github.com/aws/jsii-runtime-go"

	"github.com/symphony-rt/symphony/internal/config"
)

// size is a function's memory in MB and its time-out in seconds, with why.
type size struct {
	memory, timeout float64
	why             string
}

// sizes: CPU comes with memory (one vCPU at 1,769 MB), so memory is chosen for
// speed; a function is billed for what it runs.
var sizes = map[string]size{
	"authorize":  {256, 5, "verifies one HMAC; the time is the cold start and, once, reading the secret"},
	"connect":    {256, 10, "one read and two writes"},
	"disconnect": {256, 10, "one delete, one query, one post per Symphony peer"},
	"message":    {1024, 29, "loads and merges a document on join; API Gateway waits 29 s and no longer"},
	"fanout":     {1024, 30, "posts to a slice of a large room: TLS to the management API, side by side"},
	"checkpoint": {2048, 90, "holds a document several times over while it merges, compacts and proves; two sweeps 30 s apart"},
	"stream":     {256, 60, "a few conditional writes per batch of changes"},
}

func (s *Stack) addFunctions() {
	s.Functions = map[string]awslambda.Function{}
	for _, name := range FunctionNames {
		s.Functions[name] = s.addFunction(name)
	}
}

func (s *Stack) addFunction(name string) awslambda.Function {
	full := s.Options.Name() + "-" + name
	logs := s.logGroup("Logs-"+name, "/aws/lambda/"+full)
	// A role of its own, without the managed policy that may write any log group.
	role := awsiam.NewRole(s.Root, jsii.String("Role-"+name), &awsiam.RoleProps{
		AssumedBy:   awsiam.NewServicePrincipal(jsii.String("lambda.amazonaws.com"), nil),
		Description: jsii.String("What Symphony's function " + name + " may do, stage " + s.Options.Stage),
	})
	props := &awslambda.FunctionProps{
		FunctionName:  jsii.String(full),
		Description:   jsii.String("Symphony " + name + ": " + sizes[name].why),
		Runtime:       awslambda.Runtime_PROVIDED_AL2023(),
		Architecture:  awslambda.Architecture_ARM_64(),
		Handler:       jsii.String("bootstrap"),
		Code:          awslambda.Code_FromAsset(jsii.String(filepath.Join(s.Options.Assets, name+".zip")), &awss3assets.AssetOptions{}),
		MemorySize:    jsii.Number(sizes[name].memory),
		Timeout:       awscdk.Duration_Seconds(jsii.Number(sizes[name].timeout)),
		Tracing:       awslambda.Tracing_ACTIVE,
		LogGroup:      logs,
		LoggingFormat: awslambda.LoggingFormat_JSON,
		// Without three lines of Lambda's own for every message: at a thousand
		// messages a second they would be the larger part of the bill.
		SystemLogLevelV2: awslambda.SystemLogLevel_WARN,
		Role:             role,
		Environment:      s.environment(name),
	}
	if !s.Options.Tracing {
		props.Tracing = awslambda.Tracing_DISABLED
	}
	if n, ok := s.Options.Reserved[name]; ok {
		props.ReservedConcurrentExecutions = jsii.Number(n)
	}
	f := awslambda.NewFunction(s.Root, jsii.String("Function-"+name), props)
	role.AddToPolicy(statement([]string{"logs:CreateLogStream", "logs:PutLogEvents"}, *logs.LogGroupArn()))
	return f
}

func (s *Stack) environment(name string) *map[string]*string {
	env := map[string]*string{config.EnvLog: jsii.String("info")}
	if name == "authorize" {
		if s.Options.Open {
			env[config.EnvAuth] = jsii.String("open")
		} else {
			env[config.EnvSecretParameter] = jsii.String(s.Options.SecretParameter)
		}
		return &env
	}
	env[config.EnvTable] = s.Table.TableName()
	env[config.EnvBucket] = s.Bucket.BucketName()
	return &env
}

// logGroup is one with the retention of the options, which goes with the stack
// unless that keeps its data.
func (s *Stack) logGroup(id, name string) awslogs.LogGroup {
	return awslogs.NewLogGroup(s.Root, jsii.String(id), &awslogs.LogGroupProps{
		LogGroupName: jsii.String(name), Retention: retention[s.Options.LogDays], RemovalPolicy: s.removal(),
	})
}

// retention maps days to CloudWatch's enumeration.
var retention = map[int]awslogs.RetentionDays{
	1: awslogs.RetentionDays_ONE_DAY, 3: awslogs.RetentionDays_THREE_DAYS, 5: awslogs.RetentionDays_FIVE_DAYS,
	7: awslogs.RetentionDays_ONE_WEEK, 14: awslogs.RetentionDays_TWO_WEEKS, 30: awslogs.RetentionDays_ONE_MONTH,
	60: awslogs.RetentionDays_TWO_MONTHS, 90: awslogs.RetentionDays_THREE_MONTHS,
	180: awslogs.RetentionDays_SIX_MONTHS, 365: awslogs.RetentionDays_ONE_YEAR,
}
