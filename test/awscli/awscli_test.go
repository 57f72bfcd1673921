// Package awscli runs the symphony command on AWS services that somebody else
// wrote: on LocalStack, and, where nothing has more than a mock, on moto.
package awscli

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/symphony-rt/symphony/internal/awstest"
	"github.com/symphony-rt/symphony/internal/cli"
)

func TestMain(m *testing.M) { awstest.Main(m) }

// commandTime bounds one command: an engine on a busy machine is slow.
const commandTime = 2 * time.Minute

// terminal runs commands in a folder of its own.
type terminal struct {
	t   *testing.T
	app cli.App
}

func newTerminal(t *testing.T) *terminal {
	t.Helper()
	return &terminal{t, cli.App{Dir: t.TempDir(), Version: "v1.2.3", Env: os.Getenv, Now: time.Now, Hurry: true}}
}

// run returns the exit code and what went to standard output and standard error.
func (x *terminal) run(stdin string, args ...string) (code int, out, errs string) {
	x.t.Helper()
	var o, e bytes.Buffer
	app := x.app
	app.In, app.Out, app.Err = strings.NewReader(stdin), &o, &e
	ctx, cancel := context.WithTimeout(x.t.Context(), commandTime)
	defer cancel()
	code = app.Run(ctx, args)
	x.t.Logf("$ symphony %s [exit %d]\n%s%s", strings.Join(args, " "), code, o.String(), e.String())
	return code, o.String(), e.String()
}

// ok is run for a command that has to work; it returns standard output.
func (x *terminal) ok(stdin string, args ...string) string {
	x.t.Helper()
	code, out, errs := x.run(stdin, args...)
	if code != cli.ExitOK {
		x.t.Fatalf("exit %d: %s", code, errs)
	}
	return out
}
