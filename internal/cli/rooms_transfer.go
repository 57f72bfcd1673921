package cli

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/symphony-rt/symphony/internal/room"
)

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
