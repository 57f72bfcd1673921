package rtclient_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/rtclient"
)

// A server that stopped reading is given up after WriteTime, also when the write
// that it holds up is the timer's own, and what was under way is sent again.
func TestAWriteThatTakesTooLongGivesTheConnectionUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, events := s.connect(rtclient.Options{Times: rtclient.Times{WriteTime: 7 * time.Second, AckTimeout: time.Hour, ProbeQuiet: time.Hour}})
		first := s.accept()
		first.welcome(0)
		_ = events.take()
		first.deafen()
		_, err := c.Submit([]byte{1})
		require.NoError(t, err)
		require.EqualValues(t, 1, next[*protocol.Submit](first).ID)

		// This one is not read, and holds up its caller.
		stuck := make(chan struct{})
		go func() {
			defer close(stuck)
			_, err := c.Submit([]byte{2})
			require.NoError(t, err, "it is kept, and sent on the next connection")
		}()
		time.Sleep(7*time.Second - time.Millisecond)
		require.Empty(t, events.take())
		select {
		case <-stuck:
			t.Fatal("nobody reads, and yet it is written")
		default:
		}
		time.Sleep(time.Millisecond)
		<-stuck
		time.Sleep(time.Minute) // the pause before the next connection
		second := s.accept()
		second.welcome(0)
		require.EqualValues(t, 1, next[*protocol.Submit](second).ID)
		require.EqualValues(t, 2, next[*protocol.Submit](second).ID)
		second.send(&protocol.Ack{ID: 1, Seq: 1}, &protocol.Ack{ID: 2, Seq: 2})
		require.Zero(t, c.Pending())
	})
}
