package gateway

import (
	"math"
	"net/http"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
)

// The defaults are AWS's: apigateway-execution-service-websocket-limits-table.html
// and limits.html ("10,000 requests per second … using a maximum bucket capacity
// of 5,000 requests").
func TestDefaultLimitsAreAWS(t *testing.T) {
	l := Limits{}.withDefaults()
	require.Equal(t, DefaultLimits(), l)
	require.Equal(t, 32*1024, l.Frame)
	require.Equal(t, 128*1024, l.Message)
	require.Equal(t, 10*time.Minute, l.Idle)
	require.Equal(t, 2*time.Hour, l.Lifetime)
	require.Equal(t, 29*time.Second, l.Integration)
	require.Equal(t, 4096, l.URL)
	require.Equal(t, 8*1024, l.AuthorizerResult)
	require.EqualValues(t, 500, l.ConnectRate)
	require.EqualValues(t, 10_000, l.RequestRate)
	require.EqualValues(t, 5_000, l.RequestBurst)
}

// "Idle Connection Timeout: 10 minutes":
// apigateway-execution-service-websocket-limits-table.html. An event recorded
// from AWS ends with 1001 "Going away", ten minutes and four seconds after the
// connect.
func TestIdle(t *testing.T) {
	s := start(t)
	c := s.dial("", nil)
	s.advance(10*time.Minute - time.Second)
	require.EqualValues(t, 1, s.Snapshot().Connections)
	s.advance(2 * time.Second)
	closeErr := closed(t, c)
	require.Equal(t, websocket.StatusGoingAway, closeErr.Code)
	require.Equal(t, "Going away", closeErr.Reason)
	require.EqualValues(t, 1001, s.left.event(t).RequestContext.DisconnectStatusCode)
	require.EqualValues(t, 1, s.Snapshot().Errors[ErrorIdle])
}

// A message either way is what keeps a connection from being idle ("if no
// messages are sent between the server and client for a 10-minute period":
// hotsock.io/docs/connections/keep-alive; "direction agnostic":
// github.com/andyrichardson/subscriptionless/issues/3).
func TestTrafficEitherWayIsNotIdle(t *testing.T) {
	s := start(t, func(c *Config) { c.NoRouteResponse = true })
	c := s.dial("", nil)
	id := s.onlyConn()
	for range 3 {
		s.advance(9 * time.Minute)
		require.NoError(t, s.Post(t.Context(), id, []byte("server")))
		require.Equal(t, "server", read(t, c))
		s.advance(9 * time.Minute)
		write(t, c, "client")
		s.message.event(t)
	}
	s.advance(10*time.Minute + time.Second)
	require.Equal(t, websocket.StatusGoingAway, closed(t, c).Code)
}

// AWS's pages speak of messages; no page says that control frames count, so
// they do not, unless asked for.
func TestPingsAndIdle(t *testing.T) {
	for _, keepAlive := range []bool{false, true} {
		s := start(t, func(c *Config) { c.PingsKeepAlive = keepAlive })
		c := s.raw()
		s.advance(9 * time.Minute)
		c.send(frame(0x89, []byte("p")))
		_, _, err := c.next()
		require.NoError(t, err)
		s.advance(time.Minute + s.sweepInterval())
		if keepAlive {
			require.EqualValues(t, 1, s.Snapshot().Connections)
		} else {
			require.Equal(t, 1001, c.closeCode())
		}
	}
}

// "Connection duration for WebSocket API: 2 hours … can be increased: No":
// apigateway-execution-service-websocket-limits-table.html (promise N7)
func TestLifetime(t *testing.T) {
	s := start(t)
	c := s.dial("", nil)
	id := s.onlyConn()
	for range 23 { // never idle
		s.advance(5 * time.Minute)
		require.NoError(t, s.Post(t.Context(), id, []byte("x")))
		read(t, c)
	}
	s.advance(5*time.Minute - 2*time.Second)
	require.EqualValues(t, 1, s.Snapshot().Connections)
	s.advance(3 * time.Second)
	require.Equal(t, websocket.StatusGoingAway, closed(t, c).Code)
	require.EqualValues(t, 1001, s.left.event(t).RequestContext.DisconnectStatusCode)
	require.EqualValues(t, 1, s.Snapshot().Errors[ErrorLifetime])
}

// Shortened limits, as tests of clients use them, work on the system's clock.
func TestShortenedLimitsOnTheSystemClock(t *testing.T) {
	s := start(t, func(c *Config) { c.Clock = nil; c.Limits.Lifetime = 300 * time.Millisecond })
	require.Equal(t, websocket.StatusGoingAway, closed(t, s.dial("", nil)).Code)
}

// "New connections per second per account … 500":
// apigateway-execution-service-websocket-limits-table.html; "Clients may
// receive 429 Too Many Requests": websocket-api-protect.html
func TestConnectRate(t *testing.T) {
	s := start(t, func(c *Config) { c.Limits.ConnectRate, c.Limits.ConnectBurst = 3, 3 })
	for range 3 {
		s.dial("", nil)
	}
	status, body, header := s.refused("/dev", nil)
	require.Equal(t, http.StatusTooManyRequests, status)
	require.Equal(t, `{"message":"Too Many Requests"}`, body)
	require.Equal(t, "TooManyRequestsException", header.Get("x-amzn-ErrorType"))
	s.advance(334 * time.Millisecond) // one token at 3 a second
	s.dial("", nil)
	s.refused("/dev", nil)
	require.EqualValues(t, 4, s.Snapshot().Connections)
	require.EqualValues(t, 2, s.Snapshot().Refused)
	require.EqualValues(t, 2, s.Snapshot().Errors[ErrorConnectRate])
}

// "Throttle quota per account, per Region across HTTP APIs, REST APIs,
// WebSocket APIs, and WebSocket callback APIs": limits.html. Connects, messages
// and posts ("WebSocket callback") share one token bucket. A throttled message
// gets a frame and reaches no function; the connection stays.
func TestRequestRate(t *testing.T) {
	s := start(t, func(c *Config) { c.Limits.RequestRate, c.Limits.RequestBurst = 2, 4 })
	c := s.dial("", nil) // 1
	id := s.onlyConn()
	write(t, c, "a") // 2
	require.Equal(t, "a", read(t, c))
	require.NoError(t, s.Post(t.Context(), id, []byte("b"))) // 3
	require.Equal(t, "b", read(t, c))
	_, err := s.Get(t.Context(), id) // 4
	require.NoError(t, err)
	write(t, c, "c")
	frame := read(t, c)
	message, frameID, requestID := errorFrame(t, frame)
	require.Equal(t, "Too Many Requests", message)
	require.Equal(t, id, frameID)
	require.Equal(t, `{"message": "Too Many Requests", "connectionId":"`+id+`", "requestId":"`+requestID+`"}`, frame)
	require.ErrorIs(t, s.Post(t.Context(), id, []byte("d")), ErrLimit)
	status, _, _ := s.refused("/dev", nil)
	require.Equal(t, http.StatusTooManyRequests, status)
	s.message.event(t)
	s.message.none(t)

	s.advance(time.Second)
	write(t, c, "e")
	require.Equal(t, "e", read(t, c))
	s.advance(time.Hour / 10)
	for range 4 { // never more than the burst
		require.NoError(t, s.Post(t.Context(), id, nil))
	}
	require.ErrorIs(t, s.Post(t.Context(), id, nil), ErrLimit)
}

// Of ten seconds' requests at twice the rate the bucket lets through the burst
// and what came in at the rate, to one.
func TestBucket(t *testing.T) {
	clock := newManualClock()
	b := newBucket(clock, 100, 50)
	passed := 0
	for range 2000 {
		if b.take() {
			passed++
		}
		clock.Advance(5 * time.Millisecond)
	}
	require.InDelta(t, 50+10*100, passed, 1)
	// A limit that is switched off.
	b = newBucket(clock, math.Inf(1), math.Inf(1))
	for range 100 {
		require.True(t, b.take())
	}
}
