package pebblestore

import "github.com/cockroachdb/pebble/v2"

// SetCachedRooms lowers how many idle rooms are remembered.
func (s *Store) SetCachedRooms(n int) { s.rooms.limit = n }

// CachedRooms returns how many rooms are remembered.
func (s *Store) CachedRooms() int {
	s.rooms.mu.Lock()
	defer s.rooms.mu.Unlock()
	return len(s.rooms.rooms)
}

// CountKeys returns how many keys of each namespace of objects there are.
func (s *Store) CountKeys() (heads, parts, pending int, err error) {
	for _, space := range []struct {
		prefix string
		n      *int
	}{{headSpace, &heads}, {partSpace, &parts}, {pendingSpace, &pending}} {
		iter, err := s.db.NewIter(&pebble.IterOptions{LowerBound: []byte(space.prefix), UpperBound: after(space.prefix)})
		if err != nil {
			return 0, 0, 0, err
		}
		for ok := iter.First(); ok; ok = iter.Next() {
			*space.n++
		}
		if err := iter.Close(); err != nil {
			return 0, 0, 0, err
		}
	}
	return heads, parts, pending, nil
}
