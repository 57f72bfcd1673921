package handler

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/aws/aws-lambda-go/events"

	"github.com/symphony-rt/symphony/internal/room"
)

// Message serves $default: one text frame from a client. The reply travels back
// as the route response, which costs no call of the management API; an empty
// body sends nothing. A refused message is answered with a typed error and
// status 200: any other status would make API Gateway send its own JSON error,
// which is no frame of our protocol.
func (h *Handler) Message(ctx context.Context, req events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
	from, _ := origin(req.RequestContext)
	reply, err := h.receive(ctx, from, req)
	if err == nil {
		return events.APIGatewayProxyResponse{StatusCode: http.StatusOK, Body: string(reply)}, nil
	}
	f := faultOf(err)
	level := h.log.Warn
	switch {
	case errors.Is(err, room.ErrGone):
		level = h.log.Info // the client left while it was being answered
	case f.status >= http.StatusInternalServerError:
		level = h.log.Error
	}
	level("message refused", "connection", from.Connection, "room", from.Room, "user", from.User.ID,
		"request", req.RequestContext.RequestID, "code", f.code.String(), "error", err)
	res := events.APIGatewayProxyResponse{StatusCode: http.StatusOK}
	switch {
	case len(reply) > 0:
		res.Body = string(reply) // a plain client is told in its own protocol
	case !errors.Is(err, room.ErrDisconnected):
		res.Body = f.frame(err)
	}
	return res, nil
}

func (h *Handler) receive(ctx context.Context, from room.Origin, req events.APIGatewayWebsocketProxyRequest) ([]byte, error) {
	if req.IsBase64Encoded {
		return nil, fmt.Errorf("%w: a binary frame", room.ErrMalformed)
	}
	return h.rooms.Receive(ctx, from, req.Body)
}
