package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/symphony-rt/symphony/internal/room"
)

func (a *App) roomsRestore(w *where) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "restore <room> (--seq <number> | --at <time>)",
		Short: "Bring a room's document back to what it was",
		Long: `Makes the document say what it said at a point of its history, as one new edit by the
operator: nothing is taken out of the history, everybody in the room gets it, and
restoring to the point before undoes it.`,
		Example: `  symphony rooms restore my-board --at 10m
  symphony rooms restore my-board --seq 1200 --yes`,
		Args: cobra.ExactArgs(1),
	}
	point := a.pointFlags(cmd)
	yes := cmd.Flags().Bool("yes", false, "do not ask")
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		at, err := point(cmd)
		if err != nil {
			return err
		}
		if at.IsNow() {
			return usagef(cmd, "to when? Say --seq or --at")
		}
		return a.with(cmd.Context(), w, func(t *target) error {
			if err := a.confirm(*yes, fmt.Sprintf("Restore %s in %s? Everybody in it sees it. (yes/no)", clean(args[0]), t.name), "yes"); err != nil {
				return err
			}
			wr, err := t.rooms.Restore(cmd.Context(), room.ID(args[0]), at)
			if err != nil {
				return err
			}
			switch {
			case *asJSON:
				return a.printJSON(wr)
			case wr.Seq == 0:
				a.say("%s already says what it said then: nothing was changed", clean(args[0]))
			default:
				a.say("%s: restored with update %d (%s)", clean(args[0]), wr.Seq, size(int64(wr.Bytes)))
			}
			return nil
		})
	}
	return cmd
}

func (a *App) roomsDelete(w *where) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "delete <room>...",
		Short: "Delete rooms and their history for good",
		Long: `Deletes the document, its snapshots and its log, the archive included. Nothing of it
can be restored afterwards; 'rooms export' keeps a copy. Who is in the room starts
over with an empty one.`,
		Example: "  symphony rooms delete my-board\n  symphony rooms delete a b c --yes",
		Args:    cobra.MinimumNArgs(1),
	}
	yes := cmd.Flags().Bool("yes", false, "do not ask")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.with(cmd.Context(), w, func(t *target) error {
			for _, name := range args {
				d, err := t.rooms.Show(cmd.Context(), room.ID(name))
				if err != nil {
					return err
				}
				if !*yes && a.Interactive {
					a.say("%s in %s: %s, %s, %s here now.", clean(name), t.name, plural(int(d.Seq), "update", "updates"), size(d.Size), plural(len(d.Members), "connection", "connections"))
				}
				if err := a.confirm(*yes, "Type the room's name to delete it for good:", name); err != nil {
					return err
				}
				if err := t.rooms.Delete(cmd.Context(), room.ID(name)); err != nil {
					return err
				}
				a.say("%s: deleted", clean(name))
			}
			return nil
		})
	}
	return cmd
}
