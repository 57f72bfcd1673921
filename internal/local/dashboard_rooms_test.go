package local

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/dashboard"
	"github.com/symphony-rt/symphony/internal/pebblestore"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/rtclient"
)

// manyRooms is the variable with the number of rooms that TestManyRooms makes:
// 100,000 are what the dashboard is for, and take half a minute.
const manyRooms = "SYMPHONY_DASHBOARD_ROOMS"

type nobody struct{}

func (nobody) Post(context.Context, []room.ConnectionID, []byte) []room.Failure { return nil }
func (nobody) Disconnect(context.Context, room.ConnectionID) error              { return nil }

// fill puts n rooms of one edit into a store, half of them checkpointed.
func fill(t *testing.T, data string, n int) {
	t.Helper()
	store, err := pebblestore.Open(data, pebblestore.Options{Clock: systemClock{}})
	require.NoError(t, err)
	service, err := room.NewService(room.Ports{
		Log: store.Log(), Metas: store.Metas(), Members: store.Members(), Snapshots: store.Snapshots(), Sender: nobody{}, Clock: systemClock{},
	}, room.Options{})
	require.NoError(t, err)
	var next atomic.Int64
	var wait sync.WaitGroup
	failures := make([]error, 128) // side by side, so that one fsync serves many
	for w := range failures {
		wait.Go(func() {
			for failures[w] == nil {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				id := room.ID(fmt.Sprintf("board-%06d", i))
				if _, failures[w] = service.Write(t.Context(), id, room.User{ID: "ann"}, insertion(1, strings.Repeat("x", 1+i%100))); failures[w] == nil && i%2 == 0 {
					failures[w] = service.Checkpoint(t.Context(), id)
				}
			}
		})
	}
	wait.Wait()
	for _, err := range failures {
		require.NoError(t, err)
	}
	require.NoError(t, store.Close())
}

// memory is what a process holds, in MB; 0 where that cannot be read.
func memory(pid int) int {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	_, rest, _ := strings.Cut(string(b), "VmRSS:")
	kb, _ := strconv.Atoi(strings.TrimSpace(strings.SplitN(rest, "kB", 2)[0]))
	return kb >> 10
}

// P31: the table of rooms on a store that has many, whole and in every order,
// while clients edit. The times are printed, not judged.
func TestManyRooms(t *testing.T) {
	n := 5000
	if text := os.Getenv(manyRooms); text != "" {
		var err error
		n, err = strconv.Atoi(text)
		require.NoError(t, err)
	}
	data := t.TempDir()
	began := time.Now()
	took := func(what string) {
		t.Logf("%d rooms: %s: %v", n, what, time.Since(began).Round(100*time.Microsecond))
		began = time.Now()
	}
	fill(t, data, n)
	took("made")
	s := start(t, "--data", data, "--log", "error")
	took("from the start of the stack until it takes clients")
	t.Logf("%d rooms: memory: %d MB", n, memory(s.cmd.Process.Pid))
	began = time.Now()
	d := s.dashboard(t)
	var page dashboard.RoomPage
	ask := func(query string) {
		t.Helper()
		began = time.Now()
		d.get("/api/rooms?"+query, &page)
		took("rooms?" + query)
		require.Equal(t, n, page.Total)
	}
	ask("sort=name")
	require.Len(t, page.Rows, 50)
	require.EqualValues(t, "board-000000", page.Rows[0].Room)
	for _, column := range []string{"name", "active", "users", "lastActive", "created", "size", "log", "versions"} {
		ask("sort=" + column + "&dir=desc")
		require.Len(t, page.Rows, 50)
	}
	ask(fmt.Sprintf("sort=name&page=%d", n))
	require.EqualValues(t, fmt.Sprintf("board-%06d", n-1), page.Rows[len(page.Rows)-1].Room)
	ask("q=BOARD-00123")
	require.Equal(t, min(10, n), page.Matched)
	require.EqualValues(t, n, d.figures()[dashboard.KeyRooms])
	require.EqualValues(t, n, d.figures()[dashboard.KeyUpdates])

	// An edit is seen among them all, and a room that was not opened before.
	for i, id := range []string{"board-000007", "new one"} {
		c, _ := dial(t, s, rtclient.Options{Client: 2, Room: id})
		_, err := c.Submit(insertion(2, "hello"))
		require.NoError(t, err)
		require.NoError(t, c.Flush(timeout(t)))
		began = time.Now()
		require.Eventually(t, func() bool {
			return d.figures()[dashboard.KeyUpdates] == float64(n+i+1) && d.figures()[dashboard.KeyConnections] == float64(i+1)
		}, time.Minute, 10*time.Millisecond)
		took("an edit is counted")
	}
	began = time.Now()
	res, err := d.client.Get(strings.TrimSuffix(d.base, "/") + "/api/room?room=board-000007")
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusOK, res.StatusCode)
	took("a room")
	t.Logf("%d rooms: memory: %d MB", n+1, memory(s.cmd.Process.Pid))
}
