package awslocal

import (
	"bytes"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/awstest"
	"github.com/symphony-rt/symphony/internal/rtclient"
)

// The other traps, which are the domain's, are in roomtest: every store runs
// them.

// raw opens a WebSocket as a browser page would.
func (s *running) raw(t *testing.T, query string) *websocket.Conn {
	t.Helper()
	c, res, err := websocket.Dial(within(t, time.Minute), s.WS+query, nil)
	require.NoError(t, err, "%v", res)
	t.Cleanup(func() { _ = c.CloseNow() })
	return c
}

func closeCode(t *testing.T, c *websocket.Conn) websocket.StatusCode {
	t.Helper()
	for {
		if _, _, err := c.Read(within(t, time.Minute)); err != nil {
			return websocket.CloseStatus(err)
		}
	}
}

// typing inserts n characters.
func typing(client byte, n int) []byte {
	u := []byte{1, 1, client, 0, 4, 1, 1, 't'}
	for v := n; ; v >>= 7 {
		if v < 0x80 {
			u = append(u, byte(v))
			break
		}
		u = append(u, byte(v)|0x80)
	}
	return append(append(u, bytes.Repeat([]byte{'x'}, n)...), 0)
}

// Browser code cannot split a message into frames, and sends one of 40 KB: the
// gateway closes the connection. A client has to know what fits, and send the
// rest another way; peers get it whole (N6).
func TestTrap_OneLargeFrame_P20_N6(t *testing.T) {
	s := start(t, awstest.Engines(t))
	room := "trap-frame-" + time.Now().Format("150405.000000")
	naive := s.raw(t, "?room="+room)
	frame := base64.StdEncoding.EncodeToString(append([]byte{0, 2}, bytes.Repeat([]byte{'x'}, 30_000)...))
	require.Greater(t, len(frame), 40_000)
	require.NoError(t, naive.Write(within(t, time.Minute), websocket.MessageText, []byte(frame)))
	require.EqualValues(t, 1009, closeCode(t, naive))

	ann, _ := dial(t, s, room, rtclient.Symphony, 1)
	_, symphony := dial(t, s, room, rtclient.Symphony, 2)
	_, plain := dial(t, s, room, rtclient.Plain, 3)
	for i, n := range []int{25_000, 40_000, 200_000, 1_000_000} {
		u := typing(byte(10+i), n)
		_, err := ann.Submit(u)
		require.NoError(t, err)
		require.NoError(t, ann.Flush(within(t, time.Minute)))
		for _, d := range []*document{symphony, plain} {
			require.Eventually(t, func() bool { return d.missing(t, [][]byte{u}) == 0 }, time.Minute, 20*time.Millisecond, "%d bytes", n)
		}
	}
}

// A local emulator that accepts what the real gateway refuses: then it works
// until it is deployed. docs/GATEWAY.md names the rule of AWS for each line;
// internal/gateway has a test for every one.
func TestTrap_EmulatorAcceptsWhatTheGatewayRefuses_N11(t *testing.T) {
	s := start(t, awstest.Engines(t))
	room := "trap-gateway-" + time.Now().Format("150405.000000")

	_, res, err := websocket.Dial(within(t, time.Minute), s.WS, nil)
	require.Error(t, err, "without the authorizer's identity source")
	require.Equal(t, http.StatusUnauthorized, res.StatusCode)

	binary := s.raw(t, "?room="+room)
	require.NoError(t, binary.Write(within(t, time.Minute), websocket.MessageBinary, []byte{0, 0, 1, 0}))
	require.EqualValues(t, 1003, closeCode(t, binary))

	large := s.raw(t, "?room="+room)
	require.NoError(t, large.Write(within(t, time.Minute), websocket.MessageText, bytes.Repeat([]byte{'A'}, 32<<10+4)))
	require.EqualValues(t, 1009, closeCode(t, large))

	post := func(size int, signature string) int {
		t.Helper()
		url := "http" + strings.TrimPrefix(s.WS, "ws") + "/@connections/bm9ib2R5LWhlcmU%3D"
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, url, bytes.NewReader(bytes.Repeat([]byte{'A'}, size)))
		require.NoError(t, err)
		req.Header.Set("Authorization", signature)
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		res.Body.Close()
		return res.StatusCode
	}
	const signed = "AWS4-HMAC-SHA256 Credential=test"
	require.Equal(t, http.StatusGone, post(4, signed), "to a connection that is not there")
	require.Equal(t, http.StatusRequestEntityTooLarge, post(128<<10+1, signed))
	require.Equal(t, http.StatusForbidden, post(4, ""), "without a signature")
}
