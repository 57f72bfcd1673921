// Package operate is what people do with the rooms of a deployment: list, show,
// export, import, restore, verify and delete them. The CLI and the dashboard
// stand on it.
//
// Rooms is the one interface. Direct implements it on a store's ports, in the
// process that has the store open; Serve and Dial put it behind a loopback
// address, because the embedded store belongs to one process at a time.
package operate

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"github.com/symphony-rt/symphony/internal/room"
)

// Errors beside those of internal/room.
var (
	// ErrNoRoom: nothing was ever stored under that name.
	ErrNoRoom = errors.New("no such room")
	// ErrNotEmpty: an import would mix with what the room holds already.
	ErrNotEmpty = errors.New("the room is not empty")
	// ErrPoint: the room was never at that sequence number, or not yet at that
	// time, or the log of it is gone.
	ErrPoint = errors.New("no such point in the room's history")
)

// Rooms is what can be done with the rooms of one deployment. Methods that name
// a room return ErrNoRoom when there is none (Import makes one) and the errors
// of internal/room. All are safe for concurrent use.
type Rooms interface {
	// List returns a page of the room directory and how many rooms match.
	List(ctx context.Context, q Query) (Page, error)
	// Names returns the names of all rooms, sorted.
	Names(ctx context.Context) ([]room.ID, error)
	// Show returns everything but the document.
	Show(ctx context.Context, id room.ID) (Detail, error)
	// Document returns the document as JSON: an object with a member for each
	// of its root types.
	Document(ctx context.Context, id room.ID, at Point) (json.RawMessage, error)
	// Export returns the document as one Yjs update. The same content gives the
	// same bytes.
	Export(ctx context.Context, id room.ID, at Point) (Export, error)
	// Import adds a Yjs update to the room, as one edit everybody in it gets.
	// ErrNotEmpty unless the room is empty or merge is set.
	Import(ctx context.Context, id room.ID, update []byte, merge bool) (Written, error)
	// Restore makes the document say what it said at a point, as a new edit:
	// nothing is undone behind anybody's back, and it can itself be undone.
	Restore(ctx context.Context, id room.ID, at Point) (Written, error)
	// Verify looks for anything that is not as it has to be. An error means that
	// it could not look; what it found is in the report.
	Verify(ctx context.Context, id room.ID) (Report, error)
	// Delete removes the room and its history for good.
	Delete(ctx context.Context, id room.ID) error
}

// Point is a moment of a room's history: after update Seq, or what was stored at
// a time. The zero Point is now.
type Point struct {
	Seq room.Seq  `json:"seq,omitempty"`
	At  time.Time `json:"at,omitzero"`
}

// IsNow says whether the point is the present.
func (p Point) IsNow() bool { return p.Seq == 0 && p.At.IsZero() }

// Summary is one room as the directory has it. Sizes are in bytes.
type Summary struct {
	Room          room.ID   `json:"room"`
	Active        bool      `json:"active"`
	Connections   int       `json:"connections"`
	Updates       uint64    `json:"updates"`
	Bytes         int64     `json:"bytes"`
	LogBytes      int64     `json:"logBytes"`
	SnapshotBytes int64     `json:"snapshotBytes"`
	Size          int64     `json:"size"`
	Created       time.Time `json:"created"`
	LastActive    time.Time `json:"lastActive"`
}

// Member is somebody connected to a room.
type Member struct {
	Connection  room.ConnectionID `json:"connection"`
	User        string            `json:"user"`
	Name        string            `json:"name"`
	Access      room.Access       `json:"access"`
	Client      uint64            `json:"client,omitempty"`
	Symphony    bool              `json:"symphony"`
	ConnectedAt time.Time         `json:"connectedAt"`
}

// Snapshot is a stored snapshot a room's record names.
type Snapshot struct {
	Key    string   `json:"key"`
	Seq    room.Seq `json:"seq"`
	Size   int64    `json:"size"`
	SHA256 string   `json:"sha256"`
	// Until is when a replaced one may go; zero for the current one.
	Replaced time.Time `json:"replaced,omitzero"`
}

// Archive is a stretch of log that was moved to the archive.
type Archive struct {
	Key    string    `json:"key"`
	From   room.Seq  `json:"from"`
	To     room.Seq  `json:"to"`
	Size   int64     `json:"size"`
	Stored time.Time `json:"stored"`
}

// Detail is one room, counted from what is stored and not from the directory.
type Detail struct {
	Summary
	Epoch          string     `json:"epoch"`
	State          string     `json:"state"`
	Seq            room.Seq   `json:"seq"`
	LogEntries     int        `json:"logEntries"`
	Trimmed        room.Seq   `json:"trimmed"`
	LastCheckpoint time.Time  `json:"lastCheckpoint,omitzero"`
	Snapshot       *Snapshot  `json:"snapshot"`
	Replaced       []Snapshot `json:"replaced"`
	Archives       []Archive  `json:"archives"`
	Members        []Member   `json:"members"`
	Denied         []string   `json:"denied"`
	// Restorable is the first sequence number the room can be brought back to.
	Restorable room.Seq `json:"restorable"`
}

// Export is a document as one Yjs update, and where the log was.
type Export struct {
	Update []byte   `json:"update"`
	Seq    room.Seq `json:"seq"`
}

// Written is an edit made by an operation. Seq is 0 when there was nothing to
// change.
type Written struct {
	Seq   room.Seq `json:"seq"`
	Bytes int      `json:"bytes"`
}
