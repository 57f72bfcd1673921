package local

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/dashboard"
	"github.com/symphony-rt/symphony/internal/operate"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/rtclient"
)

// dashboardOf is a browser at the server's dashboard.
type dashboardOf struct {
	t      *testing.T
	base   string
	client *http.Client
}

func (s *running) dashboard(t *testing.T) dashboardOf {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	d := dashboardOf{t, strings.Split(s.Dashboard, "/?")[0], &http.Client{Jar: jar}}
	res, err := d.client.Get(s.Dashboard)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	return d
}

func (d dashboardOf) get(path string, into any) {
	d.t.Helper()
	res, err := d.client.Get(strings.TrimSuffix(d.base, "/") + path)
	require.NoError(d.t, err)
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	require.NoError(d.t, err)
	require.Equal(d.t, http.StatusOK, res.StatusCode, "%s: %s", path, b)
	require.NoError(d.t, json.Unmarshal(b, into))
}

func (d dashboardOf) figures() map[string]float64 {
	var now struct{ Figures map[string]float64 }
	d.get("/api/now", &now)
	return now.Figures
}

// P26, P31: after clients that come and go, $disconnect events that never come,
// functions that die in the middle of a message and two kills of everything,
// the dashboard's figures are what the store holds and what the clients were told.
func TestDashboardEqualsTheTruth(t *testing.T) {
	const seed, rooms, edits = 5, 6, 90
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, seed))
	data := t.TempDir()
	args := []string{"--data", data, "--gateway-drop-disconnect", "0.3", "--gateway-kill", "0.1", "--gateway-shuffle", "--gateway-seed", "5", "--log", "error"}
	s := start(t, args...)
	acked := map[room.ID]int{}
	for edit := range edits {
		if edit > 0 && edit%30 == 0 {
			s.kill(t)
			s = start(t, args...)
		}
		id := room.ID(fmt.Sprintf("room/%d ⭐", edit%rooms))
		client := byte(1 + edit/rooms)
		c, _ := dial(t, s, rtclient.Options{Client: uint64(client), Room: string(id)})
		_, err := c.Submit(insertion(client, "hello"))
		require.NoError(t, err)
		require.NoError(t, c.Flush(timeout(t)))
		acked[id]++
		if dice.IntN(3) > 0 {
			require.NoError(t, c.Close())
		}
	}

	d := s.dashboard(t)
	control, err := operate.ReadControl(data)
	require.NoError(t, err)
	truth := operate.NewRemote(control.URL, control.Token)
	equal := func() error {
		var sum struct{ members, seq int }
		var page struct {
			Total int
			Rows  []dashboard.RoomRow
		}
		d.get("/api/rooms?size=200", &page)
		rows := map[room.ID]dashboard.RoomRow{}
		for _, r := range page.Rows {
			rows[r.Room] = r
		}
		for id, n := range acked {
			is, err := truth.Show(t.Context(), id)
			if err != nil {
				return err
			}
			shown := rows[id]
			if int(is.Seq) < n {
				return fmt.Errorf("%s: %d edits are stored, %d were acknowledged", id, is.Seq, n)
			}
			if shown.Versions != uint64(is.Seq) || shown.Users != len(is.Members) || shown.LogEntries != int64(is.LogEntries) || shown.Active != (len(is.Members) > 0) {
				return fmt.Errorf("%s: shown as %+v, is %+v", id, shown, is)
			}
			sum.members += len(is.Members)
			sum.seq += int(is.Seq)
		}
		f := d.figures()
		if page.Total != rooms || f[dashboard.KeyRooms] != rooms || f[dashboard.KeyUpdates] != float64(sum.seq) || f[dashboard.KeyConnections] != float64(sum.members) {
			return fmt.Errorf("the overview says %v, %d connections and %d edits are stored", f, sum.members, sum.seq)
		}
		return nil
	}
	// Members and log go on changing for a moment: clients that were cut come
	// back, others are found to be gone.
	require.Eventually(t, func() bool { err = equal(); return err == nil }, 60*time.Second, 100*time.Millisecond)
	require.NoError(t, err)
}

// P30: an event taken two seconds after an edit was acknowledged has it.
func TestDashboardIsLive(t *testing.T) {
	s := start(t, "--memory")
	d := s.dashboard(t)
	res, err := d.client.Get(strings.TrimSuffix(d.base, "/") + "/api/live")
	require.NoError(t, err)
	defer res.Body.Close()
	lines := bufio.NewScanner(res.Body)
	next := func() (at time.Time, figures map[string]float64) {
		for lines.Scan() {
			if line, ok := strings.CutPrefix(lines.Text(), "data: "); ok {
				var e struct {
					At      time.Time
					Figures map[string]float64
				}
				require.NoError(t, json.Unmarshal([]byte(line), &e))
				return e.At, e.Figures
			}
		}
		t.Fatal("the stream ended")
		return at, nil
	}
	next()
	for client := byte(1); client <= 3; client++ {
		c, _ := dial(t, s, rtclient.Options{Client: uint64(client)})
		_, err := c.Submit(insertion(client, "hello"))
		require.NoError(t, err)
		require.NoError(t, c.Flush(timeout(t)))
		acked := time.Now()
		// One event is taken each second: the third since then has it at the latest.
		for events := 0; events < 3; {
			at, f := next()
			if at.After(acked) {
				events++
			}
			if f[dashboard.KeyUpdates] == float64(client) && f[dashboard.KeyConnections] == float64(client) {
				break
			}
			require.Less(t, events, 3, "%v", f)
		}
	}
}

func TestDashboardActsOnTheRooms(t *testing.T) {
	s := start(t, "--data", t.TempDir(), "--allow-changes")
	c, _ := dial(t, s, rtclient.Options{Client: 1, Room: "plan"})
	_, err := c.Submit(insertion(1, "hello"))
	require.NoError(t, err)
	require.NoError(t, c.Flush(timeout(t)))
	d := s.dashboard(t)
	require.Eventually(t, func() bool { return d.figures()[dashboard.KeyUpdates] == 1 }, time.Minute, 10*time.Millisecond)

	var node struct {
		Children []struct{ Key, Type, Preview string }
	}
	d.get("/api/room/document?room=plan", &node)
	require.Equal(t, "t", node.Children[0].Key)
	require.Contains(t, node.Children[0].Preview, "hello")
	var shown struct{ Members []struct{ Protocol string } }
	d.get("/api/room?room=plan", &shown)
	require.Equal(t, "Symphony", shown.Members[0].Protocol)
	var edits struct{ Count int }
	d.get("/api/room/edits?room=plan", &edits)
	require.Equal(t, 1, edits.Count)
	var functions struct {
		Functions []struct {
			Name        string
			Invocations *float64
		}
	}
	require.Eventually(t, func() bool {
		d.get("/api/functions", &functions)
		for _, f := range functions.Functions {
			if f.Name == "message" {
				return f.Invocations != nil && *f.Invocations >= 2
			}
		}
		return false
	}, time.Minute, 100*time.Millisecond)

	require.NoError(t, c.Close())
	post := func(path, body string) (int, string) {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPost, strings.TrimSuffix(d.base, "/")+path, strings.NewReader(body))
		require.NoError(t, err)
		origin, err := url.Parse(d.base)
		require.NoError(t, err)
		r.Header.Set("Origin", origin.Scheme+"://"+origin.Host)
		r.Header.Set("X-Symphony-Dashboard", "1")
		res, err := d.client.Do(r)
		require.NoError(t, err)
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		return res.StatusCode, string(b)
	}
	status, body := post("/api/room/verify", `{"room":"plan"}`)
	require.Equal(t, http.StatusOK, status, body)
	require.Contains(t, body, `"healthy":true`)
	status, body = post("/api/room/delete", `{"room":"plan","confirm":"plan"}`)
	require.Equal(t, http.StatusOK, status, body)
	require.Eventually(t, func() bool { return d.figures()[dashboard.KeyRooms] == 0 }, time.Minute, 10*time.Millisecond)
	_, fresh := dial(t, s, rtclient.Options{Client: 2, Room: "plan"})
	require.NotContains(t, string(fresh.State()), "hello")
}

func TestDashboardPortAndOff(t *testing.T) {
	require.Empty(t, start(t, "--memory", "--dashboard", "off").Dashboard)
	secret := start(t, "--memory", "--secret", "0123456789abcdef0123456789abcdef")
	res, err := http.Get(strings.Split(secret.Dashboard, "?")[0] + "api/now")
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusUnauthorized, res.StatusCode, "who may not connect may not look")
	code, _, stderr := runHere(t, "--dashboard", "nine")
	require.Equal(t, exitUsage, code)
	require.Contains(t, stderr, "--dashboard")
}
