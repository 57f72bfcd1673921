package room

import (
	"context"
	"encoding/json"
	"fmt"
	"time"
)

// A broadcast in a large room takes a second level: the message's function
// hands slices of the members to further invocations, which post to them side
// by side. What an invocation does may be lost, late or done twice, as any
// post may: it carries a stored update, so a Symphony member sees the gap and
// asks, and an update that comes twice changes nothing (guarantees 3 and 7).
// A plain member has no numbers; like any lost post, it gets what it missed on
// its next connection.

// Receiver is a member as far as a post to it needs to know.
type Receiver struct {
	Connection ConnectionID `json:"c"`
	// Symphony says that it sees gaps; Client and ConnectedMS (Unix
	// milliseconds) are for its removal when it turns out to be gone.
	Symphony    bool   `json:"s,omitempty"`
	Client      uint64 `json:"k,omitempty"`
	ConnectedMS int64  `json:"t"`
}

// Delivery is the work of one second-level invocation: frames, one after the
// other, for some members of a room.
type Delivery struct {
	Room   ID         `json:"room"`
	To     []Receiver `json:"to"`
	Frames [][]byte   `json:"frames"`
}

const (
	// FanoutSlice is how many members one invocation posts to. 32 posts at a time
	// of ten milliseconds each are a tenth of a second, which is what starting
	// another invocation may take.
	FanoutSlice = 250
	// MaxDeliveryBytes bounds a Delivery's frames and receivers as JSON: an
	// asynchronous invocation takes 256 KB (Lambda quotas, "Invocation payload").
	MaxDeliveryBytes = 256_000
	// receiverBytes is a receiver in that JSON, connection ids of 32 characters
	// included (API Gateway's have 16).
	receiverBytes = 128
)

// EncodeDelivery returns d as the payload of an invocation.
func EncodeDelivery(d Delivery) ([]byte, error) {
	b, err := json.Marshal(d)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	if len(b) > MaxDeliveryBytes {
		return nil, fmt.Errorf("%w: a delivery of %d bytes, at most %d", ErrTooLarge, len(b), MaxDeliveryBytes)
	}
	return b, nil
}

// DecodeDelivery is the inverse of EncodeDelivery. ErrMalformed.
func DecodeDelivery(b []byte) (Delivery, error) {
	var d Delivery
	if err := json.Unmarshal(b, &d); err != nil {
		return Delivery{}, fmt.Errorf("%w: a delivery: %w", ErrMalformed, err)
	}
	if d.Room.Validate() != nil || len(d.To) == 0 || len(d.Frames) == 0 {
		return Delivery{}, fmt.Errorf("%w: a delivery without a room, members or frames", ErrMalformed)
	}
	return d, nil
}

// Deliver is the second level: it posts d's frames to d's members and looks
// after those it does not reach, as the first level does (post). Doing it twice
// is harmless.
func (s *Service) Deliver(ctx context.Context, d Delivery) {
	to := make([]Member, len(d.To))
	for i, r := range d.To {
		to[i] = Member{Connection: r.Connection, Symphony: r.Symphony, Client: r.Client, ConnectedAt: time.UnixMilli(r.ConnectedMS).UTC()}
	}
	s.post(ctx, d.Room, to, d.Frames...)
}

// spread posts frames to members as post does, with a second level when they
// are more than a slice. It posts the first slice itself while the others
// start, and every slice that no invocation took.
func (s *Service) spread(ctx context.Context, room ID, to []Member, frames ...[]byte) {
	if s.Fanout == nil || len(to) <= FanoutSlice || len(frames) == 0 || !fitsDelivery(frames) {
		s.post(ctx, room, to, frames...)
		return
	}
	slices := divide(to, FanoutSlice)
	deliveries := make([]Delivery, len(slices)-1)
	for i, slice := range slices[1:] {
		deliveries[i] = Delivery{Room: room, To: receivers(slice), Frames: frames}
	}
	answered := make(chan []error, 1)
	go func() { answered <- s.Fanout.Dispatch(ctx, deliveries) }()
	s.post(ctx, room, slices[0], frames...)
	for i, err := range <-answered {
		if err != nil {
			s.logger.Warn("a slice of a large room is posted by the message itself", "room", room, "members", len(slices[i+1]), "error", err)
			s.post(ctx, room, slices[i+1], frames...)
		}
	}
}

// fitsDelivery says whether frames for a whole slice fit one invocation. Those
// that do not (several posts of a large update for plain members) are posted by
// the message's function.
func fitsDelivery(frames [][]byte) bool {
	size := MaxIDBytes*6 + FanoutSlice*receiverBytes // an id of control characters is six times as long in JSON
	for _, f := range frames {
		size += (len(f)+2)/3*4 + 3
	}
	return size <= MaxDeliveryBytes
}

// divide cuts list into as few parts of at most size as there can be, of about
// the same length.
func divide[T any](list []T, size int) [][]T {
	n := (len(list) + size - 1) / size
	parts := make([][]T, 0, n)
	for i := range n {
		parts = append(parts, list[len(list)*i/n:len(list)*(i+1)/n])
	}
	return parts
}

func receivers(list []Member) []Receiver {
	to := make([]Receiver, len(list))
	for i, m := range list {
		to[i] = Receiver{Connection: m.Connection, Symphony: m.Symphony, Client: m.Client, ConnectedMS: m.ConnectedAt.UnixMilli()}
	}
	return to
}
