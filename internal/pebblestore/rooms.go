package pebblestore

import (
	"fmt"
	"sync"

	"github.com/cockroachdb/pebble/v2"

	"github.com/symphony-rt/symphony/internal/room"
)

// maxCachedRooms bounds the rooms remembered while nobody uses them (a few
// hundred bytes each). A room beyond that is read anew at its next use.
const maxCachedRooms = 1 << 16

// roomState is what the store remembers of one room: how far its log goes and
// its record, both as of the last durable commit, and what is on its way.
type roomState struct {
	id   room.ID
	refs int // guarded by roomCache.mu

	mu     sync.Mutex
	loaded bool
	// assigned is the last number given out, durable the last one committed.
	// Pebble shows entries to readers before they are synced; durable is what
	// keeps readers from them.
	assigned, durable room.Seq
	meta              room.Meta // durable; Version 0 when there is none
	swap              *op       // the swap under way, or nil
	members           audience  // durable, once membersLoaded
	membersLoaded     bool
}

// roomCache finds the state of rooms.
type roomCache struct {
	mu    sync.Mutex
	rooms map[room.ID]*roomState
	limit int
}

func (c *roomCache) init() {
	c.rooms = make(map[room.ID]*roomState)
	c.limit = maxCachedRooms
}

// retain keeps st from being forgotten until release.
func (c *roomCache) retain(st *roomState) {
	c.mu.Lock()
	st.refs++
	c.mu.Unlock()
}

func (c *roomCache) release(st *roomState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	st.refs--
	if st.refs == 0 && len(c.rooms) > c.limit {
		delete(c.rooms, st.id)
	}
}

// room returns the state of a room, read from the database when it is not
// remembered. The caller must release it.
func (s *Store) room(id room.ID) (*roomState, error) {
	if err := id.Validate(); err != nil {
		return nil, err
	}
	c := &s.rooms
	c.mu.Lock()
	st := c.rooms[id]
	if st == nil {
		st = &roomState{id: id}
		c.rooms[id] = st
	}
	st.refs++
	c.mu.Unlock()

	st.mu.Lock()
	defer st.mu.Unlock()
	if !st.loaded {
		if err := s.load(st); err != nil {
			c.release(st)
			return nil, err
		}
		st.loaded = true
	}
	return st, nil
}

// load reads a room of which no write is under way, so all that is visible is
// durable: every op under way holds a reference to its room's state.
func (s *Store) load(st *roomState) error {
	tail, err := s.lastSeq(st.id)
	if err != nil {
		return err
	}
	key := metaKey(st.id)
	value, err := s.get(key)
	if err != nil {
		return err
	}
	if value != nil {
		var rec metaRecord
		if err := unsealJSON(key, value, &rec); err != nil {
			return err
		}
		if st.meta, err = rec.meta(); err != nil {
			return fmt.Errorf("record of room %q: %w", st.id, err)
		}
	}
	st.assigned, st.durable = tail, tail
	return nil
}

// lastSeq returns the number of the last log entry, 0 when there is none.
func (s *Store) lastSeq(id room.ID) (room.Seq, error) {
	iter, err := s.db.NewIter(&pebble.IterOptions{LowerBound: updateKey(id, 0), UpperBound: updatesEnd(id)})
	if err != nil {
		return 0, failure(err)
	}
	defer iter.Close()
	if !iter.Last() {
		return 0, failure(iter.Error())
	}
	return seqFromKey(iter.Key())
}

// durableTail returns the last committed number.
func (st *roomState) durableTail() room.Seq {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.durable
}
