package handler

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/room"
)

// message invokes the message function as the runtime does.
func message(t *testing.T, h *Handler, req events.APIGatewayWebsocketProxyRequest) (res events.APIGatewayProxyResponse, err error) {
	t.Helper()
	payload, err := json.Marshal(req)
	require.NoError(t, err)
	answer, err := MessageFunction{Handler: h}.Invoke(t.Context(), payload)
	if err == nil {
		require.NoError(t, json.Unmarshal(answer, &res), "%s", answer)
	}
	return res, err
}

// An event means what aws-lambda-go says that it means.
func TestEventsAreReadAsTheLibraryReadsThem(t *testing.T) {
	for _, payload := range []string{
		`{"requestContext":{"connectionId":"c1","connectedAt":1700000000123,"requestId":"r","authorizer":{"room":"plan/ü","user":"ada","name":"A\"d\u0061 \ud83d\ude00","access":"write"}},"body":"AAEA","isBase64Encoded":false}`,
		` {"body" : "a\nb\u0000\ud83d" , "isBase64Encoded" : false, "requestContext" : { "authorizer" : null, "connectionId" : "x" } } `,
		`{"requestContext":{"authorizer":{"room":17,"user":true,"name":null,"access":1.5},"connectionId":"c"},"body":"","stageVariables":{"body":"no","requestContext":"{}"}}`,
		`{"requestContext":{"identity":{"connectionId":"no","sourceIp":"::1"},"connectionId":"yes"},"headers":{"body":"no"}}`,
		`{"body":"\u2028</script>","requestContext":{"connectionId":"c"}}`,
		`{}`,
	} {
		requireSameEvent(t, []byte(payload))
	}
	for _, name := range recorded(t) {
		payload, err := os.ReadFile(name)
		require.NoError(t, err)
		requireSameEvent(t, payload)
	}
	for _, payload := range []string{``, ` `, `[]`, `null`, `"text"`, `17`} {
		_, err := MessageFunction{}.Invoke(t.Context(), []byte(payload))
		require.ErrorIs(t, err, errEvent, payload)
	}
}

// recorded are events that AWS sent: aws-lambda-go's own test data.
func recorded(t *testing.T) []string {
	t.Helper()
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/aws/aws-lambda-go").Output()
	require.NoError(t, err)
	names, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "events", "testdata", "apigw-websocket-request*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, names)
	return names
}

func requireSameEvent(t *testing.T, payload []byte) {
	t.Helper()
	var want events.APIGatewayWebsocketProxyRequest
	require.NoError(t, json.Unmarshal(payload, &want), "%s", payload)
	r := &rooms{}
	h, log := newHandler(r, nil)
	answer, err := MessageFunction{Handler: h}.Invoke(t.Context(), payload)
	require.NoError(t, err, "%s", payload)
	require.True(t, json.Valid(answer))
	if want.IsBase64Encoded {
		require.Empty(t, r.received)
		require.Contains(t, log.String(), "request="+want.RequestContext.RequestID)
		return
	}
	require.Equal(t, []string{want.Body}, r.received, "%s", payload)
	origin, _ := origin(want.RequestContext)
	require.Equal(t, origin, r.from, "%s", payload)
}

// A frame is text that JSON may have to escape.
func TestAnswersAreProxyResponses(t *testing.T) {
	for _, frame := range []string{"", "AAAA", "a\"b\\\n\u2028<é>😀", string([]byte{0xff, 'a'})} {
		h, _ := newHandler(&rooms{reply: []byte(frame)}, nil)
		res, err := message(t, h, event(ada, nil, "AAEA"))
		require.NoError(t, err)
		want, err := json.Marshal(events.APIGatewayProxyResponse{StatusCode: 200, Body: frame})
		require.NoError(t, err)
		var same events.APIGatewayProxyResponse
		require.NoError(t, json.Unmarshal(want, &same))
		require.Equal(t, same, res)
	}
}

func FuzzMessageEvent(f *testing.F) {
	f.Add("AAEA", "c1", "plan", "ada", int64(1700000000123), true)
	f.Add("\x00\"\\\u2028", "", "ü/😀", "a\xffb", int64(-1), false)
	f.Fuzz(func(t *testing.T, body, connection, id, user string, at int64, authorized bool) {
		e := events.APIGatewayWebsocketProxyRequest{Body: body}
		e.RequestContext.ConnectionID, e.RequestContext.ConnectedAt = connection, at
		if authorized {
			e.RequestContext.Authorizer = map[string]any{"room": id, "user": user, "access": string(room.AccessWrite)}
		}
		payload, err := json.Marshal(e)
		require.NoError(t, err)
		requireSameEvent(t, payload)
	})
}

// Whatever bytes come for an event, nothing is read out of them that is not there.
func FuzzBrokenEvent(f *testing.F) {
	f.Add([]byte(`{"requestContext":{"connectionId":"c1","authorizer":{"room":"plan","access":"write"}},"body":"AAEA"`))
	f.Add([]byte(`{"requestContext":{"authorizer":{"room":"\\u00`))
	f.Fuzz(func(t *testing.T, payload []byte) {
		e, err := readMessageEvent(payload)
		if err != nil {
			return
		}
		require.LessOrEqual(t, len(e.body), 3*len(payload)) // an escape's replacement character is three bytes
		if json.Valid(payload) {
			return
		}
		r := &rooms{}
		h, _ := newHandler(r, nil)
		answer, err := MessageFunction{Handler: h}.Invoke(t.Context(), payload)
		require.NoError(t, err)
		require.True(t, json.Valid(answer))
	})
}
