package handler

import (
	"context"
	"errors"
	"net/http"

	"github.com/aws/aws-lambda-go/events"

	"github.com/symphony-rt/symphony/internal/auth"
	"github.com/symphony-rt/symphony/internal/room"
)

const subprotocolHeader = "Sec-WebSocket-Protocol"

// Connect serves $connect: it registers the member and posts nothing, because
// a post before $connect has returned is answered 410. A status that is not
// 2xx refuses the WebSocket with that status.
func (h *Handler) Connect(ctx context.Context, req events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
	from, authorized := origin(req.RequestContext)
	token, answer := auth.FromSubprotocols(header(req.Headers, req.MultiValueHeaders, subprotocolHeader))
	if !authorized {
		var err error
		if from, err = h.authorize(req, from, token); err != nil {
			return h.refuse(from, err), nil
		}
	}
	if err := from.Room.Validate(); err != nil {
		return h.refuse(from, err), nil
	}
	if from.ConnectedAt.IsZero() {
		from.ConnectedAt = h.clock.Now()
	}
	err := h.rooms.Join(ctx, from.Room, room.Member{
		Connection:  from.Connection,
		User:        from.User,
		Access:      from.Access,
		ConnectedAt: from.ConnectedAt,
	})
	if err != nil {
		return h.refuse(from, err), nil
	}
	h.log.Debug("joined", "connection", from.Connection, "room", from.Room, "user", from.User.ID)
	res := events.APIGatewayProxyResponse{StatusCode: http.StatusOK}
	if answer != "" {
		res.Headers = map[string]string{subprotocolHeader: answer}
	}
	return res, nil
}

// authorize applies the policy here, for a gateway that has no authorizer.
func (h *Handler) authorize(req events.APIGatewayWebsocketProxyRequest, from room.Origin, token string) (room.Origin, error) {
	if h.policy == nil {
		return from, errors.New("handler: no authorizer ran and no policy is set")
	}
	from.Room = room.ID(req.QueryStringParameters[queryRoom])
	if err := from.Room.Validate(); err != nil {
		return from, err
	}
	if t := req.QueryStringParameters[queryToken]; t != "" {
		token = t
	}
	grant, err := h.policy.Authorize(token, from.Room)
	from.User, from.Access = grant.User, grant.Access
	return from, err
}

func (h *Handler) refuse(from room.Origin, err error) events.APIGatewayProxyResponse {
	f := faultOf(err)
	h.log.Warn("connection refused", "connection", from.Connection, "room", from.Room, "status", f.status, "error", err)
	return events.APIGatewayProxyResponse{StatusCode: f.status, Body: f.text}
}
