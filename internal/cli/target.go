package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/symphony-rt/symphony/internal/operate"
	"github.com/symphony-rt/symphony/internal/pebblestore"
	"github.com/symphony-rt/symphony/internal/room"
)

// The stages that are not on AWS.
const (
	stageLocal      = "local"
	stageLocalStack = "localstack"
)

// Variables the CLI reads beside those of the AWS SDK.
const (
	envStage      = "SYMPHONY_STAGE"
	envData       = "SYMPHONY_DATA"
	envSecret     = "SYMPHONY_AUTH_SECRET"
	envToken      = "SYMPHONY_TOKEN"
	envSource     = "SYMPHONY_SOURCE"
	envLocalStack = "LOCALSTACK_ENDPOINT"
	defaultData   = ".symphony"
)

// where says which deployment a command works on.
type where struct{ stage, data, region string }

func (a *App) whereFlags(cmd *cobra.Command) *where {
	w := &where{}
	stage := a.Env(envStage)
	if stage == "" {
		stage = stageLocal
	}
	f := cmd.PersistentFlags()
	f.StringVar(&w.stage, "stage", stage, "`where` the rooms are: local, localstack, or the name of a deployed stage (SYMPHONY_STAGE)")
	f.StringVar(&w.data, "data", a.Env(envData), "`folder` of the local store; default: .symphony here or in a folder above (SYMPHONY_DATA)")
	f.StringVar(&w.region, "region", "", "AWS `region`; default: that of your AWS configuration")
	return w
}

// target is an open deployment.
type target struct {
	rooms operate.Rooms
	// name says to a person what this is.
	name string
	// ws is where clients connect, "" when nothing runs there.
	ws string
	// secret signs tokens; nil when it is not known, or none is needed.
	secret func(ctx context.Context) ([]byte, error)
	close  func() error
}

func (a *App) open(ctx context.Context, w *where) (*target, error) {
	var t *target
	var err error
	switch w.stage {
	case stageLocal:
		t, err = a.openLocal(ctx, w)
	case stageLocalStack:
		t, err = a.openLocalStack(ctx, w)
	default:
		t, err = a.openStage(ctx, w)
	}
	if err != nil {
		return nil, err
	}
	if s := a.Env(envSecret); s != "" {
		t.secret = func(context.Context) ([]byte, error) { return parseSecret(s) }
	}
	return t, nil
}

// with opens the target for fn and closes it.
func (a *App) with(ctx context.Context, w *where, fn func(t *target) error) error {
	t, err := a.open(ctx, w)
	if err != nil {
		return err
	}
	err = fn(t)
	if t.close != nil {
		err = errors.Join(err, t.close())
	}
	return explain(err)
}

// explain adds a cure to the errors of rooms that have one.
func explain(err error) error {
	var h *hinted
	switch {
	case err == nil, errors.As(err, &h):
		return err
	case errors.Is(err, operate.ErrNoRoom):
		return hint(err, "'symphony rooms list' shows those there are. --stage says where to look.")
	case errors.Is(err, operate.ErrNotEmpty):
		return hint(err, "Choose another name, or say --merge to add to what is there.")
	case errors.Is(err, operate.ErrPoint):
		return hint(err, "'symphony rooms info' shows where its history begins and ends.")
	}
	return err
}

// dataFolder finds the folder of the local store: the one that was named, or
// .symphony here or above, as git finds its own.
func (a *App) dataFolder(w *where) (string, error) {
	if w.data != "" {
		return a.abs(w.data), nil
	}
	for dir := a.Dir; ; dir = filepath.Dir(dir) {
		folder := filepath.Join(dir, defaultData)
		if info, err := os.Stat(folder); err == nil && info.IsDir() {
			return folder, nil
		}
		if dir == filepath.Dir(dir) {
			return "", hint(fmt.Errorf("there is no local store (%s) in %s or above it", defaultData, a.Dir),
				"Start one with 'symphony dev' (or 'make local'), name its folder with --data, or look in the cloud with --stage <name>.")
		}
	}
}

func (a *App) abs(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(a.Dir, path)
}

// openLocal reaches the server that has the store, or opens the store itself
// when none runs.
func (a *App) openLocal(ctx context.Context, w *where) (*target, error) {
	folder, err := a.dataFolder(w)
	if err != nil {
		return nil, err
	}
	c, err := operate.ReadControl(folder)
	switch {
	case errors.Is(err, operate.ErrNotRunning):
	case err != nil:
		return nil, err
	case answers(ctx, c.URL):
		return &target{rooms: operate.NewRemote(c.URL, c.Token), name: "the local server on " + c.Page, ws: c.WS}, nil
	}
	return a.openEmbedded(ctx, folder)
}

// answers says whether anything listens at a loopback URL: after kill -9 the
// control file stays behind.
func answers(ctx context.Context, raw string) bool {
	u, err := url.Parse(raw)
	if err != nil {
		return false
	}
	d := net.Dialer{Timeout: time.Second}
	conn, err := d.DialContext(ctx, "tcp", u.Host)
	if err != nil {
		return false
	}
	return conn.Close() == nil
}

// nobody is the gateway of a store that no server has open: no one is connected.
type nobody struct{}

func (nobody) Post(context.Context, []room.ConnectionID, []byte) []room.Failure { return nil }
func (nobody) Disconnect(context.Context, room.ConnectionID) error              { return nil }

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now().UTC() }

var operator = room.User{ID: "symphony-operator", Name: "Operator"}

func (a *App) openEmbedded(ctx context.Context, folder string) (*target, error) {
	if _, err := os.Stat(filepath.Join(folder, "symphony.json")); errors.Is(err, fs.ErrNotExist) {
		return nil, hint(fmt.Errorf("%s holds no local store", folder), "Name its folder with --data, or look in the cloud with --stage <name>.")
	}
	log := slog.New(slog.NewTextHandler(a.Err, &slog.HandlerOptions{Level: slog.LevelError}))
	store, err := pebblestore.Open(folder, pebblestore.Options{Clock: systemClock{}, Logger: log})
	var locked *pebblestore.LockedError
	switch {
	case errors.As(err, &locked):
		return nil, hint(err, "The process that has it does not answer. If it runs in memory of an older version, stop it first.")
	case errors.Is(err, pebblestore.ErrDamaged):
		return nil, hint(err, "Nothing was changed. Bring the folder back from a backup, or start fresh with another one.")
	case err != nil:
		return nil, err
	}
	// Whoever is still a member died with the process that had the socket.
	if _, err := store.ForgetMembers(ctx); err != nil {
		return nil, errors.Join(err, store.Close())
	}
	service, err := room.NewService(room.Ports{
		Log: store.Log(), Metas: store.Metas(), Members: store.Members(), Snapshots: store.Snapshots(), Sender: nobody{}, Clock: systemClock{},
	}, room.Options{Logger: log})
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	rooms := operate.NewDirect(service, operate.Recounted{
		Rooms: store.Rooms, Log: store.Log(), Metas: store.Metas(), Members: store.Members(),
	}, operator)
	return &target{rooms: rooms, name: "the store in " + folder, close: store.Close}, nil
}

func localStackEndpoint(env func(string) string) string {
	if e := env(envLocalStack); e != "" {
		return strings.TrimSuffix(e, "/")
	}
	return "http://127.0.0.1:4566"
}
