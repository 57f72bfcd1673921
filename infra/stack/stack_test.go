package stack_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/jsii-runtime-go"
	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/infra/stack"
	"github.com/symphony-rt/symphony/internal/config"
	"github.com/symphony-rt/symphony/internal/cost"
	"github.com/symphony-rt/symphony/internal/layout"
	"github.com/symphony-rt/symphony/internal/s3store"
)

func TestFunctions(t *testing.T) {
	for name := range contexts {
		d := deployed(t, name)
		for _, f := range stack.FunctionNames {
			p := d.one(t, "AWS::Lambda::Function", "Function"+f).Properties
			require.Equal(t, "provided.al2023", p["Runtime"], f)
			require.Equal(t, []any{"arm64"}, p["Architectures"], f)
			require.Equal(t, "bootstrap", p["Handler"], f)
			require.Equal(t, d.stack.Options.Name()+"-"+f, p["FunctionName"], f)
			require.Equal(t, "WARN", dig(t, p, "LoggingConfig", "SystemLogLevel"), f)
			require.NotEmpty(t, dig(t, p, "LoggingConfig", "LogGroup", "Ref"), f)
			if d.stack.Options.Tracing {
				require.Equal(t, "Active", dig(t, p, "TracingConfig", "Mode"), f)
			} else {
				require.Nil(t, p["TracingConfig"], f)
			}
			require.Equal(t, d.stack.Options.Reserved[f], number(p["ReservedConcurrentExecutions"]), f)
		}
	}
	// An integration waits 29 s (API Gateway's quota), an authorizer too.
	for _, f := range []string{"authorize", "connect", "message", "disconnect"} {
		require.LessOrEqual(t, deployed(t, "dev").one(t, "AWS::Lambda::Function", "Function"+f).Properties["Timeout"], 29.0, f)
	}
}

// The cost model computes with these sizes.
func TestMemoryIsTheCostModels(t *testing.T) {
	for f, gb := range map[string]float64{
		"authorize": cost.SmallGB, "connect": cost.SmallGB, "disconnect": cost.SmallGB, "stream": cost.SmallGB,
		"message": cost.MessageGB, "fanout": cost.MessageGB, "checkpoint": cost.CheckpointGB,
	} {
		require.Equal(t, gb*1024, deployed(t, "dev").one(t, "AWS::Lambda::Function", "Function"+f).Properties["MemorySize"], f)
	}
}

func number(v any) float64 {
	n, _ := v.(float64)
	return n
}

// Each function is told what its config.Need asks for, and no secret.
func TestEnvironment(t *testing.T) {
	environment := func(d *deployment, f string) map[string]any {
		return dig(t, d.one(t, "AWS::Lambda::Function", "Function"+f).Properties, "Environment", "Variables").(map[string]any)
	}
	dev, prod := deployed(t, "dev"), deployed(t, "prod")
	needs := map[string]config.Need{
		"authorize": config.NeedAuth, "connect": config.NeedStore, "disconnect": config.NeedStore | config.NeedSender,
		"message": config.NeedStore | config.NeedSender, "fanout": config.NeedStore | config.NeedSender, "checkpoint": config.NeedStore, "stream": config.NeedStore,
	}
	for _, d := range []*deployment{dev, prod} {
		for _, f := range stack.FunctionNames {
			env := environment(d, f)
			_, err := config.FromEnv(func(key string) string {
				if v, ok := env[key]; ok {
					if text, ok := v.(string); ok {
						return text
					}
					return "a reference"
				}
				return ""
			}, needs[f])
			require.NoError(t, err, f)
			require.NotContains(t, env, config.EnvSecret, f)
		}
	}
	require.Equal(t, "open", environment(dev, "authorize")[config.EnvAuth])
	require.Equal(t, "/symphony/prod/secret", environment(prod, "authorize")[config.EnvSecretParameter])
	require.Equal(t, "symphony-dev-fanout", environment(dev, "message")[config.EnvFanout])
	dev.template.HasResourceProperties(jsii.String("AWS::Lambda::EventInvokeConfig"), map[string]any{"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 1})
	for _, f := range []string{"stream", "checkpoint"} {
		require.Equal(t, "symphony-dev-checkpoint", environment(dev, f)[config.EnvSchedule])
	}
}

func TestAPI(t *testing.T) {
	d := deployed(t, "dev")
	d.template.HasResourceProperties(jsii.String("AWS::ApiGatewayV2::Api"), map[string]any{"ProtocolType": "WEBSOCKET"})
	d.template.HasResourceProperties(jsii.String("AWS::ApiGatewayV2::Authorizer"), map[string]any{
		"AuthorizerType": "REQUEST",
		// Only the room: any other source would answer 401 for a token that
		// comes in the other way.
		"IdentitySource": []any{"route.request.querystring.room"},
	})
	require.Len(t, d.all("AWS::ApiGatewayV2::Route"), 3)
	route := func(key string, more map[string]any) {
		more["RouteKey"] = key
		d.template.HasResourceProperties(jsii.String("AWS::ApiGatewayV2::Route"), more)
	}
	route("$connect", map[string]any{"AuthorizationType": "CUSTOM", "AuthorizerId": assertions.Match_AnyValue()})
	route("$default", map[string]any{"RouteResponseSelectionExpression": "$default"})
	route("$disconnect", map[string]any{})
	d.template.HasResourceProperties(jsii.String("AWS::ApiGatewayV2::RouteResponse"), map[string]any{"RouteResponseKey": "$default"})
	for key, f := range map[string]string{"connect": "connect", "disconnect": "disconnect", "default": "message"} {
		uri := fmt.Sprint(d.one(t, "AWS::ApiGatewayV2::Integration", "Api"+key+"Route").Properties["IntegrationUri"])
		require.Contains(t, uri, "Function"+f)
	}
}

func TestStage(t *testing.T) {
	settings := func(name string) map[string]any {
		stages := deployed(t, name).all("AWS::ApiGatewayV2::Stage")
		require.Len(t, stages, 1)
		for _, s := range stages {
			return s.Properties
		}
		return nil
	}
	dev := settings("dev")
	require.Equal(t, "dev", dev["StageName"])
	require.Equal(t, map[string]any{"DetailedMetricsEnabled": true, "ThrottlingRateLimit": 10_000.0, "ThrottlingBurstLimit": 5_000.0}, dev["DefaultRouteSettings"])
	format := dig(t, dev, "AccessLogSettings", "Format").(string)
	require.NotContains(t, format, "querystring", "a token may be in it")
	require.LessOrEqual(t, len(format), 3<<10, "API Gateway's quota of an access log template")
	require.Equal(t, map[string]any{"DetailedMetricsEnabled": true, "ThrottlingRateLimit": 20_000.0, "ThrottlingBurstLimit": 9_000.0}, settings("prod")["DefaultRouteSettings"])
	require.Equal(t, map[string]any{"DetailedMetricsEnabled": true}, settings("bare")["DefaultRouteSettings"])
	require.Nil(t, settings("bare")["AccessLogSettings"])
	// API Gateway refuses access logs before the account has a role for them.
	for _, s := range deployed(t, "dev").all("AWS::ApiGatewayV2::Stage") {
		require.Equal(t, []any{"ApiGatewayAccount"}, s.DependsOn)
	}
	require.Empty(t, deployed(t, "bare").all("AWS::ApiGateway::Account"))
}

func TestDomain(t *testing.T) {
	prod, dev := deployed(t, "prod"), deployed(t, "dev")
	prod.template.HasResourceProperties(jsii.String("AWS::ApiGatewayV2::DomainName"), map[string]any{
		"DomainName": "rooms.example.com",
		"DomainNameConfigurations": []any{assertions.Match_ObjectLike(&map[string]any{
			"CertificateArn": contexts["prod"]["certificate"], "EndpointType": "REGIONAL", "SecurityPolicy": "TLS_1_2",
		})},
	})
	prod.template.HasResourceProperties(jsii.String("AWS::ApiGatewayV2::ApiMapping"), map[string]any{"ApiMappingKey": assertions.Match_Absent()})
	prod.template.HasResourceProperties(jsii.String("AWS::Route53::RecordSet"), map[string]any{"Name": "rooms.example.com.", "Type": "A"})
	require.Equal(t, "wss://rooms.example.com", dig(t, prod.body.Outputs, "WebSocketUrl", "Value"))
	require.NotNil(t, prod.body.Outputs["DomainTarget"])
	for _, kind := range []string{"AWS::ApiGatewayV2::DomainName", "AWS::Route53::RecordSet"} {
		require.Empty(t, dev.all(kind))
	}
}

func TestOutputs(t *testing.T) {
	outputs := deployed(t, "dev").body.Outputs
	require.Contains(t, fmt.Sprint(dig(t, outputs, "WebSocketUrl", "Value")), "wss://")
	for _, name := range []string{"TableName", "BucketName"} {
		require.NotEmpty(t, dig(t, outputs, name, "Value", "Ref"), name)
	}
}

// P36: nobody but the account reads the bucket, over TLS, encrypted.
func TestBucket(t *testing.T) {
	for name := range contexts {
		d := deployed(t, name)
		require.Len(t, d.all("AWS::S3::Bucket"), 1)
		d.template.HasResourceProperties(jsii.String("AWS::S3::Bucket"), map[string]any{
			"PublicAccessBlockConfiguration": map[string]any{
				"BlockPublicAcls": true, "BlockPublicPolicy": true, "IgnorePublicAcls": true, "RestrictPublicBuckets": true,
			},
			"VersioningConfiguration": map[string]any{"Status": "Enabled"},
			"OwnershipControls":       map[string]any{"Rules": []any{map[string]any{"ObjectOwnership": "BucketOwnerEnforced"}}},
			"BucketEncryption":        assertions.Match_ObjectLike(&map[string]any{"ServerSideEncryptionConfiguration": assertions.Match_AnyValue()}),
		})
		denies := 0
		for _, s := range dig(t, d.one(t, "AWS::S3::BucketPolicy", "Bucket").Properties, "PolicyDocument", "Statement").([]any) {
			statement := s.(map[string]any)
			if statement["Effect"] == "Deny" {
				denies++
				continue
			}
			// The only other one lets the emptying function in.
			require.Contains(t, fmt.Sprint(statement["Principal"]), "CustomS3AutoDeleteObjects")
		}
		require.Equal(t, 2, denies, "not over TLS, or over an old one")
	}
	require.Equal(t, []any{"https://a.example.com", "https://b.example.com"},
		dig(t, deployed(t, "prod").one(t, "AWS::S3::Bucket", "Bucket").Properties, "CorsConfiguration", "CorsRules", 0, "AllowedOrigins"))
}

// The bucket that internal/s3store makes for local engines is the same one.
func TestBucketIsTheStoresOwn(t *testing.T) {
	rules := map[string]map[string]any{}
	for _, r := range dig(t, deployed(t, "dev").one(t, "AWS::S3::Bucket", "Bucket").Properties, "LifecycleConfiguration", "Rules").([]any) {
		rule := r.(map[string]any)
		require.Equal(t, "Enabled", rule["Status"])
		rules[rule["Id"].(string)] = rule
	}
	require.Len(t, rules, 3)
	uploads := rules["uploads"]
	require.Equal(t, []any{map[string]any{"Key": s3store.TagKey, "Value": s3store.UploadTagValue}}, uploads["TagFilters"])
	require.EqualValues(t, s3store.UploadDays, uploads["ExpirationInDays"])
	archive := rules["archive"]
	require.Equal(t, []any{map[string]any{"Key": s3store.TagKey, "Value": s3store.ArchiveTagValue}}, archive["TagFilters"])
	require.Equal(t, "131072", archive["ObjectSizeGreaterThan"])
	require.Nil(t, archive["ExpirationInDays"], "the log is never thrown away")
	old := rules["old-versions"]
	require.Nil(t, old["TagFilters"], "for every object")
	require.Equal(t, 35.0, dig(t, old, "NoncurrentVersionExpiration", "NoncurrentDays"))
	require.Nil(t, old["ExpirationInDays"], "nothing current is thrown away")
	cors := dig(t, deployed(t, "dev").one(t, "AWS::S3::Bucket", "Bucket").Properties, "CorsConfiguration", "CorsRules", 0)
	require.Equal(t, []any{"GET", "PUT"}, dig(t, cors, "AllowedMethods"))
	require.Equal(t, []any{"*"}, dig(t, cors, "AllowedHeaders"), "x-amz-tagging and x-amz-checksum-sha256 among them")
}

func TestScheduleAsksForASweepEvery30Seconds(t *testing.T) {
	d := deployed(t, "dev")
	rule := d.one(t, "AWS::Events::Rule", "Schedule").Properties
	require.Equal(t, "rate(1 minute)", rule["ScheduleExpression"])
	require.Equal(t, "DISABLED", rule["State"], "N9: until a room is edited")
	require.Equal(t, "symphony-dev-checkpoint", rule["Name"])
	require.JSONEq(t, `{"version":"0","source":"symphony","detail-type":"Checkpoint","detail":{"sweeps":2,"everySeconds":30}}`,
		dig(t, rule, "Targets", 0, "Input").(string))
	require.Contains(t, fmt.Sprint(dig(t, rule, "Targets", 0, "Arn")), "Functioncheckpoint")
	// The second sweep has its 30 s of waiting and time to work.
	require.Greater(t, d.one(t, "AWS::Lambda::Function", "Functioncheckpoint").Properties["Timeout"], 60.0)
}

func TestFeed(t *testing.T) {
	d := deployed(t, "dev")
	m := d.one(t, "AWS::Lambda::EventSourceMapping", "Functionstream").Properties
	require.Contains(t, fmt.Sprint(m["EventSourceArn"]), "StreamArn")
	require.Equal(t, "TRIM_HORIZON", m["StartingPosition"])
	require.Equal(t, true, m["BisectBatchOnFunctionError"])
	require.Equal(t, []any{"ReportBatchItemFailures"}, m["FunctionResponseTypes"])
	require.Contains(t, fmt.Sprint(dig(t, m, "DestinationConfig", "OnFailure", "Destination")), "Dead")
	require.JSONEq(t, `{"dynamodb":{"Keys":{"`+layout.PartitionAttribute+`":{"S":[{"prefix":"`+layout.RoomPrefix+`"}]}}}}`,
		dig(t, m, "FilterCriteria", "Filters", 0, "Pattern").(string))
	q := d.one(t, "AWS::SQS::Queue", "Dead").Properties
	require.Equal(t, true, q["SqsManagedSseEnabled"])
	require.Equal(t, 14*24*3600.0, q["MessageRetentionPeriod"])
}

func TestAlarms(t *testing.T) {
	for name, want := range map[string]int{"dev": 8, "prod": 8, "bare": 0} {
		d := deployed(t, name)
		alarms := d.all("AWS::CloudWatch::Alarm")
		require.Len(t, alarms, want)
		for id, a := range alarms {
			require.Equal(t, "notBreaching", a.Properties["TreatMissingData"], "%s: a deployment nobody uses is well", id)
			require.NotEmpty(t, a.Properties["AlarmDescription"], id)
			if name == "prod" {
				require.Contains(t, fmt.Sprint(a.Properties["AlarmActions"]), "Alarms", id)
			} else {
				require.Nil(t, a.Properties["AlarmActions"], id)
			}
		}
	}
	// What the issue wants watched.
	for _, name := range []string{"Errors", "Throttles", "IteratorAge", "DeadLetters", "ClientErrors", "ServerErrors", "CheckpointErrors", "CheckpointLag"} {
		deployed(t, "dev").one(t, "AWS::CloudWatch::Alarm", "Alarm"+name)
	}
	prod := deployed(t, "prod")
	prod.template.HasResourceProperties(jsii.String("AWS::SNS::Subscription"), map[string]any{"Protocol": "email", "Endpoint": "ops@example.com"})
	require.Contains(t, fmt.Sprint(prod.one(t, "AWS::SNS::TopicPolicy", "Alarms").Properties), "cloudwatch.amazonaws.com")
	require.Empty(t, deployed(t, "dev").all("AWS::SNS::Topic"))
	require.Len(t, deployed(t, "dev").all("AWS::CloudWatch::Dashboard"), 1)
	require.Empty(t, deployed(t, "bare").all("AWS::CloudWatch::Dashboard"))
}

// N10: dev leaves nothing behind; prod keeps data and logs.
func TestRemoval(t *testing.T) {
	dev, prod := deployed(t, "dev"), deployed(t, "prod")
	for id, r := range dev.body.Resources {
		require.NotEqual(t, "Retain", r.DeletionPolicy, id)
		require.NotEqual(t, "Snapshot", r.DeletionPolicy, id)
	}
	require.Len(t, dev.all("Custom::S3AutoDeleteObjects"), 1, "a bucket with objects cannot be deleted")
	require.Empty(t, prod.all("Custom::S3AutoDeleteObjects"))
	for id, r := range prod.body.Resources {
		if slices.Contains([]string{"AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::Logs::LogGroup", "AWS::SQS::Queue"}, r.Type) {
			require.Equal(t, "Retain", r.DeletionPolicy, id)
			require.Equal(t, "Retain", r.UpdateReplacePolicy, id)
		}
	}
	require.Equal(t, true, prod.one(t, "AWS::DynamoDB::Table", "Table").Properties["DeletionProtectionEnabled"])
	require.Equal(t, false, dev.one(t, "AWS::DynamoDB::Table", "Table").Properties["DeletionProtectionEnabled"])
	require.True(t, *prod.stack.Root.TerminationProtection())
	require.False(t, *dev.stack.Root.TerminationProtection())
}

// N10: every function's log is a group of the stack, or it would outlive it.
func TestEveryFunctionLogsIntoTheStack(t *testing.T) {
	for name := range contexts {
		d := deployed(t, name)
		for id, f := range d.all("AWS::Lambda::Function") {
			group := d.body.Resources[dig(t, f.Properties, "LoggingConfig", "LogGroup", "Ref").(string)]
			require.NotNil(t, group, id)
			require.EqualValues(t, d.stack.Options.LogDays, group.Properties["RetentionInDays"], id)
		}
		require.Len(t, d.all("AWS::Logs::LogGroup"), len(d.all("AWS::Lambda::Function"))+len(d.all("AWS::ApiGateway::Account")))
	}
}

// untaggable are the types that CloudFormation knows no tags for.
var untaggable = []string{
	"AWS::ApiGateway::Account", "AWS::ApiGatewayV2::ApiMapping", "AWS::ApiGatewayV2::Authorizer", "AWS::ApiGatewayV2::Integration",
	"AWS::ApiGatewayV2::Route", "AWS::ApiGatewayV2::RouteResponse", "AWS::IAM::Policy", "AWS::Lambda::EventInvokeConfig", "AWS::Lambda::Permission",
	"AWS::Route53::RecordSet", "AWS::S3::BucketPolicy", "AWS::SNS::Subscription", "AWS::SNS::TopicPolicy",
	"AWS::SQS::QueuePolicy", "Custom::S3AutoDeleteObjects",
	// CDK does not pass tags to these three (API Gateway, Lambda and CloudWatch do know them).
	"AWS::CloudWatch::Dashboard",
}

func TestEveryResourceIsTagged(t *testing.T) {
	for name := range contexts {
		d := deployed(t, name)
		for id, r := range d.body.Resources {
			if slices.Contains(untaggable, r.Type) {
				continue
			}
			tags := fmt.Sprint(r.Properties["Tags"])
			require.True(t, strings.Contains(tags, stack.TagApp) && strings.Contains(tags, stack.TagStage), "%s (%s) has tags %s", id, r.Type, tags)
		}
	}
}

// Several deployments fit into one account and region: no name is shared.
func TestStagesShareNoNames(t *testing.T) {
	names := map[string]string{}
	for name := range contexts {
		d := deployed(t, name)
		for id, r := range d.body.Resources {
			for _, property := range []string{"FunctionName", "TableName", "LogGroupName", "QueueName", "TopicName", "AlarmName", "DashboardName", "RoleName", "BucketName"} {
				v, ok := r.Properties[property].(string)
				if !ok {
					continue
				}
				key := r.Type + " " + v
				require.Empty(t, names[key], "%s: %s is also in %s", id, key, names[key])
				names[key] = name
			}
		}
	}
	require.Greater(t, len(names), 20)
}
