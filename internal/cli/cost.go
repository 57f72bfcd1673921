package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/symphony-rt/symphony/internal/cost"
)

// costLine is one line of `cost --json`.
type costLine struct {
	Unit   string  `json:"unit"`
	Used   float64 `json:"used"`
	Amount float64 `json:"amount"`
}

func (a *App) costCommand() *cobra.Command {
	p := cost.Profile{Name: "asked for", Users: 100, Room: 4, Hours: 160, Edits: 0.1, Presences: 0.2}
	cmd := &cobra.Command{
		Use:   "cost",
		Short: "Say what a load costs on AWS",
		Long: `Computes the month's bill of a load from the units each action is metered by (what the
code asks of AWS, counted by tests) and AWS's published prices. It is a model and asks
nobody: docs/COST.md names its assumptions. Free tiers are left out.`,
		Example: `  symphony cost --users 500 --hours 160
  symphony cost --users 20000 --room 4 --edits 0.1 --presence 0.2 --hours 1 --json`,
		Args: cobra.NoArgs,
	}
	f := cmd.Flags()
	f.Float64Var(&p.Users, "users", p.Users, "`people` connected at the same time")
	f.Float64Var(&p.Room, "room", p.Room, "`people` in a room")
	f.Float64Var(&p.Hours, "hours", p.Hours, "`hours` a month they are there")
	f.Float64Var(&p.Edits, "edits", p.Edits, "edits a second, of each")
	f.Float64Var(&p.Presences, "presence", p.Presences, "presence updates a second, of each")
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := p.Validate(); err != nil {
			return usagef(cmd, "that is no load: at least one person, rooms no larger than everybody, up to 744 hours a month, no negative rates")
		}
		list, err := cost.Published()
		if err != nil {
			return err
		}
		use := cost.Default.Use(p)
		total := list.Total(use)
		if *asJSON {
			lines := []costLine{}
			for _, l := range list.Bill(use) {
				lines = append(lines, costLine{list.Prices[l.Unit].Unit, l.Used, l.Amount})
			}
			return a.printJSON(map[string]any{"currency": list.Currency, "month": total, "person": total / p.Users, "lines": lines})
		}
		fmt.Fprintf(a.Out, "%.0f people, %.0f in a room, %.0f hours a month, each %g edits and %g presence updates a second:\n\n", p.Users, p.Room, p.Hours, p.Edits, p.Presences)
		for _, l := range list.Bill(use) {
			fmt.Fprintf(a.Out, "%16.0f  %-42s %10.2f %s\n", l.Used, list.Prices[l.Unit].Unit, l.Amount, list.Currency)
		}
		_, err = fmt.Fprintf(a.Out, "%16s  %-42s %10.2f %s, %.4f for each person\n", "", a.bold("a month"), total, list.Currency, total/p.Users)
		return err
	}
	return cmd
}
