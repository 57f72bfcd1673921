package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/symphony-rt/symphony/internal/operate"
	"github.com/symphony-rt/symphony/internal/room"
)

// resource is one thing in the cloud.
type resource struct{ Type, ID string }

// cloud is what destroy asks of AWS.
type cloud interface {
	// Describe returns errNoStage when there is no stack.
	Describe(ctx context.Context, stage string) (awsStage, error)
	Resources(ctx context.Context, stage string) ([]resource, error)
	// Protected says that the stack may not be deleted.
	Protected(ctx context.Context, stage string) (bool, error)
	// Unprotect lets it be deleted.
	Unprotect(ctx context.Context, stage string) error
	// Empty deletes every version of every object, reporting how many are gone.
	Empty(ctx context.Context, bucket string, progress func(n int)) error
	// Delete deletes the stack and waits until it is gone.
	Delete(ctx context.Context, stage string, progress func(event string)) error
	// DeleteSecret deletes the parameter with the stage's secret, if it is there.
	DeleteSecret(ctx context.Context, stage string) error
	// Tagged returns the ARNs of everything with the stage's tag.
	Tagged(ctx context.Context, stage string) ([]string, error)
	// Rooms are the operations on the stage's rooms.
	Rooms(ctx context.Context, s awsStage) (operate.Rooms, error)
}

type destroyOptions struct {
	stageOptions
	keepData, keepSecret bool
	export               string
}

func (a *App) destroyCommand() *cobra.Command {
	var d destroyOptions
	cmd := &cobra.Command{
		Use:   "destroy",
		Short: "Remove a stage from AWS, with everything in it",
		Long: `Shows what will go and asks for the stage's name. Then empties the bucket, deletes the
stack with everything in it and the secret, and asks AWS by tag whether anything is
left. Only stages called dev or dev-… are removed with their data; any other keeps its
table, bucket and logs, and is protected until you say otherwise (docs/DEPLOY.md).`,
		Example: `  symphony destroy
  symphony destroy --stage dev-anna --export rooms/
  symphony destroy --stage dev --keep-data
  symphony destroy --stage dev --yes`,
		Args: cobra.NoArgs,
	}
	o := a.stageFlags(cmd)
	a.sourceFlags(cmd, o)
	f := cmd.Flags()
	f.BoolVar(&o.yes, "yes", false, "do not ask")
	f.BoolVar(&d.keepData, "keep-data", false, "keep table, bucket and logs")
	f.BoolVar(&d.keepSecret, "keep-secret", false, "keep the parameter with the secret")
	f.StringVar(&d.export, "export", "", "write every room to this `folder` first")
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := o.check(cmd); err != nil {
			return err
		}
		d.stageOptions = *o
		c := a.Cloud
		if c == nil {
			cfg, err := a.loadAWS(cmd.Context(), o.region)
			if err != nil {
				return err
			}
			c = &awsCloud{app: a, cfg: cfg}
		}
		return a.destroy(cmd.Context(), c, d)
	}
	return cmd
}

// isDev is infra's rule for stages whose data goes with them.
func isDev(stage string) bool { return stage == devStage || strings.HasPrefix(stage, devStage+"-") }

func (a *App) destroy(ctx context.Context, c cloud, d destroyOptions) error {
	s, err := c.Describe(ctx, d.stage)
	if errors.Is(err, errNoStage) {
		left, terr := c.Tagged(ctx, d.stage)
		if terr == nil && len(left) > 0 {
			return a.leftovers(d, left)
		}
		return errors.Join(err, terr)
	}
	if err != nil {
		return err
	}
	dataGoes := isDev(d.stage) && !d.keepData
	if protected, err := c.Protected(ctx, d.stage); err != nil {
		return err
	} else if protected {
		return hint(fmt.Errorf("the stack %s is protected from deletion", stackName(d.stage)),
			"Turn that off when you are sure:\naws cloudformation update-termination-protection --no-enable-termination-protection --stack-name %s", stackName(d.stage))
	}
	list, err := c.Resources(ctx, d.stage)
	if err != nil {
		return err
	}
	a.showResources(s, list, d, dataGoes)
	if err := a.confirm(d.yes, "Type the stage's name to remove it:", d.stage); err != nil {
		return err
	}
	if d.export != "" {
		if err := a.exportAll(ctx, c, s, d.export); err != nil {
			return hint(fmt.Errorf("export: %w", err), "Nothing was removed.")
		}
	}
	if d.keepData && isDev(d.stage) {
		if err := a.retain(ctx, c, d); err != nil {
			return err
		}
	}
	if dataGoes && s.bucket != "" {
		a.say("Emptying the bucket %s.", s.bucket)
		if err := c.Empty(ctx, s.bucket, func(n int) { a.say("  %d objects and versions deleted", n) }); err != nil {
			return err
		}
	}
	a.say("Deleting the stack %s. This takes some minutes.", stackName(d.stage))
	if err := c.Delete(ctx, d.stage, func(e string) { a.say("  %s", e) }); err != nil {
		return hint(err, "Nothing more was tried. Run it again when the cause is gone: what is deleted already stays so.")
	}
	if !d.keepSecret && dataGoes {
		if err := c.DeleteSecret(ctx, d.stage); err != nil {
			return err
		}
	}
	return a.verifyGone(ctx, c, d, dataGoes)
}

func (a *App) showResources(s awsStage, list []resource, d destroyOptions, dataGoes bool) {
	counts := map[string]int{}
	for _, r := range list {
		counts[r.Type]++
	}
	types := make([]string, 0, len(counts))
	for t := range counts {
		types = append(types, t)
	}
	slices.Sort(types)
	a.say("%s (%s) has %d resources:", a.bold(s.name), s.status, len(list))
	for _, t := range types {
		a.say("  %3d  %s", counts[t], t)
	}
	if dataGoes {
		a.say("%s table %s and bucket %s, with every room, its history and its backups.", a.red("All data goes:"), s.table, s.bucket)
		if !d.keepSecret {
			a.say("The secret in /symphony/%s/secret goes too.", d.stage)
		}
		return
	}
	a.say("The data stays: table %s, bucket %s, logs.", s.table, s.bucket)
}

// retain deploys the stage once more so that its data outlives it.
func (a *App) retain(ctx context.Context, c cloud, d destroyOptions) error {
	a.say("Deploying once more, so that the data outlives the stack.")
	o := d.stageOptions
	o.context = append(slices.Clone(o.context), "retain=true")
	source, err := a.ready(ctx, &o)
	if err != nil {
		return err
	}
	if err := a.make(ctx, source, &o, "deploy"); err != nil {
		return err
	}
	return c.Unprotect(ctx, d.stage)
}

// exportAll writes each room to a file of its own.
func (a *App) exportAll(ctx context.Context, c cloud, s awsStage, folder string) error {
	rooms, err := c.Rooms(ctx, s)
	if err != nil {
		return err
	}
	names, err := rooms.Names(ctx)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(a.abs(folder), 0o755); err != nil {
		return err
	}
	n := 0
	for _, id := range names {
		e, err := rooms.Export(ctx, id, operate.Point{})
		if errors.Is(err, operate.ErrNoRoom) {
			continue // deleted before
		}
		if err != nil {
			return fmt.Errorf("room %s: %w", clean(string(id)), err)
		}
		if err := a.writeFile(filepath.Join(folder, fileName(id)), e.Update, false); err != nil {
			return err
		}
		n++
	}
	a.say("%s written to %s.", plural(n, "room", "rooms"), folder)
	return nil
}

// maxEscaped keeps a file's name within what file systems take (255 bytes).
const maxEscaped = 240

// fileName is the name of a room's file: readable where that is possible, and
// different for different rooms.
func fileName(id room.ID) string {
	name := url.PathEscape(string(id))
	if len(name) > maxEscaped {
		sum := sha256.Sum256([]byte(id))
		name = name[:100] + "-" + hex.EncodeToString(sum[:])
	}
	return name + ".yjs"
}

const (
	// goneTries and gonePause: the tagging API lists what was deleted for a while.
	goneTries = 20
	gonePause = 15 * time.Second
)

// verifyGone asks by tag whether anything is left.
func (a *App) verifyGone(ctx context.Context, c cloud, d destroyOptions, dataGoes bool) error {
	if !dataGoes {
		a.say("%s", a.green("Removed. The data is still there."))
		return nil
	}
	a.say("Asking AWS by tag whether anything is left.")
	var left []string
	for try := 1; ; try++ {
		var err error
		if left, err = c.Tagged(ctx, d.stage); err != nil {
			return hint(fmt.Errorf("the stack is deleted, but AWS does not say whether anything is left: %w", err),
				"Look yourself: aws resourcegroupstaggingapi get-resources --tag-filters Key=symphony:stage,Values=%s", d.stage)
		}
		if len(left) == 0 {
			a.say("%s", a.green("Removed. Nothing is left."))
			return nil
		}
		if try == goneTries {
			return a.leftovers(d, left)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(a.pause(gonePause)):
		}
	}
}

func (a *App) leftovers(d destroyOptions, left []string) error {
	for _, arn := range left {
		fmt.Fprintln(a.Out, arn)
	}
	return hint(fmt.Errorf("%s with the tag of stage %s left", plural(len(left), "resource is", "resources are"), d.stage),
		"Delete them by hand, or look again in some minutes: AWS lists what was deleted for a while.")
}

// pause is d, or nothing in tests.
func (a *App) pause(d time.Duration) time.Duration {
	if a.Cloud != nil || a.Hurry {
		return 0
	}
	return d
}
