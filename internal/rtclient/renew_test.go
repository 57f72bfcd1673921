package rtclient_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/rtclient"
)

// lifetime is short enough that no keep-alive comes in between, nor a probe.
var lifetime = rtclient.Times{
	Lifetime: 4 * time.Minute, RenewBefore: time.Minute, RenewJitter: 2 * time.Minute, ProbeQuiet: time.Hour,
}

// renewAfter is when a client with lifetime and Rand 0.5 opens its next connection.
const renewAfter = 2 * time.Minute

// N7: the next connection is welcome before the old one goes; nothing is lost,
// nothing comes twice, and nobody is told of a disconnect.
func TestMakeBeforeBreak(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, events := s.connect(rtclient.Options{Times: lifetime})
		old := s.accept()
		old.welcome(0)
		require.NoError(t, c.SetAwareness([]byte{1}))
		next[*protocol.Awareness](old)
		_ = events.take()
		time.Sleep(renewAfter)
		fresh := s.accept()

		// In between both connections get broadcasts, in any order.
		old.send(&protocol.Broadcast{Seq: 1, Update: []byte{1}})
		fresh.send(&protocol.Broadcast{Seq: 1, Update: []byte{1}}, &protocol.Broadcast{Seq: 2, Update: []byte{2}})
		require.True(t, c.Synced())
		_, err := c.Submit([]byte{9})
		require.NoError(t, err)
		require.EqualValues(t, 1, next[*protocol.Submit](old).ID, "the old one is in use until the welcome")
		fresh.welcome(1)
		require.True(t, c.Synced())
		require.Equal(t, []string{"update 1 [1]", "welcome e1 through 1", "update 2 [2]"}, events.take())
		require.Equal(t, []byte{1}, next[*protocol.Awareness](fresh).Update)
		old.send(&protocol.Broadcast{Seq: 2, Update: []byte{2}}, &protocol.Ack{ID: 1, Seq: 3})
		require.Equal(t, []string{"ack 1 as 3"}, events.take(), "answers on the old one count")
		fresh.nothing()

		_, err = c.Submit([]byte{8})
		require.NoError(t, err)
		require.EqualValues(t, 2, next[*protocol.Submit](fresh).ID)
		fresh.send(&protocol.Ack{ID: 2, Seq: 4})
		time.Sleep(5 * time.Second)
		require.Equal(t, websocket.StatusNormalClosure, websocket.CloseStatus(old.closeError()))
		require.Equal(t, []string{"ack 2 as 4"}, events.take())
		require.True(t, c.Synced())

		// And again, and again.
		for range 3 {
			time.Sleep(renewAfter)
			p := s.accept()
			require.EqualValues(t, 4, p.welcome(4).After)
		}
		require.Zero(t, c.Pending())
		require.NotContains(t, events.take(), "disconnected")
	})
}

// A submit that the old connection took and never answered is sent again.
func TestRenewalLosesNoSubmit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, _ := s.connect(rtclient.Options{Times: lifetime})
		old := s.accept()
		old.welcome(0)
		time.Sleep(renewAfter)
		_, err := c.Submit([]byte{9})
		require.NoError(t, err)
		next[*protocol.Submit](old)
		fresh := s.accept()
		fresh.welcome(0)
		fresh.nothing()
		time.Sleep(protocol.AckTimeout)
		require.EqualValues(t, 1, next[*protocol.Submit](fresh).ID)
	})
}

// The old connection dies while the next one is being made.
func TestOldConnectionDiesDuringRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, events := s.connect(rtclient.Options{Times: lifetime})
		old := s.accept()
		old.welcome(0)
		time.Sleep(renewAfter)
		fresh := s.accept()
		_, err := c.Submit([]byte{9})
		require.NoError(t, err)
		require.NoError(t, old.conn.CloseNow())
		synctest.Wait()
		require.False(t, c.Synced())
		_ = events.take()
		fresh.welcome(3, 1)
		require.Equal(t, []string{"update 3 [1]", "welcome e1 through 3"}, events.take())
		require.EqualValues(t, 1, next[*protocol.Submit](fresh).ID)
		require.True(t, c.Synced())
		time.Sleep(time.Minute)
		require.Equal(t, 2, s.count())
	})
}

// A renewal that fails is tried again while the old connection serves.
func TestRenewalFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, events := s.connect(rtclient.Options{Times: lifetime})
		old := s.accept()
		old.welcome(0)
		s.refuse(429)
		time.Sleep(renewAfter + 10*time.Second)
		require.True(t, c.Synced())
		s.refuse(0)
		time.Sleep(protocol.BackoffMax)
		fresh := s.accept()
		require.NoError(t, fresh.conn.CloseNow()) // and dies before its welcome
		require.True(t, c.Synced())
		time.Sleep(protocol.BackoffMax)
		s.accept().welcome(0)
		require.NotContains(t, events.take(), "disconnected")
		require.True(t, c.Synced())
	})
}

// Plain clients renew as well: the next connection counts from its step 2.
func TestPlainRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, events := s.connect(rtclient.Options{Mode: rtclient.Plain, Times: lifetime})
		old := s.accept()
		next[*protocol.SyncStep1](old)
		old.send(&protocol.SyncStep2{Update: []byte{0, 0}})
		time.Sleep(renewAfter)
		fresh := s.accept()
		next[*protocol.SyncStep1](fresh)
		_, err := c.Submit([]byte{1})
		require.NoError(t, err)
		next[*protocol.SyncUpdate](old)
		fresh.send(&protocol.SyncStep2{Update: []byte{0, 0}})
		_, err = c.Submit([]byte{2})
		require.NoError(t, err)
		next[*protocol.SyncUpdate](fresh)
		time.Sleep(5 * time.Second)
		require.Equal(t, websocket.StatusNormalClosure, websocket.CloseStatus(old.closeError()))
		require.Empty(t, events.take())
	})
}
