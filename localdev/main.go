// Command symphony-local runs all of Symphony on one machine. It is what
// `make local` starts; internal/local has the code.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/symphony-rt/symphony/internal/local"
)

// version is set by the linker.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second Ctrl-C ends the process at once.
	context.AfterFunc(ctx, stop)
	os.Exit(local.Run(ctx, version, os.Args[1:], os.Stdout, os.Stderr))
}
