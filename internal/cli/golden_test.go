package cli

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/local"
	"github.com/symphony-rt/symphony/internal/scaffold"
	"github.com/symphony-rt/symphony/internal/yjs"
)

var update = flag.Bool("update", false, "write the golden transcripts and docs/cli anew")

// terminal runs command lines in a folder of its own and keeps what a person
// would see.
type terminal struct {
	t    *testing.T
	app  App
	home string
	text strings.Builder
}

func newTerminal(t *testing.T) *terminal {
	t.Helper()
	home := t.TempDir()
	env := map[string]string{}
	return &terminal{t: t, home: home, app: App{
		Dir: home, Version: "v1.2.3", Now: time.Now,
		Env: func(name string) string { return env[name] },
	}}
}

// run adds one command line, what it printed and its exit code to the transcript.
func (x *terminal) run(stdin string, args ...string) (stdout string) {
	x.t.Helper()
	var out, both bytes.Buffer
	app := x.app
	app.In, app.Out, app.Err = strings.NewReader(stdin), &tee{&out, &both}, &both
	ctx, cancel := context.WithTimeout(x.t.Context(), time.Minute)
	defer cancel()
	code := app.Run(ctx, args)
	line := "$ symphony"
	for _, a := range args {
		line += " " + quoted(a)
	}
	fmt.Fprintf(&x.text, "%s\n%s", line, both.String())
	if both.Len() > 0 && !strings.HasSuffix(both.String(), "\n") {
		x.text.WriteString("\n")
	}
	if code != 0 {
		fmt.Fprintf(&x.text, "[exit %d]\n", code)
	}
	x.text.WriteString("\n")
	return out.String()
}

type tee struct{ a, b *bytes.Buffer }

func (t *tee) Write(p []byte) (int, error) {
	t.a.Write(p)
	return t.b.Write(p)
}

// What differs from run to run.
var volatile = []struct {
	pattern *regexp.Regexp
	instead string
}{
	{regexp.MustCompile(`\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d+)?( UTC|Z)?`), "<time>"},
	{regexp.MustCompile(`\b\d+ (s|min) ago *`), "<ago>  "},
	{regexp.MustCompile(`127\.0\.0\.1:\d+`), "127.0.0.1:<port>"},
	{regexp.MustCompile(`eyJ[\w-]+\.[\w-]+\.[\w-]+`), "<token>"},
	{regexp.MustCompile(`"epoch": "[0-9a-f]+"`), `"epoch": "<epoch>"`},
	{regexp.MustCompile(`go1\.[0-9.]+, \w+/\w+`), "<go>, <platform>"},
	{regexp.MustCompile(`\d\d:\d\d:\d\d`), "<time>"},
}

// golden compares the transcript with the committed one.
func (x *terminal) golden() {
	x.t.Helper()
	got := strings.ReplaceAll(x.text.String(), x.home, "~")
	for _, v := range volatile {
		got = v.pattern.ReplaceAllString(got, v.instead)
	}
	compare(x.t, filepath.Join("testdata", x.t.Name()+".txt"), got)
}

func compare(t *testing.T, name, got string) {
	t.Helper()
	if *update {
		require.NoError(t, os.MkdirAll(filepath.Dir(name), 0o755))
		require.NoError(t, os.WriteFile(name, []byte(got), 0o644))
		return
	}
	want, err := os.ReadFile(name)
	require.NoError(t, err, "go test ./internal/cli -update writes it")
	require.Equal(t, string(want), got, "go test ./internal/cli -update writes it anew; read the difference")
}

// document makes an update with a text and a map.
func document(t *testing.T, client uint64, text string) string {
	t.Helper()
	u, err := yjs.NewDoc().Transact(client, func(tx *yjs.Tx) error {
		if err := tx.Map("meta").Set("title", "Plan "+fmt.Sprint(client)); err != nil {
			return err
		}
		return tx.Text("text").Insert(0, text)
	})
	require.NoError(t, err)
	return string(u)
}

// serve runs a local server on the terminal's store until stop is called.
func (x *terminal) serve(args ...string) (stop func()) {
	x.t.Helper()
	ctx, cancel := context.WithCancel(x.t.Context())
	done := make(chan int, 1)
	ready := &readyWriter{ready: make(chan struct{})}
	var log bytes.Buffer
	go func() {
		done <- local.Run(ctx, "test", append([]string{"--ready-json", "--port", "0", "--stack", "embedded", "--log", "error", "--dashboard", "off",
			"--data", filepath.Join(x.home, ".symphony")}, args...), ready, &log)
	}()
	select {
	case <-ready.ready:
	case <-done:
		x.t.Fatalf("the local server did not start: %s", log.String())
	}
	return func() {
		cancel()
		require.Zero(x.t, <-done)
	}
}

// listed waits until the directory, which a change feed keeps, has what a list
// is to show.
func (x *terminal) listed(parts ...string) {
	x.t.Helper()
	require.Eventually(x.t, func() bool {
		var out, errs bytes.Buffer
		app := x.app
		app.In, app.Out, app.Err = strings.NewReader(""), &out, &errs
		if app.Run(x.t.Context(), []string{"rooms", "list", "--json"}) != ExitOK {
			return false
		}
		return !slices.ContainsFunc(parts, func(p string) bool { return !strings.Contains(out.String(), p) })
	}, time.Minute, 5*time.Millisecond)
}

type readyWriter struct {
	ready chan struct{}
	told  bool
}

func (r *readyWriter) Write(p []byte) (int, error) {
	if !r.told {
		r.told = true
		close(r.ready)
	}
	return len(p), nil
}

// The life of a room: once while the local server runs, once with the store
// opened by the command, with the same words.
func TestRooms(t *testing.T) {
	for _, how := range []string{"served", "opened"} {
		t.Run(how, func(t *testing.T) {
			x := newTerminal(t)
			stop := x.serve()
			if how == "opened" {
				stop()
				stop = func() {}
			}
			x.run("", "rooms", "list")
			x.run(document(t, 1, "hello"), "rooms", "import", "plan")
			x.run(document(t, 2, "more "), "rooms", "import", "plan")
			x.run(document(t, 2, "more "), "rooms", "import", "plan", "--merge")
			x.run(document(t, 3, "x"), "rooms", "import", "team/ä room", "-", "--json")
			x.run("not a document", "rooms", "import", "broken")
			x.listed(`"updates": 2`, `"updates": 1`)
			x.run("", "rooms", "list", "--sort", "name")
			x.run("", "rooms", "list", "PLAN", "--json")
			x.run("", "rooms", "list", "nothing like it")
			x.run("", "rooms", "show", "plan")
			x.run("", "rooms", "show", "plan", "--seq", "1", "--json")
			x.run("", "rooms", "show", "plan", "--seq", "9")
			x.run("", "rooms", "show", "never")
			x.run("", "rooms", "info", "plan")
			x.run("", "rooms", "export", "plan", "plan.yjs")
			x.run("", "rooms", "export", "plan", "plan.yjs")
			first := x.run("", "rooms", "export", "plan", "copy.yjs", "--force")
			require.Empty(t, first)
			x.run("", "rooms", "import", "copy", "plan.yjs")
			x.run("", "rooms", "export", "copy", "again.yjs")
			a, err := os.ReadFile(filepath.Join(x.home, "plan.yjs"))
			require.NoError(t, err)
			b, err := os.ReadFile(filepath.Join(x.home, "again.yjs"))
			require.NoError(t, err)
			require.Equal(t, a, b, "export and import are byte-true")
			x.run("", "rooms", "restore", "plan", "--seq", "1")
			x.run("", "rooms", "restore", "plan", "--seq", "1", "--yes")
			x.run("", "rooms", "restore", "plan", "--seq", "1", "--yes")
			x.run("", "rooms", "show", "plan", "--json")
			x.run("", "verify")
			x.run("", "verify", "plan", "--json")
			x.run("", "verify", "never")
			x.run("", "rooms", "delete", "copy")
			x.run("", "rooms", "delete", "copy", "--yes")
			x.run("", "rooms", "show", "copy")
			x.listed(`"updates": 3`, `"total": 2`)
			x.run("", "rooms", "list", "--sort", "name", "--limit", "1")
			stop()
			x.golden()
		})
	}
}

// Following a room: what is there, then what changes; presence by name.
func TestWatch(t *testing.T) {
	x := newTerminal(t)
	stop := x.serve()
	x.run("", "rooms", "watch", "plan", "--count", "1")
	x.run(document(t, 1, "hello"), "rooms", "import", "plan")
	x.run("", "rooms", "watch", "plan", "--count", "1", "--json")
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	out := &lineWriter{lines: make(chan string, 16)}
	app := x.app
	app.In, app.Out, app.Err = strings.NewReader(""), out, out
	done := make(chan int, 1)
	go func() { done <- app.Run(ctx, []string{"rooms", "watch", "plan", "--count", "2"}) }()
	require.Contains(t, <-out.lines, "document  at update 1")
	x.run(document(t, 2, "more "), "rooms", "import", "plan", "--merge")
	require.Contains(t, <-out.lines, "update    2  40 B  changes meta, text")
	require.Zero(t, <-done)
	stop()
	x.golden()
}

type lineWriter struct{ lines chan string }

func (l *lineWriter) Write(p []byte) (int, error) { l.lines <- string(p); return len(p), nil }

// What is wrong is said with its cure, and with the exit code for it.
func TestMistakes(t *testing.T) {
	x := newTerminal(t)
	x.run("", "nonsense")
	x.run("", "rooms", "list")
	x.run("", "rooms", "list", "--data", "elsewhere")
	x.run("", "rooms", "list", "--sort", "colour")
	x.run("", "rooms", "list", "--limit", "0")
	x.run("", "rooms", "show")
	x.run("", "rooms", "show", "a", "--at", "whenever")
	x.run("", "rooms", "show", "a", "--at", "1h", "--seq", "3")
	x.run("", "rooms", "restore", "a")
	x.run("", "rooms", "watch", "a")
	x.run("", "token")
	x.run("", "token", "--user", "ada")
	x.run("", "compose", "My App")
	x.run("", "compose", "app", "--template", "game")
	x.run("", "dev")
	x.run("", "deploy", "--stage", "Prod")
	x.run("", "deploy", "--stage", "local")
	x.run("", "deploy", "--source", ".")
	x.run("", "destroy", "--stage", "UPPER")
	x.run("", "cost", "--users", "-1")
	x.run("", "verify", "--flag")
	x.run("", "dashboard")
	x.run("", "dashboard", "--port", "70000")
	x.run("", "dashboard", "--stage", "localstack")
	x.golden()
}

func TestHelp(t *testing.T) {
	x := newTerminal(t)
	x.run("", "--help")
	x.run("", "exit-codes", "--help")
	x.run("", "version")
	x.run("", "rooms", "--help")
	x.golden()
}

func TestToken(t *testing.T) {
	x := newTerminal(t)
	x.app.Env = func(name string) string {
		return map[string]string{envSecret: "0123456789abcdef0123456789abcdef"}[name]
	}
	x.run("", "token", "--user", "ada", "--room", "team-*", "--read")
	x.run("", "token", "--user", "ada", "--name", "Ada", "--ttl", "5m", "--json")
	x.run("", "token", "--user", "ada", "--room", "")
	x.run("", "token", "--user", "ada", "--ttl", "-1s")
	x.golden()
}

func TestCompose(t *testing.T) {
	if _, _, err := scaffold.Client(); err != nil {
		if os.Getenv("SYMPHONY_REQUIRE_ALL") == "1" {
			t.Fatalf("%s: make symphony packs it", err)
		}
		t.Skipf("%s: make symphony packs it", err)
	}
	x := newTerminal(t)
	for _, template := range []string{"whiteboard", "notes", "blank"} {
		x.run("", "compose", "my-"+template, "--template", template)
	}
	x.run("", "compose", "deep/er/app")
	x.run("", "compose", "my-blank")
	require.NoError(t, os.MkdirAll(filepath.Join(x.home, "taken"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(x.home, "taken", "mine"), []byte("x"), 0o600))
	x.run("", "compose", "taken")
	left, err := os.ReadDir(filepath.Join(x.home, "taken"))
	require.NoError(t, err)
	require.Len(t, left, 1, "nothing was written beside what is there")
	x.golden()
}

// docs/cli is what the help says.
func TestPages(t *testing.T) {
	pages := Pages()
	const dir = "../../docs/cli"
	if *update {
		require.NoError(t, os.RemoveAll(dir))
	}
	for name, text := range pages {
		compare(t, filepath.Join(dir, name), text)
	}
	entries, err := os.ReadDir(dir)
	require.NoError(t, err)
	for _, e := range entries {
		_, ok := pages[e.Name()]
		require.True(t, ok, "%s is no command's page any more", e.Name())
	}
}

// Every command says what it does, and those that do something show how.
func TestEveryCommandHasHelp(t *testing.T) {
	a := &App{Env: func(string) string { return "" }}
	walk(a.root(), func(c *cobraCommand) {
		require.NotEmpty(t, c.Short, c.CommandPath())
		if c.Runnable() && !c.HasSubCommands() && !slices.Contains([]string{"completion", "bash", "zsh", "fish", "powershell"}, c.Name()) {
			require.NotEmpty(t, c.Example, "%s has no example", c.CommandPath())
		}
	})
}
