// Command symphony creates, runs, deploys, inspects and removes collaborative
// apps. internal/cli has the commands; docs/cli has a page for each.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/symphony-rt/symphony/internal/cli"
	"github.com/symphony-rt/symphony/internal/local"
	"github.com/symphony-rt/symphony/loadtest"
)

// Set by the linker: the version, and the checkout the program was built from.
var (
	version = "dev"
	source  = ""
)

// loadtestWorker, as the only argument, makes this process a worker of the load
// generator, which starts the program it is part of anew.
const loadtestWorker = "loadtest-worker"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second Ctrl-C ends the process at once.
	context.AfterFunc(ctx, stop)
	if len(os.Args) == 2 && os.Args[1] == loadtestWorker {
		os.Exit(loadtest.Main(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
	}
	if len(os.Args) == 2 && os.Args[1] == local.ChildRole || os.Getenv(cli.EnvLocalStack) != "" { // a part of the load test or of a fleet
		os.Exit(local.Run(ctx, version, os.Args[1:], os.Stdout, os.Stderr))
	}
	dir, err := os.Getwd()
	if err != nil {
		fmt.Fprintln(os.Stderr, "symphony: the working directory:", err)
		os.Exit(cli.ExitFailed)
	}
	self, _ := os.Executable() // "" when the system cannot say
	app := &cli.App{
		In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Env: os.Getenv, Dir: dir, Executable: self,
		Version: version, Source: source, Now: time.Now,
		Interactive: isTerminal(os.Stdin) && isTerminal(os.Stderr),
		Color:       os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" && isTerminal(os.Stdout) && isTerminal(os.Stderr),
	}
	os.Exit(app.Run(ctx, os.Args[1:]))
}

func isTerminal(f *os.File) bool {
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
