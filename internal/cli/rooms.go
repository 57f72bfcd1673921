package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/symphony-rt/symphony/internal/operate"
	"github.com/symphony-rt/symphony/internal/room"
)

func (a *App) roomsCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "rooms",
		Short: "List, show, watch, export, import, restore and delete rooms",
		Long: `Works on the local store, on LocalStack and on a deployed stage alike: --stage says
where. While a local server runs, it is asked; otherwise the store is opened.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	w := a.whereFlags(cmd)
	cmd.AddCommand(a.roomsList(w), a.roomsShow(w), a.roomsInfo(w), a.roomsWatch(w), a.roomsExport(w), a.roomsImport(w), a.roomsRestore(w), a.roomsDelete(w))
	return cmd
}

func (a *App) roomsList(w *where) *cobra.Command {
	var q operate.Query
	cmd := &cobra.Command{
		Use:   "list [search]",
		Short: "List rooms",
		Example: `  symphony rooms list
  symphony rooms list plan --sort size
  symphony rooms list --active --json | jq -r '.rooms[].room'
  symphony rooms list --stage prod --limit 20`,
		Args: cobra.MaximumNArgs(1),
	}
	f := cmd.Flags()
	f.BoolVar(&q.ActiveOnly, "active", false, "only rooms somebody is in")
	f.StringVar((*string)(&q.Sort), "sort", string(operate.SortLastActive), "`column` to sort by: "+joined(operate.Sorts()))
	f.BoolVar(&q.Reverse, "reverse", false, "sort the other way round")
	f.IntVar(&q.Limit, "limit", 50, "`number` of rooms to show, at most "+strconv.Itoa(operate.MaxPage))
	f.IntVar(&q.Offset, "offset", 0, "`number` of rooms to leave out first")
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			q.Search = args[0]
		}
		if q.Limit < 1 || q.Limit > operate.MaxPage || q.Offset < 0 {
			return usagef(cmd, "--limit is from 1 to %d and --offset not negative", operate.MaxPage)
		}
		if _, err := operate.Select(nil, q, a.Now()); err != nil {
			return usagef(cmd, "--sort %q is none of %s", q.Sort, joined(operate.Sorts()))
		}
		return a.with(cmd.Context(), w, func(t *target) error {
			page, err := t.rooms.List(cmd.Context(), q)
			if err != nil {
				return err
			}
			if *asJSON {
				return a.printJSON(page)
			}
			return a.printRooms(t, page, q)
		})
	}
	return cmd
}

func joined[T ~string](list []T) string {
	parts := make([]string, len(list))
	for i, s := range list {
		parts[i] = string(s)
	}
	return strings.Join(parts, ", ")
}

func (a *App) printRooms(t *target, page operate.Page, q operate.Query) error {
	if len(page.Rooms) == 0 {
		switch {
		case page.Total == 0:
			a.say("No rooms yet in %s. A room begins when somebody joins it.", t.name)
		case page.Matching > 0:
			a.say("None of %s after the first %d.", plural(page.Matching, "room", "rooms"), q.Offset)
		default:
			a.say("None of %s matches.", plural(page.Total, "room", "rooms"))
		}
		return nil
	}
	rows := []string{"ROOM\tUSERS\tLAST ACTIVE\tUPDATES\tSIZE\tLOG"}
	for _, r := range page.Rooms {
		users := "-"
		if r.Active {
			users = strconv.Itoa(r.Connections)
		}
		rows = append(rows, strings.Join([]string{
			clean(string(r.Room)), users, a.ago(r.LastActive), strconv.FormatUint(r.Updates, 10), size(r.Size), size(r.LogBytes),
		}, "\t"))
	}
	if err := a.table(rows...); err != nil {
		return err
	}
	if rest := page.Matching - q.Offset - len(page.Rooms); rest > 0 {
		a.say("%s", a.dim(fmt.Sprintf("… and %d more: --offset %d", rest, q.Offset+len(page.Rooms))))
	}
	return nil
}

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

func (a *App) roomsExport(w *where) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "export <room> [file]",
		Short: "Write a room's document to a file, as one Yjs update",
		Long: `Writes the whole document as one Yjs update (version 1), which any Yjs program can
apply. The same document gives the same bytes. Without a file, or with "-", it goes
to standard output.`,
		Example: `  symphony rooms export my-board my-board.yjs
  symphony rooms export my-board --stage prod | symphony rooms import my-board-copy
  symphony rooms export my-board before.yjs --at 1h`,
		Args: cobra.RangeArgs(1, 2),
	}
	point := a.pointFlags(cmd)
	force := cmd.Flags().Bool("force", false, "replace the file if there is one")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		at, err := point(cmd)
		if err != nil {
			return err
		}
		return a.with(cmd.Context(), w, func(t *target) error {
			e, err := t.rooms.Export(cmd.Context(), room.ID(args[0]), at)
			if err != nil {
				return err
			}
			if len(args) == 1 || args[1] == "-" {
				if a.Color { // a terminal
					return hint(errors.New("an export is binary: it is not written to a terminal"), "Name a file, or pipe it.")
				}
				_, err = a.Out.Write(e.Update)
				return err
			}
			if err := a.writeFile(args[1], e.Update, *force); err != nil {
				return err
			}
			a.say("%s: %s through update %d, %s", args[1], clean(args[0]), e.Seq, size(int64(len(e.Update))))
			return nil
		})
	}
	return cmd
}

func (a *App) writeFile(name string, data []byte, force bool) error {
	mode := os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if force {
		mode = os.O_WRONLY | os.O_CREATE | os.O_TRUNC
	}
	f, err := os.OpenFile(a.abs(name), mode, 0o644)
	if errors.Is(err, os.ErrExist) {
		return hint(fmt.Errorf("%s exists", name), "Say --force to replace it.")
	}
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

func (a *App) roomsImport(w *where) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "import <room> [file]",
		Short: "Put a document from a file into a room",
		Long: `Reads one Yjs update (version 1), such as 'rooms export' writes, and adds it to the
room as one edit: everybody who is in the room gets it. The room has to be empty
or new unless --merge is said. Without a file, or with "-", standard input is read.`,
		Example: `  symphony rooms import my-board my-board.yjs
  symphony rooms import my-board more.yjs --merge`,
		Args: cobra.RangeArgs(1, 2),
	}
	merge := cmd.Flags().Bool("merge", false, "add to what the room holds already")
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		data, err := a.readInput(args[1:])
		if err != nil {
			return err
		}
		return a.with(cmd.Context(), w, func(t *target) error {
			wr, err := t.rooms.Import(cmd.Context(), room.ID(args[0]), data, *merge)
			if err != nil {
				return err
			}
			if *asJSON {
				return a.printJSON(wr)
			}
			a.say("%s: %s stored as update %d", clean(args[0]), size(int64(wr.Bytes)), wr.Seq)
			return nil
		})
	}
	return cmd
}

// readInput reads the named file, or standard input; never more than an update
// may have.
func (a *App) readInput(args []string) ([]byte, error) {
	in := a.In
	if len(args) > 0 && args[0] != "-" {
		f, err := os.Open(a.abs(args[0]))
		if err != nil {
			return nil, err
		}
		defer f.Close()
		in = f
	} else if a.Interactive {
		return nil, hint(errors.New("no file was named, and nothing is piped in"), "symphony rooms import <room> <file>")
	}
	data, err := io.ReadAll(io.LimitReader(in, room.MaxUpdateBytes+1))
	if err == nil && len(data) > room.MaxUpdateBytes {
		err = fmt.Errorf("more than %s: one update has at most that", size(room.MaxUpdateBytes))
	}
	return data, err
}

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
