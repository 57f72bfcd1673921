// Command loadtest is the load generator; see docs/LOADTEST.md.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/symphony-rt/symphony/loadtest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(loadtest.Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
}
