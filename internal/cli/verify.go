package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/symphony-rt/symphony/internal/operate"
	"github.com/symphony-rt/symphony/internal/room"
)

// verification is what `verify --json` prints.
type verification struct {
	OK    bool             `json:"ok"`
	Rooms []operate.Report `json:"rooms"`
}

func (a *App) verifyCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "verify [room]",
		Short: "Check that nothing of a room, or of any room, is lost or damaged",
		Long: `Looks at everything that is stored of a room and compares it with everything else:

  - the snapshot the room's record points to is there and has its checksum
  - the log has no gap and every entry decodes
  - the archive has no gap and every object has its checksum
  - the snapshot is what archive and log give when they are replayed
  - no object lies there that nothing refers to
  - the directory's figures are the truth

Without a room, every room is checked. Nothing is changed. Any doubt is printed, and
the exit code is 1.`,
		Example: `  symphony verify my-board
  symphony verify --stage prod && echo all rooms are whole
  symphony verify --json | jq '.rooms[] | select(.problems != [])'`,
		Args: cobra.MaximumNArgs(1),
	}
	w := a.whereFlags(cmd)
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.with(cmd.Context(), w, func(t *target) error {
			v := verification{OK: true, Rooms: []operate.Report{}}
			check := func(id room.ID) error {
				r, err := t.rooms.Verify(cmd.Context(), id)
				if err != nil {
					return fmt.Errorf("verify %s: %w", clean(string(id)), err)
				}
				v.Rooms = append(v.Rooms, r)
				v.OK = v.OK && r.OK()
				if !*asJSON {
					a.printReport(r)
				}
				return nil
			}
			if err := a.eachRoom(cmd, t, args, check); err != nil {
				return err
			}
			if *asJSON {
				if err := a.printJSON(v); err != nil {
					return err
				}
			}
			if !v.OK {
				if !*asJSON {
					a.say("%s", a.red(fmt.Sprintf("Something is not as it has to be in %s.", doubtful(v.Rooms))))
				}
				return errSilent
			}
			if !*asJSON && len(args) == 0 {
				a.say("%s", a.green(plural(len(v.Rooms), "room is", "rooms are")+" whole."))
			}
			return nil
		})
	}
	return cmd
}

func doubtful(reports []operate.Report) string {
	n := 0
	for _, r := range reports {
		if !r.OK() {
			n++
		}
	}
	return fmt.Sprintf("%d of %s", n, plural(len(reports), "room", "rooms"))
}

// eachRoom calls fn with the room in args, or with every one there is.
func (a *App) eachRoom(cmd *cobra.Command, t *target, args []string, fn func(room.ID) error) error {
	if len(args) > 0 {
		return fn(room.ID(args[0]))
	}
	ids, err := t.rooms.Names(cmd.Context())
	if err != nil {
		return err
	}
	for i, id := range ids {
		if a.Color { // a terminal
			fmt.Fprintf(a.Err, "\r\x1b[K%s", a.dim(fmt.Sprintf("%d of %d  %s", i+1, len(ids), clean(string(id)))))
		}
		err := fn(id)
		if a.Color {
			fmt.Fprint(a.Err, "\r\x1b[K")
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (a *App) printReport(r operate.Report) {
	if r.OK() {
		fmt.Fprintf(a.Out, "%s %s  update %d", a.green("ok"), clean(string(r.Room)), r.Seq)
		for _, c := range r.Checked {
			fmt.Fprintf(a.Out, ", %s", c)
		}
		fmt.Fprintln(a.Out)
		return
	}
	fmt.Fprintf(a.Out, "%s %s  update %d\n", a.red("DOUBT"), clean(string(r.Room)), r.Seq)
	for _, p := range r.Problems {
		fmt.Fprintf(a.Out, "      %s: %s\n", p.Kind, clean(p.What))
	}
}
