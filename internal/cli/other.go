package cli

import (
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/symphony-rt/symphony/loadtest"
)

func (a *App) versionCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "version",
		Short:   "Print the version",
		Example: "  symphony version\n  symphony version --json",
		Args:    cobra.NoArgs,
	}
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(*cobra.Command, []string) error {
		v := a.Version
		if info, ok := debug.ReadBuildInfo(); ok && v == "dev" && info.Main.Version != "" && info.Main.Version != "(devel)" {
			v = info.Main.Version
		}
		if *asJSON {
			return a.printJSON(map[string]string{"version": v, "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH})
		}
		_, err := fmt.Fprintf(a.Out, "symphony %s (%s, %s/%s)\n", v, runtime.Version(), runtime.GOOS, runtime.GOARCH)
		return err
	}
	return cmd
}

func (a *App) loadtestCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "loadtest [flags]",
		Short: "Load a deployment with many users, and measure it",
		Long: `Connects many users to many rooms, lets them edit, and reports latencies, loss and
duplicates. 'symphony loadtest --help' lists the load generator's own flags;
docs/LOADTEST.md explains them.`,
		Example: `  symphony loadtest --users 100 --duration 20s
  symphony loadtest --url wss://….execute-api.eu-central-1.amazonaws.com/dev --users 200 --yes`,
		DisableFlagParsing: true,
		RunE: func(cmd *cobra.Command, args []string) error {
			switch code := loadtest.Main(cmd.Context(), a.ownStack(args), a.In, a.Out, a.Err); code {
			case 0:
				return nil
			case 2:
				return usagef(cmd, "the load generator did not understand its flags")
			default:
				return errSilent
			}
		},
	}
}

// EnvLocalStack makes this program the local stack, with that program's own
// flags: the load generator starts what it measures by a program's name.
const EnvLocalStack = "SYMPHONY_RUN_LOCAL_STACK"

// ownStack lets the load generator start this program as what it measures, unless
// it is told what to measure.
func (a *App) ownStack(args []string) []string {
	for _, arg := range args {
		name, _, _ := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if strings.HasPrefix(arg, "-") && (name == "url" || name == "start" || name == "target" || name == "merge" || name == "help" || name == "h") {
			return args
		}
	}
	if a.Executable == "" {
		return args
	}
	_ = os.Setenv(EnvLocalStack, "1") // it cannot fail with these words
	return append([]string{"--start", a.Executable}, args...)
}
