package room_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/faultstore"
	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/room"
)

// The gateway refuses posts that come faster than the client takes them. A long
// catch-up waits and goes on, whole; a short one ends at once.
func TestLongAnswerIsPatient(t *testing.T) {
	w := newWorld(t)
	ann := w.join("a", "ann")
	w.hello(ann, 1)
	whole := w.fill(ann, 4_000_000)
	from := w.join("b", "bob")
	posts := 0
	w.faults.Inject(func(c faultstore.Call) faultstore.Fault {
		if c.Name != "Sender.Post" || len(c.To) != 1 || c.To[0] != room.ConnectionID("b") {
			return faultstore.Fault{}
		}
		posts++
		return faultstore.Fault{Before: posts%10 == 0}
	})
	welcome := ask[*protocol.Welcome](w, from, &protocol.Hello{Version: 1, Client: 2})
	w.faults.Inject(nil)
	require.Greater(t, posts, 40)
	var doc [][]byte
	for _, p := range inbox[*protocol.Range](w, "b") {
		doc = append(doc, p.Update)
	}
	if len(welcome.Update) > 0 {
		doc = append(doc, welcome.Update)
	}
	wantSame(t, whole, merged(t, doc...))

	short := newWorld(t)
	ann = short.join("a", "ann")
	short.hello(ann, 1)
	short.fill(ann, 300_000)
	from = short.join("b", "bob")
	short.faults.Inject(faultstore.Named("Sender.Post", 1, faultstore.Fault{Before: true}))
	_, err := short.send(from, &protocol.Hello{Version: 1, Client: 2})
	require.ErrorIs(t, err, room.ErrUnavailable)
}
