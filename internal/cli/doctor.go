package cli

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/symphony-rt/symphony/internal/operate"
	"github.com/symphony-rt/symphony/internal/scaffold"
)

// finding is one line of `doctor`.
type finding struct {
	What string `json:"what"`
	// State is ok, missing (something works only with it) or wrong.
	State string `json:"state"`
	Found string `json:"found,omitempty"`
	For   string `json:"for,omitempty"`
	Cure  string `json:"cure,omitempty"`
}

func (a *App) doctorCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Look for what is missing on this machine, with the cure",
		Long: `Looks for everything the other commands need: Node and npm for apps, the local store,
the packed client, and for deployments Go, make and AWS credentials. The exit code is 1
when something is wrong that 'compose' and 'dev' need.`,
		Example: "  symphony doctor\n  symphony doctor --json",
		Args:    cobra.NoArgs,
	}
	w := a.whereFlags(cmd)
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		findings := a.examine(cmd.Context(), w)
		sick := false
		for _, f := range findings {
			sick = sick || f.State == "wrong"
		}
		if *asJSON {
			if err := a.printJSON(map[string]any{"ok": !sick, "findings": findings}); err != nil {
				return err
			}
		} else {
			for _, f := range findings {
				a.printFinding(f)
			}
		}
		if sick {
			return errSilent
		}
		return nil
	}
	return cmd
}

func (a *App) printFinding(f finding) {
	mark := a.green("ok     ")
	switch f.State {
	case "missing":
		mark = a.dim("missing")
	case "wrong":
		mark = a.red("WRONG  ")
	}
	fmt.Fprintf(a.Out, "%s  %-14s %s\n", mark, f.What, f.Found)
	if f.State != "ok" {
		if f.For != "" {
			fmt.Fprintf(a.Out, "         for: %s\n", f.For)
		}
		fmt.Fprintf(a.Out, "         cure: %s\n", f.Cure)
	}
}

func (a *App) examine(ctx context.Context, w *where) []finding {
	findings := []finding{a.examineNode(ctx), examineTool(ctx, "npm", "wrong", "compose and dev", nodeCure, "--version")}
	client := finding{What: "client", State: "ok", For: "compose"}
	if name, _, err := scaffold.Client(); err != nil {
		client.State, client.Found, client.Cure = "wrong", err.Error(), "build the program with 'make symphony'"
	} else {
		client.Found = name
	}
	findings = append(findings, client, a.examineStore(ctx, w))
	source := finding{What: "checkout", State: "ok", For: "deploy, diff"}
	if dir, err := a.source(); err != nil {
		source.State, source.Found, source.Cure = "missing", "not found", "git clone Symphony and set SYMPHONY_SOURCE to it, or run the program from there"
	} else {
		source.Found = dir
	}
	findings = append(findings, source,
		examineTool(ctx, "go", "missing", "deploy, diff", "https://go.dev/dl/", "version"),
		examineTool(ctx, "make", "missing", "deploy, diff", "install make with your system's packages", "--version"),
		a.examineAWS(ctx, w))
	return findings
}

// minNode is the first Node the page's bundler runs on.
var minNode = [2]int{20, 19}

func (a *App) examineNode(ctx context.Context) finding {
	f := examineTool(ctx, "node", "wrong", "compose and dev", nodeCure, "--version")
	if f.State != "ok" {
		return f
	}
	parts := strings.SplitN(strings.TrimPrefix(f.Found, "v"), ".", 3)
	if len(parts) < 2 {
		return f
	}
	major, err1 := strconv.Atoi(parts[0])
	minor, err2 := strconv.Atoi(parts[1])
	if err1 == nil && err2 == nil && (major < minNode[0] || major == minNode[0] && minor < minNode[1]) {
		f.State, f.Cure = "wrong", nodeCure
	}
	return f
}

func examineTool(ctx context.Context, name, otherwise, why, cure string, args ...string) finding {
	f := finding{What: name, State: "ok", For: why}
	out, err := exec.CommandContext(ctx, name, args...).Output()
	if err != nil {
		f.State, f.Found, f.Cure = otherwise, "not found", cure
		return f
	}
	f.Found, _, _ = strings.Cut(strings.TrimSpace(string(out)), "\n")
	return f
}

func (a *App) examineStore(ctx context.Context, w *where) finding {
	f := finding{What: "local store", State: "ok", For: "rooms on this machine"}
	folder, err := a.dataFolder(w)
	if err != nil {
		f.State, f.Found, f.Cure = "missing", "none here or above", "'symphony dev' makes one"
		return f
	}
	f.Found = folder
	if c, err := operate.ReadControl(folder); err == nil && answers(ctx, c.URL) {
		f.Found += fmt.Sprintf(", served by process %d on %s", c.PID, c.Page)
		return f
	}
	t, err := a.openEmbedded(ctx, folder)
	if err == nil {
		err = t.close()
	}
	if err != nil {
		f.State, f.Found, f.Cure = "wrong", firstLine(err), "see the message"
		var h *hinted
		if errors.As(err, &h) {
			f.Cure = h.hint
		}
	}
	return f
}

func (a *App) examineAWS(ctx context.Context, w *where) finding {
	f := finding{What: "AWS", State: "ok", For: "deploy, and rooms of deployed stages"}
	cfg, err := a.loadAWS(ctx, w.region)
	if err != nil {
		f.State, f.Found = "missing", firstLine(err)
		var h *hinted
		if errors.As(err, &h) {
			f.Cure = strings.ReplaceAll(h.hint, "\n", " ")
		}
		return f
	}
	f.Found = "credentials found, region " + cfg.Region + " (whether AWS takes them, 'symphony deploy' asks)"
	return f
}
