package awslocal

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/smithy-go/encoding/cbor"
	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/awstest"
	"github.com/symphony-rt/symphony/internal/dashboard/stage"
	"github.com/symphony-rt/symphony/internal/directory"
	"github.com/symphony-rt/symphony/internal/dynamodirectory"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/room/roomtest"
)

// watched is CloudWatch and its Logs on the wire, for want of an engine with
// both: every metric has one point a minute ago, and every function one start.
type watched struct {
	t     *testing.T
	calls atomic.Int32
}

// https://smithy.io/2.0/additional-specs/protocols/smithy-rpc-v2.html
func (w *watched) metrics(res http.ResponseWriter, r *http.Request) {
	w.calls.Add(1)
	body, err := io.ReadAll(r.Body)
	if err != nil || !strings.HasSuffix(r.URL.Path, "/operation/GetMetricData") {
		w.t.Errorf("CloudWatch was asked %s: %v", r.URL, err)
		return
	}
	asked, err := cbor.Decode(body)
	if err != nil {
		w.t.Errorf("not CBOR: %v", err)
		return
	}
	var results cbor.List
	for _, q := range asked.(cbor.Map)["MetricDataQueries"].(cbor.List) {
		results = append(results, cbor.Map{
			"Id":         q.(cbor.Map)["Id"],
			"Timestamps": cbor.List{&cbor.Tag{ID: 1, Value: cbor.Float64(time.Now().Add(-time.Minute).Unix())}},
			"Values":     cbor.List{cbor.Float64(60)},
		})
	}
	res.Header().Set("Smithy-Protocol", "rpc-v2-cbor")
	res.Header().Set("Content-Type", "application/cbor")
	_, _ = res.Write(cbor.Encode(cbor.Map{"MetricDataResults": results}))
}

// https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_FilterLogEvents.html
func (w *watched) logs(res http.ResponseWriter, r *http.Request) {
	w.calls.Add(1)
	var asked struct{ LogGroupName string }
	if err := json.NewDecoder(r.Body).Decode(&asked); err != nil || r.Header.Get("X-Amz-Target") != "Logs_20140328.FilterLogEvents" || !strings.HasPrefix(asked.LogGroupName, "/aws/lambda/symphony-dev-") {
		w.t.Errorf("CloudWatch Logs was asked %s of %q: %v", r.Header.Get("X-Amz-Target"), asked.LogGroupName, err)
	}
	res.Header().Set("Content-Type", "application/x-amz-json-1.1")
	_ = json.NewEncoder(res).Encode(map[string]any{"events": []any{map[string]any{
		"eventId": asked.LogGroupName, "timestamp": time.Now().Add(-time.Minute).UnixMilli(), "message": `{"level":"INFO","msg":"instance started"}`,
	}}})
}

// The dashboard of a stage, from the developer's own AWS configuration: rooms
// from DynamoDB and S3, figures from CloudWatch, nothing without the link's token
// and no change without leave (P31, P34).
func TestDashboardOfAStage(t *testing.T) {
	stack := awstest.Engines(t)
	v := newVerifiable(t, stack)
	w := &watched{t: t}
	metrics, logs := httptest.NewServer(http.HandlerFunc(w.metrics)), httptest.NewServer(http.HandlerFunc(w.logs))
	defer metrics.Close()
	defer logs.Close()
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": awstest.AccessKey, "AWS_SECRET_ACCESS_KEY": awstest.SecretKey, "AWS_REGION": awstest.Region,
		"AWS_ENDPOINT_URL_DYNAMODB": stack.DynamoDB, "AWS_ENDPOINT_URL_S3": stack.S3,
		"AWS_ENDPOINT_URL_CLOUDWATCH": metrics.URL, "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": logs.URL,
	} {
		t.Setenv(name, value)
	}
	cfg, err := config.LoadDefaultConfig(t.Context())
	require.NoError(t, err)
	rooms := dynamodirectory.New(v.db, v.table, roomtest.NewClock())
	now := time.Now().UTC().Truncate(time.Second)
	require.NoError(t, rooms.Save(t.Context(), directory.Entry{
		Room: verified, Created: now.Add(-time.Hour), LastActive: now, Updates: 12, Joined: map[int64]int{now.Truncate(directory.Step).Unix(): 2},
	}, "", "1"))

	server, err := stage.Serve(t.Context(), stage.Deployment{
		Config: cfg, Name: "dev", Stack: "symphony-dev", Table: v.table, Bucket: v.bucket, WebSocket: "wss://abc.execute-api.us-east-1.amazonaws.com/dev", Operations: v.rooms,
	}, stage.Options{Version: "v0"})
	require.NoError(t, err)
	defer func() { require.NoError(t, server.Close()) }()
	require.Zero(t, w.calls.Load(), "CloudWatch charges: nothing is asked before somebody looks")

	base, token, _ := strings.Cut(server.URL(), "/?")
	require.NotEmpty(t, token)
	res, err := http.Get(base + "/api/rooms")
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.GreaterOrEqual(t, res.StatusCode, 400, "without the token")

	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	client := &http.Client{Jar: jar}
	ask := func(method, path, body string, status int, into any) {
		t.Helper()
		r, err := http.NewRequestWithContext(t.Context(), method, base+path, strings.NewReader(body))
		require.NoError(t, err)
		r.Header.Set("Origin", base)
		r.Header.Set("X-Symphony-Dashboard", "1")
		r.Header.Set("Content-Type", "application/json")
		res, err := client.Do(r)
		require.NoError(t, err)
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		require.Equal(t, status, res.StatusCode, "%s: %s", path, b)
		if into != nil {
			require.NoError(t, json.Unmarshal(b, into), "%s: %s", path, b)
		}
	}
	ask("GET", "/?"+token, "", 200, nil)
	var info struct{ Kind, Stage, Socket string }
	ask("GET", "/api/info", "", 200, &info)
	require.Equal(t, "cloud", info.Kind)
	require.Equal(t, "dev", info.Stage)
	var shown struct {
		Figures map[string]float64
		Problem string
	}
	ask("GET", "/api/now", "", 200, &shown)
	require.Empty(t, shown.Problem)
	require.EqualValues(t, 1, shown.Figures["rooms"])
	require.EqualValues(t, 2, shown.Figures["connections"])
	require.EqualValues(t, 60, shown.Figures["checkpointLag"])
	require.Positive(t, shown.Figures["cost"])
	var table struct {
		Rows []struct {
			Room  room.ID
			Users int
		}
	}
	ask("GET", "/api/rooms", "", 200, &table)
	require.Len(t, table.Rows, 1)
	require.Equal(t, 2, table.Rows[0].Users)
	name := "?room=" + strings.ReplaceAll(string(verified), "/", "%2F")
	var past struct {
		Count int
		Whole bool
		Sizes []struct{ Size int64 }
	}
	ask("GET", "/api/room/edits"+name, "", 200, &past)
	require.Equal(t, 12, past.Count, "log and archives")
	require.True(t, past.Whole)
	require.NotEmpty(t, past.Sizes)
	require.Equal(t, v.meta.Snapshot.Size, past.Sizes[len(past.Sizes)-1].Size)
	var node struct{ Children []struct{ Key string } }
	ask("GET", "/api/room/document"+name, "", 200, &node)
	require.Equal(t, "list", node.Children[0].Key)
	var members struct{ Members []any }
	ask("GET", "/api/room"+name, "", 200, &members)
	require.NotNil(t, members.Members)
	var report struct {
		Functions []struct {
			Name                    string
			Invocations, ColdStarts *float64
		}
	}
	ask("GET", "/api/functions", "", 200, &report)
	require.Len(t, report.Functions, 7)
	for _, f := range report.Functions {
		require.EqualValues(t, 60, *f.Invocations, f.Name)
		require.EqualValues(t, 1, *f.ColdStarts, f.Name)
	}
	var lines struct{ Lines []struct{ Text string } }
	ask("GET", "/api/logs?function=message", "", 200, &lines)
	require.Len(t, lines.Lines, 1)
	require.Equal(t, "instance started", lines.Lines[0].Text)
	act := `{"room":"` + string(verified) + `","confirm":"` + string(verified) + `"}`
	var verification struct{ Healthy bool }
	ask("POST", "/api/room/verify", act, 200, &verification)
	require.True(t, verification.Healthy)
	ask("POST", "/api/room/delete", act, http.StatusForbidden, nil)
	detail, err := v.rooms.Show(t.Context(), verified)
	require.NoError(t, err)
	require.EqualValues(t, 12, detail.Seq)
}

// A stage that cannot be read is an error at once, not an empty page.
func TestDashboardOfNoStage(t *testing.T) {
	stack := awstest.Engines(t)
	cfg := awstest.Config(stack.DynamoDB)
	_, err := stage.Serve(t.Context(), stage.Deployment{Config: cfg, Name: "dev", Stack: "symphony-dev", Table: "no-such-table", Bucket: "none"}, stage.Options{})
	require.Error(t, err)
}
