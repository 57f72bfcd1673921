package handler

import (
	"context"
	"sync"
	"time"

	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/room"
)

// presenceEvery is how often an instance tells how much presence it handled: a
// line for each message would cost more than the message's function.
const presenceEvery = 10 * time.Second

// CountPresence returns rooms, which calls tell with the number of presence
// messages handled, at most every ten seconds and only while messages come: what
// an instance has not told when it ends is not counted.
func CountPresence(rooms Rooms, clock room.Clock, tell func(at time.Time, messages int64)) Rooms {
	return &presenceCounter{Rooms: rooms, clock: clock, tell: tell}
}

type presenceCounter struct {
	Rooms
	clock room.Clock
	tell  func(at time.Time, messages int64)

	mu    sync.Mutex
	count int64
	told  time.Time
}

// Receive implements Rooms.
func (p *presenceCounter) Receive(ctx context.Context, from room.Origin, frame string) ([]byte, error) {
	reply, err := p.Rooms.Receive(ctx, from, frame)
	p.mu.Lock()
	defer p.mu.Unlock()
	if err == nil && protocol.IsPresence(frame) {
		p.count++
	}
	if now := p.clock.Now(); p.count > 0 && now.Sub(p.told) >= presenceEvery {
		p.tell(now, p.count)
		p.count, p.told = 0, now
	}
	return reply, err
}
