package cli

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/symphony-rt/symphony/internal/auth"
	"github.com/symphony-rt/symphony/internal/room"
)

// maxTokenLife keeps a token that was made by hand from outliving its purpose.
const maxTokenLife = 365 * 24 * time.Hour

func (a *App) tokenCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "token --user <id> [--room <room>]...",
		Short: "Sign an access token, to try a deployment that wants one",
		Long: `Signs a token (JWT, HS256) as your own server would. The secret is read from
SYMPHONY_AUTH_SECRET, or for a deployed stage from its SSM parameter. A room may end
in * for all that begin like that. Put the token where your app asks for it:
new SymphonyClient(url, { token }).`,
		Example: `  symphony token --user ada --room my-board
  symphony token --user ada --room 'team-*' --read --ttl 1h --stage prod
  SYMPHONY_AUTH_SECRET="$(cat secret)" symphony token --user ada --room '*'`,
		Args: cobra.NoArgs,
	}
	w := a.whereFlags(cmd)
	f := cmd.Flags()
	user := f.String("user", "", "`id` of the user (required)")
	name := f.String("name", "", "`name` others see")
	rooms := f.StringArray("room", []string{"*"}, "`room` the token is for; may be repeated; default: all")
	read := f.Bool("read", false, "reading only")
	ttl := f.Duration("ttl", time.Hour, "`time` the token is valid")
	asJSON := jsonFlag(cmd)
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		switch {
		case *user == "":
			return usagef(cmd, "for whom? Say --user <id>")
		case *ttl <= 0 || *ttl > maxTokenLife:
			return usagef(cmd, "--ttl is more than 0 and at most a year (%s)", maxTokenLife)
		}
		secret, err := a.secret(cmd, w)
		if err != nil {
			return err
		}
		access := room.AccessWrite
		if *read {
			access = room.AccessRead
		}
		grants := map[string]room.Access{}
		for _, r := range *rooms {
			if err := room.ID(strings.TrimSuffix(r, "*") + "x").Validate(); err != nil || r == "" {
				return usagef(cmd, "--room %q is no room", r)
			}
			grants[r] = access
		}
		policy, err := auth.NewHS256(secret, systemClock{})
		if err != nil {
			return err
		}
		until := a.Now().Add(*ttl)
		token, err := policy.Sign(room.User{ID: *user, Name: *name}, grants, until)
		if err != nil {
			return err
		}
		if *asJSON {
			return a.printJSON(map[string]any{"token": token, "user": *user, "rooms": grants, "expires": until.UTC().Truncate(time.Second)})
		}
		_, err = fmt.Fprintln(a.Out, token)
		return err
	}
	return cmd
}

// secret finds the secret without opening the deployment's store.
func (a *App) secret(cmd *cobra.Command, w *where) ([]byte, error) {
	if s := a.Env(envSecret); s != "" {
		return parseSecret(s)
	}
	if w.stage == stageLocal || w.stage == stageLocalStack {
		return nil, hint(errors.New("no secret is known"),
			"A local server lets everybody in, with or without a token, unless it was started with --secret.\n"+
				"Then give the same secret in SYMPHONY_AUTH_SECRET. For a deployed stage say --stage <name>.")
	}
	cfg, err := a.loadAWS(cmd.Context(), w.region)
	if err != nil {
		return nil, err
	}
	return stageSecret(cmd.Context(), cfg, w.stage)
}
