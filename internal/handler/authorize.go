package handler

import (
	"context"
	"errors"
	"log/slog"

	"github.com/aws/aws-lambda-go/events"

	"github.com/symphony-rt/symphony/internal/auth"
	"github.com/symphony-rt/symphony/internal/room"
)

// errUnauthorized is the one error text that makes API Gateway answer 401;
// any other makes it answer 500.
// https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-websocket-api-lambda-auth.html
var errUnauthorized = errors.New("Unauthorized") //nolint:staticcheck // API Gateway compares this text.

// anonymous is the principal of a user without an id: API Gateway wants one.
const anonymous = "anonymous"

// Authorizer is the REQUEST authorizer of $connect.
type Authorizer struct {
	policy auth.Policy
	log    *slog.Logger
}

// NewAuthorizer returns the authorizer for policy.
func NewAuthorizer(policy auth.Policy, log *slog.Logger) *Authorizer {
	return &Authorizer{policy: policy, log: log}
}

// Authorize answers with a policy that allows or denies the connection, or
// with errUnauthorized when the token proves nothing. Whether the room's id is
// well formed is for $connect to say, which can answer 400.
func (a *Authorizer) Authorize(_ context.Context, req events.APIGatewayCustomAuthorizerRequestTypeRequest) (events.APIGatewayCustomAuthorizerResponse, error) {
	id := room.ID(req.QueryStringParameters[queryRoom])
	token, _ := auth.FromSubprotocols(header(req.Headers, req.MultiValueHeaders, subprotocolHeader))
	if t := req.QueryStringParameters[queryToken]; t != "" {
		token = t
	}
	grant, err := a.policy.Authorize(token, id)
	switch {
	case err == nil:
		return decision("Allow", req.MethodArn, id, grant), nil
	case errors.Is(err, auth.ErrForbidden):
		a.log.Warn("connection denied", "room", id, "error", err)
		return decision("Deny", req.MethodArn, id, grant), nil
	default:
		a.log.Warn("connection not authorized", "room", id, "error", err)
		return events.APIGatewayCustomAuthorizerResponse{}, errUnauthorized
	}
}

func decision(effect, arn string, id room.ID, grant auth.Grant) events.APIGatewayCustomAuthorizerResponse {
	principal := grant.User.ID
	if principal == "" {
		principal = anonymous
	}
	res := events.APIGatewayCustomAuthorizerResponse{
		PrincipalID: principal,
		PolicyDocument: events.APIGatewayCustomAuthorizerPolicy{
			Version: "2012-10-17",
			Statement: []events.IAMPolicyStatement{{
				Action: []string{"execute-api:Invoke"}, Effect: effect, Resource: []string{arn},
			}},
		},
	}
	if effect == "Allow" {
		res.Context = map[string]any{
			keyRoom: string(id), keyUser: grant.User.ID, keyName: grant.User.Name, keyAccess: string(grant.Access),
		}
	}
	return res
}
