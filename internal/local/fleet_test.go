//go:build unix

package local

import (
	"encoding/json"
	"net/http"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/rtclient"
)

// debugOf reads a process's counters.
func debugOf(t *testing.T, url string) (r debugReport) {
	t.Helper()
	response, err := http.Get(url + "/debug/symphony")
	require.NoError(t, err)
	defer response.Body.Close()
	require.NoError(t, json.NewDecoder(response.Body).Decode(&r))
	return r
}

// Members of one room on two gateway processes see each other's edits, and a
// clean shutdown ends all processes.
func TestFleet(t *testing.T) {
	s := start(t, "--memory", "--gateways", "2", "--pprof")
	require.Len(t, s.Gateways, 2)
	require.Equal(t, s.Gateways[0], s.WS)
	join := func(gateway int, client uint64, mode rtclient.Mode) (*rtclient.Client, *document) {
		on := *s
		on.WS = s.Gateways[gateway]
		return dial(t, &on, rtclient.Options{Client: client, Mode: mode})
	}
	a, da := join(0, 1, rtclient.Symphony)
	b, db := join(1, 2, rtclient.Symphony)
	_, dc := join(1, 3, rtclient.Plain)
	_, err := a.Submit(insertion(1, "from the first"))
	require.NoError(t, err)
	_, err = b.Submit(insertion(2, "from the second"))
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		first, second := insertion(1, "from the first"), insertion(2, "from the second")
		return da.has(t, second) && db.has(t, first) && dc.has(t, first) && dc.has(t, second)
	}, time.Minute, 10*time.Millisecond)

	main := debugOf(t, s.Debug)
	require.EqualValues(t, 2, main.Calls["log append"])
	require.GreaterOrEqual(t, main.Calls["post"], int64(4))
	require.Len(t, main.Processes, 2)
	children := []int{debugOf(t, main.Processes[0]).PID, debugOf(t, main.Processes[1]).PID}
	require.EqualValues(t, 2, debugOf(t, main.Processes[1]).Gateway.Connections)

	require.NoError(t, s.cmd.Process.Signal(os.Interrupt))
	state, err := s.cmd.Process.Wait()
	require.NoError(t, err)
	require.Equal(t, 0, state.ExitCode(), s.stderr)
	for _, pid := range children {
		require.ErrorIs(t, syscall.Kill(pid, 0), syscall.ESRCH, "gateway process %d outlived its fleet", pid)
	}
}

// A gateway process that dies ends the whole: half a deployment is none.
func TestFleetEndsWithAGateway(t *testing.T) {
	s := start(t, "--memory", "--gateways", "2", "--pprof")
	main := debugOf(t, s.Debug)
	victim, other := debugOf(t, main.Processes[0]).PID, debugOf(t, main.Processes[1]).PID
	require.NoError(t, syscall.Kill(victim, syscall.SIGKILL))
	state, err := s.cmd.Process.Wait()
	require.NoError(t, err)
	require.Equal(t, exitError, state.ExitCode())
	require.Eventually(t, func() bool { return syscall.Kill(other, 0) != nil }, time.Minute, 10*time.Millisecond)
}

// Children end with the main process, however it ends.
func TestFleetDiesWithTheMainProcess(t *testing.T) {
	s := start(t, "--memory", "--gateways", "1", "--pprof")
	pid := debugOf(t, debugOf(t, s.Debug).Processes[0]).PID
	s.kill(t)
	require.Eventually(t, func() bool { return syscall.Kill(pid, 0) != nil }, time.Minute, 10*time.Millisecond)
}

// The account's quotas are shared out, not multiplied.
func TestFleetSharesQuotas(t *testing.T) {
	var o gatewayOptions
	o.requestsPerSec, o.requestBurst, o.connectsPerSec = 10_000, 5_000, 500
	third := o.settings().share(4, 2).options()
	require.InDelta(t, 2_500, third.requestsPerSec, 1e-9)
	require.Equal(t, 1_250, third.requestBurst)
	require.InDelta(t, 125, third.connectsPerSec, 1e-9)
	require.Equal(t, o, o.settings().options())
}

func TestFleetOptionsAreChecked(t *testing.T) {
	for _, args := range [][]string{{"--gateways", "-1"}, {"--gateways", "65"}, {"--gateways", "2", "--port", "65534"},
		{"--gateways", "1", "--functions", "process"}} {
		code, _, stderr := runHere(t, args...)
		require.Equal(t, exitUsage, code, args)
		require.Contains(t, stderr, "--gateways", args)
	}
}
