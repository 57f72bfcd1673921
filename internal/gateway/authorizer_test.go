package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/stretchr/testify/require"
)

// authorized adds an authorizer whose only identity source is the room, as
// Symphony's is.
func authorized(h Handler) func(*Config) {
	return func(c *Config) {
		c.Functions.Authorizer = "authorizer"
		c.Authorizer.IdentitySources = []string{"route.request.querystring.room"}
		c.Invoker.(Handlers)["authorizer"] = h
	}
}

// grant is an authorizer's answer.
func grant(effect, resource string, values map[string]any) handlerFunc {
	return func(context.Context, []byte) ([]byte, error) {
		return json.Marshal(events.APIGatewayCustomAuthorizerResponse{
			PrincipalID: "alice",
			PolicyDocument: events.APIGatewayCustomAuthorizerPolicy{Version: "2012-10-17", Statement: []events.IAMPolicyStatement{
				{Action: []string{"execute-api:Invoke"}, Effect: effect, Resource: []string{resource}},
			}},
			Context: values,
		})
	}
}

// "Only when this is true [all identity sources are present, not null and
// non-empty] does the authorizer invoke the authorizer Lambda function,
// otherwise, it returns a 401 Unauthorized response without calling the Lambda
// function": identitySource of CreateAuthorizer, API Gateway API reference;
// repost.aws/knowledge-center/api-gateway-401-error-lambda-authorizer
func TestIdentitySourceMissing(t *testing.T) {
	authorizer, connect := newRecorder(grant("Allow", "*", nil)), newRecorder(ok(""))
	s := start(t, authorized(authorizer), with("connect", connect))
	for _, query := range []string{"", "?room=", "?Room=x", "?x=room"} {
		status, body, header := s.refused("/dev"+query, nil)
		require.Equal(t, 401, status)
		require.Equal(t, `{"message":"Unauthorized"}`, body)
		require.Equal(t, "UnauthorizedException", header.Get("x-amzn-ErrorType"))
	}
	authorizer.none(t)
	connect.none(t)
	s.dial("?room=x", nil)
}

func TestHeaderIdentitySource(t *testing.T) {
	s := start(t, authorized(grant("Allow", "*", nil)), func(c *Config) {
		c.Authorizer.IdentitySources = []string{"route.request.header.Auth", "route.request.querystring.room"}
	})
	status, _, _ := s.refused("/dev?room=x", nil)
	require.Equal(t, 401, status)
	status, _, _ = s.refused("/dev", http.Header{"Auth": {"t"}})
	require.Equal(t, 401, status)
}

// "If authorization fails on $connect, the connection will not be established,
// and the client will receive a 401 or 403 response":
// apigateway-websocket-api-route-keys-connect-disconnect.html
// An authorizer that throws "Unauthorized" means 401, one that fails otherwise
// or answers nonsense 500: apigateway-use-lambda-authorizer.html
func TestAuthorizerRefuses(t *testing.T) {
	answer := func(json string) handlerFunc {
		return func(context.Context, []byte) ([]byte, error) { return []byte(json), nil }
	}
	fail := func(message string) handlerFunc {
		return func(context.Context, []byte) ([]byte, error) { return nil, errors.New(message) }
	}
	allow := `"policyDocument":{"Statement":{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"*"}}`
	for name, test := range map[string]struct {
		authorizer Handler
		status     int
		kind       string
	}{
		"deny":           {grant("Deny", "*", nil), 403, "AccessDeniedException"},
		"other resource": {grant("Allow", "arn:aws:execute-api:us-east-1:000000000000:local00000/prod/$connect", nil), 403, "AccessDeniedException"},
		"no statement":   {answer(`{"principalId":"a","policyDocument":{"Statement":[]}}`), 403, "AccessDeniedException"},
		"deny wins": {answer(`{"principalId":"a","policyDocument":{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},` +
			`{"Effect":"Deny","Action":["execute-api:*"],"Resource":["*/dev/*"]}]}}`), 403, "AccessDeniedException"},
		"unauthorized":   {fail("Unauthorized"), 401, "UnauthorizedException"},
		"failed":         {fail("boom"), 500, "AuthorizerConfigurationException"},
		"not JSON":       {answer(`allow`), 500, "AuthorizerConfigurationException"},
		"null":           {answer(`null`), 500, "AuthorizerConfigurationException"},
		"no principal":   {answer(`{` + allow + `}`), 500, "AuthorizerConfigurationException"},
		"no policy":      {answer(`{"principalId":"a"}`), 500, "AuthorizerConfigurationException"},
		"nested context": {answer(`{"principalId":"a",` + allow + `,"context":{"x":{"y":1}}}`), 500, "AuthorizerConfigurationException"},
		"list context":   {answer(`{"principalId":"a",` + allow + `,"context":{"x":[1]}}`), 500, "AuthorizerConfigurationException"},
		// "AWS Lambda authorizer result size: 8 KB":
		// apigateway-execution-service-websocket-limits-table.html
		"over 8 KB": {answer(`{"principalId":"a",` + allow + `,"context":{"x":"` + strings.Repeat("x", 8<<10) + `"}}`), 500, "AuthorizerConfigurationException"},
	} {
		t.Run(name, func(t *testing.T) {
			connect := newRecorder(ok(""))
			s := start(t, authorized(test.authorizer), with("connect", connect))
			status, _, header := s.refused("/dev?room=x", nil)
			require.Equal(t, test.status, status)
			require.Equal(t, test.kind, header.Get("x-amzn-ErrorType"))
			connect.none(t)
		})
	}
}

// An authorizer has 29 seconds like any integration, and then is an error.
func TestAuthorizerTimesOut(t *testing.T) {
	entered := make(chan struct{})
	s := start(t, authorized(handlerFunc(func(ctx context.Context, _ []byte) ([]byte, error) {
		close(entered)
		<-ctx.Done()
		return nil, ctx.Err()
	})))
	go func() {
		<-entered
		s.clock.Advance(29 * time.Second)
	}()
	status, _, _ := s.refused("/dev?room=x", nil)
	require.Equal(t, 500, status)
}

// The context comes back in requestContext.authorizer of every later event,
// its values as strings: api-gateway-lambda-authorizer-output.html
func TestAuthorizerContext(t *testing.T) {
	connect := newRecorder(ok(""))
	s := start(t, with("connect", connect), authorized(grant("Allow", "arn:aws:execute-api:us-east-1:000000000000:local00000/dev/$connect", map[string]any{
		"room": "a \"quoted\" room/ü", "number": 7, "float": 1.5, "big": 12345678901234, "yes": true, "no": false, "nothing": nil,
	})))
	want := map[string]any{
		"principalId": "alice", "room": "a \"quoted\" room/ü", "number": "7", "float": "1.5", "big": "12345678901234", "yes": "true", "no": "false",
	}
	c := s.dial("?room=x", nil)
	require.Equal(t, want, connect.event(t).RequestContext.Authorizer)
	for range 2 {
		write(t, c, "m")
		require.Equal(t, want, s.message.event(t).RequestContext.Authorizer)
		read(t, c)
	}
	require.NoError(t, c.CloseNow())
	require.Equal(t, want, s.left.event(t).RequestContext.Authorizer)
}

// The event: apigateway-websocket-api-lambda-auth.html has an example.
func TestAuthorizerEvent(t *testing.T) {
	authorizer := newRecorder(grant("Allow", "*", nil))
	s := start(t, authorized(authorizer), func(c *Config) {
		c.APIID, c.Region, c.Account = "abcdef123", "eu-west-1", "123456789012"
	})
	s.dial("?room=x&room=y&token=t", nil)
	var event struct {
		Type, MethodArn string
		events.APIGatewayWebsocketProxyRequest
	}
	raw := authorizer.raw(t)
	require.NoError(t, json.Unmarshal(raw, &event))
	require.Equal(t, "REQUEST", event.Type)
	require.Equal(t, "arn:aws:execute-api:eu-west-1:123456789012:abcdef123/dev/$connect", event.MethodArn)
	require.Equal(t, map[string]string{"room": "y", "token": "t"}, event.QueryStringParameters)
	require.Equal(t, []string{"x", "y"}, event.MultiValueQueryStringParameters["room"])
	require.Equal(t, "$connect", event.RequestContext.RouteKey)
	require.Equal(t, "CONNECT", event.RequestContext.EventType)
	require.Contains(t, event.Headers, "Connection")
	require.Contains(t, event.Headers, "Upgrade")
	// The keys of the documentation's example, in its order.
	require.Equal(t, []string{"type", "methodArn", "headers", "multiValueHeaders", "queryStringParameters", "multiValueQueryStringParameters",
		"stageVariables", "requestContext"}, keys(t, raw))
	var asLambdaSees events.APIGatewayCustomAuthorizerRequestTypeRequest
	require.NoError(t, json.Unmarshal(raw, &asLambdaSees))
	require.Equal(t, "y", asLambdaSees.QueryStringParameters["room"])
	require.Equal(t, "127.0.0.1", asLambdaSees.RequestContext.Identity.SourceIP)
}

// "Policy elements: Resource … wildcards": IAM user guide,
// reference_policies_elements_resource.html
func TestGlob(t *testing.T) {
	for _, test := range []struct {
		pattern, s string
		want       bool
	}{
		{"*", "", true}, {"*", "abc", true}, {"a*c", "abbc", true}, {"a*c", "abcd", false}, {"a?c", "abc", true}, {"a?c", "ac", false},
		{"*b*", "abc", true}, {"", "", true}, {"", "a", false}, {"a**", "a", true}, {"*a*a*", "aba", true}, {"*a*a*", "ab", false},
		{"arn:aws:execute-api:*:*:api/dev/*", "arn:aws:execute-api:us-east-1:1:api/dev/$connect", true},
		{"arn:aws:execute-api:*:*:api/prod/*", "arn:aws:execute-api:us-east-1:1:api/dev/$connect", false},
	} {
		require.Equal(t, test.want, glob(test.pattern, test.s), "%q %q", test.pattern, test.s)
	}
}
