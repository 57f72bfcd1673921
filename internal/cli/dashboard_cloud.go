package cli

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/spf13/cobra"

	"github.com/symphony-rt/symphony/internal/dashboard"
	"github.com/symphony-rt/symphony/internal/dashboard/stage"
)

// cloudDashboard serves a deployed stage's dashboard, with the caller's own
// credentials, until Ctrl-C.
func (a *App) cloudDashboard(cmd *cobra.Command, w *where, port int, allow bool) error {
	ctx := cmd.Context()
	if w.stage == stageLocalStack {
		return hint(errors.New("LocalStack has no CloudWatch to show"), "Run the rooms on it: make local STACK=localstack, whose own dashboard measures them.")
	}
	cfg, err := a.loadAWS(ctx, w.region)
	if err != nil {
		return err
	}
	s, err := describe(ctx, cfg, w.stage)
	if err != nil {
		return err
	}
	t, err := a.openStage(ctx, w)
	if err != nil {
		return err
	}
	if !cmd.Flags().Changed("port") && !free(port) {
		a.say("Port %d is in use: taking another one.", port)
		port = 0
	}
	server, err := stage.Serve(ctx, stage.Deployment{
		Config: cfg, Name: w.stage, Stack: stackName(w.stage), Table: s.table, Bucket: s.bucket, WebSocket: s.ws, Operations: t.rooms,
	}, stage.Options{
		Port: port, AllowChanges: allow, Version: a.Version,
		Log: slog.New(slog.NewTextHandler(a.Err, &slog.HandlerOptions{Level: slog.LevelWarn})),
	})
	if errors.Is(err, dashboard.ErrPort) {
		return hint(err, "Choose another one with --port.")
	}
	if err != nil {
		return err
	}
	a.say("The dashboard of %s (Ctrl-C stops it; CloudWatch charges for what it asks while a page is open):", s.name)
	if _, err := fmt.Fprintln(a.Out, server.URL()); err != nil {
		return errors.Join(err, server.Close())
	}
	<-ctx.Done()
	return server.Close()
}
