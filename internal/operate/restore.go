package operate

import (
	"context"
	"fmt"

	"github.com/symphony-rt/symphony/internal/room"
)

// Restore implements Rooms.
func (d *Direct) Restore(context.Context, room.ID, Point) (Written, error) {
	return Written{}, fmt.Errorf("%w: restoring", room.ErrUnsupported)
}

// Verify implements Rooms.
func (d *Direct) Verify(context.Context, room.ID) (Report, error) {
	return Report{}, fmt.Errorf("%w: verifying", room.ErrUnsupported)
}

// Delete implements Rooms.
func (d *Direct) Delete(context.Context, room.ID) error {
	return fmt.Errorf("%w: deleting", room.ErrUnsupported)
}
