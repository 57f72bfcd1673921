package lambdaruntime_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/lambdaruntime"
)

var bootstrap string

// parentVariable makes the test binary a process that runs the function named
// by it once, prints its process id and waits to be killed.
const parentVariable = "LAMBDARUNTIME_TEST_PARENT"

func parent(path string) {
	rt := lambdaruntime.New(lambdaruntime.Options{})
	if err := rt.Function("f", lambdaruntime.FunctionConfig{Path: path}); err != nil {
		panic(err)
	}
	r, err := rt.Invoke(context.Background(), "f", []byte(`{"Do":"echo"}`))
	if err != nil || r.Err() != nil {
		panic(errors.Join(err, r.Err()))
	}
	fmt.Println(rt.Instances("f")[0].PID)
	time.Sleep(time.Hour)
}

// TestMain builds the function as it is built for AWS.
func TestMain(m *testing.M) {
	if path := os.Getenv(parentVariable); path != "" {
		parent(path)
	}
	os.Exit(func() int {
		dir, err := os.MkdirTemp("", "lambdaruntime")
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		defer os.RemoveAll(dir)
		bootstrap = filepath.Join(dir, "bootstrap")
		build := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", bootstrap, "./testdata/bootstrap")
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			fmt.Fprintf(os.Stderr, "building the bootstrap: %v\n%s", err, out)
			return 1
		}
		return m.Run()
	}())
}

type event struct {
	Do   string
	Text string
	N    int
}

type answer struct {
	PID        int
	Count      int64
	Text       string
	Env        map[string]string
	RequestID  string
	ARN        string
	Trace      string
	DeadlineMS int64
	Child      int
}

// start returns a runtime with the function "f".
func start(t *testing.T, o lambdaruntime.Options, c lambdaruntime.FunctionConfig) *lambdaruntime.Runtime {
	t.Helper()
	rt := lambdaruntime.New(o)
	t.Cleanup(func() {
		ctx, cancel := context.WithCancel(context.Background())
		cancel()
		_ = rt.Shutdown(ctx)
	})
	c.Path = bootstrap
	if c.Timeout == 0 {
		c.Timeout = time.Minute
	}
	require.NoError(t, rt.Function("f", c))
	return rt
}

func invoke(t testing.TB, rt *lambdaruntime.Runtime, e event) lambdaruntime.Result {
	t.Helper()
	payload, err := json.Marshal(e)
	require.NoError(t, err)
	r, err := rt.Invoke(context.Background(), "f", payload)
	require.NoError(t, err)
	return r
}

func ask(t testing.TB, rt *lambdaruntime.Runtime, e event) (a answer) {
	t.Helper()
	r := invoke(t, rt, e)
	require.NoError(t, r.Err())
	require.NoError(t, json.Unmarshal(r.Payload, &a))
	return a
}

func fail(t testing.TB, rt *lambdaruntime.Runtime, e event) *lambdaruntime.FunctionError {
	t.Helper()
	r := invoke(t, rt, e)
	require.Equal(t, "Unhandled", r.FunctionError)
	var fe *lambdaruntime.FunctionError
	require.ErrorAs(t, r.Err(), &fe)
	require.Equal(t, r.RequestID, fe.RequestID)
	return fe
}

// eventually waits for a condition that nothing announces.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for range 30_000 { // a minute at least
		if ok() {
			return
		}
		time.Sleep(2 * time.Millisecond)
	}
	t.Fatalf("never: %s", what)
}

// state returns the state letter in /proc, or "" when there is no process.
func state(pid int) string {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	_, rest, _ := strings.Cut(string(b), ") ")
	return rest[:1]
}

func TestColdThenWarm(t *testing.T) {
	var started []string
	rt := start(t, lambdaruntime.Options{Started: func(name string) { started = append(started, name) }}, lambdaruntime.FunctionConfig{})
	first := invoke(t, rt, event{Do: "echo", Text: "ü"})
	require.NoError(t, first.Err())
	require.True(t, first.Cold)
	require.Positive(t, first.Init)
	var a answer
	require.NoError(t, json.Unmarshal(first.Payload, &a))
	require.Equal(t, "ü", a.Text)
	for i := range 5 {
		r := invoke(t, rt, event{Do: "echo"})
		require.False(t, r.Cold)
		require.NotEqual(t, first.RequestID, r.RequestID)
		var b answer
		require.NoError(t, json.Unmarshal(r.Payload, &b))
		require.Equal(t, a.PID, b.PID)
		require.EqualValues(t, i+2, b.Count, "one event at a time, state kept")
	}
	require.Equal(t, []lambdaruntime.InstanceInfo{{PID: a.PID, State: lambdaruntime.StateIdle, Events: 6}}, rt.Instances("f"))
	require.Equal(t, []string{"f"}, started, "an instance is told of once, however many events it gets")
}

func TestWhatAFunctionIsTold(t *testing.T) {
	now := time.Date(2031, 2, 3, 4, 5, 6, 0, time.UTC)
	t.Setenv("SECRET_OF_THE_PARENT", "x")
	rt := start(t, lambdaruntime.Options{
		Region: "eu-central-1", Account: "123456789012",
		Now: func() time.Time { return now }, NewID: func() string { return "8476a536-e9f4-11e8-9739-2dfe598c3fcd" },
	}, lambdaruntime.FunctionConfig{MemoryMB: 512, Timeout: 20 * time.Second, Env: map[string]string{"TABLE": "rooms"}})
	a := ask(t, rt, event{Do: "context"})
	require.Equal(t, "8476a536-e9f4-11e8-9739-2dfe598c3fcd", a.RequestID)
	require.Equal(t, "arn:aws:lambda:eu-central-1:123456789012:function:f", a.ARN)
	require.Equal(t, now.Add(20*time.Second).UnixMilli(), a.DeadlineMS)
	require.Regexp(t, `^Root=1-72[0-9a-f]{6}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0$`, a.Trace)

	env := ask(t, rt, event{Do: "env"}).Env
	require.NotContains(t, env, "SECRET_OF_THE_PARENT")
	require.NotContains(t, env, "HOME")
	for k, want := range map[string]string{
		"TABLE": "rooms", "_HANDLER": "bootstrap", "AWS_LAMBDA_FUNCTION_NAME": "f", "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512", "AWS_REGION": "eu-central-1", "AWS_DEFAULT_REGION": "eu-central-1",
		"LAMBDA_TASK_ROOT": filepath.Dir(bootstrap), "AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/f", "TZ": ":UTC",
	} {
		require.Equal(t, want, env[k], k)
	}
}

// TestConcurrency: as many instances as events at a time, and not one event
// more.
func TestConcurrency(t *testing.T) {
	const limit = 4
	rt := start(t, lambdaruntime.Options{}, lambdaruntime.FunctionConfig{MaxConcurrency: limit})
	gate := filepath.Join(t.TempDir(), "gate")
	pids := make([]int, limit)
	var wg sync.WaitGroup
	for i := range limit {
		wg.Go(func() { pids[i] = ask(t, rt, event{Do: "wait", Text: gate}).PID })
	}
	eventually(t, "all busy", func() bool {
		busy := 0
		for _, in := range rt.Instances("f") {
			if in.State == lambdaruntime.StateBusy {
				busy++
			}
		}
		return busy == limit
	})
	_, err := rt.Invoke(context.Background(), "f", []byte(`{"Do":"echo"}`))
	require.ErrorIs(t, err, lambdaruntime.ErrThrottled)
	require.ErrorContains(t, err, "TooManyRequestsException")
	require.NoError(t, os.WriteFile(gate, nil, 0o600))
	wg.Wait()
	different := map[int]bool{}
	for _, pid := range pids {
		different[pid] = true
	}
	require.Len(t, different, limit)
	require.True(t, different[ask(t, rt, event{Do: "echo"}).PID], "an idle one is used again")
	require.Len(t, rt.Instances("f"), limit)
}

func TestFunctionErrors(t *testing.T) {
	rt := start(t, lambdaruntime.Options{}, lambdaruntime.FunctionConfig{})
	// An answer is there before its instance asks for the next event; an event
	// that comes between the two starts a second instance, here as on Lambda.
	idle := func() {
		eventually(t, "one idle instance", func() bool { l := rt.Instances("f"); return len(l) == 1 && l[0].State == lambdaruntime.StateIdle })
	}
	pid := ask(t, rt, event{Do: "echo"}).PID
	idle()
	fe := fail(t, rt, event{Do: "error", Text: "no such room"})
	require.Equal(t, "customError", fe.Type)
	require.Equal(t, "no such room", fe.Message)
	idle()
	require.Equal(t, pid, ask(t, rt, event{Do: "echo"}).PID, "an error does not cost the instance")
	idle()

	r := invoke(t, rt, event{Do: "panic", Text: "oh"})
	require.ErrorContains(t, r.Err(), "oh")
	require.Contains(t, string(r.Payload), "stackTrace")
	require.NotEqual(t, pid, ask(t, rt, event{Do: "echo"}).PID, "a panic does")

	fe = fail(t, rt, event{Do: "exit", N: 3})
	require.Equal(t, "Runtime.ExitError", fe.Type)
	require.Equal(t, "RequestId: "+fe.RequestID+" Error: Runtime exited with error: exit status 3", fe.Message)
	fe = fail(t, rt, event{Do: "exit"})
	require.Equal(t, "RequestId: "+fe.RequestID+" Error: Runtime exited without providing a reason", fe.Message)
}

func TestTimeout(t *testing.T) {
	rt := start(t, lambdaruntime.Options{}, lambdaruntime.FunctionConfig{Timeout: 250 * time.Millisecond})
	pid := ask(t, rt, event{Do: "echo"}).PID
	fe := fail(t, rt, event{Do: "sleep", N: 60_000})
	require.Equal(t, "Sandbox.Timedout", fe.Type)
	require.Equal(t, "RequestId: "+fe.RequestID+" Error: Task timed out after 0.25 seconds", fe.Message)
	require.Empty(t, state(pid), "the instance is gone")
	require.NotEqual(t, pid, ask(t, rt, event{Do: "echo"}).PID)
}

func TestSizes(t *testing.T) {
	rt := start(t, lambdaruntime.Options{}, lambdaruntime.FunctionConfig{})
	_, err := rt.Invoke(context.Background(), "f", make([]byte, lambdaruntime.MaxRequestBytes+1))
	require.ErrorIs(t, err, lambdaruntime.ErrRequestTooLarge)
	r := invoke(t, rt, event{Do: "echo", Text: strings.Repeat("x", 6<<20-100)})
	require.NoError(t, r.Err())
	require.Greater(t, len(r.Payload), 6<<20-100)

	empty := len(invoke(t, rt, event{Do: "big"}).Payload)
	r = invoke(t, rt, event{Do: "big", N: lambdaruntime.MaxResponseBytes - empty})
	require.NoError(t, r.Err())
	require.Len(t, r.Payload, lambdaruntime.MaxResponseBytes, "exactly what is allowed")
	fe := fail(t, rt, event{Do: "big", N: lambdaruntime.MaxResponseBytes - empty + 1})
	require.Equal(t, "Function.ResponseSizeTooLarge", fe.Type)
	require.Equal(t, "Response payload size (6291557 bytes) exceeded maximum allowed payload size (6291556 bytes).", fe.Message)
	ask(t, rt, event{Do: "echo"})
}

// TestFrozen: a goroutine left running does nothing once the response is
// there, and goes on with the next event.
func TestFrozen(t *testing.T) {
	rt := start(t, lambdaruntime.Options{}, lambdaruntime.FunctionConfig{})
	file := filepath.Join(t.TempDir(), "dots")
	pid := ask(t, rt, event{Do: "background", Text: file}).PID
	eventually(t, "stopped", func() bool { return state(pid) == "T" })
	size := func() int64 {
		info, err := os.Stat(file)
		require.NoError(t, err)
		return info.Size()
	}
	before := size()
	for range 50 {
		time.Sleep(2 * time.Millisecond)
		require.Equal(t, before, size(), "it runs after the response")
		require.Equal(t, "T", state(pid))
	}
	require.Equal(t, pid, ask(t, rt, event{Do: "sleep", N: 50}).PID)
	require.Greater(t, size(), before, "thawed for the next event")
	eventually(t, "stopped again", func() bool { return state(pid) == "T" })
}

func TestInitialisation(t *testing.T) {
	// Only what hangs may run into its bound: a process may need longer than that to start.
	for mode, want := range map[string]struct {
		timeout            time.Duration
		errorType, message string
	}{
		"init-exit":  {time.Minute, "Runtime.ExitError", "Runtime exited with error: exit status 7"},
		"init-error": {time.Minute, "Config.Missing", "TABLE is not set"},
		"init-hang":  {300 * time.Millisecond, "Sandbox.Timedout", "Task timed out after 0.30 seconds"},
	} {
		rt := start(t, lambdaruntime.Options{InitTimeout: want.timeout},
			lambdaruntime.FunctionConfig{Env: map[string]string{"MODE": mode}})
		fe := fail(t, rt, event{Do: "echo"})
		require.Equal(t, want.errorType, fe.Type, mode)
		require.Contains(t, fe.Message, want.message, mode)
		require.Empty(t, rt.Instances("f"), mode)
	}
}

func TestEntrypoint(t *testing.T) {
	rt := lambdaruntime.New(lambdaruntime.Options{})
	defer func() { require.NoError(t, rt.Shutdown(context.Background())) }()
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	require.NoError(t, os.WriteFile(plain, []byte("x"), 0o644))
	for _, path := range []string{dir, plain, filepath.Join(dir, "missing")} {
		err := rt.Function("f", lambdaruntime.FunctionConfig{Path: path})
		require.ErrorIs(t, err, lambdaruntime.ErrEntrypoint)
		require.ErrorContains(t, err, path)
	}
	_, err := rt.Invoke(context.Background(), "f", nil)
	require.ErrorIs(t, err, lambdaruntime.ErrUnknownFunction)

	nonsense := filepath.Join(dir, "nonsense") // executable, but nothing to execute
	require.NoError(t, os.WriteFile(nonsense, []byte("\x00\x01"), 0o755))
	require.NoError(t, rt.Function("f", lambdaruntime.FunctionConfig{Path: nonsense}))
	fe := fail(t, rt, event{Do: "echo"})
	require.Equal(t, "Runtime.InvalidEntrypoint", fe.Type)
}

func TestOutputIsLogged(t *testing.T) {
	var mu sync.Mutex
	var buf bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(lockedWriter{&mu, &buf}, &slog.HandlerOptions{Level: slog.LevelInfo}))
	rt := start(t, lambdaruntime.Options{Logger: logger}, lambdaruntime.FunctionConfig{})
	ask(t, rt, event{Do: "print", Text: `{"level":"INFO","msg":"hello"}`})
	require.NoError(t, rt.Shutdown(context.Background()))
	type line struct{ Msg, Function, Stream string }
	var got []line
	mu.Lock()
	defer mu.Unlock()
	for dec := json.NewDecoder(&buf); dec.More(); {
		var l line
		require.NoError(t, dec.Decode(&l))
		got = append(got, l)
	}
	require.ElementsMatch(t, []line{
		{`{"level":"INFO","msg":"hello"}`, "f", "stdout"},
		{`{"level":"INFO","msg":"hello"} to stderr`, "f", "stderr"},
	}, got)
}

type lockedWriter struct {
	mu *sync.Mutex
	w  *bytes.Buffer
}

func (l lockedWriter) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.w.Write(b)
}

// TestRuntimeMistakes: what a custom runtime gets for calls out of turn.
func TestRuntimeMistakes(t *testing.T) {
	rt := start(t, lambdaruntime.Options{}, lambdaruntime.FunctionConfig{Env: map[string]string{"MODE": "raw"}})
	for range 3 {
		r := invoke(t, rt, event{Do: "echo"})
		require.NoError(t, r.Err())
		// Another's id, the last event's, the same with an error, too late to
		// fail initialising, an unknown path.
		require.Equal(t, "[400,400,400,403,404]", string(r.Payload))
		fe := fail(t, rt, event{Do: "error"})
		require.Equal(t, "Custom.Kind", fe.Type)
		require.Equal(t, "no JSON", fe.Message)
	}
}

// BenchmarkWarm is what an event costs beside the function's own work: thaw,
// two HTTP requests on loopback, freeze.
func BenchmarkWarm(b *testing.B) {
	rt := lambdaruntime.New(lambdaruntime.Options{})
	require.NoError(b, rt.Function("f", lambdaruntime.FunctionConfig{Path: bootstrap}))
	for b.Loop() {
		ask(b, rt, event{Do: "echo"})
	}
	require.NoError(b, rt.Shutdown(context.Background()))
}

// BenchmarkCold is the start of an instance on top.
func BenchmarkCold(b *testing.B) {
	rt := lambdaruntime.New(lambdaruntime.Options{})
	for b.Loop() {
		require.NoError(b, rt.Function("f", lambdaruntime.FunctionConfig{Path: bootstrap}))
		ask(b, rt, event{Do: "echo"})
	}
	require.NoError(b, rt.Shutdown(context.Background()))
}
