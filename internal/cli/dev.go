package cli

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/spf13/cobra"

	"github.com/symphony-rt/symphony/internal/local"
)

const nodeCure = "Install Node.js 20.19 or newer: https://nodejs.org/"

type devOptions struct {
	port, pagePort int
	portGiven      bool
	data, stack    string
	secret         string
	noApp, verbose bool
}

func (a *App) devCommand() *cobra.Command {
	var o devOptions
	cmd := &cobra.Command{
		Use:   "dev",
		Short: "Run the rooms and the app's dev server on this machine",
		Long: `Runs the local stack (gateway, functions, store, checkpoints) and the dev server of the
app in this folder ('npm run dev') together. The rooms are kept in .symphony. Ctrl-C
stops both.`,
		Example: `  symphony dev
  symphony dev --port 9000 --page-port 3000
  symphony dev --no-app          # only the rooms`,
		Args: cobra.NoArgs,
	}
	f := cmd.Flags()
	f.IntVar(&o.port, "port", 8787, "`port` of the rooms; another one is taken when it is in use, unless you say which")
	f.IntVar(&o.pagePort, "page-port", 0, "`port` of the dev server; 0: its own default")
	f.StringVar(&o.data, "data", a.Env(envData), "`folder` the rooms are kept in; default: .symphony here (SYMPHONY_DATA)")
	f.StringVar(&o.stack, "stack", "embedded", "where the data lies: embedded, localstack, or auto")
	f.StringVar(&o.secret, "secret", "", "HS256 `secret` of at least 32 bytes; then connections need a token")
	f.BoolVar(&o.noApp, "no-app", false, "only the rooms, no dev server")
	f.BoolVar(&o.verbose, "verbose", false, "show what the rooms log")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		o.portGiven = cmd.Flags().Changed("port")
		return a.dev(cmd.Context(), o)
	}
	return cmd
}

func (a *App) dev(ctx context.Context, o devOptions) error {
	if !o.noApp {
		if err := a.checkApp(ctx); err != nil {
			return err
		}
	}
	if !o.portGiven && !free(o.port) {
		a.say("Port %d is in use: taking another one for the rooms.", o.port)
		o.port = 0
	}
	if o.data == "" {
		o.data = defaultData
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	var mu sync.Mutex
	rooms := &prefixed{mu: &mu, out: a.Err, prefix: a.dim("rooms │ ")}
	ready := make(chan readyLine, 1)
	ended := make(chan int, 1)
	go func() { ended <- a.runLocal(ctx, o, ready, rooms) }()
	var server readyLine
	select {
	case server = <-ready:
	case <-ended:
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return hint(errors.New("the rooms could not be started (see above)"), "Another folder: --data. Another port: --port. Is another 'symphony dev' running here?")
	}
	a.announceDev(server, o)
	app := make(chan error, 1)
	if !o.noApp {
		go func() { app <- a.runApp(ctx, o, server, &prefixed{mu: &mu, out: a.Out, prefix: a.dim("page  │ ")}) }()
	}
	var err error
	select {
	case <-ctx.Done():
	case <-ended:
		err = errors.New("the rooms stopped (see above)")
		ended <- 0
	case err = <-app:
		if err == nil {
			err = errEnded
		}
		err = fmt.Errorf("the app's dev server: %w", err)
		app <- nil
	}
	stop()
	if !o.noApp {
		<-app
	}
	<-ended
	if err == nil {
		a.say("Stopped.")
	}
	return err
}

// readyLine is what the local stack says when it is ready.
type readyLine struct {
	URL       string `json:"url"`
	WS        string `json:"ws"`
	Data      string `json:"data"`
	Stack     string `json:"stack"`
	Dashboard string `json:"dashboard"`
}

func (a *App) runLocal(ctx context.Context, o devOptions, ready chan<- readyLine, log io.Writer) int {
	in, out := io.Pipe()
	go func() {
		lines := bufio.NewScanner(in)
		for lines.Scan() {
			var r readyLine
			if json.Unmarshal(lines.Bytes(), &r) == nil && r.WS != "" {
				ready <- r
			}
		}
	}()
	level := "warn"
	if o.verbose {
		level = "info"
	}
	args := []string{"--ready-json", "--port", strconv.Itoa(o.port), "--data", a.abs(o.data), "--stack", o.stack, "--log", level, "--pages", filepath.Join(a.Dir, "dist")}
	if o.secret != "" {
		args = append(args, "--secret", o.secret)
	}
	defer out.Close()
	return local.Run(ctx, a.Version, args, out, log)
}

func (a *App) announceDev(r readyLine, o devOptions) {
	a.say("")
	a.say("  %s", a.bold("Symphony is running."))
	a.say("    Rooms      %s", r.WS)
	a.say("    Data       %s (%s)", r.Data, r.Stack)
	if r.Dashboard != "" {
		a.say("    Dashboard  %s", r.Dashboard)
	} else {
		a.say("    Look       symphony rooms list")
	}
	if o.secret != "" {
		a.say("    Let in     those with a token: symphony token")
	}
	a.say("    Stop       Ctrl-C")
	a.say("")
}

// checkApp makes sure that there is an app here and that it is installed.
func (a *App) checkApp(ctx context.Context) error {
	data, err := os.ReadFile(filepath.Join(a.Dir, "package.json"))
	if errors.Is(err, fs.ErrNotExist) {
		return hint(fmt.Errorf("there is no app in %s (no package.json)", a.Dir),
			"Make one with 'symphony compose my-app' and go there, or run only the rooms with --no-app.")
	}
	if err != nil {
		return err
	}
	var p struct {
		Scripts map[string]string `json:"scripts"`
	}
	if err := json.Unmarshal(data, &p); err != nil {
		return fmt.Errorf("package.json: %w", err)
	}
	if p.Scripts["dev"] == "" {
		return hint(errors.New("package.json has no script called dev"), "Add one that starts your dev server, or run only the rooms with --no-app.")
	}
	if err := need("npm", nodeCure); err != nil {
		return err
	}
	if _, err := os.Stat(filepath.Join(a.Dir, "node_modules")); err == nil {
		return nil
	}
	a.say("Installing the app's packages (npm install), which are not there yet.")
	if err := (process{name: "npm", args: []string{"install", "--no-fund", "--no-audit"}, dir: a.Dir, out: a.Err}).run(ctx); err != nil {
		return hint(fmt.Errorf("npm install: %w", err), "See above; run it yourself, then 'symphony dev' again.")
	}
	return ctx.Err()
}

func (a *App) runApp(ctx context.Context, o devOptions, server readyLine, out io.Writer) error {
	args := []string{"run", "--silent", "dev"}
	if o.pagePort != 0 {
		args = append(args, "--", "--port", strconv.Itoa(o.pagePort), "--strictPort")
	}
	env := []string{"VITE_SYMPHONY_URL=" + server.WS}
	if a.Color {
		env = append(env, "FORCE_COLOR=1")
	}
	return process{name: "npm", args: args, dir: a.Dir, env: env, out: out}.run(ctx)
}

// free says whether a loopback port can be listened on.
func free(port int) bool {
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	if err != nil {
		return false
	}
	return l.Close() == nil
}
