package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sort"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/symphony-rt/symphony/internal/auth"
	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/rtclient"
	"github.com/symphony-rt/symphony/internal/yjs"
)

func (a *App) roomsWatch(w *where) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "watch <room>",
		Short: "Follow a room live: updates and presence",
		Long: `Joins the room as a reader and prints a line for each update, with what it changed, and
for each change of presence, until Ctrl-C. With --json each line is a JSON object.`,
		Example: `  symphony rooms watch my-board
  symphony rooms watch my-board --stage prod --json | jq 'select(.event == "update")'`,
		Args: cobra.ExactArgs(1),
	}
	f := cmd.Flags()
	url := f.String("url", "", "WebSocket `URL`; default: that of the stage or of the local server")
	token := f.String("token", a.Env(envToken), "access `token`; default: one is signed when the secret is known (SYMPHONY_TOKEN)")
	asJSON := f.Bool("json", false, "print a JSON object for each line")
	limit := f.Int("count", 0, "stop after this `number` of lines; 0: never")
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		id := room.ID(args[0])
		if err := id.Validate(); err != nil {
			return &usageError{err, cmd.CommandPath()}
		}
		if *url != "" {
			return a.watch(cmd.Context(), watching{id: id, url: *url, token: fixed(*token), json: *asJSON, limit: *limit})
		}
		return a.with(cmd.Context(), w, func(t *target) error {
			if t.ws == "" {
				return hint(fmt.Errorf("nothing runs on %s, so there is nothing to watch", t.name), "Start it with 'symphony dev', or say --url.")
			}
			return a.watch(cmd.Context(), watching{id: id, url: t.ws, token: a.tokenFor(t, id, *token), json: *asJSON, limit: *limit})
		})
	}
	return cmd
}

func fixed(token string) func(context.Context) (string, error) {
	if token == "" {
		return nil
	}
	return func(context.Context) (string, error) { return token, nil }
}

// tokenFor signs a reader's token for each connection when the secret is known.
func (a *App) tokenFor(t *target, id room.ID, given string) func(context.Context) (string, error) {
	if given != "" || t.secret == nil {
		return fixed(given)
	}
	return func(ctx context.Context) (string, error) {
		secret, err := t.secret(ctx)
		if err != nil {
			return "", err
		}
		policy, err := auth.NewHS256(secret, systemClock{})
		if err != nil {
			return "", err
		}
		return policy.Sign(operator, map[string]room.Access{string(id): room.AccessRead}, a.Now().Add(time.Hour))
	}
}

type watching struct {
	id    room.ID
	url   string
	token func(context.Context) (string, error)
	json  bool
	limit int
}

// watchLine is a line of `rooms watch --json`.
type watchLine struct {
	At    time.Time       `json:"at"`
	Event string          `json:"event"`
	Seq   uint64          `json:"seq,omitempty"`
	Bytes int             `json:"bytes,omitempty"`
	Roots []string        `json:"roots,omitempty"`
	User  string          `json:"user,omitempty"`
	Name  string          `json:"name,omitempty"`
	Peer  uint64          `json:"client,omitempty"`
	State json.RawMessage `json:"state,omitempty"`
	Text  string          `json:"text,omitempty"`
}

// watcher prints what a client is told. Its methods run one at a time.
type watcher struct {
	a        *App
	w        watching
	doc      *yjs.Doc
	roots    map[string][]byte
	peers    *yjs.Awareness
	names    map[string]string // by connection
	welcomed bool
	lines    int
	stop     context.CancelCauseFunc
	err      error
}

var errEnough = errors.New("enough lines")

func (a *App) watch(ctx context.Context, w watching) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	r := &watcher{a: a, w: w, doc: yjs.NewDoc(), roots: map[string][]byte{}, peers: yjs.NewAwareness(), names: map[string]string{}, stop: stop}
	client, err := rtclient.Dial(ctx, w.url, rtclient.Options{Room: string(w.id), Token: w.token, Events: rtclient.Events{
		OnUpdate: r.update, OnAwareness: r.awareness, OnPeerJoined: r.joined, OnPeerLeft: r.left, OnWelcome: r.welcome,
		OnDisconnect: func(err error) { r.print(watchLine{Event: "disconnected", Text: "connection lost; trying again"}) },
		OnNotice:     func(n *protocol.Notice) { r.print(watchLine{Event: "notice", Text: n.Text}) },
	}})
	if err != nil {
		if errors.Is(err, rtclient.ErrRefused) {
			return hint(err, "The deployment wants a token: give one with --token, or the secret in SYMPHONY_AUTH_SECRET.")
		}
		return err
	}
	defer client.Close()
	select {
	case <-ctx.Done():
	case <-client.Done():
		return client.Err()
	}
	if errors.Is(context.Cause(ctx), errEnough) {
		return r.err
	}
	return nil // Ctrl-C is how one stops watching
}

func (r *watcher) print(l watchLine) {
	if r.err != nil || r.w.limit > 0 && r.lines >= r.w.limit {
		return
	}
	l.At = r.a.Now().UTC()
	if r.w.json {
		var line []byte
		if line, r.err = json.Marshal(l); r.err == nil {
			_, r.err = fmt.Fprintf(r.a.Out, "%s\n", line)
		}
	} else {
		_, r.err = fmt.Fprintf(r.a.Out, "%s  %s\n", r.a.dim(l.At.Local().Format("15:04:05")), r.sentence(l))
	}
	r.lines++
	if r.err != nil || r.w.limit > 0 && r.lines >= r.w.limit {
		r.stop(errEnough)
	}
}

func (r *watcher) sentence(l watchLine) string {
	switch l.Event {
	case "joined", "left":
		return fmt.Sprintf("%-9s %s", l.Event, clean(who(l)))
	case "update":
		what := strings.Join(l.Roots, ", ")
		if what == "" {
			what = "nothing visible"
		}
		return fmt.Sprintf("%-9s %d  %s  changes %s", l.Event, l.Seq, size(int64(l.Bytes)), clean(what))
	case "presence":
		if l.Text != "" {
			return fmt.Sprintf("%-9s %s  %s", l.Event, clean(who(l)), l.Text)
		}
		return fmt.Sprintf("%-9s %s  %s", l.Event, clean(who(l)), clean(shortened(string(l.State), 100)))
	case "document":
		if len(l.Roots) == 0 {
			return fmt.Sprintf("%-9s at update %d, empty", l.Event, l.Seq)
		}
		return fmt.Sprintf("%-9s at update %d, %s: %s", l.Event, l.Seq, size(int64(l.Bytes)), clean(strings.Join(l.Roots, ", ")))
	}
	return fmt.Sprintf("%-9s %s", l.Event, clean(l.Text))
}

func who(l watchLine) string {
	switch {
	case l.Name != "":
		return l.Name
	case l.User != "":
		return l.User
	case l.Peer != 0:
		return fmt.Sprintf("client %d", l.Peer)
	}
	return "somebody anonymous"
}

func shortened(s string, n int) string {
	if r := []rune(s); len(r) > n {
		return string(r[:n]) + "…"
	}
	return s
}

// maxRootText bounds what is compared to say what an update has changed.
const maxRootText = 4 << 20

func (r *watcher) update(seq uint64, update []byte) {
	if err := r.doc.Apply(update); err != nil {
		r.print(watchLine{Event: "error", Text: err.Error()})
		return
	}
	changed := r.changed()
	if r.welcomed {
		r.print(watchLine{Event: "update", Seq: seq, Bytes: len(update), Roots: changed})
	}
}

// changed returns the names of the root types that are not as they were.
func (r *watcher) changed() []string {
	var names []string
	for _, name := range r.doc.Roots() {
		now, err := r.doc.AppendJSON(nil, name)
		if err != nil || len(now) > maxRootText {
			continue
		}
		if !bytes.Equal(now, r.roots[name]) {
			names = append(names, name)
			r.roots[name] = now
		}
	}
	sort.Strings(names)
	return names
}

func (r *watcher) welcome(w *protocol.Welcome) {
	if r.welcomed {
		r.print(watchLine{Event: "connected", Text: "connected again"})
		return
	}
	r.welcomed = true
	r.print(watchLine{Event: "document", Seq: w.Through, Bytes: len(r.doc.Encode()), Roots: r.doc.Roots()})
}

func (r *watcher) awareness(update []byte) {
	change, err := r.peers.Apply(update, r.a.Now())
	if err != nil {
		return
	}
	states := map[uint64]json.RawMessage{}
	for _, s := range r.peers.States() {
		states[s.Client] = s.State
	}
	for _, client := range append(append([]uint64{}, change.Added...), change.Updated...) {
		r.print(watchLine{Event: "presence", Peer: client, Name: nameIn(states[client]), State: states[client]})
	}
	for _, client := range change.Removed {
		r.print(watchLine{Event: "presence", Peer: client, Text: "gone"})
	}
}

// nameIn finds the name that editors put into a presence: user.name, or name.
func nameIn(state json.RawMessage) string {
	var s struct {
		Name string `json:"name"`
		User struct {
			Name string `json:"name"`
		} `json:"user"`
	}
	if json.Unmarshal(state, &s) != nil {
		return ""
	}
	if s.User.Name != "" {
		return s.User.Name
	}
	return s.Name
}

func (r *watcher) joined(p *protocol.PeerJoined) {
	r.names[p.Connection] = who(watchLine{User: p.UserID, Name: p.UserName, Peer: p.Client})
	r.print(watchLine{Event: "joined", User: p.UserID, Name: p.UserName, Peer: p.Client})
}

func (r *watcher) left(p *protocol.PeerLeft) {
	r.print(watchLine{Event: "left", Peer: p.Client, Name: r.names[p.Connection]})
	delete(r.names, p.Connection)
}
