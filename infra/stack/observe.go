package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	cw "github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssnssubscriptions"
	"github.com/aws/jsii-runtime-go"

	"github.com/symphony-rt/symphony/internal/directory"
)

// MetricCheckpointLag is the checkpoint function's: for how long the oldest edit
// that a sweep found had waited, in seconds. Beside it the stream function
// publishes the metrics named in internal/directory.
const MetricCheckpointLag = "CheckpointLag"

func minute() awscdk.Duration { return awscdk.Duration_Minutes(jsii.Number(1)) }

func (s *Stack) gatewayMetric(name, statistic string) cw.Metric {
	return cw.NewMetric(&cw.MetricProps{
		Namespace: jsii.String("AWS/ApiGateway"), MetricName: jsii.String(name), Statistic: jsii.String(statistic), Period: minute(),
		DimensionsMap: &map[string]*string{"ApiId": s.API.ApiId(), "Stage": jsii.String(s.Options.Stage)},
	})
}

// roomsMetric is one that the stream or checkpoint function publishes.
func (s *Stack) roomsMetric(name, statistic string) cw.Metric {
	return cw.NewMetric(&cw.MetricProps{
		Namespace: jsii.String(directory.Namespace), MetricName: jsii.String(name), Statistic: jsii.String(statistic), Period: minute(),
		DimensionsMap: &map[string]*string{"Table": s.Table.TableName()},
	})
}

// perFunction makes a metric of each function, labelled with its name.
func (s *Stack) perFunction(metric func(name string) cw.Metric) *[]cw.IMetric {
	var all []cw.IMetric
	for _, name := range FunctionNames {
		all = append(all, metric(name).With(&cw.MetricOptions{Label: jsii.String(name)}))
	}
	return &all
}

func (s *Stack) addDashboard() {
	if !s.Options.Dashboard {
		return
	}
	options := &cw.MetricOptions{Period: minute()}
	graph := func(title string, left *[]cw.IMetric) cw.IWidget {
		return cw.NewGraphWidget(&cw.GraphWidgetProps{Title: jsii.String(title), Left: left, Width: jsii.Number(12), Height: jsii.Number(6)})
	}
	d := cw.NewDashboard(s.Root, jsii.String("Dashboard"), &cw.DashboardProps{
		DashboardName: jsii.String(s.Options.Name()), DefaultInterval: awscdk.Duration_Hours(jsii.Number(3)),
	})
	d.AddWidgets(
		graph("Connections and messages a minute", &[]cw.IMetric{s.gatewayMetric("ConnectCount", "Sum"), s.gatewayMetric("MessageCount", "Sum")}),
		graph("Gateway errors a minute", &[]cw.IMetric{s.gatewayMetric("ClientError", "Sum"), s.gatewayMetric("ExecutionError", "Sum"), s.gatewayMetric("IntegrationError", "Sum")}),
	)
	d.AddWidgets(
		graph("Edits a minute", &[]cw.IMetric{s.roomsMetric(directory.MetricUpdates, "Sum"), s.roomsMetric(directory.MetricCheckpoints, "Sum")}),
		graph("Bytes of edits a minute", &[]cw.IMetric{s.roomsMetric(directory.MetricUpdateBytes, "Sum")}),
	)
	d.AddWidgets(
		graph("Time to answer a message, ms", &[]cw.IMetric{s.gatewayMetric("IntegrationLatency", "p50"), s.gatewayMetric("IntegrationLatency", "p99")}),
		graph("Checkpoint lag, s", &[]cw.IMetric{s.roomsMetric(MetricCheckpointLag, "Maximum")}),
	)
	d.AddWidgets(
		graph("Invocations a minute", s.perFunction(func(n string) cw.Metric { return s.Functions[n].MetricInvocations(options) })),
		graph("Function errors a minute", s.perFunction(func(n string) cw.Metric { return s.Functions[n].MetricErrors(options) })),
	)
	d.AddWidgets(
		graph("Duration, ms", s.perFunction(func(n string) cw.Metric { return s.Functions[n].MetricDuration(options) })),
		graph("Throttles a minute", s.perFunction(func(n string) cw.Metric { return s.Functions[n].MetricThrottles(options) })),
	)
}

// addAlarms adds one alarm for each way a deployment gets into trouble. An alarm
// is billed by the metrics it evaluates, also those inside an expression, and
// an account has ten for nothing (https://aws.amazon.com/cloudwatch/pricing/):
// these are ten, which idle_test.go counts. What is not watched by itself
// is seen by another: a failing or throttled authorize, connect or disconnect
// is an error of the gateway, a failing stream function makes the iterator
// old and then dead letters.
func (s *Stack) addAlarms() {
	if !s.Options.Alarms {
		return
	}
	topic := s.addTopic()
	sum := &cw.MetricOptions{Period: minute(), Statistic: jsii.String("Sum")}
	highest := &cw.MetricOptions{Period: minute(), Statistic: jsii.String("Maximum")}
	plus := func(a, b cw.IMetric) cw.IMetric {
		return cw.NewMathExpression(&cw.MathExpressionProps{
			Expression: jsii.String("a+b"), UsingMetrics: &map[string]cw.IMetric{"a": a, "b": b}, Period: minute(),
		})
	}
	message, checkpoint := s.Functions["message"], s.Functions["checkpoint"]
	s.alarm(topic, "Errors", "The message function failed", message.MetricErrors(sum), 0, 2)
	s.alarm(topic, "CheckpointErrors", "Rooms could not be checkpointed: their log grows", checkpoint.MetricErrors(sum), 0, 3)
	s.alarm(topic, "Throttles", "A function was throttled: raise the account's concurrency",
		plus(message.MetricThrottles(sum), checkpoint.MetricThrottles(sum)), 0, 2)
	s.alarm(topic, "IteratorAge", "The change feed is behind: the room directory is old (ms)",
		s.Functions["stream"].Metric(jsii.String("IteratorAge"), highest), 60_000, 5)
	s.alarm(topic, "DeadLetters", "Changes that the stream function could not take: see the queue",
		s.Dead.MetricApproximateNumberOfMessagesVisible(highest), 0, 1)
	s.alarm(topic, "ClientErrors", "Many refused connections (4xx): an expired token, or somebody trying", s.gatewayMetric("ClientError", "Sum"), 500, 5)
	s.alarm(topic, "ServerErrors", "The gateway could not reach a function, or it failed (5xx)",
		plus(s.gatewayMetric("ExecutionError", "Sum"), s.gatewayMetric("IntegrationError", "Sum")), 0, 2)
	s.alarm(topic, "CheckpointLag", "An edited room waits for its checkpoint (s)", s.roomsMetric(MetricCheckpointLag, "Maximum"), 90, 3)
}

// addTopic adds the topic that alarms are sent to, nil when nobody wants them.
func (s *Stack) addTopic() awssns.Topic {
	if s.Options.AlarmEmail == "" {
		return nil
	}
	topic := awssns.NewTopic(s.Root, jsii.String("Alarms"), &awssns.TopicProps{
		TopicName: jsii.String(s.Options.Name() + "-alarms"), EnforceSSL: jsii.Bool(true),
	})
	topic.AddSubscription(awssnssubscriptions.NewEmailSubscription(jsii.String(s.Options.AlarmEmail), nil))
	// The topic's policy for TLS replaces the default one, which let alarms in.
	policy := statement([]string{"sns:Publish"}, *topic.TopicArn())
	policy.AddServicePrincipal(jsii.String("cloudwatch.amazonaws.com"), nil)
	policy.AddCondition(jsii.String("StringEquals"), map[string]any{"aws:SourceAccount": s.Root.Account()})
	topic.AddToResourcePolicy(policy)
	return topic
}

// alarm goes off when metric is over threshold for so many minutes on end.
func (s *Stack) alarm(topic awssns.Topic, name, why string, metric cw.IMetric, threshold, minutes float64) {
	a := cw.NewAlarm(s.Root, jsii.String("Alarm-"+name), &cw.AlarmProps{
		AlarmName: jsii.String(s.Options.Name() + "-" + name), AlarmDescription: jsii.String(why),
		Metric: metric, Threshold: jsii.Number(threshold), EvaluationPeriods: jsii.Number(minutes),
		ComparisonOperator: cw.ComparisonOperator_GREATER_THAN_THRESHOLD,
		TreatMissingData:   cw.TreatMissingData_NOT_BREACHING,
	})
	if topic != nil {
		a.AddAlarmAction(awscloudwatchactions.NewSnsAction(topic))
	}
	s.Alarms = append(s.Alarms, a)
}
