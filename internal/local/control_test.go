package local

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/operate"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/rtclient"
)

// While the server runs, its rooms are reached through its control port, and an
// import is an edit that everybody in the room gets. Afterwards nothing is left
// of the control file.
func TestControl(t *testing.T) {
	data := t.TempDir()
	s := start(t, "--data", data)
	c, err := operate.ReadControl(data)
	require.NoError(t, err)
	require.Equal(t, s.WS, c.WS)
	require.False(t, c.TokenNeeded)
	info, err := os.Stat(filepath.Join(data, operate.ControlFile))
	require.NoError(t, err)
	require.EqualValues(t, 0o600, info.Mode().Perm())

	_, doc := dial(t, s, rtclient.Options{Client: 1, Mode: rtclient.Symphony})
	rooms := operate.NewRemote(c.URL, c.Token)
	page, err := rooms.List(t.Context(), operate.Query{})
	require.NoError(t, err)
	require.Equal(t, 1, page.Connections)
	id := page.Rooms[0].Room
	w, err := rooms.Import(t.Context(), id, insertion(2, "from the terminal"), true)
	require.NoError(t, err)
	require.Equal(t, room.Seq(1), w.Seq)
	require.Eventually(t, func() bool { return doc.has(t, insertion(2, "from the terminal")) }, time.Minute, 10*time.Millisecond)

	require.NoError(t, s.cmd.Process.Signal(syscall.SIGTERM))
	_, err = s.cmd.Process.Wait()
	require.NoError(t, err)
	_, err = operate.ReadControl(data)
	require.ErrorIs(t, err, operate.ErrNotRunning)
}
