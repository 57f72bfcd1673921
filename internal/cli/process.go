package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"sync"
	"time"
)

// process is a program the CLI runs beside others.
type process struct {
	name string
	args []string
	dir  string
	env  []string
	out  io.Writer
}

// stopTime is how long a program gets to end by itself.
const stopTime = 8 * time.Second

// run runs the program until it ends or ctx does, and everything it has started
// with it. After ctx it returns nil.
func (p process) run(ctx context.Context) error {
	cmd := exec.Command(p.name, p.args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = p.dir, append(os.Environ(), p.env...), p.out, p.out
	// Ctrl-C goes to the whole foreground group; this way it ends when we say so.
	ownGroup(cmd)
	// What outlives the program must not keep us waiting for its output.
	cmd.WaitDelay = stopTime
	if err := cmd.Start(); err != nil {
		return err
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		if ctx.Err() != nil {
			return nil
		}
		return err
	case <-ctx.Done():
	}
	interrupt(cmd)
	select {
	case <-ended:
	case <-time.After(stopTime):
		kill(cmd)
		<-ended
	}
	return nil
}

// prefixed puts a name before every line that several programs write to one
// terminal.
type prefixed struct {
	mu     *sync.Mutex
	out    io.Writer
	prefix string
	rest   []byte
}

// Write implements io.Writer.
func (p *prefixed) Write(data []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.rest = append(p.rest, data...)
	for {
		i := bytes.IndexByte(p.rest, '\n')
		if i < 0 {
			return len(data), nil
		}
		line := bytes.TrimRight(p.rest[:i], "\r")
		p.rest = p.rest[i+1:]
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		if _, err := fmt.Fprintf(p.out, "%s%s\n", p.prefix, line); err != nil {
			return len(data), err
		}
	}
}

// need says what to do when a program is not there.
func need(name, cure string) error {
	if _, err := exec.LookPath(name); err != nil {
		return hint(fmt.Errorf("%s was not found", name), "%s", cure)
	}
	return nil
}

var errEnded = errors.New("ended by itself")
