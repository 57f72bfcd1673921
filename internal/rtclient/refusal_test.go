package rtclient_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/rtclient"
)

// What the client does for each error code that answers a submit
// (docs/PROTOCOL.md, "Errors").
func TestSubmitRefused(t *testing.T) {
	for _, c := range []struct {
		code     protocol.Code
		retry    uint64
		rejected bool // the update is given up
		again    bool // it is sent again on the same connection
		reopened bool // it is sent again on the next connection
		ended    bool // the client gives up
	}{
		{code: protocol.CodeMalformed, rejected: true},
		{code: protocol.CodeTooLarge, rejected: true},
		{code: protocol.CodeInvalidUpdate, rejected: true},
		{code: protocol.CodeReadOnly, rejected: true},
		{code: protocol.CodeUnsupported, rejected: true},
		{code: protocol.CodeInternal, rejected: true},
		{code: protocol.Code(99), rejected: true},
		{code: protocol.CodeUnavailable, retry: 2000, again: true},
		{code: protocol.CodeThrottled, retry: 2000, again: true},
		{code: protocol.CodeInternal, retry: 2000, again: true},
		{code: protocol.CodeUnknownConnection, reopened: true},
		{code: protocol.CodeDenied, rejected: true, ended: true},
		{code: protocol.CodeRoomID, rejected: true, ended: true},
	} {
		t.Run(fmt.Sprintf("%s, retry %d", c.code, c.retry), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := newServer(t)
				client, events := s.connect(rtclient.Options{})
				p := s.accept()
				p.welcome(0)
				_, err := client.Submit([]byte{1})
				require.NoError(t, err)
				next[*protocol.Submit](p)
				_ = events.take()
				// The reader may end with the message: do not insist on the write.
				p.send(&protocol.Error{Code: c.code, ID: 1, RetryMS: c.retry, Text: "x"})
				said := events.take()
				if c.rejected {
					require.Contains(t, said, fmt.Sprintf("rejected 1: %s", c.code))
					require.Zero(t, client.Pending())
				} else {
					require.Equal(t, 1, client.Pending())
				}
				time.Sleep(time.Millisecond)
				switch {
				case c.again:
					p.nothing()
					time.Sleep(2 * time.Second)
					p.nothing() // 2 s and up to half as much again
					time.Sleep(time.Second)
					require.EqualValues(t, 1, next[*protocol.Submit](p).ID)
				case c.reopened:
					require.Equal(t, []string{"disconnected: unknown connection"}, said)
					time.Sleep(protocol.BackoffBase)
					p = s.accept()
					p.welcome(0)
					require.EqualValues(t, 1, next[*protocol.Submit](p).ID)
				case c.ended:
					<-client.Done()
					require.ErrorIs(t, client.Err(), rtclient.ErrRefused)
					var told *protocol.Error
					require.True(t, errors.As(client.Err(), &told))
					require.Equal(t, c.code, told.Code)
					time.Sleep(time.Hour)
					require.Equal(t, 1, s.count(), "it does not come back")
				default:
					time.Sleep(protocol.AckTimeout)
					for _, m := range p.drain() {
						require.IsType(t, &protocol.Probe{}, m)
					}
				}
				if c.code == protocol.CodeReadOnly {
					_, err := client.Submit([]byte{2})
					require.ErrorIs(t, err, rtclient.ErrReadOnly)
				}
			})
		})
	}
}

func TestErrorsThatAnswerNoSubmit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, events := s.connect(rtclient.Options{})
		p := s.accept()
		// The hello: not now. It is said again on the same connection.
		next[*protocol.Hello](p)
		p.send(&protocol.Error{Code: protocol.CodeUnavailable, RetryMS: 1000})
		p.nothing()
		time.Sleep(1500 * time.Millisecond)
		p.welcome(0)
		// The hello again on another connection, when there is no time to wait for.
		require.NoError(t, p.conn.CloseNow())
		time.Sleep(protocol.BackoffBase)
		p = s.accept()
		next[*protocol.Hello](p)
		p.send(&protocol.Error{Code: protocol.CodeInternal})
		time.Sleep(2 * protocol.BackoffBase)
		p = s.accept()
		p.welcome(0)
		// A range: not now.
		p.send(&protocol.Broadcast{Seq: 2, Update: []byte{1}})
		time.Sleep(protocol.GapPatience)
		next[*protocol.RangeRequest](p)
		_ = events.take()
		p.send(&protocol.Error{Code: protocol.CodeThrottled, RetryMS: 1000})
		require.Equal(t, []string{"error throttled"}, events.take())
		time.Sleep(time.Second)
		p.nothing()
		time.Sleep(time.Second)
		next[*protocol.RangeRequest](p)
		// Presence that was not understood: only told.
		p.send(&protocol.Error{Code: protocol.CodeInvalidAwareness})
		require.Equal(t, []string{"error invalid awareness"}, events.take())
		require.NoError(t, c.Err())
	})
}

func TestRefusedHello(t *testing.T) {
	for _, m := range []protocol.Message{
		&protocol.Error{Code: protocol.CodeUnsupported, Text: "version 1 is gone"},
		&protocol.Error{Code: protocol.CodeDenied},
	} {
		synctest.Test(t, func(t *testing.T) {
			s := newServer(t)
			c, _ := s.connect(rtclient.Options{})
			s.accept().send(m)
			<-c.Done()
			require.ErrorIs(t, c.Err(), rtclient.ErrRefused)
			require.ErrorIs(t, c.WaitSynced(context.Background()), rtclient.ErrRefused)
		})
	}
}

// Read access: nothing is sent, and what was pending is handed back.
func TestReadOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, events := s.connect(rtclient.Options{})
		_, err := c.Submit([]byte{1})
		require.NoError(t, err)
		p := s.accept()
		next[*protocol.Hello](p)
		p.send(&protocol.Welcome{Version: 1, Epoch: "e", Access: protocol.AccessRead, StateVector: []byte{0}})
		require.Equal(t, []string{"welcome e through 0", "rejected 1: read only"}, events.take())
		require.Zero(t, c.Pending())
		_, err = c.Submit([]byte{1})
		require.ErrorIs(t, err, rtclient.ErrReadOnly)
		time.Sleep(time.Minute)
		p.nothing()
	})
}

func TestTooManyPending(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, _ := s.connect(rtclient.Options{MaxPending: 2})
		for range 2 {
			_, err := c.Submit([]byte{1})
			require.NoError(t, err)
		}
		_, err := c.Submit([]byte{1})
		require.ErrorIs(t, err, rtclient.ErrPending)
	})
}

func TestDialErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		dial := func(u string) error {
			_, err := rtclient.Dial(context.Background(), u, rtclient.Options{HTTPClient: s.http})
			return err
		}
		for status, refused := range map[int]bool{400: true, 401: true, 403: true, 404: true, 408: false, 429: false, 500: false, 503: false} {
			s.refuse(status)
			err := dial("ws://server/dev")
			var de *rtclient.DialError
			require.ErrorAs(t, err, &de, status)
			require.Equal(t, status, de.Status)
			require.Equal(t, refused, errors.Is(err, rtclient.ErrRefused), status)
		}
		for _, u := range []string{"", "server/dev", "ftp://server", "ws://", "ws://%zz"} {
			require.Error(t, dial(u), u)
		}
		_, err := rtclient.Dial(context.Background(), "ws://server", rtclient.Options{
			HTTPClient: s.http, Token: func(context.Context) (string, error) { return "", errDocument },
		})
		require.ErrorIs(t, err, errDocument)
	})
}

// A reconnect backs off with full jitter, starts over after a connection that
// lasted, and ends when the server refuses.
func TestBackoff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		var mu sync.Mutex
		var dialled []time.Time
		asked := func(context.Context) (string, error) {
			mu.Lock()
			defer mu.Unlock()
			dialled = append(dialled, time.Now())
			return "", nil
		}
		c, _ := s.connect(rtclient.Options{Token: asked, Rand: func() float64 { return 0.999999 }})
		p := s.accept()
		p.welcome(0)
		s.refuse(503)
		start := time.Now()
		mu.Lock()
		dialled = nil
		mu.Unlock()
		require.NoError(t, p.conn.CloseNow())
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		mu.Lock()
		var delays []string
		for _, at := range dialled {
			delays = append(delays, at.Sub(start).Round(100*time.Millisecond).String())
			start = at
		}
		mu.Unlock()
		require.Equal(t, []string{"500ms", "1s", "2s", "4s", "8s", "16s", "30s", "30s"}, delays)

		s.refuse(0)
		time.Sleep(protocol.BackoffMax)
		p = s.accept()
		p.welcome(0)
		time.Sleep(time.Minute)
		require.NoError(t, p.conn.CloseNow())
		time.Sleep(protocol.BackoffBase)
		p = s.accept()
		p.welcome(0)

		s.refuse(http.StatusForbidden)
		require.NoError(t, p.conn.CloseNow())
		time.Sleep(time.Minute)
		<-c.Done()
		require.ErrorIs(t, c.Err(), rtclient.ErrRefused)
	})
}

func TestNoReconnect(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, events := s.connect(rtclient.Options{NoReconnect: true})
		p := s.accept()
		p.welcome(0)
		_ = events.take()
		require.NoError(t, p.conn.Close(1001, "going away"))
		<-c.Done()
		require.Error(t, c.Err())
		require.NotErrorIs(t, c.Err(), rtclient.ErrClosed)
		require.Equal(t, []string{"disconnected"}, events.take())
	})
}

// Room and token travel as docs/PROTOCOL.md, "Connecting", says.
func TestConnecting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		token := func(context.Context) (string, error) { return "a.b.c", nil }
		s.connect(rtclient.Options{Room: "a/b c&d=ü?", Token: token})
		p := s.accept()
		require.Equal(t, "a/b c&d=ü?", p.request.URL.Query().Get("room"))
		require.Empty(t, p.request.URL.Query().Get("token"))
		require.Equal(t, "symphony.v1,symphony.token.YS5iLmM", p.request.Header.Get("Sec-WebSocket-Protocol"))
		require.Equal(t, "symphony.v1", p.conn.Subprotocol())

		s.connect(rtclient.Options{Room: "r", Token: token, TokenInQuery: true})
		p = s.accept()
		require.Equal(t, "a.b.c", p.request.URL.Query().Get("token"))
		require.Equal(t, "symphony.v1", p.request.Header.Get("Sec-WebSocket-Protocol"))
	})
}

// An error of the gateway itself answers nothing in particular: what is not
// answered is sent again, after growing delays.
func TestGatewayErrors(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, events := s.connect(rtclient.Options{})
		fail := func(p *peer, text string) {
			t.Helper()
			frame := `{"message": "` + text + `", "connectionId":"Ab=", "requestId":"Cd="}`
			require.NoError(t, p.conn.Write(context.Background(), websocket.MessageText, []byte(frame)))
			synctest.Wait()
		}
		p := s.accept()
		next[*protocol.Hello](p)
		fail(p, "Internal server error")
		time.Sleep(1250 * time.Millisecond)
		next[*protocol.Hello](p)
		fail(p, "Internal server error")
		time.Sleep(1250 * time.Millisecond)
		p.nothing()
		time.Sleep(1250 * time.Millisecond)
		p.welcome(0)
		_, err := c.Submit([]byte{1})
		require.NoError(t, err)
		next[*protocol.Submit](p)
		require.Equal(t, []string{"error unavailable", "error unavailable", "welcome e1 through 0"}, events.take())
		for tries := range 4 {
			fail(p, "Too Many Requests")
			time.Sleep(1250*time.Millisecond<<tries - time.Millisecond)
			p.nothing()
			time.Sleep(time.Millisecond)
			require.EqualValues(t, 1, next[*protocol.Submit](p).ID)
		}
		require.Contains(t, events.take(), "error throttled")
		p.send(&protocol.Ack{ID: 1, Seq: 1})
		require.Zero(t, c.Pending())
	})
}

// A plain client is told in its own protocol, and stays.
func TestPlainDenied(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer(t)
		c, events := s.connect(rtclient.Options{Mode: rtclient.Plain})
		s.accept().send(&protocol.Auth{Reason: "permission denied"})
		require.Equal(t, []string{"error denied"}, events.take())
		require.NoError(t, c.Err())
	})
}
