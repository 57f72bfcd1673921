package dashboard

import (
	"context"
	"errors"
	"time"

	"github.com/symphony-rt/symphony/internal/dashboard/series"
	"github.com/symphony-rt/symphony/internal/room"
)

// ErrNotHere: this deployment, or this way of running it, has no answer. The
// text after it is for the person who looks at the page.
var ErrNotHere = errors.New("not available here")

// Source tells what a deployment does. Its methods are safe for concurrent use.
type Source interface {
	// Now returns the figures of this moment.
	Now(ctx context.Context) (Figures, error)
	// Series returns the lines of a window that ends now.
	Series(ctx context.Context, w series.Window) (series.Lines, error)
	// Functions returns what each function did in the window. ErrNotHere.
	Functions(ctx context.Context, w series.Window) (FunctionReport, error)
	// Logs returns lines of the log. ErrNotHere.
	Logs(ctx context.Context, q LogQuery) (LogPage, error)
}

// Rooms looks into rooms and acts on them. room.ErrNotFound for one that does
// not exist; room.ErrUnavailable when the store does not answer.
type Rooms interface {
	// Members returns who is in the room now.
	Members(ctx context.Context, id room.ID) ([]room.Member, error)
	// Document returns the document as JSON: an object of its roots.
	Document(ctx context.Context, id room.ID) ([]byte, error)
	// Edits calls fn with every update that the log still has, in order.
	Edits(ctx context.Context, id room.ID, fn func(at time.Time, bytes int)) error
	// Verify proves the stored snapshot and log, and says what is wrong.
	Verify(ctx context.Context, id room.ID) (Verification, error)
	// Delete removes the room and everything stored of it.
	Delete(ctx context.Context, id room.ID) error
}

// Verification is what a proof of a room's stored data found.
type Verification struct {
	Healthy bool `json:"healthy"`
	// Checks is what was looked at, in words; Problems what is wrong.
	Checks   []string `json:"checks"`
	Problems []string `json:"problems"`
}
