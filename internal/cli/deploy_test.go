package cli

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// fakeTools puts programs into PATH that write down how they were called. check
// is what `go run ./cmd/deployment check` ends with.
func fakeTools(t *testing.T, check int) (calls func() string) {
	t.Helper()
	dir := t.TempDir()
	log := filepath.Join(dir, "calls")
	for name, script := range map[string]string{
		"go":   fmt.Sprintf("echo \"$(basename \"$PWD\"): go $*\" >> %s; exit %d", log, check),
		"make": fmt.Sprintf("echo \"$(basename \"$PWD\"): make $* region=$AWS_REGION\" >> %s", log),
		"npm":  "echo 10.0.0",
		"node": "echo v22.1.0",
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755))
	}
	t.Setenv("PATH", dir+string(os.PathListSeparator)+"/usr/bin"+string(os.PathListSeparator)+"/bin")
	return func() string {
		data, err := os.ReadFile(log)
		if err != nil {
			return ""
		}
		return string(data)
	}
}

// fakeAWS is CloudFormation with one stack, symphony-dev.
func fakeAWS(t *testing.T) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		require.NoError(t, r.ParseForm())
		if r.Form.Get("StackName") != "symphony-dev" {
			w.WriteHeader(http.StatusBadRequest)
			fmt.Fprintf(w, `<ErrorResponse><Error><Code>ValidationError</Code><Message>Stack with id %s does not exist</Message></Error></ErrorResponse>`, r.Form.Get("StackName"))
			return
		}
		fmt.Fprint(w, `<DescribeStacksResponse xmlns="http://cloudformation.amazonaws.com/doc/2010-05-15/"><DescribeStacksResult><Stacks><member>
<StackName>symphony-dev</StackName><StackStatus>CREATE_COMPLETE</StackStatus><CreationTime>2026-11-25T00:00:00Z</CreationTime><Outputs>
<member><OutputKey>WebSocketUrl</OutputKey><OutputValue>wss://abc.execute-api.eu-central-1.amazonaws.com/dev</OutputValue></member>
<member><OutputKey>TableName</OutputKey><OutputValue>symphony-dev</OutputValue></member>
<member><OutputKey>BucketName</OutputKey><OutputValue>symphony-dev-rooms</OutputValue></member>
</Outputs></member></Stacks></DescribeStacksResult></DescribeStacksResponse>`)
	}))
	t.Cleanup(server.Close)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_SESSION_TOKEN": "",
		"AWS_REGION": "eu-central-1", "AWS_PROFILE": "", "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(name, value)
	}
}

// checkout makes a folder that looks like Symphony's.
func (x *terminal) checkout() {
	x.t.Helper()
	dir := filepath.Join(x.home, "symphony")
	require.NoError(x.t, os.MkdirAll(filepath.Join(dir, "infra"), 0o755))
	require.NoError(x.t, os.WriteFile(filepath.Join(dir, "go.mod"), []byte("module github.com/symphony-rt/symphony\n"), 0o600))
	require.NoError(x.t, os.WriteFile(filepath.Join(dir, "infra", "cdk.json"), []byte("{}"), 0o600))
	x.app.Source = dir
}

// P33: checks first, then deploys, then says where the rooms are and writes it
// where the app reads it.
func TestDeploy(t *testing.T) {
	calls := fakeTools(t, 0)
	fakeAWS(t)
	x := newTerminal(t)
	x.checkout()
	require.NoError(t, os.WriteFile(filepath.Join(x.home, "package.json"), []byte("{}"), 0o600))
	x.run("", "deploy")
	require.NotContains(t, calls(), "make", "nothing is deployed without a yes")
	x.run("", "deploy", "--yes", "-c", "logDays=90")
	x.run("", "deploy", "--yes", "--json", "-c", "auth=open", "--region", "eu-west-1")
	x.run("", "deploy", "--yes", "-c", "a=$(rm)")
	x.run("", "diff")
	x.run("", "rooms", "list", "--stage", "prod")
	env, err := os.ReadFile(filepath.Join(x.home, envFile))
	require.NoError(t, err)
	require.Equal(t, "VITE_SYMPHONY_URL=wss://abc.execute-api.eu-central-1.amazonaws.com/dev\n", string(env))
	x.text.WriteString(calls())
	x.golden()
}

// Each missing thing stops a deployment before it begins.
func TestDeployChecksFirst(t *testing.T) {
	calls := fakeTools(t, 1)
	fakeAWS(t)
	x := newTerminal(t)
	x.run("", "deploy", "--yes")
	x.checkout()
	x.run("", "deploy", "--yes")
	t.Setenv("AWS_REGION", "")
	t.Setenv("AWS_DEFAULT_REGION", "")
	x.run("", "deploy", "--yes")
	t.Setenv("AWS_REGION", "eu-central-1")
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	x.run("", "rooms", "list", "--stage", "dev")
	t.Setenv("PATH", t.TempDir())
	x.run("", "deploy", "--yes")
	require.NotContains(t, calls(), "make")
	x.golden()
}
