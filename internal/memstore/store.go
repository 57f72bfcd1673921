// Package memstore keeps rooms in memory: for tests, and for a local server
// that is to forget everything when it stops. One Store serves any number of
// room.Service instances, as DynamoDB would.
//
// It is strongly consistent and copies everything in and out, so that no
// caller can change what is stored. It promises no more than the ports do: a
// trimmed log does not remember how far it once reached, exactly as a table
// would not, so that a Service which passes a stale floor is found out here.
package memstore

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/symphony-rt/symphony/internal/room"
)

// Store holds the data. Its ports share it; see Log, Metas, Members, Snapshots
// and Uploads.
type Store struct {
	clock room.Clock

	mu    sync.Mutex
	rooms map[room.ID]*data
	// homes says which room a connection is in.
	homes   map[room.ConnectionID]room.ID
	objects map[string]object
	uploads map[uploadKey]upload
}

// data is what is kept of one room.
type data struct {
	// log is ordered by Seq.
	log     []room.Update
	meta    room.Meta
	members map[room.ConnectionID]room.Member
}

// object is a snapshot or an archive.
type object struct {
	room      room.ID
	kind      room.ObjectKind
	from, seq room.Seq
	bytes     []byte
	stored    time.Time
}

// New returns an empty store. clock decides when members expire and when
// objects were stored.
func New(clock room.Clock) *Store {
	return &Store{
		clock:   clock,
		rooms:   map[room.ID]*data{},
		homes:   map[room.ConnectionID]room.ID{},
		objects: map[string]object{},
		uploads: map[uploadKey]upload{},
	}
}

// Log returns the store's room.Log.
func (s *Store) Log() room.Log { return log{s} }

// Metas returns the store's room.Metas.
func (s *Store) Metas() room.Metas { return metas{s} }

// Members returns the store's room.Members.
func (s *Store) Members() room.Members { return members{s} }

// Snapshots returns the store's room.Snapshots.
func (s *Store) Snapshots() room.Snapshots { return snapshots{s} }

// lock takes the store's lock, unless ctx has ended.
func (s *Store) lock(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return fmt.Errorf("memstore: %w: %w", room.ErrUnavailable, err)
	}
	s.mu.Lock()
	return nil
}

// of returns the room's data, creating it. The caller holds the lock.
func (s *Store) of(id room.ID) *data {
	d := s.rooms[id]
	if d == nil {
		d = &data{members: map[room.ConnectionID]room.Member{}}
		s.rooms[id] = d
	}
	return d
}
