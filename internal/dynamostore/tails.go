package dynamostore

import (
	"container/list"
	"context"
	"sync"

	"github.com/symphony-rt/symphony/internal/room"
)

// tails remembers the tails of the rooms this process wrote to last, least
// recently used ones going first.
type tails struct {
	most int

	mu     sync.Mutex
	byRoom map[room.ID]*list.Element
	recent *list.List // of *tail, most recently used in front
}

// tail is what this process knows of the end of one room's log. Its holder
// (see lock) may use and change it.
type tail struct {
	room room.ID
	held chan struct{}
	// last is the number of an entry that exists, or is covered by a snapshot.
	last  room.Seq
	known bool
	// shared is set once somebody else was seen to append here: then reading
	// the tail first is cheaper than a put that loses. It is taken back when
	// a read finds the tail where this process left it.
	shared bool
}

func newTails(most int) *tails {
	return &tails{most: most, byRoom: map[room.ID]*list.Element{}, recent: list.New()}
}

// of returns the room's tail, a new one if it is not remembered.
func (t *tails) of(id room.ID) *tail {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e, ok := t.byRoom[id]; ok {
		t.recent.MoveToFront(e)
		return e.Value.(*tail)
	}
	// Forgetting a tail somebody holds does no harm: the condition of the put
	// keeps the log whole, this only keeps writers from racing in one process.
	if t.recent.Len() >= t.most {
		oldest := t.recent.Back()
		delete(t.byRoom, oldest.Value.(*tail).room)
		t.recent.Remove(oldest)
	}
	n := &tail{room: id, held: make(chan struct{}, 1)}
	t.byRoom[id] = t.recent.PushFront(n)
	return n
}

// lock waits for the tail's other holders, or for the end of ctx.
func (n *tail) lock(ctx context.Context) error {
	select {
	case n.held <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (n *tail) unlock() { <-n.held }

// found notes the tail that a read returned.
func (n *tail) found(last room.Seq) {
	if n.known {
		n.shared = last != n.last
	}
	n.last, n.known = last, true
}

// appended notes that this process wrote entry seq.
func (n *tail) appended(seq room.Seq) { n.last, n.known = seq, true }

// overtaken notes that somebody else wrote the next entry.
func (n *tail) overtaken() { n.known, n.shared = false, true }
