// Package directory keeps what a dashboard wants to know of every room
// (connections, edits, bytes, when it was last active) without an edit paying
// for it: it is fed with the changes a store has committed, room.Change, which
// DynamoDB's stream delivers after the fact and the embedded store by itself.
//
// The figures are equal to the truth whatever the delivery does: a Keeper
// applies a change and notes its position in one conditional write, so a change
// that is delivered again is not counted again.
package directory

import (
	"maps"
	"time"

	"github.com/symphony-rt/symphony/internal/room"
)

// Entry is what the directory knows of one room. The zero Entry is a room
// nothing is known of.
type Entry struct {
	Room    room.ID
	Created time.Time
	// LastActive is when somebody last joined, left or edited.
	LastActive time.Time
	// Updates is how many updates were ever accepted.
	Updates uint64
	// Bytes is the size of all updates ever accepted.
	Bytes int64
	// LogEntries and LogBytes are the number and the size of those the log
	// still has.
	LogEntries, LogBytes int64
	// SnapshotBytes is the size of the current snapshot.
	SnapshotBytes int64
	// Erased is room.Meta's: the number of the update that erased the room, 0
	// when none did.
	Erased uint64
	// Joined counts the members by when they connected, in steps of Step (Unix
	// seconds of its beginning). Members whose $disconnect never came stop
	// counting MemberTTL later, long before the table drops them.
	Joined map[int64]int
}

// Step is how exactly the end of a lost connection is known: MemberTTL has
// five minutes to spare beyond API Gateway's two hours.
const Step = 5 * time.Minute

func step(t time.Time) int64 { return t.Truncate(Step).Unix() }

// Connections returns how many members are connected at now.
func (e Entry) Connections(now time.Time) int {
	total := 0
	for began, n := range e.Joined {
		if !over(began, now) {
			total += n
		}
	}
	return total
}

// over says whether every member that connected in the step has expired.
func over(began int64, now time.Time) bool {
	return time.Unix(began, 0).Add(Step + room.MemberTTL).Before(now)
}

// Active says whether anybody is connected at now.
func (e Entry) Active(now time.Time) bool { return e.Connections(now) > 0 }

// Gone says whether the room was erased and nothing has come since: lists leave
// it out.
func (e Entry) Gone() bool { return e.Erased != 0 && e.Updates <= e.Erased }

// There says whether lists have the room: something is known of it, and it is not
// gone with nobody in it.
func (e Entry) There(now time.Time) bool { return e.Room != "" && (!e.Gone() || e.Active(now)) }

// Size is what the room takes in storage: its snapshot and its log.
func (e Entry) Size() int64 { return e.SnapshotBytes + e.LogBytes }

// Apply returns the entry after one more change of its room. Changes have to
// come in the order of the room's stream, each once: see Keeper.
func (e Entry) Apply(c room.Change) Entry {
	e.Room = c.Room
	e.Joined = maps.Clone(e.Joined)
	switch {
	case c.Update != (room.Images[room.UpdateImage]{}):
		e.update(c.Update)
	case c.Member != (room.Images[room.Member]{}):
		e.member(c.Member, c.At)
	case c.Meta != (room.Images[room.Meta]{}):
		e.meta(c.Meta)
	}
	if e.Created.IsZero() {
		e.Created = c.At // until the room's record says it more exactly
	}
	for began := range e.Joined {
		if over(began, c.At) {
			delete(e.Joined, began)
		}
	}
	return e
}

func (e *Entry) update(u room.Images[room.UpdateImage]) {
	if u.Old != nil {
		e.LogEntries--
		e.LogBytes -= int64(u.Old.Size)
	}
	if u.New == nil {
		return
	}
	e.LogEntries++
	e.LogBytes += int64(u.New.Size)
	if u.Old == nil {
		e.Bytes += int64(u.New.Size)
	}
	// Sequence numbers are gapless, so the highest one is the count.
	e.Updates = max(e.Updates, uint64(u.New.Seq))
	e.seen(u.New.At)
}

func (e *Entry) member(m room.Images[room.Member], at time.Time) {
	if m.Old != nil {
		e.count(m.Old.ConnectedAt, -1)
	}
	if m.New != nil {
		e.count(m.New.ConnectedAt, +1)
		e.seen(m.New.ConnectedAt)
	}
	// A member that expired was last there long ago.
	if m.New == nil && m.Old != nil && at.Before(m.Old.ConnectedAt.Add(room.MemberTTL)) {
		e.seen(at)
	}
}

// count adds to the step's members. A step that is gone already, because it is
// over, is not begun again from below.
func (e *Entry) count(connected time.Time, by int) {
	began := step(connected)
	if by < 0 && e.Joined[began] == 0 {
		return
	}
	if e.Joined == nil {
		e.Joined = map[int64]int{}
	}
	if e.Joined[began] += by; e.Joined[began] == 0 {
		delete(e.Joined, began)
	}
}

func (e *Entry) meta(m room.Images[room.Meta]) {
	if m.New == nil {
		return
	}
	e.SnapshotBytes = m.New.Snapshot.Size
	e.Erased = uint64(m.New.Erased)
	if !m.New.Created.IsZero() {
		e.Created = m.New.Created
	}
}

func (e *Entry) seen(t time.Time) {
	if t.After(e.LastActive) {
		e.LastActive = t
	}
}
