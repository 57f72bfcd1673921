package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi"
	"github.com/aws/aws-sdk-go-v2/service/apigatewaymanagementapi/types"
	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
)

// sdk is AWS's own client, pointed at the gateway. It does not retry, so that a
// test sees every answer.
func (s *testStack) sdk() *apigatewaymanagementapi.Client {
	return apigatewaymanagementapi.New(apigatewaymanagementapi.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(s.server.URL + "/dev"),
		Credentials: credentials.NewStaticCredentialsProvider("key", "secret", ""),
		Retryer:     aws.NopRetryer{},
	})
}

func sdkPost(t testing.TB, client *apigatewaymanagementapi.Client, id string, data []byte) error {
	_, err := client.PostToConnection(testContext(t), &apigatewaymanagementapi.PostToConnectionInput{ConnectionId: &id, Data: data})
	return err
}

// POST, GET and DELETE of @connections, as AWS's SDK makes and understands them:
// apigateway-how-to-call-websocket-api-connections.html
func TestManagementAPIWithSDK(t *testing.T) {
	s := start(t, func(c *Config) { c.RequireSignature = true })
	client := s.sdk()
	connectedAt := s.clock.Now()
	c := s.dial("", &websocket.DialOptions{HTTPHeader: http.Header{"User-Agent": {"agent/1"}}})
	id := s.onlyConn()
	require.NoError(t, sdkPost(t, client, id, []byte("hello")))
	require.Equal(t, "hello", read(t, c))

	s.advance(1500 * time.Millisecond)
	got, err := client.GetConnection(testContext(t), &apigatewaymanagementapi.GetConnectionInput{ConnectionId: &id})
	require.NoError(t, err)
	require.Equal(t, connectedAt, *got.ConnectedAt)
	require.Equal(t, connectedAt, *got.LastActiveAt)
	require.Equal(t, "127.0.0.1", *got.Identity.SourceIp)
	require.Equal(t, "agent/1", *got.Identity.UserAgent)
	write(t, c, "active")
	read(t, c)
	got, err = client.GetConnection(testContext(t), &apigatewaymanagementapi.GetConnectionInput{ConnectionId: &id})
	require.NoError(t, err)
	require.Equal(t, connectedAt.Add(1500*time.Millisecond), *got.LastActiveAt)

	_, err = client.DeleteConnection(testContext(t), &apigatewaymanagementapi.DeleteConnectionInput{ConnectionId: &id})
	require.NoError(t, err)
	// AWS closes with 1000: github.com/boto/boto3/issues/3789
	require.Equal(t, websocket.StatusNormalClosure, closed(t, c).Code)

	var gone *types.GoneException
	require.ErrorAs(t, sdkPost(t, client, id, []byte("x")), &gone)
	_, err = client.GetConnection(testContext(t), &apigatewaymanagementapi.GetConnectionInput{ConnectionId: &id})
	require.ErrorAs(t, err, &gone)
	_, err = client.DeleteConnection(testContext(t), &apigatewaymanagementapi.DeleteConnectionInput{ConnectionId: &id})
	require.ErrorAs(t, err, &gone)
	require.ErrorAs(t, sdkPost(t, client, "anything else/with=odd%characters", []byte("x")), &gone)
}

// The four documented errors become the SDK's four types: errors of
// PostToConnection, "Amazon API Gateway Management API" reference.
func TestManagementErrorsWithSDK(t *testing.T) {
	s := start(t)
	c := s.dial("", nil)
	id := s.onlyConn()
	client := s.sdk()
	var tooLarge *types.PayloadTooLargeException
	require.ErrorAs(t, sdkPost(t, client, id, make([]byte, 128<<10+1)), &tooLarge)
	require.NotEmpty(t, *tooLarge.Message)
	require.NoError(t, sdkPost(t, client, id, bytes.Repeat([]byte("x"), 128<<10)))
	require.Len(t, read(t, c), 128<<10)

	var forbidden *types.ForbiddenException
	other := apigatewaymanagementapi.New(client.Options(), func(o *apigatewaymanagementapi.Options) {
		o.BaseEndpoint = aws.String(s.server.URL + "/prod")
	})
	require.ErrorAs(t, sdkPost(t, other, id, []byte("x")), &forbidden)

	for s.requests.take() {
	}
	var limited *types.LimitExceededException
	require.ErrorAs(t, sdkPost(t, client, id, []byte("x")), &limited)
}

// "These requests use IAM authorization, so you must sign them with Signature
// Version 4": apigateway-how-to-call-websocket-api-connections.html. Without a
// signature the answer is 403 with "Missing Authentication Token".
func TestUnsigned(t *testing.T) {
	s := start(t, func(c *Config) { c.RequireSignature = true })
	s.dial("", nil)
	for _, method := range []string{"POST", "GET", "DELETE"} {
		status, kind, body := s.http(method, url.PathEscape(s.onlyConn()), nil)
		require.Equal(t, 403, status, method)
		require.Equal(t, "MissingAuthenticationTokenException", kind)
		require.Equal(t, `{"message":"Missing Authentication Token"}`, body)
	}
}

// http makes a management request and returns status, error type and body.
func (s *testStack) http(method, escapedID string, body io.Reader) (status int, kind, answer string) {
	s.t.Helper()
	request, err := http.NewRequestWithContext(testContext(s.t), method, s.server.URL+"/dev/@connections/"+escapedID, body)
	require.NoError(s.t, err)
	response, err := http.DefaultClient.Do(request)
	require.NoError(s.t, err)
	defer response.Body.Close()
	raw, err := io.ReadAll(response.Body)
	require.NoError(s.t, err)
	require.Len(s.t, response.Header.Get("x-amzn-RequestId"), idLength)
	return response.StatusCode, response.Header.Get("x-amzn-ErrorType"), string(raw)
}

// Over plain HTTP, with the id encoded or not: "You need to URL-encode the
// command": apigateway-how-to-call-websocket-api-connections.html
func TestManagementAPI(t *testing.T) {
	s := start(t)
	c := s.dial("", nil)
	id := s.onlyConn()
	require.True(t, strings.HasSuffix(id, "="), "like AWS's")
	for _, escaped := range []string{id, url.PathEscape(id), url.QueryEscape(id), strings.ReplaceAll(id, "=", "%3d")} {
		status, kind, body := s.http("POST", escaped, strings.NewReader("to "+escaped))
		require.Equal(t, 200, status)
		require.Empty(t, kind+body)
		require.Equal(t, "to "+escaped, read(t, c))
	}
	status, _, _ := s.http("POST", id, nil)
	require.Equal(t, 200, status)
	require.Empty(t, read(t, c))

	// A body of unknown length.
	status, kind, _ := s.http("POST", id, io.MultiReader(bytes.NewReader(make([]byte, 128<<10)), strings.NewReader("x")))
	require.Equal(t, 413, status)
	require.Equal(t, "PayloadTooLargeException", kind)

	status, _, body := s.http("GET", id, nil)
	require.Equal(t, 200, status)
	var got struct {
		ConnectedAt, LastActiveAt time.Time
		Identity                  map[string]string
	}
	require.NoError(t, json.Unmarshal([]byte(body), &got))
	require.Equal(t, s.clock.Now(), got.ConnectedAt)

	for _, method := range []string{"PUT", "PATCH", "HEAD", "OPTIONS"} {
		status, kind, _ = s.http(method, id, nil)
		require.Equal(t, 403, status)
		require.Equal(t, "MissingAuthenticationTokenException", kind)
	}
	status, kind, body = s.http("POST", "nobody", nil)
	require.Equal(t, 410, status)
	require.Equal(t, "GoneException", kind)
	require.Equal(t, `{"message":"Gone"}`, body)

	status, _, _ = s.http("DELETE", id, nil)
	require.Equal(t, 204, status)
	require.Equal(t, websocket.StatusNormalClosure, closed(t, c).Code)
	status, _, _ = s.http("DELETE", id, nil)
	require.Equal(t, 410, status)
}

// The Go API gives the same errors.
func TestPostErrors(t *testing.T) {
	s := start(t)
	c := s.dial("", nil)
	id := s.onlyConn()
	require.ErrorIs(t, s.Post(t.Context(), id, make([]byte, 128<<10+1)), ErrTooLarge)
	require.NoError(t, s.Post(t.Context(), id, make([]byte, 128<<10)))
	require.ErrorIs(t, s.Post(t.Context(), "nobody", nil), ErrGone)
	errs := s.PostMany(t.Context(), []string{id, "nobody", id}, []byte("many"))
	require.NoError(t, errs[0])
	require.ErrorIs(t, errs[1], ErrGone)
	require.NoError(t, errs[2])
	read(t, c)
	require.Equal(t, "many", read(t, c))
	require.Equal(t, "many", read(t, c))
	require.NoError(t, s.Close(t.Context(), id))
	require.ErrorIs(t, s.Close(t.Context(), id), ErrGone)
	require.ErrorIs(t, s.Post(t.Context(), id, nil), ErrGone)
	for s.requests.take() {
	}
	require.ErrorIs(t, s.Post(t.Context(), id, nil), ErrLimit)
	require.ErrorIs(t, s.Close(t.Context(), id), ErrLimit)
	_, err := s.Get(t.Context(), id)
	require.ErrorIs(t, err, ErrLimit)
	snapshot := s.Snapshot()
	require.EqualValues(t, 3, snapshot.Posts)
	require.EqualValues(t, 128<<10+8, snapshot.PostBytes)
	require.EqualValues(t, 5, snapshot.PostFailures)
}

// Posts to one connection arrive in order, small ones and large ones, whoever
// writes them.
func TestPostsKeepOrder(t *testing.T) {
	s := start(t)
	c := s.dial("", nil)
	id := s.onlyConn()
	const posts = 500
	go func() {
		for n := range posts {
			data := fmt.Sprintf("%d %s", n, strings.Repeat("x", (n%7)*5000))
			for {
				err := s.Post(context.Background(), id, []byte(data))
				if !errors.Is(err, ErrLimit) {
					break
				}
				time.Sleep(time.Millisecond)
			}
		}
	}()
	for n := range posts {
		require.True(t, strings.HasPrefix(read(t, c), fmt.Sprintf("%d ", n)))
	}
}

// "Because of the WebSocket frame-size quota of 32 KB, a message larger than 32
// KB must be split into multiple frames … This applies to @connections
// commands": apigateway-execution-service-websocket-limits-table.html
func TestLargePostIsFragmented(t *testing.T) {
	s := start(t)
	c := s.raw()
	require.NoError(t, s.Post(t.Context(), s.onlyConn(), make([]byte, 70<<10)))
	for _, want := range []struct {
		first byte
		size  int
	}{{opText, 32 << 10}, {opContinuation, 32 << 10}, {0x80 | opContinuation, 6 << 10}} {
		first, payload, err := c.next()
		require.NoError(t, err)
		require.Equal(t, want.first, first)
		require.Len(t, payload, want.size)
	}
}

// "LimitExceededException: The client is sending more than the allowed number
// of requests per unit of time or the WebSocket client side buffer is full":
// "Amazon API Gateway Management API" reference. A client that does not read
// costs a bounded buffer, its posts get 429, and at last it is disconnected.
func TestSlowReader(t *testing.T) {
	s := start(t)
	c := s.raw()
	id := s.onlyConn()
	data := make([]byte, 100<<10)
	var err error
	sent := 0
	// Full it is when time does not help: posting is faster than writing, and the
	// system's own buffers take some megabytes.
	for full := 0; full < 20; {
		require.Less(t, sent, 1000, "nothing bounds the buffer")
		if err = s.Post(t.Context(), id, data); err == nil {
			sent++
			full = 0
			continue
		}
		full++
		time.Sleep(5 * time.Millisecond)
	}
	require.ErrorIs(t, err, ErrLimit)
	c0 := s.conns.get(id)
	c0.mu.Lock()
	require.LessOrEqual(t, c0.waiting, s.limits.SendBuffer)
	c0.mu.Unlock()

	// Other connections are not concerned.
	other := s.dial("", nil)
	write(t, other, "hello")
	require.Equal(t, "hello", read(t, other))

	s.settle(id)
	// The system's own buffers may take a little more after that, and then the
	// client counts as reading once more; so time passes until it does not.
	for tries := 0; len(s.left.payloads) == 0 && tries < 10; tries++ {
		s.clock.Advance(s.limits.SlowReader + s.sweepInterval())
		for wait := 0; len(s.left.payloads) == 0 && wait < 100; wait++ {
			time.Sleep(10 * time.Millisecond)
		}
	}
	require.EqualValues(t, 1006, s.left.event(t).RequestContext.DisconnectStatusCode)
	require.ErrorIs(t, s.Post(t.Context(), id, data), ErrGone)
	require.EqualValues(t, 1, s.Snapshot().Errors[ErrorSlowReader])
	_, _ = io.Copy(io.Discard, c.br)
}

// A client that reads again gets everything that was accepted, in order.
func TestSlowReaderRecovers(t *testing.T) {
	s := start(t)
	c := s.dial("", nil)
	id := s.onlyConn()
	sent := 0
	for s.Post(t.Context(), id, fmt.Appendf(nil, "%d %s", sent, strings.Repeat("x", 50<<10))) == nil {
		sent++
	}
	for n := range sent {
		require.True(t, strings.HasPrefix(read(t, c), fmt.Sprintf("%d ", n)))
	}
	require.NoError(t, s.Post(t.Context(), id, []byte("again")))
	require.Equal(t, "again", read(t, c))
	s.advance(s.limits.SlowReader + s.sweepInterval())
	write(t, c, "alive")
	require.Equal(t, "alive", read(t, c))
}

// Connection ids look like AWS's, are never the same, and name their gateway.
func TestConnectionIDs(t *testing.T) {
	g, err := newIDs(0xBEEF, bytes.NewReader(bytes.Repeat([]byte{1, 2, 3, 4, 5, 6, 7, 8}, 100)))
	require.NoError(t, err)
	id, err := g.connection()
	require.NoError(t, err)
	require.Regexp(t, `^[A-Za-z0-9_-]{15}=$`, id)
	number, known := NumberOf(id)
	require.True(t, known)
	require.EqualValues(t, 0xBEEF, number)
	for _, bad := range []string{"", "x", id[:15], id + "=", "R1kmxc2VNjMCFIA", strings.Repeat("=", 16), "R1kmxc2VNjMCFI==", "R1kmxc2+NjMCFIA="} {
		_, known := NumberOf(bad)
		require.False(t, known, bad)
	}
	_, known = NumberOf("R1kmxc2VNjMCFIA=") // one of AWS's own
	require.True(t, known)
}
