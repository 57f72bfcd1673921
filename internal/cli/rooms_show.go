package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/symphony-rt/symphony/internal/operate"
	"github.com/symphony-rt/symphony/internal/room"
)

// pointFlags adds --seq and --at.
func (a *App) pointFlags(cmd *cobra.Command) func(cmd *cobra.Command) (operate.Point, error) {
	seq := cmd.Flags().Uint64("seq", 0, "as it was after this update `number`")
	at := cmd.Flags().String("at", "", "as it was at this `time`: 2026-11-25T14:03:00Z, 14:03 (today, here), or 10m (ago)")
	return func(cmd *cobra.Command) (operate.Point, error) {
		p := operate.Point{Seq: room.Seq(*seq)}
		if cmd.Flags().Changed("seq") && *at != "" {
			return p, usagef(cmd, "--seq and --at are two ways to say the same: choose one")
		}
		if cmd.Flags().Changed("seq") && *seq == 0 {
			return p, usagef(cmd, "--seq begins at 1")
		}
		if *at != "" {
			t, err := parseTime(*at, a.Now())
			if err != nil {
				return p, usagef(cmd, "--at %q is no time: 2026-11-25T14:03:00Z, 14:03 (today, here), or 10m (ago)", *at)
			}
			p.At = t
		}
		return p, nil
	}
}

func parseTime(s string, now time.Time) (time.Time, error) {
	if d, err := time.ParseDuration(s); err == nil && d > 0 {
		return now.Add(-d).UTC(), nil
	}
	for _, layout := range []string{"15:04", "15:04:05"} {
		if t, err := time.ParseInLocation(layout, s, now.Location()); err == nil {
			y, m, d := now.Date()
			return time.Date(y, m, d, t.Hour(), t.Minute(), t.Second(), 0, now.Location()).UTC(), nil
		}
	}
	for _, layout := range []string{time.DateTime, "2006-01-02T15:04:05", "2006-01-02 15:04", time.DateOnly} {
		if t, err := time.ParseInLocation(layout, s, now.Location()); err == nil {
			return t.UTC(), nil
		}
	}
	t, err := time.Parse(time.RFC3339Nano, s)
	return t.UTC(), err
}

func (a *App) roomsShow(w *where) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "show <room>",
		Short: "Print a room's document as JSON",
		Long: `Prints the document as one JSON object with a member for each of its root types
(texts as strings, maps as objects, lists as arrays). Use 'rooms info' for who is
in the room and how it is stored.`,
		Example: `  symphony rooms show my-board
  symphony rooms show my-board --at 10m      # as it was ten minutes ago
  symphony rooms show my-board --json | jq .todos   # on one line`,
		Args: cobra.ExactArgs(1),
	}
	point := a.pointFlags(cmd)
	asJSON := cmd.Flags().Bool("json", false, "on one line, without indentation")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		at, err := point(cmd)
		if err != nil {
			return err
		}
		return a.with(cmd.Context(), w, func(t *target) error {
			doc, err := t.rooms.Document(cmd.Context(), room.ID(args[0]), at)
			if err != nil {
				return err
			}
			var out bytes.Buffer
			if *asJSON {
				err = json.Compact(&out, doc)
			} else {
				err = json.Indent(&out, doc, "", "  ")
			}
			if err != nil {
				return err
			}
			_, err = fmt.Fprintln(a.Out, out.String())
			return err
		})
	}
	return cmd
}

func (a *App) roomsInfo(w *where) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "info <room>",
		Short:   "Show who is in a room and how it is stored",
		Example: "  symphony rooms info my-board\n  symphony rooms info my-board --json",
		Args:    cobra.ExactArgs(1),
	}
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		return a.with(cmd.Context(), w, func(t *target) error {
			d, err := t.rooms.Show(cmd.Context(), room.ID(args[0]))
			if err != nil {
				return err
			}
			if *asJSON {
				return a.printJSON(d)
			}
			return a.printDetail(d)
		})
	}
	return cmd
}

func (a *App) printDetail(d operate.Detail) error {
	row := func(name, format string, args ...any) string { return name + "\t" + fmt.Sprintf(format, args...) }
	rows := []string{
		row("Room", "%s", clean(string(d.Room))),
		row("Created", "%s", stamp(d.Created)),
		row("Last active", "%s", a.ago(d.LastActive)),
		row("Updates", "%d", d.Seq),
		row("Size", "%s", size(d.Size)),
	}
	if s := d.Snapshot; s != nil {
		rows = append(rows, row("Snapshot", "through update %d, %s, %s", s.Seq, size(s.Size), stamp(d.LastCheckpoint)))
	} else {
		rows = append(rows, row("Snapshot", "none yet"))
	}
	rows = append(rows,
		row("Log", "%s, %s; %s", plural(d.LogEntries, "entry", "entries"), size(d.LogBytes), d.State),
		row("Archive", "%s", plural(len(d.Archives), "object", "objects")),
		row("History", "can be restored from update %d on", d.Restorable))
	if len(d.Denied) > 0 {
		rows = append(rows, row("Denied", "%s", clean(strings.Join(d.Denied, ", "))))
	}
	rows = append(rows, row("Here now", "%s", plural(len(d.Members), "connection", "connections")))
	if err := a.table(rows...); err != nil {
		return err
	}
	if len(d.Members) == 0 {
		return nil
	}
	fmt.Fprintln(a.Out)
	members := []string{"CONNECTION\tUSER\tNAME\tMAY\tSINCE"}
	for _, m := range d.Members {
		user := m.User
		if user == "" {
			user = "(anonymous)"
		}
		members = append(members, strings.Join([]string{
			clean(string(m.Connection)), clean(user), clean(m.Name), string(m.Access), a.ago(m.ConnectedAt),
		}, "\t"))
	}
	return a.table(members...)
}

func stamp(t time.Time) string {
	if t.IsZero() {
		return "never"
	}
	return t.UTC().Format("2006-01-02 15:04:05 UTC")
}
