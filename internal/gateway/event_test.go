package gateway

import (
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
)

// sample reads an event recorded from AWS, from aws-lambda-go's testdata.
func sample(t *testing.T, name string) []byte {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/aws/aws-lambda-go").Output()
	require.NoError(t, err)
	data, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), "events", "testdata", name))
	require.NoError(t, err)
	return data
}

// keys are an object's keys in their order.
func keys(t *testing.T, object []byte) []string {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(object))
	_, err := d.Token()
	require.NoError(t, err)
	var names []string
	for d.More() {
		name, err := d.Token()
		require.NoError(t, err)
		names = append(names, name.(string))
		var skip json.RawMessage
		require.NoError(t, d.Decode(&skip))
	}
	return names
}

// shape describes a value: its keys in order and the types of its leaves, with
// the keys of headers, which vary, left to the caller.
func shape(t *testing.T, value json.RawMessage) any {
	t.Helper()
	switch value[0] {
	case '{':
		var fields map[string]json.RawMessage
		require.NoError(t, json.Unmarshal(value, &fields))
		var s []any
		for _, name := range keys(t, value) {
			s = append(s, name, shape(t, fields[name]))
		}
		return s
	case '[':
		return "array"
	case '"':
		return "string"
	case 't', 'f':
		return "boolean"
	case 'n':
		return "null"
	}
	return "number"
}

// decodeStrictly reads an event as a function does, and minds unknown fields.
func decodeStrictly(t *testing.T, raw []byte) (event events.APIGatewayWebsocketProxyRequest) {
	t.Helper()
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	require.NoError(t, d.Decode(&event))
	return event
}

// The events have the same fields, of the same types and in the same order, as
// those recorded in aws-lambda-go events/testdata.
func TestEventsLookLikeAWS(t *testing.T) {
	s := start(t)
	c := s.dial("?room=x", &websocket.DialOptions{HTTPHeader: http.Header{"User-Agent": {"Mozilla/5.0"}}})
	write(t, c, "{\r\n\t\"a\": 1\r\n}")
	message := s.message.raw(t)
	require.Equal(t, shape(t, sample(t, "apigw-websocket-request-send-message.json")), shape(t, message))
	require.NoError(t, c.CloseNow())
	require.Equal(t, shape(t, sample(t, "apigw-websocket-request-disconnect.json")), shape(t, s.left.raw(t)))
}

func TestMessageEvent(t *testing.T) {
	s := start(t, func(c *Config) {
		c.APIID, c.Domain = "gy415nuibc", "gy415nuibc.execute-api.eu-central-1.amazonaws.com"
		c.Variables = map[string]string{"table": "rooms"}
	})
	connectedAt := s.clock.Now()
	c := s.dial("?room=x", &websocket.DialOptions{HTTPHeader: http.Header{"User-Agent": {"Mozilla/5.0 \"quoted\""}}})
	id := s.onlyConn()
	s.advance(3453 * time.Millisecond)
	body := "{\r\n\t\"a\": \"\\ü\u2028\U0001F600\" \x00\x1f\x7f<>&/}"
	write(t, c, body)
	event := decodeStrictly(t, s.message.raw(t))
	require.Equal(t, body, event.Body)
	require.False(t, event.IsBase64Encoded)
	require.Equal(t, map[string]string{"table": "rooms"}, event.StageVariables)
	require.Empty(t, event.QueryStringParameters)
	require.Empty(t, event.Headers)
	rc := event.RequestContext
	require.Equal(t, "$default", rc.RouteKey)
	require.Equal(t, "MESSAGE", rc.EventType)
	require.Equal(t, "IN", rc.MessageDirection)
	require.Equal(t, "dev", rc.Stage)
	require.Equal(t, id, rc.ConnectionID)
	require.Equal(t, "gy415nuibc", rc.APIID)
	require.Equal(t, "gy415nuibc.execute-api.eu-central-1.amazonaws.com", rc.DomainName)
	require.Equal(t, connectedAt.UnixMilli(), rc.ConnectedAt)
	require.Equal(t, connectedAt.UnixMilli()+3453, rc.RequestTimeEpoch)
	require.Equal(t, "20/Jan/2024:11:55:03 +0000", rc.RequestTime)
	require.Equal(t, "127.0.0.1", rc.Identity.SourceIP)
	require.Equal(t, "Mozilla/5.0 \"quoted\"", rc.Identity.UserAgent)
	require.Equal(t, rc.RequestID, rc.ExtendedRequestID)
	require.Len(t, rc.RequestID, 16)
	require.Len(t, rc.MessageID, 16)
	require.NotEqual(t, rc.RequestID, rc.MessageID)
	read(t, c)
	write(t, c, "again")
	require.NotEqual(t, rc.MessageID, decodeStrictly(t, s.message.raw(t)).RequestContext.MessageID)
}

// The $connect event has the request's headers and query; only it has them
// (websocket-api "integration-requests"; fields of the recorded samples).
func TestConnectEvent(t *testing.T) {
	connect := newRecorder(ok(""))
	s := start(t, with("connect", connect))
	s.dial("?room=a%20b&room=c&token=%C3%BC&empty=", &websocket.DialOptions{HTTPHeader: http.Header{
		"Origin": {"http://example.com"}, "X-Two": {"1", "2"}, "X-Forwarded-For": {"203.0.113.9"},
	}})
	raw := connect.raw(t)
	event := decodeStrictly(t, raw)
	require.Equal(t, map[string]string{"room": "c", "token": "ü", "empty": ""}, event.QueryStringParameters)
	require.Equal(t, map[string][]string{"room": {"a b", "c"}, "token": {"ü"}, "empty": {""}}, event.MultiValueQueryStringParameters)
	require.Equal(t, "http://example.com", event.Headers["Origin"])
	require.Equal(t, "2", event.Headers["X-Two"])
	require.Equal(t, []string{"1", "2"}, event.MultiValueHeaders["X-Two"])
	require.Equal(t, s.server.Listener.Addr().String(), event.Headers["Host"])
	require.Equal(t, "13", event.Headers["Sec-WebSocket-Version"])
	require.Equal(t, "203.0.113.9, 127.0.0.1", event.Headers["X-Forwarded-For"])
	require.Equal(t, "http", event.Headers["X-Forwarded-Proto"])
	require.Regexp(t, `^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$`, event.Headers["X-Amzn-Trace-Id"])
	for _, hop := range []string{"Connection", "Upgrade"} {
		require.NotContains(t, event.Headers, hop)
	}
	for name := range event.Headers {
		require.Contains(t, event.MultiValueHeaders, name)
	}
	require.Equal(t, "$connect", event.RequestContext.RouteKey)
	require.Equal(t, "CONNECT", event.RequestContext.EventType)
	require.Equal(t, s.server.Listener.Addr().String(), event.RequestContext.DomainName)
	require.Nil(t, event.RequestContext.MessageID)
	require.Nil(t, event.RequestContext.Authorizer)
	require.Empty(t, event.Body)
	var top map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(raw, &top))
	// The order of a $connect event recorded from AWS.
	require.Equal(t, []string{"routeKey", "eventType", "extendedRequestId", "requestTime", "messageDirection", "stage", "connectedAt",
		"requestTimeEpoch", "identity", "requestId", "domainName", "connectionId", "apiId"}, keys(t, top["requestContext"]))
	var recorded map[string]json.RawMessage
	require.NoError(t, json.Unmarshal(sample(t, "apigw-websocket-request.json"), &recorded))
	recordedContext := keys(t, recorded["requestContext"])
	for _, name := range keys(t, top["requestContext"]) {
		require.True(t, slices.Contains(recordedContext, name), name)
	}
}

// No query string: the fields are not there at all.
func TestConnectEventWithoutQuery(t *testing.T) {
	connect := newRecorder(ok(""))
	s := start(t, with("connect", connect))
	s.dial("", nil)
	require.Equal(t, []string{"headers", "multiValueHeaders", "requestContext", "isBase64Encoded"}, keys(t, connect.raw(t)))
}

// disconnectStatusCode and disconnectReason: seen in recorded events are
// 1001 "" (a browser leaves), 1005 "Client-side close frame status not set",
// 1000 "Connection Closed Normally" (DELETE) and 1001 "Going away" (idle).
func TestDisconnectEvent(t *testing.T) {
	for name, test := range map[string]struct {
		leave  func(s *testStack, c *rawClient)
		code   int64
		reason string
	}{
		"browser leaves": {func(_ *testStack, c *rawClient) { c.send(frame(0x88, []byte{0x03, 0xE9})) }, 1001, ""},
		"with reason":    {func(_ *testStack, c *rawClient) { c.send(frame(0x88, []byte("\x0f\xa0so \"long\""))) }, 4000, `so "long"`},
		"without status": {func(_ *testStack, c *rawClient) { c.send(frame(0x88, nil)) }, 1005, "Client-side close frame status not set"},
		"cut off":        {func(_ *testStack, c *rawClient) { _ = c.Close() }, 1006, "Connection closed abnormally"},
		"deleted": {func(s *testStack, c *rawClient) {
			require.NoError(s.t, s.Close(s.t.Context(), s.onlyConn()))
			_ = c.closeCode()
			c.send(frame(0x88, []byte{0x03, 0xE8}))
		}, 1000, "Connection Closed Normally"},
		"idle": {func(s *testStack, c *rawClient) {
			s.advance(10 * time.Minute)
			_ = c.closeCode()
			c.send(frame(0x88, []byte{0x03, 0xE9}))
		}, 1001, "Going away"},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			c := s.raw()
			id := s.onlyConn()
			test.leave(s, c)
			event := decodeStrictly(t, s.left.raw(t))
			require.Equal(t, test.code, event.RequestContext.DisconnectStatusCode)
			require.Equal(t, test.reason, *event.RequestContext.DisconnectReason)
			require.Equal(t, id, event.RequestContext.ConnectionID)
			require.Equal(t, "DISCONNECT", event.RequestContext.EventType)
			require.Equal(t, "$disconnect", event.RequestContext.RouteKey)
			require.Nil(t, event.RequestContext.MessageID)
			s.left.none(t)
		})
	}
}

// FuzzAppendJSON: whatever a client sends arrives as it was sent.
func FuzzAppendJSON(f *testing.F) {
	for _, s := range []string{"", "plain", "\"\\\b\f\n\r\t\x00\x1f\x7f", "ü\u2028\U0001F600", "\xff\xfe", "a\xc3", "\xed\xa0\x80"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		encoded := appendJSON(nil, data)
		require.Equal(t, encoded, appendJSON(nil, string(data)))
		var got string
		require.NoError(t, json.Unmarshal(encoded, &got))
		want, err := json.Marshal(string(data))
		require.NoError(t, err)
		var reference string
		require.NoError(t, json.Unmarshal(want, &reference))
		require.Equal(t, reference, got)
	})
}
