package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awslambda"
	"github.com/aws/jsii-runtime-go"

	"github.com/symphony-rt/symphony/internal/config"
)

const (
	// fanoutMaxAge is how long a slice of a broadcast may wait for its function,
	// the shortest that Lambda offers. A post that comes later helps nobody: who
	// is missing an update has seen the gap and asked.
	fanoutMaxAge = 60
	// fanoutRetries: a slice whose function died is tried once more. What it has
	// posted already comes twice, which changes nothing.
	fanoutRetries = 1
)

// addFanout lets the message function hand slices of a large room's broadcast
// to the fan-out function.
func (s *Stack) addFanout() {
	s.Functions["fanout"].ConfigureAsyncInvoke(&awslambda.EventInvokeConfigOptions{
		MaxEventAge: awscdk.Duration_Seconds(jsii.Number(fanoutMaxAge)), RetryAttempts: jsii.Number(fanoutRetries),
	})
	s.Functions["message"].AddEnvironment(jsii.String(config.EnvFanout), jsii.String(s.Options.Name()+"-fanout"), nil)
}
