package stack_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// idle says of each resource type what it costs while nobody uses the
// deployment. A type that is missing here fails the test: find out first.
// Prices: https://aws.amazon.com/<service>/pricing/, see docs/COST.md.
var idle = map[string]string{
	// The one thing that costs: what is stored.
	"AWS::DynamoDB::Table": "storage", // on demand: no request, no charge
	"AWS::S3::Bucket":      "storage",
	"AWS::Logs::LogGroup":  "storage", // until the retention ends

	// Billed by use.
	"AWS::Lambda::Function":           "use", // no provisioned concurrency, see the test
	"AWS::ApiGatewayV2::Api":          "use", // messages and connection minutes
	"AWS::ApiGatewayV2::Stage":        "use", // no cache in this kind of API
	"AWS::SQS::Queue":                 "use", // written only when a batch failed for good; nothing polls it
	"AWS::SNS::Topic":                 "use",
	"AWS::Events::Rule":               "use", // created disabled, see the test
	"AWS::Lambda::EventSourceMapping": "use", // Lambda reads a table's stream for nothing

	// Within what every account has for nothing, for ever; see the test.
	"AWS::CloudWatch::Alarm":     "allowance",
	"AWS::CloudWatch::Dashboard": "allowance",

	// Configuration, never billed.
	"AWS::ApiGateway::Account":         "free",
	"AWS::ApiGatewayV2::ApiMapping":    "free",
	"AWS::ApiGatewayV2::Authorizer":    "free",
	"AWS::ApiGatewayV2::DomainName":    "free",
	"AWS::ApiGatewayV2::Integration":   "free",
	"AWS::ApiGatewayV2::Route":         "free",
	"AWS::ApiGatewayV2::RouteResponse": "free",
	"AWS::IAM::Policy":                 "free",
	"AWS::IAM::Role":                   "free",
	"AWS::Lambda::EventInvokeConfig":   "free",
	"AWS::Lambda::Permission":          "free",
	"AWS::Route53::RecordSet":          "free", // the hosted zone is the user's own, not the stack's
	"AWS::S3::BucketPolicy":            "free",
	"AWS::SNS::Subscription":           "free",
	"AWS::SNS::TopicPolicy":            "free",
	"AWS::SQS::QueuePolicy":            "free",
	"Custom::S3AutoDeleteObjects":      "free", // runs when the stack is deleted
}

// What CloudWatch gives every account each month for nothing
// (https://aws.amazon.com/cloudwatch/pricing/, "Free tier").
const (
	freeAlarmMetrics     = 10
	freeDashboards       = 3
	freeDashboardMetrics = 50
)

// N9: nothing always on; idle, a deployment costs its storage.
func TestNothingIsBilledWhileIdle(t *testing.T) {
	for name := range contexts {
		d := deployed(t, name)
		alarmMetrics, dashboards := 0, 0
		for id, r := range d.body.Resources {
			require.Contains(t, idle, r.Type, "%s: what does a %s cost while idle?", id, r.Type)
			switch r.Type {
			case "AWS::Lambda::Function":
				require.NotContains(t, r.Properties, "VpcConfig", "%s: a VPC wants a NAT gateway, which is billed by the hour", id)
				require.NotContains(t, r.Properties, "SnapStart", id)
			case "AWS::DynamoDB::Table":
				require.Equal(t, "PAY_PER_REQUEST", r.Properties["BillingMode"], id)
				require.NotContains(t, fmt.Sprint(r.Properties["SSESpecification"]), "KMS", "%s: a key of one's own costs by the month", id)
				require.Nil(t, r.Properties["WarmThroughput"], id)
				require.Nil(t, r.Properties["ContributorInsightsSpecification"], id)
				require.Nil(t, r.Properties["KinesisStreamSpecification"], id)
			case "AWS::S3::Bucket":
				for _, property := range []string{"MetricsConfigurations", "InventoryConfigurations", "ReplicationConfiguration", "IntelligentTieringConfigurations"} {
					require.Nil(t, r.Properties[property], id)
				}
			case "AWS::SQS::Queue":
				require.Nil(t, r.Properties["KmsMasterKeyId"], id)
			case "AWS::Events::Rule":
				require.Equal(t, "DISABLED", r.Properties["State"], id)
			case "AWS::CloudWatch::Alarm":
				alarmMetrics += metricsOf(r)
			case "AWS::CloudWatch::Dashboard":
				dashboards++
				require.LessOrEqual(t, strings.Count(dashboardBody(t, r), `"stat"`), freeDashboardMetrics, id)
			}
		}
		require.LessOrEqual(t, alarmMetrics, freeAlarmMetrics, name)
		require.LessOrEqual(t, dashboards, freeDashboards, name)
	}
}

// metricsOf counts what an alarm is billed for: the metrics it evaluates, not
// the expressions over them.
func metricsOf(alarm *resource) int {
	list, isMath := alarm.Properties["Metrics"].([]any)
	if !isMath {
		return 1
	}
	n := 0
	for _, m := range list {
		if _, ok := m.(map[string]any)["MetricStat"]; ok {
			n++
		}
	}
	return n
}

func dashboardBody(t *testing.T, r *resource) string {
	t.Helper()
	raw, err := json.Marshal(r.Properties["DashboardBody"])
	require.NoError(t, err)
	return strings.ReplaceAll(string(raw), `\"`, `"`)
}
