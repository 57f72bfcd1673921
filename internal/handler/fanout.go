package handler

import (
	"context"
	"encoding/json"
	"log/slog"

	"github.com/symphony-rt/symphony/internal/room"
)

// Deliverer posts one slice of a large room's broadcast.
type Deliverer interface {
	Deliver(ctx context.Context, d room.Delivery)
}

// Fanout serves the second level of a large room's broadcast: asynchronous
// invocations by the message function, each with one room.Delivery.
type Fanout struct {
	rooms Deliverer
	log   *slog.Logger
}

// NewFanout returns the handler.
func NewFanout(rooms Deliverer, log *slog.Logger) *Fanout { return &Fanout{rooms, log} }

// Handle posts one delivery. It fails only on a payload that is none: who is not
// reached is looked after by Deliver, and posting to all the others once more
// would help nobody.
func (f *Fanout) Handle(ctx context.Context, payload json.RawMessage) error {
	d, err := room.DecodeDelivery(payload)
	if err != nil {
		f.log.Error("not a delivery", "bytes", len(payload), "error", err)
		return err
	}
	f.rooms.Deliver(ctx, d)
	return nil
}
