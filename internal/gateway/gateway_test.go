package gateway

import (
	"testing"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
)

func TestEcho(t *testing.T) {
	s := start(t)
	c := s.dial("?room=a", nil)
	write(t, c, "hello")
	require.Equal(t, "hello", read(t, c))
	require.NoError(t, s.Post(t.Context(), s.onlyConn(), []byte("posted")))
	require.Equal(t, "posted", read(t, c))
	require.NoError(t, c.Close(websocket.StatusNormalClosure, "bye"))
	event := s.left.event(t)
	require.EqualValues(t, 1000, event.RequestContext.DisconnectStatusCode)
}
