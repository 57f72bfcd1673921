package roomtest

import (
	"fmt"
	"testing"

	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/room"
)

// The gateway of tests keeps the contract of the real ones.
func TestGatewayContract(t *testing.T) {
	RunSender(t, func(*testing.T) SenderHarness {
		g := NewGateway()
		n := 0
		return SenderHarness{Sender: g, Unknown: "unknown", Connect: func(testing.TB) Receiver {
			n++
			conn := room.ConnectionID(fmt.Sprint("c", n))
			g.Open(conn)
			return Receiver{
				Connection: conn,
				IsOpen:     func() bool { return g.IsOpen(conn) },
				Close:      func() { g.Close(conn) },
				Take: func() (frames [][]byte) {
					for _, m := range g.Take(conn) {
						frames = append(frames, protocol.EncodeFrame(m))
					}
					return frames
				},
			}
		}}
	})
}
