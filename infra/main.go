// Command infra is the CDK app: `make synth`, `make deploy`, `make destroy`.
package main

import (
	"fmt"
	"os"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/jsii-runtime-go"

	"github.com/symphony-rt/symphony/infra/stack"
)

func main() {
	defer jsii.Close()
	app := awscdk.NewApp(nil)
	context, _ := app.Node().GetAllContext(nil).(map[string]any)
	options, err := stack.ParseOptions(context)
	if err != nil {
		fmt.Fprintf(os.Stderr, "symphony: %s\n", err)
		os.Exit(1)
	}
	stack.New(app, options).AddNag()
	app.Synth(nil)
}
