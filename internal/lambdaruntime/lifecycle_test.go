package lambdaruntime_test

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/lambdaruntime"
)

// TestKilledInMidInvocation: the caller gets an error, the pool a new instance.
func TestKilledInMidInvocation(t *testing.T) {
	rt := start(t, lambdaruntime.Options{}, lambdaruntime.FunctionConfig{})
	for i := range 5 {
		mark := filepath.Join(t.TempDir(), strconv.Itoa(i))
		results := make(chan lambdaruntime.Result, 1)
		go func() { results <- invoke(t, rt, event{Do: "mark", Text: mark}) }()
		var pid int
		eventually(t, "begun", func() bool {
			b, err := os.ReadFile(mark)
			if err != nil || len(b) == 0 {
				return false
			}
			pid, err = strconv.Atoi(string(b))
			return err == nil
		})
		require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
		r := <-results
		var fe *lambdaruntime.FunctionError
		require.ErrorAs(t, r.Err(), &fe)
		require.Equal(t, "Runtime.ExitError", fe.Type)
		require.Equal(t, "RequestId: "+r.RequestID+" Error: Runtime exited with error: signal: killed", fe.Message)
		require.NotEqual(t, pid, ask(t, rt, event{Do: "echo"}).PID)
	}
	require.Len(t, rt.Instances("f"), 1)
}

// TestKilledWhileIdle: the event goes to another instance, nobody notices.
func TestKilledWhileIdle(t *testing.T) {
	rt := start(t, lambdaruntime.Options{}, lambdaruntime.FunctionConfig{})
	for range 20 {
		pid := ask(t, rt, event{Do: "echo"}).PID
		require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
		require.NotEqual(t, pid, ask(t, rt, event{Do: "echo"}).PID)
	}
}

func TestIdleInstancesGo(t *testing.T) {
	rt := start(t, lambdaruntime.Options{IdleTimeout: 30 * time.Millisecond}, lambdaruntime.FunctionConfig{})
	pid := ask(t, rt, event{Do: "echo"}).PID
	eventually(t, "gone", func() bool { return len(rt.Instances("f")) == 0 && state(pid) == "" })
	ask(t, rt, event{Do: "echo"})
}

// TestACallerThatGoesAway does not stop the function, as with Lambda.
func TestACallerThatGoesAway(t *testing.T) {
	rt := start(t, lambdaruntime.Options{}, lambdaruntime.FunctionConfig{MaxConcurrency: 1})
	pid := ask(t, rt, event{Do: "echo"}).PID
	gate := filepath.Join(t.TempDir(), "gate")
	ctx, cancel := context.WithCancel(context.Background())
	errs := make(chan error, 1)
	go func() {
		_, err := rt.Invoke(ctx, "f", []byte(`{"Do":"wait","Text":"`+gate+`"}`))
		errs <- err
	}()
	eventually(t, "busy", func() bool { l := rt.Instances("f"); return len(l) == 1 && l[0].State == lambdaruntime.StateBusy })
	cancel()
	require.ErrorIs(t, <-errs, context.Canceled)
	_, err := rt.Invoke(context.Background(), "f", []byte(`{"Do":"echo"}`))
	require.ErrorIs(t, err, lambdaruntime.ErrThrottled, "it still runs")
	require.NoError(t, os.WriteFile(gate, nil, 0o600))
	eventually(t, "free", func() bool {
		_, err := rt.Invoke(context.Background(), "f", []byte(`{"Do":"echo"}`))
		return !errors.Is(err, lambdaruntime.ErrThrottled)
	})
	a := ask(t, rt, event{Do: "echo"})
	require.Equal(t, pid, a.PID)
}

// TestShutdown: nothing is left, frozen or busy, nor what instances started.
func TestShutdown(t *testing.T) {
	rt := lambdaruntime.New(lambdaruntime.Options{})
	require.NoError(t, rt.Function("f", lambdaruntime.FunctionConfig{Path: bootstrap, Timeout: time.Minute}))
	a := ask(t, rt, event{Do: "spawn"})
	require.NotEmpty(t, state(a.Child))
	mark := filepath.Join(t.TempDir(), "mark")
	results := make(chan lambdaruntime.Result, 2)
	for range 2 {
		go func() { results <- invoke(t, rt, event{Do: "mark", Text: mark}) }()
	}
	eventually(t, "begun", func() bool { _, err := os.Stat(mark); return err == nil && len(rt.Instances("f")) == 2 })
	infos := rt.Instances("f")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	require.ErrorIs(t, rt.Shutdown(ctx), context.Canceled, "events were cut off")
	for range 2 {
		require.ErrorContains(t, (<-results).Err(), "Runtime.ExitError")
	}
	for _, in := range infos {
		require.Empty(t, state(in.PID))
	}
	eventually(t, "the grandchild is gone", func() bool { s := state(a.Child); return s == "" || s == "Z" })
	_, err := rt.Invoke(context.Background(), "f", nil)
	require.ErrorIs(t, err, lambdaruntime.ErrClosed)
	require.NoError(t, rt.Shutdown(context.Background()), "twice")
}

// TestKilledParent: instances do not outlive a runtime that is killed, frozen
// as they are.
func TestKilledParent(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("only Linux ends children with their parent")
	}
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), parentVariable+"="+bootstrap)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line, err := bufio.NewReader(out).ReadString('\n')
	require.NoError(t, err)
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	require.NoError(t, err)
	require.Equal(t, "T", state(pid))
	require.NoError(t, cmd.Process.Kill())
	require.Error(t, cmd.Wait())
	eventually(t, "gone", func() bool { s := state(pid); return s == "" || s == "Z" })
}

// TestShutdownWaits for what is under way.
func TestShutdownWaits(t *testing.T) {
	rt := lambdaruntime.New(lambdaruntime.Options{})
	require.NoError(t, rt.Function("f", lambdaruntime.FunctionConfig{Path: bootstrap, Timeout: time.Minute}))
	gate := filepath.Join(t.TempDir(), "gate")
	results := make(chan lambdaruntime.Result, 1)
	go func() { results <- invoke(t, rt, event{Do: "wait", Text: gate}) }()
	eventually(t, "busy", func() bool { l := rt.Instances("f"); return len(l) == 1 && l[0].State == lambdaruntime.StateBusy })
	down := make(chan error, 1)
	go func() { down <- rt.Shutdown(context.Background()) }()
	eventually(t, "closed", func() bool {
		_, err := rt.Invoke(context.Background(), "f", nil)
		return errors.Is(err, lambdaruntime.ErrClosed)
	})
	require.NoError(t, os.WriteFile(gate, nil, 0o600))
	require.NoError(t, (<-results).Err())
	require.NoError(t, <-down)
}

// TestReplaced: new code is used by later events, old instances go.
func TestReplaced(t *testing.T) {
	rt := start(t, lambdaruntime.Options{}, lambdaruntime.FunctionConfig{Env: map[string]string{"V": "1"}})
	old := ask(t, rt, event{Do: "echo"}).PID
	require.NoError(t, rt.Function("f", lambdaruntime.FunctionConfig{Path: bootstrap, Env: map[string]string{"V": "2"}, Timeout: time.Minute}))
	require.Equal(t, "2", ask(t, rt, event{Do: "env"}).Env["V"])
	eventually(t, "the old one is gone", func() bool { return state(old) == "" })
}

// TestChaos: many events at once while instances are killed at random, one for
// an answer at most, so that a slow machine gets to answer at all: every caller
// gets an answer, either its own or an exit error, and nothing is left.
func TestChaos(t *testing.T) {
	rt := lambdaruntime.New(lambdaruntime.Options{})
	require.NoError(t, rt.Function("f", lambdaruntime.FunctionConfig{Path: bootstrap, Timeout: time.Minute, MaxConcurrency: 8}))
	stop, answered := make(chan struct{}), make(chan struct{}, 1)
	var killer sync.WaitGroup
	killer.Go(func() {
		for {
			select {
			case <-stop:
				return
			case <-answered:
			}
			time.Sleep(15 * time.Millisecond)
			if l := rt.Instances("f"); len(l) > 0 {
				_ = syscall.Kill(l[len(l)/2].PID, syscall.SIGKILL)
			}
		}
	})
	var mu sync.Mutex
	outcomes := map[string]int{}
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			for i := range 40 {
				text := fmt.Sprint(w, ".", i)
				payload, _ := json.Marshal(event{Do: "sleep", Text: text, N: i % 3})
				r, err := rt.Invoke(context.Background(), "f", payload)
				outcome := "answered"
				var a answer
				switch fe := (*lambdaruntime.FunctionError)(nil); {
				case err != nil:
					outcome = err.Error()
				case errors.As(r.Err(), &fe):
					outcome = fe.Type
				case json.Unmarshal(r.Payload, &a) != nil || a.Text != text:
					outcome = "somebody else's answer: " + string(r.Payload)
				}
				mu.Lock()
				outcomes[outcome]++
				mu.Unlock()
				if outcome == "answered" {
					select {
					case answered <- struct{}{}:
					default:
					}
				}
			}
		})
	}
	wg.Wait()
	close(stop)
	killer.Wait()
	t.Log(outcomes)
	require.NotZero(t, outcomes["answered"])
	require.Equal(t, 8*40, outcomes["answered"]+outcomes["Runtime.ExitError"])
	require.NoError(t, rt.Shutdown(context.Background()))
	require.Empty(t, rt.Instances("f"))
}
