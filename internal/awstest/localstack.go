package awstest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const (
	localStackFolder = "internal/awstest/localstack"
	// LocalStackEndpoint is the variable that names a LocalStack that runs
	// already, to be used instead of one of our own.
	LocalStackEndpoint = "LOCALSTACK_ENDPOINT"
	// minPython is the minor version of Python 3 that it runs on (Debian 12's).
	minPython = 11
)

// localStack is LocalStack 4.14.0 (Apache-2.0) from PyPI, pinned by hash, in a
// virtual environment instead of its image: see docs/LOCALSTACK.md.
var localStack = &engine{
	name:  "localstack",
	fetch: fetchLocalStack,
	command: func(folder, dir string, port int) (*exec.Cmd, error) {
		java, err := findJava()
		if err != nil {
			return nil, err
		}
		dynamo, err := fetchDynamoDBLocal()
		if err != nil {
			return nil, err
		}
		root, err := top()
		if err != nil {
			return nil, err
		}
		inner, err := freePort() // LocalStack would take one that others are given, and not try a second
		if err != nil {
			return nil, err
		}
		cmd := exec.Command(filepath.Join(folder, "venv", "bin", "python"), filepath.Join(root, localStackFolder, "run.py"))
		cmd.Dir = dir
		cmd.Env = []string{
			"HOME=" + dir, "PATH=" + filepath.Dir(java) + string(os.PathListSeparator) + os.Getenv("PATH"),
			"SYMPHONY_DYNAMODB_LOCAL=" + dynamo,
			"GATEWAY_LISTEN=127.0.0.1:" + strconv.Itoa(port),
			"SERVICES=dynamodb,dynamodbstreams,s3,sts",
			// Without Kinesis in between, which would be one more download:
			// streams come from DynamoDB Local.
			"PROVIDER_OVERRIDE_DYNAMODB=v2", "DYNAMODB_IN_MEMORY=1", "DYNAMODB_HEAP_SIZE=512m", "DYNAMODB_LOCAL_PORT=" + strconv.Itoa(inner),
			// Signatures of presigned URLs are checked; nothing is downloaded,
			// reported or resolved.
			"S3_SKIP_SIGNATURE_VALIDATION=0", "SKIP_SSL_CERT_DOWNLOAD=1", "DISABLE_EVENTS=1", "DNS_ADDRESS=0",
			"PYTHONDONTWRITEBYTECODE=1", "LS_LOG=warn",
		}
		return cmd, nil
	},
	ready: "/_localstack/health",
}

// LocalStack returns LocalStack 4.14.0: the one LOCALSTACK_ENDPOINT names, or
// one of our own.
func LocalStack(tb testing.TB) Stack {
	tb.Helper()
	endpoint := os.Getenv(LocalStackEndpoint)
	if endpoint == "" {
		endpoint = localStack.url(tb)
	}
	return Stack{Name: "localstack", DynamoDB: endpoint, S3: endpoint, Schedules: 1}
}

// ServeLocalStack runs a LocalStack of our own on port until ctx ends, and
// calls ready with its URL once it answers.
func ServeLocalStack(ctx context.Context, port int, ready func(url string)) error {
	folder, err := fetchLocalStack()
	if err != nil {
		return err
	}
	e := &engine{name: localStack.name, command: localStack.command, ready: localStack.ready}
	if err := e.run(folder, port); err != nil {
		return err
	}
	defer e.stop()
	ready(e.base)
	select {
	case <-ctx.Done():
		return nil
	case <-e.exited:
		return errors.New("it has ended by itself")
	}
}

// fetchLocalStack installs LocalStack from PyPI; pip checks the hashes.
func fetchLocalStack() (string, error) {
	python, err := findPython()
	if err != nil {
		return "", err
	}
	requirements := filepath.Join(localStackFolder, "requirements.txt")
	return cached("localstack-"+filepath.Base(python), []string{requirements}, func(root, folder string) error {
		venv := filepath.Join(folder, "venv")
		if out, err := exec.Command(python, "-m", "venv", venv).CombinedOutput(); err != nil {
			return fmt.Errorf("%w: a Python that can make virtual environments (on Debian: python3-venv): %w\n%s", errMissing, err, out)
		}
		out, err := exec.Command(filepath.Join(venv, "bin", "python"), "-m", "pip", "install", "--quiet",
			"--disable-pip-version-check", "--only-binary", ":all:", "--require-hashes", "--requirement", filepath.Join(root, requirements)).CombinedOutput()
		if err != nil {
			return fmt.Errorf("pip install: %w\n%s", err, out)
		}
		return nil
	})
}

// findPython returns the machine's newest suitable Python 3.
func findPython() (string, error) {
	for _, name := range []string{"python3.13", "python3.12", "python3.11", "python3"} {
		path, err := exec.LookPath(name)
		if err != nil {
			continue
		}
		out, err := exec.Command(path, "-c", "import sys; print(sys.version_info.major, sys.version_info.minor)").Output()
		if err != nil {
			continue
		}
		major, minor, _ := strings.Cut(strings.TrimSpace(string(out)), " ")
		if n, err := strconv.Atoi(minor); err == nil && major == "3" && n >= minPython {
			return path, nil
		}
	}
	return "", fmt.Errorf("%w: Python 3.%d or newer (runs LocalStack)", errMissing, minPython)
}
