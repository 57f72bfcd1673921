// Command deployment is what `make deploy` does around the CDK CLI.
//
//	deployment check [-c key=value]...    is the account ready? Prints what to add to the CLI's arguments
//	deployment resume [-c key=value]...   turns the schedule on after a deployment
package main

import (
	"context"
	"fmt"
	"os"
	"time"

	"github.com/symphony-rt/symphony/infra/deployment"
	"github.com/symphony-rt/symphony/infra/stack"
)

// patience bounds all questions to AWS together.
const patience = 60 * time.Second

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "symphony:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	if len(args) == 0 || args[0] != "check" && args[0] != "resume" {
		return fmt.Errorf("usage: deployment check|resume [-c key=value ...]")
	}
	given, err := deployment.Context(args[1:])
	if err != nil {
		return err
	}
	o, err := stack.ParseOptions(given)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	account, err := deployment.Open(ctx, o.Region)
	if err != nil {
		return fmt.Errorf("the AWS configuration: %w", err)
	}
	if args[0] == "resume" {
		return deployment.Resume(ctx, account, o)
	}
	return check(ctx, account, o)
}

func check(ctx context.Context, account deployment.Account, o stack.Options) error {
	r, err := deployment.Check(ctx, account, o)
	if err != nil {
		return err
	}
	for _, m := range r.Missing {
		fmt.Fprintf(os.Stderr, "  missing: %s\n      %s\n", m.What, m.Cure)
	}
	if n := len(r.Missing); n > 0 {
		return fmt.Errorf("not ready to deploy %s: %d missing", o.Name(), n)
	}
	fmt.Fprintf(os.Stderr, "  %s in account %s, region %s, as %s\n", o.Name(), r.Account, r.Region, r.Arn)
	for _, c := range r.Context {
		fmt.Printf("-c %s ", c)
	}
	return nil
}
