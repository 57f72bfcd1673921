package awscli

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/awstest"
	"github.com/symphony-rt/symphony/internal/cli"
	"github.com/symphony-rt/symphony/internal/dynamostore"
	"github.com/symphony-rt/symphony/internal/layout"
	"github.com/symphony-rt/symphony/internal/local"
)

// localTable is what the local stack calls its table on LocalStack.
const localTable = "symphony-local"

// ready is closed when the server has said that it is.
type ready struct {
	once sync.Once
	ch   chan struct{}
}

func (r *ready) Write(p []byte) (int, error) {
	r.once.Do(func() { close(r.ch) })
	return len(p), nil
}

// serve runs the local server on LocalStack, with its data folder in the
// terminal's, until the test ends.
func (x *terminal) serve() {
	x.t.Helper()
	ctx, cancel := context.WithCancel(x.t.Context())
	done, r := make(chan int, 1), &ready{ch: make(chan struct{})}
	var log bytes.Buffer
	go func() {
		done <- local.Run(ctx, "test", []string{"--ready-json", "--port", "0", "--stack", "localstack", "--log", "error", "--dashboard", "off",
			"--data", filepath.Join(x.app.Dir, ".symphony")}, r, &log)
	}()
	select {
	case <-r.ch:
	case <-done:
		cancel()
		x.t.Fatalf("the local server did not start: %s", log.String())
	}
	x.t.Cleanup(func() {
		cancel()
		<-done
	})
}

// listed waits until the directory, which the stream of changes keeps, has what
// a list is to show, and not what it is not to.
func (x *terminal) listed(query, has, hasNot string) {
	x.t.Helper()
	require.Eventually(x.t, func() bool {
		code, out, _ := x.run("", "rooms", "list", query, "--json", "--stage", "localstack")
		return code == cli.ExitOK && strings.Contains(out, has) && (hasNot == "" || !strings.Contains(out, hasNot))
	}, time.Minute, 200*time.Millisecond)
}

// Issue 8 on LocalStack: the same rooms, with the same answers, through the local
// server that has LocalStack behind it and on LocalStack itself.
func TestRoomsOnLocalStack_P31_N3(t *testing.T) {
	stack := awstest.LocalStack(t)
	t.Setenv("LOCALSTACK_ENDPOINT", stack.DynamoDB)
	served, direct := newTerminal(t), newTerminal(t)
	served.serve()
	both := []*terminal{served, direct}
	in := func(args ...string) []string { return append(args, "--stage", "localstack") }

	served.ok(document(t, "hello"), in("rooms", "import", "plan")...)
	direct.ok(document(t, "hello"), in("rooms", "import", "plan", "--merge")...)
	direct.ok(document(t, "other"), in("rooms", "import", "team/ä room")...)
	for _, x := range both {
		x.listed("plan", `"updates": 2`, "")
		x.listed("team", `"matching": 1`, "")
		require.Contains(t, x.ok("", in("rooms", "show", "plan")...), "hello")
		require.Contains(t, x.ok("", in("rooms", "info", "plan")...), "2")
		x.ok("", in("rooms", "export", "plan", "plan.yjs")...)
		x.ok("", in("verify")...)
		code, _, _ := x.run("", in("rooms", "show", "never")...)
		require.Equal(t, cli.ExitFailed, code)
	}
	a, err := os.ReadFile(filepath.Join(served.app.Dir, "plan.yjs"))
	require.NoError(t, err)
	b, err := os.ReadFile(filepath.Join(direct.app.Dir, "plan.yjs"))
	require.NoError(t, err)
	require.Equal(t, a, b)

	direct.ok("", in("rooms", "import", "copy", "plan.yjs")...)
	served.ok("", in("rooms", "export", "copy", "copy.yjs")...)
	b, err = os.ReadFile(filepath.Join(served.app.Dir, "copy.yjs"))
	require.NoError(t, err)
	require.Equal(t, a, b, "export and import are byte-true")
	direct.listed("copy", `"copy"`, "")
	direct.ok("", in("rooms", "delete", "copy", "--yes")...)
	for _, x := range both {
		x.listed("copy", `"matching": 0`, `"copy"`)
		code, _, _ := x.run("", in("rooms", "show", "copy")...)
		require.Equal(t, cli.ExitFailed, code)
	}

	// The last but one of the log: too young to be archived and trimmed already.
	direct.ok(document(t, "hello"), in("rooms", "import", "plan", "--merge")...)
	direct.ok(document(t, "hello"), in("rooms", "import", "plan", "--merge")...)
	_, err = dynamostore.NewClient(awstest.Config(stack.DynamoDB)).DeleteItem(t.Context(), &dynamodb.DeleteItemInput{
		TableName: aws.String(localTable), Key: map[string]types.AttributeValue{
			layout.PartitionAttribute: &types.AttributeValueMemberS{Value: layout.RoomPartition("plan")},
			layout.SortAttribute:      &types.AttributeValueMemberS{Value: layout.UpdateSort(3)},
		},
	})
	require.NoError(t, err)
	for _, x := range both {
		code, out, _ := x.run("", in("verify", "plan")...)
		require.Equal(t, cli.ExitFailed, code, "a missing log entry is a doubt")
		require.Contains(t, out, "DOUBT")
	}
}
