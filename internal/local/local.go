// Package local runs all of Symphony on one machine: the gateway, the functions,
// the store, the checkpoint schedule and pages, in one process or with a fleet of
// gateways. It is what `make local` and `symphony dev` start.
package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"

	"github.com/symphony-rt/symphony/internal/collector"
)

// Exit codes.
const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2
)

// ChildRole, as the only argument, makes the process one gateway of a fleet. A
// program that calls Run has to give it that argument too: Run starts the
// program it is part of anew for each gateway.
const ChildRole = childRole

// Run runs what the flags in args say (see --help) until ctx ends, and returns
// the exit code. version is what the ready line reports.
func Run(ctx context.Context, version string, args []string, stdout, stderr io.Writer) int {
	paced, stopPacing := context.WithCancel(ctx)
	defer stopPacing()
	go collector.Pace(paced)
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
	o.version = version
	log := slog.New(slog.NewTextHandler(stderr, &slog.HandlerOptions{Level: o.level}))
	if err := serve(ctx, o, stdout, log); err != nil {
		fmt.Fprintf(stderr, "\nsymphony-local: %s\n", explain(err))
		return exitError
	}
	return exitOK
}
