package cli

import (
	"errors"

	"github.com/spf13/cobra"
)

// cloudDashboard shows a deployed stage.
func (a *App) cloudDashboard(_ *cobra.Command, w *where, _ int, _ bool) error {
	return hint(errors.New("the dashboard of a deployed stage is not in this version"),
		"'symphony rooms list --stage %s' shows its rooms, and CloudWatch has the stack's own dashboard.", w.stage)
}
