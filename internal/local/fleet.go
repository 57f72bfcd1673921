package local

import (
	"bufio"
	"context"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/symphony-rt/symphony/internal/gateway"
)

// A fleet is several gateway processes in front of this one, which keeps the
// functions and the store. A process may hold only so many sockets, and a
// deployed gateway is not one machine either: which of them has a connection is
// in the connection's id.

// maxGateways bounds --gateways: more processes than a machine has use for.
const maxGateways = 64

// fleetStart is how long a child may take to listen.
const fleetStart = 15 * time.Second

// fleet is the child processes.
type fleet struct {
	children []*child
	posts    *gateway.Links
	// failed gets what ended a child that was not told to end.
	failed chan error
	// listener is where the children find the functions.
	listener net.Listener
}

// child is one gateway process. It ends when its standard input does, so it
// never outlives this process, however that ends.
type child struct {
	number uint16
	cmd    *exec.Cmd
	stdin  io.WriteCloser
	base   string
	debug  string
	// told is set once the child was asked to end.
	told   atomic.Bool
	exited chan struct{}
}

// childOptions is what a child reads, as one JSON line, from standard input.
type childOptions struct {
	Number uint16
	Host   string
	Port   int
	// Invoke is where the functions are, Secret what to say there.
	Invoke  string
	Secret  string
	Level   slog.Level
	Debug   bool
	Gateway gatewaySettings
}

// childReady is what it answers once it listens.
type childReady struct{ Base, Debug string }

// lateFleet lets the functions be made before the children that call them.
type lateFleet struct{ atomic.Pointer[gateway.Links] }

func (l *lateFleet) PostMany(ctx context.Context, ids []string, data []byte) []error {
	if f := l.Load(); f != nil {
		ctx, cancel := context.WithTimeout(ctx, postTimeout)
		defer cancel()
		return f.PostMany(ctx, ids, data)
	}
	errs := make([]error, len(ids))
	for i := range errs {
		errs[i] = errStarting
	}
	return errs
}

func (l *lateFleet) Close(ctx context.Context, id string) error {
	if f := l.Load(); f != nil {
		return f.Close(ctx, id)
	}
	return errStarting
}

// errStarting: a client of the process before came back before all gateways
// were there.
var errStarting = errors.New("the gateways are starting")

// startFleet starts o.gateways processes. The functions are served to them on a
// port of their own, to whoever knows a secret that only they are told.
func startFleet(ctx context.Context, o options, functions gateway.Invoker, log *slog.Logger) (*fleet, error) {
	secret, err := newSecret()
	if err != nil {
		return nil, err
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("the functions' port: %w", err)
	}
	f := &fleet{
		listener: listener,
		failed:   make(chan error, o.gateways),
		posts:    gateway.NewLinks(functions, secret),
	}
	go func() { _ = f.posts.Serve(listener) }()
	for i := range o.gateways {
		settings := childOptions{
			Number: uint16(i + 1), Host: o.host, Invoke: listener.Addr().String(), Secret: secret,
			Level: o.level, Debug: o.pprof, Gateway: o.gateway.settings().share(o.gateways, i),
		}
		if o.port != 0 {
			settings.Port = o.port + i + 1
		}
		c, err := startChild(ctx, settings, f.failed, log)
		if err != nil {
			return nil, errors.Join(fmt.Errorf("gateway %d: %w", i+1, err), f.close(ctx))
		}
		f.children = append(f.children, c)
	}
	return f, nil
}

func newSecret() (string, error) {
	var b [16]byte
	if _, err := rand.Read(b[:]); err != nil {
		return "", err
	}
	return hex.EncodeToString(b[:]), nil
}

func startChild(ctx context.Context, o childOptions, failed chan<- error, log *slog.Logger) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	c := &child{number: o.Number, cmd: exec.Command(self, childRole), exited: make(chan struct{})}
	c.cmd.Stderr = os.Stderr
	// Ctrl-C goes to the whole process group; the children end in their turn.
	c.cmd.SysProcAttr = ownGroup()
	if c.stdin, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	var waited sync.Once
	watch := func() {
		err := c.cmd.Wait()
		close(c.exited)
		if !c.told.Load() {
			failed <- fmt.Errorf("gateway process %d ended: %w", o.Number, orExited(err))
		}
	}
	line, err := handshake(ctx, c, o, out)
	if err != nil {
		c.told.Store(true)
		_ = c.cmd.Process.Kill()
		waited.Do(watch)
		return nil, err
	}
	go waited.Do(watch)
	c.base, c.debug = line.Base, line.Debug
	log.Debug("gateway process", "number", o.Number, "pid", c.cmd.Process.Pid, "url", c.base)
	return c, nil
}

var errExited = errors.New("exit code 0")

func orExited(err error) error {
	if err == nil {
		return errExited
	}
	return err
}

// handshake sends the child its options and waits for where it listens.
func handshake(ctx context.Context, c *child, o childOptions, out io.Reader) (childReady, error) {
	var ready childReady
	if err := json.NewEncoder(c.stdin).Encode(o); err != nil {
		return ready, err
	}
	answer := make(chan error, 1)
	go func() {
		line, err := bufio.NewReader(out).ReadBytes('\n')
		if err == nil {
			err = json.Unmarshal(line, &ready)
		}
		answer <- err
	}()
	timer := time.NewTimer(fleetStart)
	defer timer.Stop()
	select {
	case err := <-answer:
		if err != nil {
			return childReady{}, fmt.Errorf("it did not start: %w", err)
		}
		return ready, nil
	case <-timer.C:
		return childReady{}, fmt.Errorf("it did not start within %s", fleetStart)
	case <-ctx.Done():
		return childReady{}, ctx.Err()
	}
}

// close ends the children, which close their connections first, and then what
// they were served.
func (f *fleet) close(ctx context.Context) error {
	for _, c := range f.children {
		c.told.Store(true)
		_ = c.stdin.Close()
	}
	var errs []error
	for _, c := range f.children {
		select {
		case <-c.exited:
		case <-ctx.Done():
			_ = c.cmd.Process.Kill()
			<-c.exited
			errs = append(errs, fmt.Errorf("gateway process %d did not end in time", c.number))
		}
	}
	f.posts.Shutdown()
	return errors.Join(append(errs, f.listener.Close())...)
}

// sockets are the WebSocket URLs of the fleet, in the order of their numbers.
func (f *fleet) sockets() []string {
	urls := make([]string, len(f.children))
	for i, c := range f.children {
		urls[i] = socketURL(c.base)
	}
	return urls
}

func socketURL(base string) string { return "ws" + strings.TrimPrefix(base, "http") + "/" + stage }

// gatewaySettings is gatewayOptions as a child gets them.
type gatewaySettings struct {
	Idle, Lifetime, Integration                  time.Duration
	Shuffle, NoThrottle                          bool
	DropDisconnect, KillMessage                  float64
	Seed                                         int64
	RequestsPerSec, RequestBurst, ConnectsPerSec float64
}

func (g gatewayOptions) settings() gatewaySettings {
	return gatewaySettings{
		Idle: g.idle, Lifetime: g.lifetime, Integration: g.integrationTime, Shuffle: g.shuffle, NoThrottle: g.noThrottle,
		DropDisconnect: g.dropDisconnect, KillMessage: g.killMessage, Seed: g.seed,
		RequestsPerSec: g.requestsPerSec, RequestBurst: float64(g.requestBurst), ConnectsPerSec: g.connectsPerSec,
	}
}

// share is the part of gateway i of n: the quotas are the account's, so the
// gateways divide them; a seed gives each its own.
func (s gatewaySettings) share(n, i int) gatewaySettings {
	s.RequestsPerSec /= float64(n)
	s.RequestBurst /= float64(n)
	s.ConnectsPerSec /= float64(n)
	if s.Seed != 0 {
		s.Seed += int64(i)
	}
	return s
}

func (s gatewaySettings) options() gatewayOptions {
	return gatewayOptions{
		idle: s.Idle, lifetime: s.Lifetime, integrationTime: s.Integration, shuffle: s.Shuffle, noThrottle: s.NoThrottle,
		dropDisconnect: s.DropDisconnect, killMessage: s.KillMessage, seed: s.Seed,
		requestsPerSec: s.RequestsPerSec, requestBurst: int(max(1, s.RequestBurst)), connectsPerSec: s.ConnectsPerSec,
	}
}

func listenHere(host string, port int) (net.Listener, string, error) {
	listener, err := listen(host, port)
	if err != nil {
		return nil, "", err
	}
	return listener, "http://" + address(host, listener.Addr()), nil
}

func validGateways(n, port int) error {
	switch {
	case n < 0 || n > maxGateways:
		return fmt.Errorf("--gateways %d: 0 to %d", n, maxGateways)
	case n > 0 && port != 0 && port+n > 65535:
		return errors.New("--gateways takes the ports after --port: " + strconv.Itoa(port+n) + " is not one")
	}
	return nil
}
