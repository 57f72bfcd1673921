// Package cli is the symphony command: create, run, deploy, inspect and remove.
// Commands that work on rooms do so on the local store, on LocalStack and on AWS
// alike; target.go says how each is reached.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

// Exit codes, as `symphony help exit-codes` lists them.
const (
	ExitOK          = 0
	ExitFailed      = 1 // it did not work, or verify has a doubt
	ExitUsage       = 2 // the command line makes no sense
	ExitInterrupted = 130
)

// App is what a command works with: the process around it, replaced in tests.
type App struct {
	In       io.Reader
	Out, Err io.Writer
	// Env reads an environment variable.
	Env func(string) string
	// Dir is the working directory, absolute.
	Dir string
	// Executable is this program's own file.
	Executable string
	// Version is what `symphony version` says.
	Version string
	// Source is the checkout the program was built from, "" when unknown.
	Source string
	Now    func() time.Time
	// Interactive says that somebody can answer questions.
	Interactive bool
	// Cloud is AWS as destroy sees it, for tests; nil: the real one.
	Cloud cloud
	// Hurry leaves out the pauses between two looks at AWS, for tests.
	Hurry bool
	// Color says that Out and Err show colours.
	Color bool
}

// Run runs one command line and returns the exit code.
func (a *App) Run(ctx context.Context, args []string) int {
	root := a.root()
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	var usage *usageError
	switch {
	case err == nil:
		return ExitOK
	case ctx.Err() != nil:
		fmt.Fprintln(a.Err, "symphony: interrupted")
		return ExitInterrupted
	case errors.Is(err, errSilent):
		return ExitFailed
	case errors.As(err, &usage):
		fmt.Fprintf(a.Err, "%s %s\n", a.red("symphony:"), usage.err)
		fmt.Fprintf(a.Err, "  %s %s --help\n", a.dim("see"), usage.command)
		return ExitUsage
	}
	fmt.Fprintf(a.Err, "%s %s\n", a.red("symphony:"), err)
	var h *hinted
	if errors.As(err, &h) {
		for line := range strings.SplitSeq(h.hint, "\n") {
			fmt.Fprintf(a.Err, "  %s\n", line)
		}
	}
	return ExitFailed
}

func (a *App) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "symphony",
		Short: "Make web apps collaborative, without real-time servers",
		Long: `Symphony makes web apps collaborative: rooms, documents and presence, serverless
on AWS or on your own machine.

Begin with 'symphony compose my-app', then 'symphony dev' in it.`,
		SilenceErrors: true, SilenceUsage: true,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetIn(a.In)
	root.SetOut(a.Out)
	root.SetErr(a.Err)
	root.AddGroup(&cobra.Group{ID: groupApp, Title: "Your app:"}, &cobra.Group{ID: groupCloud, Title: "In the cloud:"},
		&cobra.Group{ID: groupRooms, Title: "Rooms:"}, &cobra.Group{ID: groupOther, Title: "More:"})
	for _, c := range []struct {
		group string
		make  func() *cobra.Command
	}{
		{groupApp, a.composeCommand}, {groupApp, a.devCommand},
		{groupCloud, a.deployCommand}, {groupCloud, a.diffCommand}, {groupCloud, a.destroyCommand}, {groupCloud, a.costCommand},
		{groupRooms, a.roomsCommand}, {groupRooms, a.verifyCommand}, {groupRooms, a.tokenCommand}, {groupRooms, a.dashboardCommand},
		{groupOther, a.doctorCommand}, {groupOther, a.loadtestCommand}, {groupOther, a.versionCommand},
	} {
		cmd := c.make()
		cmd.GroupID = c.group
		root.AddCommand(cmd)
	}
	root.SetHelpCommandGroupID(groupOther)
	root.SetCompletionCommandGroupID(groupOther)
	root.AddCommand(exitCodesTopic())
	root.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return &usageError{err, c.CommandPath()} })
	usageArgs(root)
	return root
}

// The groups of `symphony --help`.
const (
	groupApp   = "app"
	groupCloud = "cloud"
	groupRooms = "rooms"
	groupOther = "other"
)

func exitCodesTopic() *cobra.Command {
	return &cobra.Command{
		Use:   "exit-codes",
		Short: "What the exit codes mean",
		Long: `Exit codes of every command:

    0   it worked
    1   it did not work, or 'verify' has found any doubt
    2   the command line makes no sense
  130   interrupted (Ctrl-C)

What a command was asked for goes to standard output, everything else (progress,
questions, errors) to standard error. With --json, standard output is JSON only.
There are no colours when the output is no terminal or NO_COLOR is set.`,
	}
}

// errSilent: it failed, and everything there is to say has been said.
var errSilent = errors.New("failed")

// hinted is an error with what to do about it.
type hinted struct {
	err  error
	hint string
}

func (h *hinted) Error() string { return h.err.Error() }
func (h *hinted) Unwrap() error { return h.err }

func hint(err error, format string, args ...any) error {
	return &hinted{err, fmt.Sprintf(format, args...)}
}

// usageError is a command line that makes no sense.
type usageError struct {
	err     error
	command string
}

func (u *usageError) Error() string { return u.err.Error() }
func (u *usageError) Unwrap() error { return u.err }

func usagef(cmd *cobra.Command, format string, args ...any) error {
	return &usageError{fmt.Errorf(format, args...), cmd.CommandPath()}
}

// usageArgs makes wrong arguments a usage error, everywhere.
func usageArgs(cmd *cobra.Command) {
	if check := cmd.Args; check != nil {
		cmd.Args = func(c *cobra.Command, args []string) error {
			if err := check(c, args); err != nil {
				return &usageError{err, c.CommandPath()}
			}
			return nil
		}
	}
	for _, c := range cmd.Commands() {
		usageArgs(c)
	}
}
