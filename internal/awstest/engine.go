package awstest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"
)

// errMissing: the machine lacks a tool the engine needs; the text names it.
var errMissing = errors.New("not installed")

// errNowhere: there is no build of the engine for this machine to install.
var errNowhere = errors.New("not to be had")

// startTimeout bounds how long an engine may take from its start to its first
// answer; a Java engine takes two seconds on an idle machine.
const startTimeout = 2 * time.Minute

// stopTimeout is how long an engine may take to stop by itself.
const stopTimeout = 5 * time.Second

// engine is a program that answers on a loopback port.
type engine struct {
	name string
	// fetch makes the program available in the cache and returns where.
	fetch func() (folder string, err error)
	// command builds the program's command line; dir is its own empty folder.
	command func(folder, dir string, port int) (*exec.Cmd, error)
	// ready is a path that answers below 500 once the engine works.
	ready string

	once sync.Once
	base string
	err  error
	stop func()
	// exited is closed when the program has ended.
	exited <-chan struct{}
}

var engines = []*engine{dynamoDBLocal, versityGW, localStack, moto}

func (e *engine) url(tb testing.TB) string {
	tb.Helper()
	e.once.Do(func() { e.err = e.start() })
	if errors.Is(e.err, errNowhere) {
		tb.Skipf("SKIPPED, NOT PROVEN HERE: %s: %s", e.name, e.err)
	}
	if errors.Is(e.err, errMissing) {
		missing(tb, "%s: %s", e.name, e.err)
	}
	if e.err != nil {
		tb.Fatalf("%s does not start: %s", e.name, e.err)
	}
	return e.base
}

// start fetches and starts the engine. Between choosing a free port and
// listening on it somebody else may take it: then it tries again.
func (e *engine) start() error {
	folder, err := e.fetch()
	if err != nil {
		return err
	}
	var last error
	for range 3 {
		port, err := freePort()
		if err != nil {
			return err
		}
		if last = e.run(folder, port); last == nil {
			return nil
		}
	}
	return last
}

func (e *engine) run(folder string, port int) error {
	dir, err := os.MkdirTemp("", "symphony-"+e.name+"-")
	if err != nil {
		return err
	}
	cmd, err := e.command(folder, dir, port)
	if err != nil {
		return err
	}
	output, err := os.Create(filepath.Join(dir, "output.log"))
	if err != nil {
		return err
	}
	defer output.Close()
	cmd.Stdout, cmd.Stderr = output, output
	exited, err := startTied(cmd)
	if err != nil {
		return err
	}
	e.base = "http://127.0.0.1:" + strconv.Itoa(port)
	e.exited = exited
	e.stop = func() {
		// They keep nothing worth a clean shutdown, but one has a child.
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-exited:
		case <-time.After(stopTimeout):
			_ = cmd.Process.Kill()
			<-exited
		}
		_ = os.RemoveAll(dir)
	}
	if err := awaitAnswer(e.base+e.ready, exited); err != nil {
		log, _ := os.ReadFile(output.Name())
		e.stop()
		e.stop = nil
		return fmt.Errorf("%w; it said:\n%s", err, log)
	}
	return nil
}

// awaitAnswer polls until the engine answers or has exited.
func awaitAnswer(url string, exited <-chan struct{}) error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return err
		}
		if res, err := http.DefaultClient.Do(req); err == nil {
			res.Body.Close()
			if res.StatusCode < http.StatusInternalServerError {
				return nil
			}
		}
		select {
		case <-exited:
			return errors.New("it exited")
		case <-ctx.Done():
			return fmt.Errorf("no answer from %s within %s", url, startTimeout)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// Free ports are looked for below those that systems hand out by themselves (from
// 32768 on Linux): an engine takes seconds to listen on one, and meanwhile other
// tests open servers on whatever they are given.
const firstPort, endPort = 15_000, 32_000

func freePort() (int, error) {
	var last error
	for range 100 {
		port := firstPort + rand.IntN(endPort-firstPort)
		l, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port))
		if err == nil {
			return port, l.Close()
		}
		last = err
	}
	return 0, last
}

func stopAll() {
	for _, e := range engines {
		if e.stop != nil {
			e.stop()
		}
	}
}

// lookPath finds a tool or reports errMissing.
func lookPath(tool, why string) (string, error) {
	path, err := exec.LookPath(tool)
	if err != nil {
		return "", fmt.Errorf("%w: %s (%s)", errMissing, tool, why)
	}
	return path, nil
}
