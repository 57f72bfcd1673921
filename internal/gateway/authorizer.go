package gateway

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// The REQUEST authorizer. Sources: "Control access to WebSocket APIs with AWS
// Lambda REQUEST authorizers" (apigateway-websocket-api-lambda-auth.html) and
// "Output from an API Gateway Lambda authorizer"
// (api-gateway-lambda-authorizer-output.html).

// identitySource is a place in the request that must not be empty.
type identitySource struct {
	query bool
	name  string
}

const (
	querySource  = "route.request.querystring."
	headerSource = "route.request.header."
)

func parseIdentitySources(sources []string) ([]identitySource, error) {
	var parsed []identitySource
	for _, s := range sources {
		if name, ok := strings.CutPrefix(s, querySource); ok && name != "" {
			parsed = append(parsed, identitySource{true, name})
		} else if name, ok := strings.CutPrefix(s, headerSource); ok && name != "" {
			parsed = append(parsed, identitySource{false, name})
		} else {
			return nil, fmt.Errorf("identity source %q: want %sNAME or %sNAME", s, querySource, headerSource)
		}
	}
	return parsed, nil
}

// present reports whether r has the identity source.
func (s identitySource) present(r *http.Request, fields requestFields) bool {
	if s.query {
		return fields.Query[s.name] != ""
	}
	if strings.EqualFold(s.name, "Host") {
		return r.Host != ""
	}
	return r.Header.Get(s.name) != ""
}

// authorize runs the authorizer and keeps its context for the connection's
// events. nil lets the connection pass.
func (g *Gateway) authorize(c *conn, r *http.Request, fields requestFields) *denial {
	function := g.config.Functions.Authorizer
	if function == "" {
		return nil
	}
	for _, source := range g.identity {
		if !source.present(r, fields) {
			g.metrics.fail(ErrorUnauthorized)
			return &denial{http.StatusUnauthorized, "UnauthorizedException", "Unauthorized", "no " + source.name}
		}
	}
	arn := fmt.Sprintf("arn:aws:execute-api:%s:%s:%s/%s/%s", g.config.Region, g.config.Account, g.config.APIID, g.config.Stage, routeConnect)
	event, err := g.connectEvent(c.event(routeConnect, eventConnect), fields, arn)
	if err != nil {
		return &denial{http.StatusInternalServerError, "InternalServerErrorException", messageInternal, err.Error()}
	}
	answer, err := g.invoke(function, event)
	var failed *FunctionError
	if errors.As(err, &failed) && failed.Message == "Unauthorized" {
		g.metrics.fail(ErrorUnauthorized)
		return &denial{http.StatusUnauthorized, "UnauthorizedException", "Unauthorized", "the authorizer said so"}
	}
	var allowed bool
	if err == nil {
		allowed, c.authorizer, err = parseAuthorizer(answer, g.limits.AuthorizerResult, arn)
	}
	if err != nil {
		g.metrics.fail(ErrorAuthorizer)
		return &denial{http.StatusInternalServerError, "AuthorizerConfigurationException", "", err.Error()}
	}
	if !allowed {
		g.metrics.fail(ErrorDenied)
		return &denial{http.StatusForbidden, "AccessDeniedException", "User is not authorized to access this resource", "policy"}
	}
	return nil
}

// errAuthorizer means that an authorizer's answer is not one; the client gets
// 500.
var errAuthorizer = errors.New("gateway: not an authorizer's answer")

// parseAuthorizer reads an authorizer's answer: whether its policy allows arn,
// and its context as the JSON object that later events carry. Every value in
// it is a string there, whatever it was: numbers and booleans are stringified,
// and objects and arrays are not allowed.
func parseAuthorizer(answer []byte, limit int, arn string) (allowed bool, context string, err error) {
	if len(answer) > limit {
		return false, "", fmt.Errorf("%w: %d bytes, at most %d", errAuthorizer, len(answer), limit)
	}
	var result struct {
		PrincipalID    string                     `json:"principalId"`
		PolicyDocument *policy                    `json:"policyDocument"`
		Context        map[string]json.RawMessage `json:"context"`
	}
	if err := json.Unmarshal(answer, &result); err != nil {
		return false, "", fmt.Errorf("%w: %w", errAuthorizer, err)
	}
	if result.PrincipalID == "" || result.PolicyDocument == nil {
		return false, "", fmt.Errorf("%w: principalId and policyDocument are required", errAuthorizer)
	}
	values := make(map[string]string, len(result.Context)+1)
	for name, raw := range result.Context {
		value, err := contextValue(raw)
		if err != nil {
			return false, "", fmt.Errorf("%w: context %q: %w", errAuthorizer, name, err)
		}
		if value != nil {
			values[name] = *value
		}
	}
	values["principalId"] = result.PrincipalID
	encoded, err := json.Marshal(values)
	if err != nil {
		return false, "", fmt.Errorf("%w: %w", errAuthorizer, err)
	}
	return result.PolicyDocument.allows("execute-api:Invoke", arn), string(encoded), nil
}

// contextValue turns one value of the context into a string; nil for null.
func contextValue(raw json.RawMessage) (*string, error) {
	text := string(raw)
	switch raw[0] {
	case 'n':
		return nil, nil
	case '{', '[':
		return nil, errors.New("objects and arrays are not allowed")
	case '"':
		if err := json.Unmarshal(raw, &text); err != nil {
			return nil, err
		}
	}
	return &text, nil
}

// policy is an IAM policy document.
type policy struct {
	Statement oneOrMany[statement] `json:"Statement"`
}

type statement struct {
	Effect   string            `json:"Effect"`
	Action   oneOrMany[string] `json:"Action"`
	Resource oneOrMany[string] `json:"Resource"`
}

// oneOrMany is a JSON value or an array of them, as IAM allows.
type oneOrMany[T any] []T

func (l *oneOrMany[T]) UnmarshalJSON(data []byte) error {
	if len(data) > 0 && data[0] == '[' {
		return json.Unmarshal(data, (*[]T)(l))
	}
	var one T
	if err := json.Unmarshal(data, &one); err != nil {
		return err
	}
	*l = []T{one}
	return nil
}

// allows evaluates the policy: a matching Deny wins, else a matching Allow is
// needed. Source: "Policy evaluation logic", IAM user guide.
func (p *policy) allows(action, resource string) bool {
	allowed := false
	for _, s := range p.Statement {
		if !s.matches(action, resource) {
			continue
		}
		if s.Effect == "Deny" {
			return false
		}
		allowed = allowed || s.Effect == "Allow"
	}
	return allowed
}

func (s statement) matches(action, resource string) bool {
	return slices.ContainsFunc(s.Action, func(pattern string) bool { return glob(strings.ToLower(pattern), strings.ToLower(action)) }) &&
		slices.ContainsFunc(s.Resource, func(pattern string) bool { return glob(pattern, resource) })
}

// glob matches IAM's wildcards: * for any characters, ? for one.
func glob(pattern, s string) bool {
	star, mark := -1, 0 // where the last * was, and where its match ends
	p, i := 0, 0
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
