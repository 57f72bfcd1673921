// Package handler turns gateway and schedule events into calls of
// room.Service, and its results into responses. It knows the JSON of AWS
// (aws-lambda-go's event types) and nothing of any store, so the same
// handlers run in Lambda and behind the local gateway.
package handler

import (
	"context"
	"log/slog"

	"github.com/symphony-rt/symphony/internal/auth"
	"github.com/symphony-rt/symphony/internal/room"
)

// Rooms is what the handlers need of room.Service.
type Rooms interface {
	Join(ctx context.Context, id room.ID, m room.Member) error
	Receive(ctx context.Context, from room.Origin, frame string) (reply []byte, err error)
	Leave(ctx context.Context, id room.ID, conn room.ConnectionID) error
}

// Handler serves the routes of the WebSocket API.
type Handler struct {
	rooms Rooms
	// policy decides for gateways without an authorizer; nil refuses them.
	policy auth.Policy
	clock  room.Clock
	log    *slog.Logger
}

// New returns the handlers of $connect, $default and $disconnect. policy may
// be nil when an authorizer runs in front, as it does in a deployment.
func New(rooms Rooms, policy auth.Policy, clock room.Clock, log *slog.Logger) *Handler {
	return &Handler{rooms: rooms, policy: policy, clock: clock, log: log}
}
