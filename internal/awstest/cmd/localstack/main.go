// Command localstack runs LocalStack 4.14.0 without Docker until it is
// interrupted: go run ./internal/awstest/cmd/localstack [port, default 4566].
// See docs/LOCALSTACK.md.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"syscall"

	"github.com/symphony-rt/symphony/internal/awstest"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "localstack:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	port := 4566
	if len(args) > 0 {
		var err error
		if port, err = strconv.Atoi(args[0]); err != nil {
			return fmt.Errorf("port %q: %w", args[0], err)
		}
	}
	fmt.Println("LocalStack: installing (the first time it takes a minute) and starting")
	return awstest.ServeLocalStack(ctx, port, func(url string) {
		fmt.Printf("LocalStack answers on %s; Ctrl-C stops it, and with it all it holds\n", url)
	})
}
