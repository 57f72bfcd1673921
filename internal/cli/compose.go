package cli

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/symphony-rt/symphony/internal/scaffold"
)

func (a *App) composeCommand() *cobra.Command {
	var lines []string
	for _, t := range scaffold.Templates() {
		lines = append(lines, fmt.Sprintf("  %-12s%s", t.Name, t.Short))
	}
	cmd := &cobra.Command{
		Use:   "compose <name>",
		Short: "Make a new project that runs at once",
		Long: `Makes a folder with a collaborative app: Vite, TypeScript and the client, every version
pinned. Nothing that exists is overwritten.

Templates:
` + strings.Join(lines, "\n"),
		Example: `  symphony compose my-app
  symphony compose my-notes --template notes
  symphony compose /some/where/my-app --template blank`,
		Args: cobra.ExactArgs(1),
	}
	template := cmd.Flags().String("template", "whiteboard", "`what` to begin from: whiteboard, notes or blank")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		t, ok := scaffold.Find(*template)
		if !ok {
			return usagef(cmd, "--template %q is neither whiteboard, notes nor blank", *template)
		}
		if _, err := scaffold.Name(args[0]); err != nil {
			return &usageError{err, cmd.CommandPath()}
		}
		folder := a.abs(args[0])
		err := scaffold.Create(folder, t)
		switch {
		case errors.Is(err, scaffold.ErrNoClient):
			return hint(err, "The client is packed into the program by 'make symphony': build it like that, in a checkout of Symphony.")
		case errors.Is(err, scaffold.ErrExists):
			return hint(err, "Choose another name; compose never writes over what is there.")
		case err != nil:
			return err
		}
		a.say("Made %s from the template %s. Next:", a.bold(args[0]), t.Name)
		fmt.Fprintf(a.Out, "\n  cd %s && npm install\n  %s dev\n\n", quoted(a.relative(folder)), a.self())
		return nil
	}
	return cmd
}

// self is how a person calls this program: by its name if that finds it.
func (a *App) self() string {
	found, err := exec.LookPath("symphony")
	if a.Executable == "" || err == nil && sameFile(found, a.Executable) {
		return "symphony"
	}
	return quoted(a.Executable)
}

func sameFile(x, y string) bool {
	a, err1 := os.Stat(x)
	b, err2 := os.Stat(y)
	return err1 == nil && err2 == nil && os.SameFile(a, b)
}

// relative is how a person in the working directory would write path.
func (a *App) relative(path string) string {
	if r, err := filepath.Rel(a.Dir, path); err == nil && !strings.HasPrefix(r, "..") {
		return r
	}
	return path
}

// quoted makes a path one word of a shell.
func quoted(s string) string {
	if strings.ContainsAny(s, " \t\n'\"\\$&|;<>()*?[]#~`!{}") {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}
