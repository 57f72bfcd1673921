package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"
)

// devStage is the stage that deploy, diff and destroy mean unless told otherwise.
const devStage = "dev"

var stagePattern = regexp.MustCompile(`^[a-z][a-z0-9-]{0,29}$`)

// stageOptions are what the commands in the cloud share.
type stageOptions struct {
	stage, region, source string
	context               []string
	yes                   bool
}

func (a *App) stageFlags(cmd *cobra.Command) *stageOptions {
	o := &stageOptions{}
	stage := a.Env(envStage)
	if stage == "" || stage == stageLocal || stage == stageLocalStack {
		stage = devStage
	}
	f := cmd.Flags()
	f.StringVar(&o.stage, "stage", stage, "`name` of the deployment (SYMPHONY_STAGE)")
	f.StringVar(&o.region, "region", "", "AWS `region`; default: that of your AWS configuration")
	return o
}

func (a *App) sourceFlags(cmd *cobra.Command, o *stageOptions) {
	cmd.Flags().StringVar(&o.source, "source", a.Env(envSource), "`folder` of the checkout of Symphony to deploy; default: the one this program was built in (SYMPHONY_SOURCE)")
	cmd.Flags().StringArrayVarP(&o.context, "context", "c", nil, "`key=value` option of the deployment (docs/DEPLOY.md); may be repeated")
}

func (o *stageOptions) check(cmd *cobra.Command) error {
	if o.stage == stageLocal || o.stage == stageLocalStack {
		return usagef(cmd, "--stage %s is on this machine: there is nothing to deploy", o.stage)
	}
	if !stagePattern.MatchString(o.stage) {
		return usagef(cmd, "--stage %q: a letter, then letters, digits and '-', all lower case, at most 30", o.stage)
	}
	for _, c := range o.context {
		if !strings.Contains(c, "=") || strings.ContainsAny(c, " \t\n'\"\\$`") {
			return usagef(cmd, "-c %q is no key=value", c)
		}
	}
	return nil
}

// source finds the checkout of Symphony: what was named, where the program lies,
// the working directory or above, where the program was built.
func (a *App) source() (string, error) {
	if dir := a.Env(envSource); dir != "" {
		if !isCheckout(dir) {
			return "", fmt.Errorf("SYMPHONY_SOURCE: %s is no checkout of Symphony", dir)
		}
		return dir, nil
	}
	for _, from := range []string{filepath.Dir(a.Executable), a.Dir} {
		for dir := from; dir != "" && dir != "."; dir = filepath.Dir(dir) {
			if isCheckout(dir) {
				return dir, nil
			}
			if dir == filepath.Dir(dir) {
				break
			}
		}
	}
	if a.Source != "" && isCheckout(a.Source) {
		return a.Source, nil
	}
	return "", hint(errors.New("the checkout of Symphony was not found"),
		"git clone it, and say where with --source or SYMPHONY_SOURCE: the functions and the stack are built from it.")
}

func isCheckout(dir string) bool {
	data, err := os.ReadFile(filepath.Join(dir, "go.mod"))
	if err != nil || !strings.HasPrefix(string(data), "module github.com/symphony-rt/symphony\n") {
		return false
	}
	_, err = os.Stat(filepath.Join(dir, "infra", "cdk.json"))
	return err == nil
}

func (a *App) deployCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "deploy",
		Short: "Deploy the rooms to your AWS account",
		Long: `Looks first whether everything is there (tools, credentials, region, CDK's bootstrap,
the secret), and says of each missing thing how to get it. Then builds the functions,
deploys the stack, prints the URL, and writes it to .env.local of the app in this
folder, where its next build reads it (VITE_SYMPHONY_URL).`,
		Example: `  symphony deploy
  symphony deploy --stage prod -c alarmEmail=ops@example.com --yes
  symphony deploy -c auth=open       # a demo: everybody may write`,
		Args: cobra.NoArgs,
	}
	o := a.stageFlags(cmd)
	a.sourceFlags(cmd, o)
	cmd.Flags().BoolVar(&o.yes, "yes", false, "do not ask")
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := o.check(cmd); err != nil {
			return err
		}
		return a.deploy(cmd.Context(), o, *asJSON)
	}
	return cmd
}

func (a *App) diffCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:     "diff",
		Short:   "Show what a deployment would change",
		Example: "  symphony diff\n  symphony diff --stage prod -c alarmEmail=ops@example.com",
		Args:    cobra.NoArgs,
	}
	o := a.stageFlags(cmd)
	a.sourceFlags(cmd, o)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		if err := o.check(cmd); err != nil {
			return err
		}
		source, err := a.ready(cmd.Context(), o)
		if err != nil {
			return err
		}
		return a.make(cmd.Context(), source, o, "diff")
	}
	return cmd
}

// ready looks whether a deployment can begin, and returns the checkout.
func (a *App) ready(ctx context.Context, o *stageOptions) (string, error) {
	source, err := a.sourceOf(o)
	if err != nil {
		return "", err
	}
	for _, tool := range [][2]string{{"go", "Install Go: https://go.dev/dl/"}, {"make", "Install make with your system's packages."}, {"npm", nodeCure}, {"node", nodeCure}} {
		if err := need(tool[0], tool[1]); err != nil {
			return "", err
		}
	}
	if f := a.examineNode(ctx); f.State != "ok" {
		return "", hint(fmt.Errorf("node is %s", f.Found), "%s", f.Cure)
	}
	if _, err := a.loadAWS(ctx, o.region); err != nil {
		return "", err
	}
	a.say("Looking at your AWS account: credentials, region, bootstrap, secret.")
	args := append([]string{"run", "./cmd/deployment", "check"}, o.cdk()...)
	check := process{name: "go", args: args, dir: filepath.Join(source, "infra"), env: o.env(), out: a.Err}
	if err := check.run(ctx); err != nil {
		return "", hint(errors.New("not ready to deploy (see above)"), "'make bootstrap' runs in %s.", source)
	}
	return source, ctx.Err()
}

func (a *App) sourceOf(o *stageOptions) (string, error) {
	if o.source == "" {
		return a.source()
	}
	dir := a.abs(o.source)
	if !isCheckout(dir) {
		return "", hint(fmt.Errorf("%s is no checkout of Symphony", o.source), "Name the folder that has Symphony's go.mod and infra.")
	}
	return dir, nil
}

// cdk returns the options as the CDK app and its preflight take them, as the
// Makefile does.
func (o *stageOptions) cdk() []string {
	args := []string{"-c", "stage=" + o.stage}
	secret := true
	for _, c := range o.context {
		args = append(args, "-c", c)
		secret = secret && !strings.HasPrefix(c, "auth=") && !strings.HasPrefix(c, "secretParameter=")
	}
	if secret {
		args = append(args, "-c", "secretParameter=/symphony/"+o.stage+"/secret")
	}
	return args
}

func (o *stageOptions) env() []string {
	if o.region == "" {
		return nil
	}
	return []string{"AWS_REGION=" + o.region, "AWS_DEFAULT_REGION=" + o.region}
}

func (a *App) make(ctx context.Context, source string, o *stageOptions, target string) error {
	args := []string{"--no-print-directory", target, "STAGE=" + o.stage, "CDK_CONTEXT=" + strings.Join(o.context, " ")}
	if err := (process{name: "make", args: args, dir: source, env: o.env(), out: a.Err}).run(ctx); err != nil {
		return hint(fmt.Errorf("make %s: %w", target, err), "See above. CloudFormation rolls a failed deployment back by itself.")
	}
	return ctx.Err()
}

// deployed is what `deploy --json` prints.
type deployed struct {
	Stage  string `json:"stage"`
	Region string `json:"region"`
	URL    string `json:"url"`
	Table  string `json:"table"`
	Bucket string `json:"bucket"`
	Env    string `json:"env,omitempty"`
}

func (a *App) deploy(ctx context.Context, o *stageOptions, asJSON bool) error {
	source, err := a.ready(ctx, o)
	if err != nil {
		return err
	}
	if err := a.confirm(o.yes, fmt.Sprintf("Deploy stage %s there? (yes/no)", o.stage), "yes"); err != nil {
		return err
	}
	if err := a.make(ctx, source, o, "deploy"); err != nil {
		return err
	}
	cfg, err := a.loadAWS(ctx, o.region)
	if err != nil {
		return err
	}
	s, err := describe(ctx, cfg, o.stage)
	if err != nil {
		return err
	}
	return a.deployed(deployed{Stage: o.stage, Region: cfg.Region, URL: s.ws, Table: s.table, Bucket: s.bucket}, asJSON)
}

// deployed tells where the rooms are: the person, and the app in this folder.
func (a *App) deployed(d deployed, asJSON bool) error {
	wrote, err := writeEnv(a.Dir, d.URL)
	if err != nil {
		return fmt.Errorf("deployed to %s, but: %w", d.URL, err)
	}
	if wrote {
		d.Env = filepath.Join(a.Dir, envFile)
	}
	if asJSON {
		return a.printJSON(d)
	}
	a.say("%s", a.green("Deployed."))
	fmt.Fprintf(a.Out, "  Rooms    %s\n  Stage    %s in %s\n", d.URL, d.Stage, d.Region)
	if d.Env != "" {
		fmt.Fprintf(a.Out, "  Written  %s=%s to %s\n", envURL, d.URL, envFile)
		a.say("Build the app with it: npm run build. Try a token: symphony token --user me --stage %s", d.Stage)
	}
	return nil
}

const (
	envFile = ".env.local"
	envURL  = "VITE_SYMPHONY_URL"
)

// writeEnv puts the URL into the app's .env.local, beside what is there. false
// when there is no app in dir.
func writeEnv(dir, url string) (bool, error) {
	if _, err := os.Stat(filepath.Join(dir, "package.json")); errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	name := filepath.Join(dir, envFile)
	data, err := os.ReadFile(name)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return false, err
	}
	var lines []string
	for line := range strings.Lines(string(data)) {
		if !strings.HasPrefix(strings.TrimSpace(line), envURL+"=") {
			lines = append(lines, strings.TrimRight(line, "\n"))
		}
	}
	lines = append(lines, envURL+"="+url)
	return true, os.WriteFile(name, []byte(strings.Join(lines, "\n")+"\n"), 0o600)
}
