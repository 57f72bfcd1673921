// Package looking is dashboard.Rooms on the operations that the CLI has too.
package looking

import (
	"context"
	"errors"
	"fmt"

	"github.com/symphony-rt/symphony/internal/dashboard"
	"github.com/symphony-rt/symphony/internal/operate"
	"github.com/symphony-rt/symphony/internal/room"
)

// Rooms implements dashboard.Rooms.
type Rooms struct {
	operations operate.Rooms
	ports      room.Ports
	pasts      pasts
}

var _ dashboard.Rooms = (*Rooms)(nil)

// New returns rooms on the operations. Of ports, Members, Metas, Log and
// Snapshots are used to look without reading more than is shown.
func New(operations operate.Rooms, ports room.Ports) *Rooms {
	return &Rooms{operations: operations, ports: ports, pasts: pasts{kept: map[room.ID]*past{}}}
}

// Members implements dashboard.Rooms.
func (r *Rooms) Members(ctx context.Context, id room.ID) ([]room.Member, error) {
	return r.ports.Members.List(ctx, id)
}

// Document implements dashboard.Rooms.
func (r *Rooms) Document(ctx context.Context, id room.ID) ([]byte, error) {
	b, err := r.operations.Document(ctx, id, operate.Point{})
	return b, found(err)
}

// Verify implements dashboard.Rooms.
func (r *Rooms) Verify(ctx context.Context, id room.ID) (dashboard.Verification, error) {
	report, err := r.operations.Verify(ctx, id)
	if err != nil {
		return dashboard.Verification{}, found(err)
	}
	v := dashboard.Verification{Healthy: report.OK(), Checks: report.Checked, Problems: []string{}}
	for _, p := range report.Problems {
		v.Problems = append(v.Problems, p.Kind+": "+p.What)
	}
	return v, nil
}

// Delete implements dashboard.Rooms.
func (r *Rooms) Delete(ctx context.Context, id room.ID) error {
	return found(r.operations.Delete(ctx, id))
}

// found turns the operations' errors into the domain's.
func found(err error) error {
	switch {
	case errors.Is(err, operate.ErrNoRoom):
		return fmt.Errorf("%w: %w", room.ErrNotFound, err)
	case errors.Is(err, room.ErrUnsupported):
		return fmt.Errorf("%w: %w", dashboard.ErrNotHere, err)
	}
	return err
}
