package cli

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/symphony-rt/symphony/internal/operate"
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
