package local

import (
	"context"
	"encoding/json"
	"net"
	"net/http"
	"time"

	"github.com/symphony-rt/symphony/internal/directory"
	"github.com/symphony-rt/symphony/internal/pebblestore"
	"github.com/symphony-rt/symphony/internal/room"
)

// roomsPath lists the room directory: the figures a deployment keeps with the
// stream function, fed here by the embedded store's own change feed.
const roomsPath = "/_rooms"

// recount fills the directory with the rooms that were there before the process
// started; from then on the change feed keeps it.
func recount(ctx context.Context, store *pebblestore.Store, rooms *directory.Memory) error {
	return store.Rooms(ctx, func(id room.ID) error {
		e, err := directory.Recount(ctx, id, store.Log(), store.Metas(), store.Members())
		if err != nil {
			return err
		}
		rooms.Put(e)
		return nil
	})
}

// feed returns what the store is to call with every change. The members of the
// process before are removed at the start, which may be reported after the
// recount; as they were not counted, they are not to be counted off.
func feed(rooms *directory.Memory, started time.Time) func(room.Change) {
	return func(c room.Change) {
		if c.Member.New == nil && c.Member.Old != nil && c.Member.Old.ConnectedAt.Before(started) {
			return
		}
		rooms.Apply(c)
	}
}

// roomLine is a room as roomsPath shows it: sizes in bytes, times in RFC 3339.
type roomLine struct {
	Room        room.ID   `json:"room"`
	Active      bool      `json:"active"`
	Connections int       `json:"connections"`
	Updates     uint64    `json:"updates"`
	Bytes       int64     `json:"bytes"`
	LogBytes    int64     `json:"logBytes"`
	Snapshot    int64     `json:"snapshotBytes"`
	Created     time.Time `json:"created"`
	LastActive  time.Time `json:"lastActive"`
}

// serveRooms answers this machine only: room names may say more than they should.
func serveRooms(list func(context.Context) ([]directory.Entry, error)) http.Handler {
	return local(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		entries, err := list(r.Context())
		if err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		now := time.Now()
		lines := []roomLine{}
		for _, e := range entries {
			lines = append(lines, roomLine{
				Room: e.Room, Active: e.Active(now), Connections: e.Connections(now), Updates: e.Updates, Bytes: e.Bytes,
				LogBytes: e.LogBytes, Snapshot: e.SnapshotBytes, Created: e.Created, LastActive: e.LastActive,
			})
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		_ = json.NewEncoder(w).Encode(lines) // nobody left to tell
	}))
}

// local answers this machine only.
func local(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.RemoteAddr)
		if ip := net.ParseIP(host); err != nil || ip == nil || !ip.IsLoopback() {
			http.Error(w, "only from this machine", http.StatusForbidden)
			return
		}
		h.ServeHTTP(w, r)
	})
}
