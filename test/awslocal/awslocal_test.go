// Package awslocal runs the very files that are deployed, end to end: real
// bootstraps behind the Lambda Runtime API and the local gateway, on DynamoDB
// Local and an S3 engine, with clients that speak the real wire.
package awslocal

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/awstest"
	"github.com/symphony-rt/symphony/internal/rtclient"
	"github.com/symphony-rt/symphony/internal/yjs"
)

func TestMain(m *testing.M) { awstest.Main(m) }

const top = "../.."

// build compiles what is deployed, and the local stack, once a run.
var build = sync.OnceValues(func() (dir string, err error) {
	if dir, err = os.MkdirTemp("", "symphony-awslocal"); err != nil {
		return "", err
	}
	compile := func(out, pkg string, args ...string) error {
		cmd := exec.Command("go", append(append([]string{"build", "-o", filepath.Join(dir, out)}, args...), pkg)...)
		cmd.Dir = top
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return &exec.Error{Name: string(out), Err: err}
		}
		return nil
	}
	if err := compile("symphony-local", "./localdev"); err != nil {
		return "", err
	}
	for _, f := range []string{"authorize", "connect", "message", "fanout", "disconnect", "checkpoint", "stream"} {
		if err := compile(filepath.Join("functions", f, "bootstrap"), "./functions/"+f, "-tags", "lambda.norpc", "-trimpath"); err != nil {
			return "", err
		}
	}
	return dir, nil
})

type running struct {
	URL, WS, Stack string
	cmd            *exec.Cmd
	stderr         *bytes.Buffer
}

// start runs the local stack on the engines.
func start(t *testing.T, stack awstest.Stack, args ...string) *running {
	t.Helper()
	credentials, err := awstest.Config(stack.S3).Credentials.Retrieve(t.Context())
	require.NoError(t, err)
	s := launch(t, append([]string{"--dynamodb-endpoint", stack.DynamoDB, "--s3-endpoint", stack.S3}, args...),
		"AWS_ACCESS_KEY_ID="+credentials.AccessKeyID, "AWS_SECRET_ACCESS_KEY="+credentials.SecretAccessKey)
	require.Equal(t, "engines", s.Stack)
	return s
}

// launch runs the local stack with the deployed files.
func launch(t *testing.T, args []string, env ...string) *running {
	t.Helper()
	dir, err := build()
	require.NoError(t, err)
	s := &running{stderr: &bytes.Buffer{}}
	s.cmd = exec.Command(filepath.Join(dir, "symphony-local"), append([]string{
		"--port", "0", "--ready-json", "--functions", "process", "--functions-dir", filepath.Join(dir, "functions"),
		"--checkpoint", "1s", "--log", "warn", "--data", t.TempDir(),
	}, args...)...)
	s.cmd.Env = append(os.Environ(), env...)
	s.cmd.Stderr = s.stderr
	out, err := s.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, s.cmd.Start())
	t.Cleanup(func() {
		_ = s.cmd.Process.Signal(os.Interrupt)
		_, _ = s.cmd.Process.Wait()
		if t.Failed() {
			t.Logf("symphony-local said:\n%s", s.stderr)
		}
	})
	line, err := bufio.NewReader(out).ReadBytes('\n')
	require.NoError(t, err, s.stderr)
	require.NoError(t, json.Unmarshal(line, s))
	return s
}

// instances returns the process ids of the bootstraps.
func (s *running) instances(t *testing.T) []int {
	t.Helper()
	out, err := exec.Command("pgrep", "-P", strconv.Itoa(s.cmd.Process.Pid), "-x", "bootstrap").Output()
	if err != nil {
		return nil // none
	}
	var pids []int
	for _, f := range strings.Fields(string(out)) {
		pid, err := strconv.Atoi(f)
		require.NoError(t, err)
		pids = append(pids, pid)
	}
	return pids
}

type document struct{ rtclient.Merged }

func (d *document) missing(t *testing.T, updates [][]byte) (n int) {
	t.Helper()
	state := d.State()
	for _, u := range updates {
		ok, err := yjs.Contains(state, u)
		require.NoError(t, err)
		if !ok {
			n++
		}
	}
	return n
}

// insertion is the n-th update of client (under 128 each) typing at the start
// of the root "t": five characters with no neighbour, so that it needs no other.
func insertion(client, n byte) []byte {
	clock := []byte{byte(5 * int(n))}
	if c := 5 * int(n); c > 127 {
		clock = []byte{byte(c) | 0x80, byte(c >> 7)}
	}
	u := append([]byte{1, 1, client}, clock...)
	return append(append(u, 4, 1, 1, 't', 5), "hello"+"\x00"...)
}

func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// dialled is a client of room and its document. The first connection may meet a
// killed function, as a browser's would, and is tried again.
func dialled(ctx context.Context, s *running, room string, mode rtclient.Mode, id uint64) (*rtclient.Client, *document, error) {
	d := &document{}
	options := rtclient.Options{
		Room: room, Mode: mode, Client: id, Document: d,
		Times: rtclient.Times{AckTimeout: 3 * time.Second, BackoffBase: 50 * time.Millisecond, BackoffMax: time.Second},
	}
	for {
		c, err := rtclient.Dial(ctx, s.WS, options)
		if err == nil {
			return c, d, c.WaitSynced(ctx)
		}
		select {
		case <-ctx.Done():
			return nil, nil, errors.Join(err, ctx.Err())
		case <-time.After(100 * time.Millisecond):
		}
	}
}

func dial(t *testing.T, s *running, room string, mode rtclient.Mode, id uint64) (*rtclient.Client, *document) {
	t.Helper()
	c, d, err := dialled(within(t, time.Minute), s, room, mode, id)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	return c, d
}

// Guarantee 1, N1, P24: instances of the deployed files are killed with -9 in
// mid-invocation; every edit is acknowledged in the end and nothing
// acknowledged is lost, for who stays and for who joins later, while
// checkpoints run.
func TestKilledInstancesLoseNothing(t *testing.T) {
	stack := awstest.Engines(t)
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, 1))
	s := start(t, stack)
	stop, killer := make(chan struct{}), make(chan int)
	go func() {
		kills := 0
		for {
			select {
			case <-stop:
				killer <- kills
				return
			case <-time.After(150 * time.Millisecond):
				if pids := s.instances(t); len(pids) > 0 {
					if syscall.Kill(pids[dice.IntN(len(pids))], syscall.SIGKILL) == nil {
						kills++
					}
				}
			}
		}
	}()

	loseNothing(t, s, "killed-"+strconv.FormatUint(seed, 36)+"-", func() {
		close(stop)
		t.Logf("%d instances killed", <-killer)
	})
}

// loseNothing has people edit rooms while something makes trouble, until calm
// ends it: every edit is acknowledged in the end, and who stayed and who joins
// later has all of them.
func loseNothing(t *testing.T, s *running, prefix string, calm func()) {
	t.Helper()
	const users, edits, rooms = 6, 20, 2
	updates := make([][][]byte, rooms)
	var mu sync.Mutex
	var wg sync.WaitGroup
	clients, documents := make([]*rtclient.Client, users), make([]*document, users)
	for user := range users {
		room := user % rooms
		name := prefix + strconv.Itoa(room)
		wg.Go(func() {
			c, d, err := dialled(within(t, time.Minute), s, name, rtclient.Symphony, uint64(user+1))
			if err != nil {
				t.Errorf("user %d: %v", user, err)
				return
			}
			t.Cleanup(func() { _ = c.Close() })
			clients[user], documents[user] = c, d
			for n := range edits {
				u := insertion(byte(user+1), byte(n))
				err := d.Apply(u)
				if err == nil {
					_, err = c.Submit(u)
				}
				if err != nil {
					t.Errorf("user %d, edit %d: %v", user, n, err)
					return
				}
				mu.Lock()
				updates[room] = append(updates[room], u)
				mu.Unlock()
				time.Sleep(30 * time.Millisecond)
			}
			if err := c.Flush(within(t, 2*time.Minute)); err != nil {
				t.Errorf("user %d: %d edits were never acknowledged: %v", user, c.Pending(), err)
				return
			}
		})
	}
	wg.Wait()
	calm()
	require.False(t, t.Failed())
	// Who stayed finds what a killed function did not post: by the gap in the
	// numbers, or by the probe after a quiet spell (guarantee 3).
	for user, d := range documents {
		require.Eventually(t, func() bool { return d.missing(t, updates[user%rooms]) == 0 }, time.Minute, 50*time.Millisecond,
			"user %d has everything through %d", user, clients[user].LastSeq())
	}
	for room := range rooms {
		name := prefix + strconv.Itoa(room)
		for _, mode := range []rtclient.Mode{rtclient.Symphony, rtclient.Plain} {
			_, d := dial(t, s, name, mode, 99)
			require.Zero(t, d.missing(t, updates[room]), "a joiner of room %d (mode %v) misses acknowledged edits", room, mode)
		}
	}
}

// The whole stack is killed with -9 and started again on the same engines.
func TestKilledStackComesBack(t *testing.T) {
	stack := awstest.Engines(t)
	comesBack(t, func() *running { return start(t, stack) })
}

// The same with STACK=localstack, as `make local` finds it on
// LOCALSTACK_ENDPOINT: table, bucket and stream are made there, and found there
// the second time.
func TestStackOnLocalStack(t *testing.T) {
	endpoint := awstest.LocalStack(t).DynamoDB
	comesBack(t, func() *running {
		s := launch(t, []string{"--stack", "localstack"}, "LOCALSTACK_ENDPOINT="+endpoint)
		require.Equal(t, "localstack", s.Stack)
		return s
	})
}

func comesBack(t *testing.T, start func() *running) {
	s := start()
	room := "restart-" + strconv.FormatInt(time.Now().UnixNano(), 36)
	c, _ := dial(t, s, room, rtclient.Symphony, 1)
	var updates [][]byte
	for n := range 10 {
		u := insertion(1, byte(n))
		_, err := c.Submit(u)
		require.NoError(t, err)
		updates = append(updates, u)
	}
	require.NoError(t, c.Flush(within(t, time.Minute)))
	require.NoError(t, s.cmd.Process.Kill())
	_, _ = s.cmd.Process.Wait()
	s = start()
	_, d := dial(t, s, room, rtclient.Symphony, 2)
	require.Zero(t, d.missing(t, updates))

	// P26: the stream function's directory has it too, with the truth.
	type line struct {
		Room        string
		Connections int
		Updates     uint64
	}
	// One request that gets no answer from a busy engine is not the end.
	client := &http.Client{Timeout: 20 * time.Second}
	list := func() (lines []line, err error) {
		res, err := client.Get(s.URL + "_rooms")
		if err != nil {
			return nil, err
		}
		defer res.Body.Close()
		return lines, json.NewDecoder(res.Body).Decode(&lines)
	}
	var mine line
	var err error
	for ctx := within(t, 5*time.Minute); mine.Updates != uint64(len(updates)); time.Sleep(100 * time.Millisecond) {
		require.NoError(t, ctx.Err(), "the directory has %+v; the last request: %v", mine, err)
		var lines []line
		if lines, err = list(); err != nil {
			t.Log(err)
		}
		for _, l := range lines {
			if l.Room == room {
				mine = l
			}
		}
	}
}
