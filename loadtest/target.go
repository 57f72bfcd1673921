package loadtest

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// target is what is loaded: something started here, or only its URLs.
type target struct {
	urls  []string
	pids  []int
	debug string
	cmd   *exec.Cmd
	data  string // to remove
	ended chan struct{}
}

// openTarget starts the target unless its URLs are given.
func openTarget(ctx context.Context, o *options) (*target, error) {
	t := &target{urls: o.URLs, debug: strings.TrimSuffix(o.stats, "/")}
	var err error
	switch {
	case len(o.URLs) > 0:
	case o.Target == TargetSymphony:
		err = t.startSymphony(ctx, o)
	default:
		err = t.startNode(ctx, o)
	}
	if err != nil {
		t.close()
		return nil, err
	}
	t.findProcesses()
	return t, nil
}

// startTime bounds a target's start.
const startTime = 30 * time.Second

func (t *target) startSymphony(ctx context.Context, o *options) error {
	data := o.data
	if data == "" {
		var err error
		if data, err = os.MkdirTemp("", "symphony-loadtest-"); err != nil {
			return err
		}
		t.data = data
	}
	if _, err := os.Stat(o.start); err != nil {
		return fmt.Errorf("%w (make build/symphony-local makes it)", err)
	}
	args := []string{"--port", "0", "--ready-json", "--stack", "embedded", "--data", data, "--log", "error", "--pprof", "--gateway-no-throttle"}
	if o.gateways > 0 {
		args = append(args, "--gateways", strconv.Itoa(o.gateways))
	}
	t.cmd = exec.Command(o.start, append(args, strings.Fields(o.serverArgs)...)...)
	first, err := t.startProcess(ctx)
	if err != nil {
		return err
	}
	var ready struct {
		WS       string
		Gateways []string
		Debug    string
	}
	if err := json.Unmarshal(first, &ready); err != nil {
		return fmt.Errorf("%s: %w", o.start, err)
	}
	t.debug, t.urls = ready.Debug, ready.Gateways
	if len(t.urls) == 0 {
		t.urls = []string{ready.WS}
	}
	return nil
}

func (t *target) startNode(ctx context.Context, o *options) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	port := listener.Addr().(*net.TCPAddr).Port
	if err := listener.Close(); err != nil {
		return err
	}
	script := o.Target + ".mjs"
	if _, err := os.Stat(filepath.Join(o.targetsDir, "node_modules")); err != nil {
		return fmt.Errorf("the other targets are not installed: npm ci in %s", o.targetsDir)
	}
	t.cmd = exec.Command("node", script)
	t.cmd.Dir = o.targetsDir
	t.cmd.Env = append(os.Environ(), "HOST=127.0.0.1", "PORT="+strconv.Itoa(port), "NODE_ENV=production")
	t.urls = []string{"ws://127.0.0.1:" + strconv.Itoa(port)}
	_, err = t.startProcess(ctx)
	return err
}

// startProcess starts cmd and returns its first line.
func (t *target) startProcess(ctx context.Context) ([]byte, error) {
	t.cmd.Stderr = os.Stderr
	out, err := t.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := t.cmd.Start(); err != nil {
		t.cmd = nil
		return nil, err
	}
	t.ended = make(chan struct{})
	first := make(chan []byte, 1)
	go func() {
		reader := bufio.NewReader(out)
		text, _ := reader.ReadBytes('\n')
		first <- text
		_, _ = io.Copy(io.Discard, reader)
		_ = t.cmd.Wait()
		close(t.ended)
	}()
	timer := time.NewTimer(startTime)
	defer timer.Stop()
	select {
	case text := <-first:
		if len(text) == 0 {
			return nil, fmt.Errorf("%s ended before it was ready", t.cmd.Path)
		}
		return text, nil
	case <-timer.C:
		return nil, fmt.Errorf("%s was not ready within %s", t.cmd.Path, startTime)
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// stopTime is how long a target may take to end.
const stopTime = 20 * time.Second

func (t *target) close() {
	if t.cmd != nil && t.cmd.Process != nil {
		_ = t.cmd.Process.Signal(os.Interrupt)
		select {
		case <-t.ended:
		case <-time.After(stopTime):
			_ = t.cmd.Process.Kill()
			<-t.ended
		}
	}
	if t.data != "" {
		_ = os.RemoveAll(t.data)
	}
}

// debugReport is what symphony-local's /debug/symphony says.
type debugReport struct {
	PID       int
	Calls     map[string]int64
	Processes []string
}

var debugClient = &http.Client{Timeout: 3 * time.Second}

func readDebug(url string) (r debugReport, err error) {
	if url == "" {
		return r, errors.New("loadtest: no debug URL")
	}
	response, err := debugClient.Get(url + "/debug/symphony")
	if err != nil {
		return r, err
	}
	defer response.Body.Close()
	return r, json.NewDecoder(response.Body).Decode(&r)
}

func (t *target) findProcesses() {
	if r, err := readDebug(t.debug); err == nil {
		t.pids = append(t.pids, r.PID)
		for _, u := range r.Processes {
			if c, err := readDebug(u); err == nil {
				t.pids = append(t.pids, c.PID)
			}
		}
	} else if t.cmd != nil {
		t.pids = []int{t.cmd.Process.Pid}
	}
}

// calls is how often each port was called, nil when nobody counts.
func (t *target) calls() map[string]int64 {
	r, err := readDebug(t.debug)
	if err != nil {
		return nil
	}
	return r.Calls
}

// Sample is the target's use of the machine at a moment: seconds of CPU so far
// and resident bytes, of all its processes, and its calls so far.
type Sample struct {
	At, CPU               float64
	RSS, Connected, Edits int64
	Calls                 map[string]int64 `json:",omitempty"`
}

// ticksPerSecond is the unit of /proc/PID/stat on Linux (man 5 proc: USER_HZ).
const ticksPerSecond = 100

func (t *target) sample() (s Sample) {
	for _, pid := range t.pids {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		if err != nil {
			continue
		}
		// The fields after the name, which may have spaces in it, begin with the third.
		f := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
		if len(f) < 22 {
			continue
		}
		user, _ := strconv.ParseFloat(f[11], 64)
		system, _ := strconv.ParseFloat(f[12], 64)
		pages, _ := strconv.ParseInt(f[21], 10, 64)
		s.CPU += (user + system) / ticksPerSecond
		s.RSS += pages * int64(os.Getpagesize())
	}
	return s
}

// Server is what the target used.
type Server struct {
	Processes                int
	MemoryBefore, MemoryIdle int64
	Samples                  []Sample
	// Calls of the store and the gateway's management API since the edits began,
	// by name; EditsCounted edits were made meanwhile.
	Calls        map[string]float64
	EditsCounted int64
}

// perConnection is the resident bytes that one idle connection added.
func (s *Server) perConnection(connected int64) float64 {
	if s.MemoryIdle == 0 || connected == 0 {
		return 0
	}
	return float64(s.MemoryIdle-s.MemoryBefore) / float64(connected)
}

func (s *Server) print(out io.Writer, r *Result) {
	if len(s.Samples) == 0 || s.MemoryIdle == 0 {
		return
	}
	begin, end := r.Profile.editStart().Seconds(), (r.Profile.editStart() + r.Profile.Duration).Seconds()
	var first, last Sample
	for _, x := range s.Samples {
		if x.At >= begin && first.At == 0 {
			first = x
		}
		if x.At <= end {
			last = x
		}
	}
	cpu := 0.0
	if last.At > first.At {
		cpu = (last.CPU - first.CPU) / (last.At - first.At)
	}
	fmt.Fprintf(out, "\n  server         %d processes, %.0f%% of a CPU while editing, %.1f KB of memory a connection\n",
		s.Processes, cpu*100, s.perConnection(r.Receivers)/1024)
	if len(s.Calls) > 0 && r.Edits > 0 {
		fmt.Fprintf(out, "  calls          per edit, presence included:")
		for _, name := range []string{"meta get", "member admit", "log append", "member list", "post", "meta swap", "snapshot put", "snapshot get", "fan-out"} {
			fmt.Fprintf(out, " %s %.2f", name, s.Calls[name]/float64(r.Edits))
		}
		fmt.Fprintln(out)
	}
}
