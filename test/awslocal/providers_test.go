package awslocal

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/awstest"
)

// P21, P22: the convergence test of test/e2e (unmodified y-websocket providers,
// cut connections, reordered messages, lost $disconnect), with the deployed
// files behind the gateway and DynamoDB Local and an S3 engine behind them.
func TestProvidersConvergeOnTheDeployedFiles(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		if os.Getenv("SYMPHONY_REQUIRE_ALL") == "1" {
			t.Fatal("node is not installed, and SYMPHONY_REQUIRE_ALL=1")
		}
		t.Skip("SKIPPED: node is not installed")
	}
	stack := awstest.Engines(t)
	dir, err := build()
	require.NoError(t, err)
	credentials, err := awstest.Config(stack.S3).Credentials.Retrieve(t.Context())
	require.NoError(t, err)
	e2e := filepath.Join(top, "test", "e2e")
	install := exec.Command("npm", "ci", "--silent", "--no-fund", "--no-audit")
	install.Dir = e2e
	if _, err := os.Stat(filepath.Join(e2e, "node_modules")); err != nil {
		out, err := install.CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	// The test starts $SYMPHONY_LOCAL with flags of its own; ours come last.
	wrapper := filepath.Join(t.TempDir(), "symphony-local")
	require.NoError(t, os.WriteFile(wrapper, fmt.Appendf(nil, "#!/bin/sh\nexec %s \"$@\" --functions process --functions-dir %s --dynamodb-endpoint %s --s3-endpoint %s --log warn\n",
		filepath.Join(dir, "symphony-local"), filepath.Join(dir, "functions"), stack.DynamoDB, stack.S3), 0o755))

	run := exec.CommandContext(within(t, 8*time.Minute), node, "--test", "providers/convergence.test.mjs")
	run.Dir = e2e
	run.Env = append(os.Environ(), "SYMPHONY_LOCAL="+wrapper, "AWS_ACCESS_KEY_ID="+credentials.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+credentials.SecretAccessKey)
	out, err := run.CombinedOutput()
	t.Logf("%s", out)
	require.NoError(t, err)
}
