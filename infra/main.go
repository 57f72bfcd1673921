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
	options, err := stack.ParseOptions(func(key string) any { return app.Node().TryGetContext(jsii.String(key)) })
	if err != nil {
		fmt.Fprintf(os.Stderr, "symphony: %s\n", err)
		os.Exit(1)
	}
	stack.New(app, options)
	app.Synth(nil)
}
