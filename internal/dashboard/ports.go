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
	// Past returns what the store still knows of how the room came to be, as far
	// back as can be read at once.
	Past(ctx context.Context, id room.ID) (Past, error)
	// Verify proves the stored snapshot and log, and says what is wrong.
	Verify(ctx context.Context, id room.ID) (Verification, error)
	// Delete removes the room and everything stored of it.
	Delete(ctx context.Context, id room.ID) error
}

// Past is how a room came to be.
type Past struct {
	// Edits are the last ones, in order, from the log and its archives. Whole says
	// that there were none before.
	Edits []Edit
	Whole bool
	// Sizes are those of the snapshots that are still kept, in order.
	Sizes []SnapshotSize
}

// Edit is one update.
type Edit struct {
	At    time.Time
	Bytes int
}

// SnapshotSize is how large a document was when it was last written whole.
type SnapshotSize struct {
	At   time.Time `json:"at"`
	Size int64     `json:"size"`
}

// Verification is what a proof of a room's stored data found.
type Verification struct {
	Healthy bool `json:"healthy"`
	// Checks is what was looked at, in words; Problems what is wrong.
	Checks   []string `json:"checks"`
	Problems []string `json:"problems"`
}
