package local

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"time"
)

// EnvLocalStack is where LocalStack answers; its own default when unset.
const (
	EnvLocalStack     = "LOCALSTACK_ENDPOINT"
	defaultLocalStack = "http://127.0.0.1:4566"
)

const (
	// probeTime: on this machine, something that is there answers at once.
	probeTime = time.Second
	// dockerTime bounds the question whether an engine runs.
	dockerTime = 3 * time.Second
	// pullTime bounds fetching the image, about a gigabyte, and its start.
	pullTime = 10 * time.Minute
)

//go:embed localstack.yml
var composeFile string

func localStackEndpoint() string {
	if e := os.Getenv(EnvLocalStack); e != "" {
		return strings.TrimSuffix(e, "/")
	}
	return defaultLocalStack
}

// localStack finds LocalStack or starts it with Docker.
type localStack struct {
	endpoint string
	progress io.Writer
}

// find returns how LocalStack was found, or why it was not.
func (l localStack) find(ctx context.Context) (string, error) {
	if l.answers(ctx) {
		return "it answers on " + l.endpoint, nil
	}
	if l.endpoint != defaultLocalStack {
		return "", fmt.Errorf("no LocalStack answers on %s", l.endpoint)
	}
	if err := dockerRuns(ctx); err != nil {
		return "", fmt.Errorf("no LocalStack on %s, and %w (without Docker: go run ./internal/awstest/cmd/localstack)", l.endpoint, err)
	}
	fmt.Fprintln(l.progress, "Starting LocalStack with Docker (the first time it fetches about 1 GB; STACK=embedded does without)")
	ctx, cancel := context.WithTimeout(ctx, pullTime)
	defer cancel()
	up := exec.CommandContext(ctx, "docker", "compose", "--file", "-", "up", "--detach", "--wait")
	up.Stdin = strings.NewReader(composeFile)
	up.Stdout, up.Stderr = l.progress, l.progress
	if err := up.Run(); err != nil {
		return "", fmt.Errorf("docker compose could not start it: %w", err)
	}
	if !l.answers(ctx) {
		return "", fmt.Errorf("the one that Docker started it does not answer on %s", l.endpoint)
	}
	return "Docker runs it", nil
}

// answers asks LocalStack's health page.
func (l localStack) answers(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, l.endpoint+"/_localstack/health", nil)
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, io.LimitReader(res.Body, 1<<16))
	return res.StatusCode == http.StatusOK
}

func dockerRuns(ctx context.Context) error {
	if _, err := exec.LookPath("docker"); err != nil {
		return errors.New("docker is not installed")
	}
	ctx, cancel := context.WithTimeout(ctx, dockerTime)
	defer cancel()
	if exec.CommandContext(ctx, "docker", "info").Run() != nil {
		return errors.New("no Docker engine runs")
	}
	return nil
}
