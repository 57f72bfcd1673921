package rtclient_test

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/rtclient"
)

func TestFirstJoin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, events := s.connect(rtclient.Options{Client: 7})
		id, err := c.Submit([]byte{9})
		require.NoError(t, err)
		require.EqualValues(t, 1, id)
		require.False(t, c.Synced())

		p := s.accept()
		require.Equal(t, &protocol.Hello{Version: 1, Client: 7}, next[*protocol.Hello](p))
		p.nothing() // the submit waits for the welcome
		p.send(&protocol.Range{After: 0, Through: 5, More: true, Update: []byte{1}})
		require.Zero(t, c.LastSeq(), "only the last piece completes the catch-up")
		p.send(&protocol.Welcome{Version: 1, Epoch: "e1", Through: 5, Connection: "c1", Access: protocol.AccessWrite, Update: []byte{2}})
		require.Equal(t, []string{"update 0 [1]", "update 5 [2]", "welcome e1 through 5"}, events.take())
		require.True(t, c.Synced())
		require.EqualValues(t, 5, c.LastSeq())
		require.Equal(t, "c1", c.Connection())
		require.NoError(t, c.WaitSynced(context.Background()))

		require.Equal(t, &protocol.Submit{ID: 1, Update: []byte{9}}, next[*protocol.Submit](p))
		require.Equal(t, 1, c.Pending())
		p.send(&protocol.Ack{ID: 1, Seq: 6})
		require.NoError(t, c.Flush(context.Background()))
		require.Equal(t, []string{"ack 1 as 6"}, events.take())
		p.send(&protocol.Broadcast{Seq: 7, Update: []byte{3}})
		require.Equal(t, []string{"update 7 [3]"}, events.take())
		epoch, after := c.Position()
		require.Equal(t, "e1", epoch)
		require.EqualValues(t, 7, after)
		p.nothing()
	})
}

// P20, N1: what is not acknowledged is sent again, with the same id, until it is.
func TestReconnectResumesAndResends(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, events := s.connect(rtclient.Options{Client: 7, Epoch: "e1", After: 3})
		p := s.accept()
		h := p.welcome(4)
		require.Equal(t, "e1", h.Epoch)
		require.EqualValues(t, 3, h.After)
		for i := range 3 {
			_, err := c.Submit([]byte{byte(i)})
			require.NoError(t, err)
			next[*protocol.Submit](p)
		}
		p.send(&protocol.Ack{ID: 2, Seq: 5})
		require.NoError(t, p.conn.CloseNow())
		_ = events.take() // waits until the client has noticed
		require.False(t, c.Synced())

		_, err := c.Submit([]byte{3}) // while offline
		require.NoError(t, err)
		require.Equal(t, 1, s.count(), "not at once: the delay is random, up to the base")
		time.Sleep(protocol.BackoffBase)
		p = s.accept()
		require.EqualValues(t, 5, p.welcome(6, 42).After)
		require.Equal(t, []string{"update 6 [42]", "welcome e1 through 6"}, events.take())
		for _, want := range []uint64{1, 3, 4} {
			require.Equal(t, want, next[*protocol.Submit](p).ID)
		}
		p.send(&protocol.Ack{ID: 3, Seq: 8}, &protocol.Ack{ID: 1, Seq: 7}, &protocol.Ack{ID: 1, Seq: 7})
		require.Equal(t, []string{"ack 3 as 8", "ack 1 as 7"}, events.take())

		// The last one is not answered: it is sent again on the same connection.
		time.Sleep(protocol.AckTimeout)
		for _, m := range p.drain() {
			switch m := m.(type) {
			case *protocol.Submit:
				require.EqualValues(t, 4, m.ID)
			case *protocol.Probe:
			default:
				t.Fatalf("unexpected %T", m)
			}
		}
		p.send(&protocol.Ack{ID: 4, Seq: 9})
		require.Zero(t, c.Pending())
	})
}

// Guarantee 3: gaps are seen. Overtaking alone asks for nothing.
func TestGaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, events := s.connect(rtclient.Options{})
		p := s.accept()
		p.welcome(0)
		_ = events.take()

		p.send(&protocol.Broadcast{Seq: 2, Update: []byte{2}}, &protocol.Broadcast{Seq: 1, Update: []byte{1}})
		time.Sleep(2 * protocol.GapPatience)
		p.nothing()
		require.Equal(t, []string{"update 2 [2]", "update 1 [1]"}, events.take())
		require.EqualValues(t, 2, c.LastSeq())

		// Two holes: 3 to 4 and 6. Numbers seen again are dropped.
		p.send(&protocol.Broadcast{Seq: 5, Update: []byte{5}}, &protocol.Broadcast{Seq: 7, Update: []byte{7}},
			&protocol.Broadcast{Seq: 5, Update: []byte{5}}, &protocol.Broadcast{Seq: 1, Update: []byte{1}})
		require.Equal(t, []string{"update 5 [5]", "update 7 [7]"}, events.take())
		require.False(t, c.Synced())
		require.EqualValues(t, 2, c.LastSeq())
		p.nothing()
		time.Sleep(protocol.GapPatience)
		require.Equal(t, &protocol.RangeRequest{After: 2, Through: 4}, next[*protocol.RangeRequest](p))
		p.send(&protocol.Range{After: 2, Through: 4, More: true, Update: []byte{3}})
		require.EqualValues(t, 2, c.LastSeq())
		p.send(&protocol.Range{After: 2, Through: 4, Update: []byte{4}})
		require.EqualValues(t, 5, c.LastSeq())
		require.Equal(t, []string{"update 0 [3]", "update 4 [4]"}, events.take())
		time.Sleep(time.Millisecond)
		require.Equal(t, &protocol.RangeRequest{After: 5, Through: 6}, next[*protocol.RangeRequest](p), "at once: it has waited")

		// No answer: asked again. The answer is more than was asked: trimmed.
		time.Sleep(protocol.AckTimeout)
		next[*protocol.Probe](p)
		require.Equal(t, &protocol.RangeRequest{After: 5, Through: 6}, next[*protocol.RangeRequest](p))
		p.send(&protocol.Range{After: 0, Through: 9, Update: []byte{99}})
		require.EqualValues(t, 9, c.LastSeq())
		require.True(t, c.Synced())
		require.Equal(t, []string{"update 9 [99]"}, events.take())
		time.Sleep(protocol.GapPatience)
		p.nothing()
	})
}

// An answer that fills nothing is not asked for again and again at once.
func TestUselessRangeDoesNotSpin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, events := s.connect(rtclient.Options{})
		p := s.accept()
		p.welcome(1)
		p.send(&protocol.Broadcast{Seq: 9, Update: []byte{9}})
		time.Sleep(protocol.GapPatience)
		next[*protocol.RangeRequest](p)
		for range 3 {
			p.send(&protocol.Range{After: 0, Through: 1, Update: []byte{1}}, &protocol.Range{After: 1, Through: 1})
			time.Sleep(10 * protocol.GapPatience)
			p.nothing()
			time.Sleep(protocol.AckTimeout - 10*protocol.GapPatience)
			sent := p.drain()
			require.Contains(t, sent, protocol.Message(&protocol.RangeRequest{After: 1, Through: 8}))
			require.LessOrEqual(t, len(sent), 2, "and perhaps a probe")
			p.send(&protocol.Tail{Seq: 1})
		}
		require.EqualValues(t, 1, c.LastSeq())
		require.Equal(t, []string{"welcome e1 through 1", "update 9 [9]"}, events.take(), "what is known is not delivered again")
	})
}

// A broadcast too large for a post comes as the pieces of a range. It counts
// with its last piece, also beyond a gap and before the welcome.
func TestBroadcastInPieces(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, events := s.connect(rtclient.Options{})
		p := s.accept()
		p.send(&protocol.SyncUpdate{Update: []byte{1}}) // while it was listed as plain: it is in the catch-up
		p.send(&protocol.Range{After: 1, Through: 2, More: true, Update: []byte{21}}, &protocol.Range{After: 1, Through: 2, Update: []byte{22}})
		p.welcome(1, 1)
		require.Equal(t, []string{"update 0 [21]", "update 1 [1]", "welcome e1 through 1", "update 2 [22]"}, events.take())
		require.EqualValues(t, 2, c.LastSeq())
		p.send(&protocol.Range{After: 3, Through: 4, More: true, Update: []byte{41}}, &protocol.Range{After: 3, Through: 4, Update: []byte{42}})
		require.Equal(t, []string{"update 0 [41]", "update 4 [42]"}, events.take())
		require.EqualValues(t, 2, c.LastSeq())
		p.send(&protocol.Broadcast{Seq: 3, Update: []byte{3}})
		require.EqualValues(t, 4, c.LastSeq())
		time.Sleep(time.Second)
		p.nothing()
	})
}

// More numbers beyond a gap than are remembered: everything is asked for.
func TestEndlessGap(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, _ := s.connect(rtclient.Options{})
		p := s.accept()
		p.welcome(0)
		for n := range 5000 {
			require.NoError(t, p.conn.Write(context.Background(), websocket.MessageText,
				protocol.EncodeFrame(&protocol.Broadcast{Seq: uint64(n) + 2, Update: []byte{1}})))
		}
		time.Sleep(protocol.GapPatience)
		require.Equal(t, &protocol.RangeRequest{After: 0, Through: 0}, next[*protocol.RangeRequest](p))
		p.send(&protocol.Range{After: 0, Through: 5001, Update: []byte{1}})
		require.EqualValues(t, 5001, c.LastSeq())
		require.True(t, c.Synced())
	})
}

// Guarantee 3: after a quiet spell one probe finds what was lost at the end.
func TestProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, _ := s.connect(rtclient.Options{})
		p := s.accept()
		p.welcome(0)
		for n := range 20 { // while edits come there is no probe
			p.send(&protocol.Broadcast{Seq: uint64(n) + 1, Update: []byte{1}})
			time.Sleep(protocol.ProbeQuiet / 2)
		}
		p.nothing()
		time.Sleep(protocol.ProbeQuiet)
		require.EqualValues(t, 20, next[*protocol.Probe](p).Seq)
		p.send(&protocol.Tail{Seq: 20})
		time.Sleep(protocol.KeepAlive - protocol.ProbeQuiet)
		p.nothing() // one probe a spell
		time.Sleep(protocol.ProbeQuiet)
		require.EqualValues(t, 20, next[*protocol.Probe](p).Seq, "and then as the keep-alive")
		p.send(&protocol.Range{After: 20, Through: 22, Update: []byte{2}})
		require.EqualValues(t, 22, c.LastSeq())

		require.NoError(t, c.Probe())
		next[*protocol.Probe](p)
		p.send(&protocol.Tail{Seq: 24}) // another server might only tell
		require.False(t, c.Synced())
		time.Sleep(time.Millisecond)
		require.Equal(t, &protocol.RangeRequest{After: 22}, next[*protocol.RangeRequest](p))
		p.send(&protocol.Range{After: 22, Through: 24, Update: []byte{2}})
		require.True(t, c.Synced())

		// A tail below the probe: the room was made anew. Start over.
		require.NoError(t, c.Probe())
		next[*protocol.Probe](p)
		p.send(&protocol.Tail{Seq: 1})
		time.Sleep(protocol.BackoffBase)
		require.EqualValues(t, 24, next[*protocol.Hello](s.accept()).After)
	})
}

// An idle connection stays under the gateway's ten minutes; one that does not
// answer is given up.
func TestKeepAliveAndSilence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		_, events := s.connect(rtclient.Options{})
		p := s.accept()
		p.welcome(0)
		for range 10 {
			time.Sleep(protocol.KeepAlive)
			next[*protocol.Probe](p)
			p.send(&protocol.Tail{})
		}
		_ = events.take()
		time.Sleep(protocol.KeepAlive)
		next[*protocol.Probe](p)
		time.Sleep(protocol.AckTimeout)
		require.Equal(t, []string{"disconnected"}, events.take())
		time.Sleep(protocol.BackoffBase)
		s.accept().welcome(0)
	})
}

func TestNoWelcome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		_, events := s.connect(rtclient.Options{})
		next[*protocol.Hello](s.accept())
		time.Sleep(protocol.AckTimeout)
		require.Equal(t, []string{"disconnected"}, events.take())
		time.Sleep(protocol.BackoffBase)
		s.accept().welcome(0)
	})
}

// Broadcasts that come before the welcome are kept, and counted in its epoch.
func TestEarlyBroadcastsAndNewEpoch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, events := s.connect(rtclient.Options{Epoch: "e0", After: 100})
		p := s.accept()
		p.send(&protocol.Broadcast{Seq: 4, Update: []byte{4}}, &protocol.Broadcast{Seq: 3, Update: []byte{3}})
		require.Empty(t, events.take())
		p.welcome(3, 33)
		require.Equal(t, []string{"update 3 [33]", "welcome e1 through 3", "update 4 [4]"}, events.take(),
			"3 is in the catch-up, 4 is new although an older epoch had it")
		require.EqualValues(t, 4, c.LastSeq())
		require.True(t, c.Synced())
	})
}

// Presence: sent, sent again after a reconnect, shown to whoever asks.
func TestPresenceAndPeers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, events := s.connect(rtclient.Options{})
		p := s.accept()
		require.NoError(t, c.SetAwareness([]byte{1, 2}))
		p.welcome(0)
		require.Equal(t, []byte{1, 2}, next[*protocol.Awareness](p).Update)
		require.NoError(t, c.SetAwareness([]byte{3}))
		next[*protocol.Awareness](p)
		p.send(&protocol.QueryAwareness{})
		require.Equal(t, []byte{3}, next[*protocol.Awareness](p).Update)
		require.NoError(t, c.QueryAwareness())
		next[*protocol.QueryAwareness](p)
		require.NoError(t, c.SendEvent("hey"))
		require.Equal(t, "hey", next[*protocol.Event](p).Data)
		require.ErrorIs(t, c.SendEvent(strings.Repeat("x", protocol.MaxClientMessage)), rtclient.ErrTooLarge)
		_ = events.take()
		p.send(&protocol.Awareness{Update: []byte{5}}, &protocol.PeerJoined{Connection: "x"},
			&protocol.PeerLeft{Connection: "x"}, &protocol.PeerEvent{UserID: "ann", Data: "1"}, &protocol.Notice{Code: "hi"})
		require.Equal(t, []string{"awareness [5]", "joined x", "left x", "event 1 of ann", "notice hi"}, events.take())
		require.ErrorIs(t, c.SetAwareness(make([]byte, protocol.MaxClientMessage)), rtclient.ErrTooLarge)
		require.NoError(t, p.conn.CloseNow())
		time.Sleep(protocol.BackoffBase)
		p = s.accept()
		p.welcome(0)
		require.Equal(t, []byte{3}, next[*protocol.Awareness](p).Update)
	})
}

// A message of a later server is ignored, as are fields it adds.
func TestForwardCompatible(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		_, events := s.connect(rtclient.Options{})
		p := s.accept()
		p.welcome(0)
		_ = events.take()
		for _, raw := range [][]byte{{99, 1, 2}, append(protocol.Encode(&protocol.Broadcast{Seq: 1, Update: []byte{1}}), 7, 7)} {
			require.NoError(t, p.conn.Write(context.Background(), websocket.MessageText, protocol.FrameOf(raw)))
		}
		require.Equal(t, []string{"update 1 [1]"}, events.take())
		require.NoError(t, p.conn.Write(context.Background(), websocket.MessageText, []byte("not a frame")))
		require.Equal(t, []string{"disconnected"}, events.take())
	})
}

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, events := s.connect(rtclient.Options{})
		p := s.accept()
		p.welcome(0)
		_ = events.take()
		require.NoError(t, c.Err())
		require.NoError(t, c.Close())
		<-c.Done()
		require.Equal(t, websocket.StatusNormalClosure, websocket.CloseStatus(p.closeError()))
		require.NoError(t, c.Close(), "again is no error")
		require.Empty(t, events.take(), "closing is no disconnect")
		_, err := c.Submit([]byte{1})
		require.ErrorIs(t, err, rtclient.ErrClosed)
		require.ErrorIs(t, c.SetAwareness(nil), rtclient.ErrClosed)
		require.ErrorIs(t, c.WaitSynced(context.Background()), rtclient.ErrClosed)
		require.ErrorIs(t, c.Err(), rtclient.ErrClosed)
		time.Sleep(time.Hour)
		require.Equal(t, 1, s.count())
	})
}

// A callback may close the client.
func TestCloseFromCallback(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		var c *rtclient.Client
		c, _ = s.connect(rtclient.Options{Events: rtclient.Events{OnUpdate: func(uint64, []byte) { _ = c.Close() }}})
		p := s.accept()
		p.welcome(0)
		p.send(&protocol.Broadcast{Seq: 1, Update: []byte{1}})
		<-c.Done()
		require.Equal(t, websocket.StatusNormalClosure, websocket.CloseStatus(p.closeError()))
	})
}

// Closing while a reconnect waits or dials leaves nothing behind: the bubble
// would not end with a goroutine in it.
func TestCloseWhileOffline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, _ := s.connect(rtclient.Options{})
		p := s.accept()
		p.welcome(0)
		s.refuse(503)
		require.NoError(t, p.conn.CloseNow())
		time.Sleep(time.Minute)
		require.NoError(t, c.Close())
		<-c.Done()
	})
}

// drain returns what the client sent and was not looked at.
func (p *peer) drain() []protocol.Message {
	synctest.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	m := p.received
	p.received = nil
	return m
}
