package lambdaruntime_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/lambdaruntime"
	"github.com/symphony-rt/symphony/internal/protocol"
)

// BenchmarkColdMessageFunction is the time from starting the very file that is
// deployed to its first answer: the runtime, the AWS SDK, one signed request to
// a table (which answers at once that there is no such item), the answer. The
// target is 50 ms; Lambda's own share of a cold start comes on top.
func BenchmarkColdMessageFunction(b *testing.B) {
	path := filepath.Join(b.TempDir(), "bootstrap")
	build := exec.Command("go", "build", "-tags", "lambda.norpc", "-trimpath", "-ldflags", "-s -w", "-o", path, "../../functions/message")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := build.CombinedOutput()
	require.NoError(b, err, "%s", out)
	var asked atomic.Int64
	table := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		asked.Add(1)
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, _ = w.Write([]byte(`{}`))
	}))
	defer table.Close()
	rt := lambdaruntime.New(lambdaruntime.Options{})
	config := lambdaruntime.FunctionConfig{Path: path, Env: map[string]string{
		"AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "us-east-1", "AWS_ENDPOINT_URL": table.URL,
		"SYMPHONY_TABLE": "t", "SYMPHONY_BUCKET": "b", "SYMPHONY_MANAGEMENT_ENDPOINT": table.URL, "SYMPHONY_FANOUT_FUNCTION": "f", "SYMPHONY_LOG": "error",
	}}
	event, err := json.Marshal(map[string]any{
		"requestContext": map[string]any{"connectionId": "c", "eventType": "MESSAGE", "routeKey": "$default",
			"authorizer": map[string]any{"room": "r", "user": "u", "access": "write"}},
		"body": protocol.EncodeFrameString(&protocol.Probe{Seq: 1}),
	})
	require.NoError(b, err)
	for b.Loop() {
		require.NoError(b, rt.Function("message", config)) // anew: its instances end
		r, err := rt.Invoke(b.Context(), "message", event)
		require.NoError(b, err)
		require.NoError(b, r.Err())
		require.Contains(b, string(r.Payload), `"statusCode":200`)
	}
	require.GreaterOrEqual(b, asked.Load(), int64(b.N), "it asked the table")
	require.NoError(b, rt.Shutdown(b.Context()))
}
