package cli

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/symphony-rt/symphony/internal/local"
	"github.com/symphony-rt/symphony/internal/operate"
)

// defaultDashboard is the dashboard's port unless it is said or in use.
const defaultDashboard = 8788

func (a *App) dashboardCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "dashboard",
		Short: "Watch rooms in the browser",
		Long: `Serves the dashboard on this machine only: overview, rooms, functions and logs, live. It
is read-only unless --allow-changes is said. While a local server runs, it shows its own
dashboard, and this prints where; otherwise the rooms are started for it. For a deployed
stage it is served with your own AWS credentials, and its URL has a token: CloudWatch's
figures, the stage's rooms and logs.`,
		Example: "  symphony dashboard\n  symphony dashboard --port 4000 --allow-changes\n  symphony dashboard --stage prod",
		Args:    cobra.NoArgs,
	}
	w := a.whereFlags(cmd)
	port := cmd.Flags().Int("port", defaultDashboard, "`port` of the dashboard; another one is taken when it is in use, unless you say which")
	allow := cmd.Flags().Bool("allow-changes", false, "let the dashboard delete rooms")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if *port < 0 || *port > 65535 {
			return usagef(cmd, "--port %d is not a port (0 to 65535)", *port)
		}
		if w.stage != stageLocal {
			return a.cloudDashboard(cmd, w, *port, *allow)
		}
		return a.localDashboard(cmd.Context(), w, *port, *allow, cmd.Flags().Changed("port"))
	}
	return cmd
}

func (a *App) localDashboard(ctx context.Context, w *where, port int, allow, given bool) error {
	folder, err := a.dataFolder(w)
	if err != nil {
		return err
	}
	if c, err := operate.ReadControl(folder); err == nil && answers(ctx, c.URL) {
		switch {
		case c.Dashboard == "":
			return hint(errors.New("the local server runs without a dashboard"), "Start it again without --dashboard off.")
		case given || allow:
			return hint(fmt.Errorf("the local server has its dashboard on %s already", c.Dashboard), "Stop it first to choose the port or to allow changes.")
		}
		a.say("The local server runs (process %d) and shows its dashboard on:", c.PID)
		_, err := fmt.Fprintln(a.Out, c.Dashboard)
		return err
	}
	if !given && !free(port) {
		a.say("Port %d is in use: taking another one.", port)
		port = 0
	}
	args := []string{"--port", "0", "--data", folder, "--stack", "embedded", "--log", "warn", "--dashboard", strconv.Itoa(port)}
	if allow {
		args = append(args, "--allow-changes")
	}
	if code := local.Run(ctx, a.Version, args, a.Out, a.Err); code != 0 {
		return errSilent
	}
	return nil
}
