package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	cw "github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatch"
	"github.com/aws/aws-cdk-go/awscdk/v2/awscloudwatchactions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssns"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssnssubscriptions"
	"github.com/aws/jsii-runtime-go"
)

// Namespace is where the stream function publishes its metrics.
const Namespace = "Symphony"

func minute() awscdk.Duration { return awscdk.Duration_Minutes(jsii.Number(1)) }

func (s *Stack) gatewayMetric(name, statistic string) cw.Metric {
	return cw.NewMetric(&cw.MetricProps{
		Namespace: jsii.String("AWS/ApiGateway"), MetricName: jsii.String(name), Statistic: jsii.String(statistic), Period: minute(),
		DimensionsMap: &map[string]*string{"ApiId": s.API.ApiId(), "Stage": jsii.String(s.Options.Stage)},
	})
}

// roomsMetric is one of the stream function's.
func (s *Stack) roomsMetric(name, statistic string) cw.Metric {
	return cw.NewMetric(&cw.MetricProps{
		Namespace: jsii.String(Namespace), MetricName: jsii.String(name), Statistic: jsii.String(statistic), Period: minute(),
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
	options := &cw.MetricOptions{Period: minute()}
	graph := func(title string, left *[]cw.IMetric) cw.IWidget {
		return cw.NewGraphWidget(&cw.GraphWidgetProps{Title: jsii.String(title), Left: left, Width: jsii.Number(12), Height: jsii.Number(6)})
	}
	d := cw.NewDashboard(s.Root, jsii.String("Dashboard"), &cw.DashboardProps{
		DashboardName: jsii.String(s.Options.Name()), DefaultInterval: awscdk.Duration_Hours(jsii.Number(3)),
	})
	d.AddWidgets(
		graph("Connections and messages a minute", &[]cw.IMetric{s.gatewayMetric("ConnectCount", "Sum"), s.gatewayMetric("MessageCount", "Sum")}),
		graph("Gateway errors", &[]cw.IMetric{s.gatewayMetric("ClientError", "Sum"), s.gatewayMetric("ExecutionError", "Sum"), s.gatewayMetric("IntegrationError", "Sum")}),
	)
	d.AddWidgets(
		graph("Edits and bytes a minute", &[]cw.IMetric{s.roomsMetric("Updates", "Sum"), s.roomsMetric("Bytes", "Sum")}),
		graph("Time to answer a message, ms", &[]cw.IMetric{s.gatewayMetric("IntegrationLatency", "p50"), s.gatewayMetric("IntegrationLatency", "p99")}),
	)
	d.AddWidgets(
		graph("Invocations", s.perFunction(func(n string) cw.Metric { return s.Functions[n].MetricInvocations(options) })),
		graph("Function errors and throttles", s.perFunction(func(n string) cw.Metric { return s.Functions[n].MetricErrors(options) })),
	)
	d.AddWidgets(
		graph("Duration, ms", s.perFunction(func(n string) cw.Metric { return s.Functions[n].MetricDuration(options) })),
		graph("Checkpoint lag, s", &[]cw.IMetric{s.roomsMetric("CheckpointLag", "Maximum")}),
	)
}

// addAlarms adds one alarm for each way a deployment gets into trouble. Ten
// alarms are free in every account; there are eight.
func (s *Stack) addAlarms() {
	var topic awssns.Topic
	if s.Options.AlarmEmail != "" {
		topic = awssns.NewTopic(s.Root, jsii.String("Alarms"), &awssns.TopicProps{
			TopicName: jsii.String(s.Options.Name() + "-alarms"), EnforceSSL: jsii.Bool(true),
		})
		topic.AddSubscription(awssnssubscriptions.NewEmailSubscription(jsii.String(s.Options.AlarmEmail), nil))
	}
	sum := &cw.MetricOptions{Period: minute(), Statistic: jsii.String("Sum")}
	errors, throttles := map[string]cw.IMetric{}, map[string]cw.IMetric{}
	errorSum, throttleSum := "", ""
	for i, name := range FunctionNames {
		id := string(rune('a' + i))
		errors[id], throttles[id] = s.Functions[name].MetricErrors(sum), s.Functions[name].MetricThrottles(sum)
		if i > 0 {
			errorSum, throttleSum = errorSum+"+", throttleSum+"+"
		}
		errorSum, throttleSum = errorSum+id, throttleSum+id
	}
	all := func(expression string, using map[string]cw.IMetric) cw.IMetric {
		return cw.NewMathExpression(&cw.MathExpressionProps{Expression: jsii.String(expression), UsingMetrics: &using, Period: minute()})
	}
	s.alarm(topic, "Errors", "A function failed", all(errorSum, errors), 0, 2)
	s.alarm(topic, "Throttles", "A function was throttled: raise the account's concurrency", all(throttleSum, throttles), 0, 2)
	s.alarm(topic, "IteratorAge", "The change feed is behind: the dashboard's numbers are old (ms)",
		s.Functions["stream"].Metric(jsii.String("IteratorAge"), &cw.MetricOptions{Period: minute(), Statistic: jsii.String("Maximum")}), 60_000, 5)
	s.alarm(topic, "DeadLetters", "Changes that the stream function could not take: see the queue",
		s.Dead.MetricApproximateNumberOfMessagesVisible(&cw.MetricOptions{Period: minute(), Statistic: jsii.String("Maximum")}), 0, 1)
	s.alarm(topic, "ClientErrors", "Many refused connections: an expired token, or somebody trying", s.gatewayMetric("ClientError", "Sum"), 500, 5)
	s.alarm(topic, "ServerErrors", "The gateway could not reach a function", all("a+b", map[string]cw.IMetric{
		"a": s.gatewayMetric("ExecutionError", "Sum"), "b": s.gatewayMetric("IntegrationError", "Sum"),
	}), 0, 2)
	s.alarm(topic, "CheckpointErrors", "Rooms could not be checkpointed: their log grows", s.Functions["checkpoint"].MetricErrors(sum), 0, 3)
	s.alarm(topic, "CheckpointLag", "An edited room waits for its checkpoint (s)", s.roomsMetric("CheckpointLag", "Maximum"), 90, 3)
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
