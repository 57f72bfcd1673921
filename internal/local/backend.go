package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/symphony-rt/symphony/internal/auth"
	"github.com/symphony-rt/symphony/internal/dashboard"
	"github.com/symphony-rt/symphony/internal/directory"
	"github.com/symphony-rt/symphony/internal/gateway"
	"github.com/symphony-rt/symphony/internal/operate"
	"github.com/symphony-rt/symphony/internal/pebblestore"
	"github.com/symphony-rt/symphony/internal/room"
)

// backend is the functions and what keeps their data.
type backend struct {
	functions gateway.Invoker
	// uploads serves what S3's presigned URLs would, below uploadsPath; nil when
	// the engine serves its own.
	uploads http.Handler
	// later is the asynchronous invocations, which bootstraps reach at invokePath.
	later *async
	// rooms serves the room directory at roomsPath.
	rooms http.Handler
	// ports are those of the rooms; listed is their directory where it lies in a
	// table.
	ports  room.Ports
	listed dashboard.Listed
	// operations is what people do with the rooms.
	operations operate.Rooms
	// healthy says whether the store still works; failed closes when it stops.
	healthy func() error
	failed  <-chan struct{}
	close   func(ctx context.Context) error
	// where says where the data lies; stack and why which engine it is.
	where, stack, why string
}

// uploadsPath is where the embedded store's presigned URLs point.
const uploadsPath = "/_uploads"

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now().UTC() }

// operator is the author of what people change from the terminal or the dashboard.
var operator = room.User{ID: "symphony-operator", Name: "Operator"}

func policyFor(o options) (auth.Policy, error) {
	if o.secret == nil {
		return auth.Open{}, nil
	}
	return auth.NewHS256(o.secret, systemClock{})
}

// embedded opens the store of this process.
func embedded(ctx context.Context, o options, s server, why string, log *slog.Logger) (*backend, error) {
	policy, err := policyFor(o)
	if err != nil {
		return nil, err
	}
	rooms := directory.NewMemory()
	storeOptions := pebblestore.Options{Clock: systemClock{}, Logger: log.With("part", "store"), OnChange: s.watch.feed(rooms, feed(rooms, systemClock{}.Now()))}
	where := o.data
	if o.memory {
		storeOptions.FS, storeOptions.MinFree = vfs.NewMem(), -1
		where = "in memory: gone when this stops"
	}
	store, err := pebblestore.Open(o.data, storeOptions)
	if err != nil {
		return nil, err
	}
	b, service, err := onStore(ctx, o, store, policy, s, log)
	if err == nil {
		err = recount(ctx, store, rooms)
	}
	if err != nil {
		return nil, errors.Join(err, store.Close())
	}
	b.rooms = serveRooms(func(context.Context) ([]directory.Entry, error) { return rooms.List(), nil })
	b.operations = operate.NewDirect(service, operate.InMemory{Memory: rooms}, operator)
	b.where, b.stack, b.why = where, stackEmbedded, why
	s.watch.load(rooms)
	return b, nil
}

func onStore(ctx context.Context, o options, store *pebblestore.Store, policy auth.Policy, s server, log *slog.Logger) (*backend, *room.Service, error) {
	// This process holds all the sockets, so whoever is still a member died
	// with the process before.
	forgotten, err := store.ForgetMembers(ctx)
	if err != nil {
		return nil, nil, err
	}
	log.Debug("forgot the members of the process before", "members", forgotten)
	uploads, err := store.Uploads(s.base + uploadsPath)
	if err != nil {
		return nil, nil, err
	}
	b := &backend{}
	b.later = newAsync(func() invoker { return b.functions }, log.With("part", "functions"))
	service, err := room.NewService(s.meter.wrap(room.Ports{
		Log: store.Log(), Metas: store.Metas(), Members: store.Members(), Snapshots: store.Snapshots(),
		Uploads: uploads, Links: uploads, Sender: s.watch.sender(&sender{s.posts}), Fanout: b.later, Clock: systemClock{},
	}), room.Options{
		Grace: o.grace, SweepConcurrency: pebblestore.SweepConcurrency, SweepCPUs: pebblestore.SweepCPUs, SweepSpread: sweepSpread(o.checkpoint),
		Logger: log.With("part", "room"),
	})
	if err != nil {
		return nil, nil, fmt.Errorf("the rooms: %w", err)
	}
	b.functions = s.watch.invoker(inlineFunctions(service, policy, systemClock{}, s.watch, log.With("part", "functions")))
	b.ports = service.Ports
	b.uploads, b.healthy, b.failed = uploads, store.Err, store.Failed()
	b.close = func(ctx context.Context) error { return errors.Join(b.later.close(ctx), store.Close()) }
	return b, service, nil
}
