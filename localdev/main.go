// Command symphony-local runs all of Symphony on one machine: the gateway, the
// functions, the store, the checkpoint schedule and the whiteboard page. It is
// what `make local` starts.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
)

// version is set by the linker.
var version = "dev"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// A second Ctrl-C ends the process at once.
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], os.Stdout, os.Stderr))
}

// Exit codes.
const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2
)

func run(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	if len(args) == 1 && args[0] == childRole {
		if err := runChild(ctx, os.Stdin, stdout, stderr); err != nil {
			fmt.Fprintf(stderr, "symphony-local: a gateway process: %s\n", err)
			return exitError
		}
		return exitOK
	}
	o, err := parse(args, stderr)
	switch {
	case errors.Is(err, errHelp):
		return exitOK
	case err != nil:
		return exitUsage
	}
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: o.level}))
	if err := serve(ctx, o, stdout, log); err != nil {
		fmt.Fprintf(stderr, "\nsymphony-local: %s\n", explain(err))
		return exitError
	}
	return exitOK
}
