package handler

import (
	"context"
	"errors"
	"net/http"

	"github.com/aws/aws-lambda-go/events"

	"github.com/symphony-rt/symphony/internal/room"
)

// Disconnect serves $disconnect, which API Gateway sends at best once and
// perhaps never; a connection that is gone already is therefore no error.
func (h *Handler) Disconnect(ctx context.Context, req events.APIGatewayWebsocketProxyRequest) (events.APIGatewayProxyResponse, error) {
	from, _ := origin(req.RequestContext)
	err := h.rooms.Leave(ctx, from.Room, from.Connection)
	switch {
	case err == nil, errors.Is(err, room.ErrUnknownConnection):
		return events.APIGatewayProxyResponse{StatusCode: http.StatusOK}, nil
	default:
		h.log.Error("could not remove a member that left", "connection", from.Connection, "room", from.Room, "error", err)
		return events.APIGatewayProxyResponse{StatusCode: faultOf(err).status}, nil
	}
}
