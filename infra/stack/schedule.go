package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsevents"
	"github.com/aws/aws-cdk-go/awscdk/v2/awseventstargets"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambdaeventsources"
	"github.com/aws/aws-cdk-go/awscdk/v2/awssqs"
	"github.com/aws/jsii-runtime-go"

	"github.com/symphony-rt/symphony/internal/config"
	"github.com/symphony-rt/symphony/internal/layout"
)

const (
	// sweeps and sweepEvery: a schedule steps in minutes and an edited room is
	// to be checkpointed within 30 s, so one event asks for two sweeps.
	sweeps     = 2
	sweepEvery = 30
)

// addSchedule adds the rule that starts checkpoints. It is created disabled:
// the stream function turns it on when a room becomes dirty, and the checkpoint
// function off when none is left, so that an idle deployment runs nothing (N9).
// A deployment that changes the rule turns it off with rooms waiting; `make
// deploy` therefore ends with turning it on (deployment.Resume), and the
// checkpoint function turns it off again when there is nothing to do.
func (s *Stack) addSchedule() {
	s.Schedule = awsevents.NewRule(s.Root, jsii.String("Schedule"), &awsevents.RuleProps{
		RuleName:    jsii.String(s.Options.ScheduleName()),
		Description: jsii.String("Checkpoints while rooms are edited. Turned on and off by Symphony itself."),
		Schedule:    awsevents.Schedule_Rate(awscdk.Duration_Minutes(jsii.Number(1))),
		Enabled:     jsii.Bool(false),
		Targets: &[]awsevents.IRuleTarget{awseventstargets.NewLambdaFunction(s.Functions["checkpoint"], &awseventstargets.LambdaFunctionProps{
			Event: awsevents.RuleTargetInput_FromObject(map[string]any{
				"version": "0", "source": "symphony", "detail-type": "Checkpoint",
				"detail": map[string]any{"sweeps": sweeps, "everySeconds": sweepEvery},
			}),
			// The next minute brings another; a late one has nothing to add.
			RetryAttempts: jsii.Number(0),
			MaxEventAge:   awscdk.Duration_Seconds(jsii.Number(60)),
		})},
	})
	for _, name := range []string{"stream", "checkpoint"} {
		// By name: the rule refers to the function, so the function must not
		// refer to the rule.
		s.Functions[name].AddEnvironment(jsii.String(config.EnvSchedule), jsii.String(s.Options.ScheduleName()), nil)
	}
}

// ScheduleName is the name of the rule that starts checkpoints.
func (o Options) ScheduleName() string { return o.Name() + "-checkpoint" }

// addFeed connects the table's stream to the stream function.
func (s *Stack) addFeed() {
	s.Dead = awssqs.NewQueue(s.Root, jsii.String("Dead"), &awssqs.QueueProps{
		QueueName:       jsii.String(s.Options.Name() + "-stream-dead"),
		Encryption:      awssqs.QueueEncryption_SQS_MANAGED,
		EnforceSSL:      jsii.Bool(true),
		RetentionPeriod: awscdk.Duration_Days(jsii.Number(14)),
		RemovalPolicy:   s.removal(),
	})
	s.Functions["stream"].AddEventSource(awslambdaeventsources.NewDynamoEventSource(s.Table, &awslambdaeventsources.DynamoEventSourceProps{
		StartingPosition:        awslambda.StartingPosition_TRIM_HORIZON,
		BatchSize:               jsii.Number(500),
		MaxBatchingWindow:       awscdk.Duration_Seconds(jsii.Number(1)), // counters move within 2 s (P30)
		ParallelizationFactor:   jsii.Number(4),
		BisectBatchOnError:      jsii.Bool(true),
		ReportBatchItemFailures: jsii.Bool(true),
		RetryAttempts:           jsii.Number(10),
		OnFailure:               awslambdaeventsources.NewSqsDlq(s.Dead),
		// Only rooms: the directory it writes itself must not call it again.
		Filters: &[]*map[string]any{awslambda.FilterCriteria_Filter(&map[string]any{
			"dynamodb": map[string]any{"Keys": map[string]any{
				layout.PartitionAttribute: map[string]any{"S": []any{map[string]any{"prefix": layout.RoomPrefix}}},
			}},
		})},
	}))
}
