package operate

import (
	"context"

	"github.com/symphony-rt/symphony/internal/room"
)

// Delete implements Rooms: see room.Service.Erase for what becomes of those who
// have the room open.
func (d *Direct) Delete(ctx context.Context, id room.ID) error {
	if _, err := d.read(ctx, id); err != nil && !isDamage(err) {
		return err
	}
	_, err := d.service.Erase(ctx, id, d.author)
	return err
}
