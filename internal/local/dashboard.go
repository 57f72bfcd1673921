package local

import (
	"context"
	"errors"
	"log/slog"
	"strconv"
	"time"

	ui "github.com/symphony-rt/symphony/dashboard"
	"github.com/symphony-rt/symphony/internal/dashboard"
	"github.com/symphony-rt/symphony/internal/dashboard/looking"
	"github.com/symphony-rt/symphony/internal/dashboard/probe"
	"github.com/symphony-rt/symphony/internal/directory"
	"github.com/symphony-rt/symphony/internal/gateway"
	"github.com/symphony-rt/symphony/internal/room"
)

// The values of --dashboard that are no port.
const (
	dashboardAuto = "auto"
	dashboardNone = "off"
)

// What dashboardPort returns that is no port.
const (
	anyDashboardPort = -1
	dashboardOff     = -2
)

// dashboardPort reads --dashboard; less than dashboardOff for nonsense.
func (o options) dashboardPort() int {
	switch o.dashboard {
	case dashboardAuto:
		if o.port == 0 { // nobody cares which
			return 0
		}
		return anyDashboardPort
	case dashboardNone:
		return dashboardOff
	}
	port, err := strconv.Atoi(o.dashboard)
	if err != nil || port < 0 || port > 65535 {
		return dashboardOff - 1
	}
	return port
}

// enginesPace is how often the directory of a local engine is read.
var enginesPace = dashboard.Pace{Active: time.Second, All: 10 * time.Second}

// watch measures the stack and serves what it measured. A nil watch does
// neither.
type watch struct {
	catalog *dashboard.Catalog
	probe   *probe.Probe
	log     *slog.Logger
	server  *dashboard.Server
	stop    context.CancelFunc
	stopped chan struct{}
}

// newWatch returns nil and the log as it is when there is no dashboard.
func newWatch(o options, f *front, log *slog.Logger) (*watch, *slog.Logger, error) {
	if o.dashboardPort() == dashboardOff {
		return nil, log, nil
	}
	p := probe.Options{
		Clock: systemClock{}, InProcess: o.functions == functionsInline, Log: log,
		Functions: []string{fnAuthorize, fnConnect, fnMessage, fnFanout, fnDisconnect, fnCheckpoint, fnStream},
		Catalog:   dashboard.NewCatalog(),
	}
	if !f.several {
		p.Gateway = f.counters
	}
	if !o.memory {
		p.Folder = o.data
	}
	made, err := probe.New(p)
	if err != nil {
		return nil, nil, err
	}
	return &watch{catalog: p.Catalog, probe: made, log: log}, slog.New(made.Log(log.Handler())), nil
}

// counters are what the dashboard shows of the gateway.
func (f *front) counters() probe.Gateway {
	gate := f.late.Load()
	if gate == nil {
		return probe.Gateway{}
	}
	s := gate.Snapshot()
	return probe.Gateway{Throttled: s.Errors[gateway.ErrorThrottled] + s.Errors[gateway.ErrorConnectRate], Posts: s.Posts}
}

func (w *watch) invoker(next gateway.Invoker) gateway.Invoker {
	if w == nil {
		return next
	}
	return w.probe.Invoker(next)
}

// cold counts an instance that starts.
func (w *watch) cold(function string) {
	if w != nil {
		w.probe.Cold(function)
	}
}

func (w *watch) sender(next room.Sender) room.Sender {
	if w == nil {
		return next
	}
	return w.probe.Sender(next)
}

// lag is what the checkpoint function tells how long updates waited.
func (w *watch) lag() func(time.Duration) error {
	if w == nil {
		return nil
	}
	return w.probe.Lag
}

// feed returns next, with the catalog kept like the directory that next feeds.
func (w *watch) feed(rooms *directory.Memory, next func(room.Change)) func(room.Change) {
	if w == nil {
		return next
	}
	return func(c room.Change) {
		next(c)
		if e, ok := rooms.Get(c.Room); ok {
			w.catalog.Put(e, systemClock{}.Now())
		} else {
			w.catalog.Remove(c.Room)
		}
	}
}

// load puts the rooms in that were there before.
func (w *watch) load(rooms *directory.Memory) {
	if w != nil {
		w.catalog.Load(rooms.List(), systemClock{}.Now())
	}
}

// start begins to measure and serves the dashboard.
func (w *watch) start(ctx context.Context, o options, socket string, back *backend) error {
	if w == nil {
		return nil
	}
	ctx, w.stop = context.WithCancel(context.WithoutCancel(ctx))
	w.stopped = make(chan struct{})
	go func() {
		defer close(w.stopped)
		w.probe.Run(ctx)
	}()
	if back.listed != nil {
		if err := dashboard.Follow(ctx, w.catalog, back.listed, enginesPace, systemClock{}, nil, w.log); err != nil {
			return errors.Join(err, w.close())
		}
	}
	files, _ := ui.Page()
	options := dashboard.Options{
		Info: w.info(o, socket, back), Source: w.probe, Catalog: w.catalog, Page: files, Clock: systemClock{}, Log: w.log,
		// Whoever may not connect without a token may not look without one.
		Private: o.secret != nil,
	}
	if back.operations != nil {
		options.Rooms = looking.New(back.operations, back.ports)
	}
	port := o.dashboardPort()
	var err error
	if port == anyDashboardPort {
		if w.server, err = dashboard.Listen(ctx, dashboard.DefaultPort, options); !errors.Is(err, dashboard.ErrPort) {
			return errors.Join(err, w.closeIf(err))
		}
		port = 0
	}
	w.server, err = dashboard.Listen(ctx, port, options)
	return errors.Join(err, w.closeIf(err))
}

func (w *watch) closeIf(err error) error {
	if err == nil {
		return nil
	}
	return w.close()
}

func (w *watch) info(o options, socket string, back *backend) dashboard.Info {
	i := dashboard.Info{
		Kind: dashboard.KindLocal, Stage: stage, Store: back.stack + ", " + back.where, Version: o.version, Socket: socket,
		Started: systemClock{}.Now(), Every: probe.Every, Changes: o.allowChanges,
		Why: map[string]string{},
		Notes: map[string]string{
			dashboard.KeyLatency: "from a message's arrival to its last post",
			dashboard.KeyCost:    "what AWS would charge for this traffic, by the model of docs/COST.md",
		},
	}
	if o.functions == functionsInline {
		i.Why["coldStarts"] = "The functions run inside this process, where nothing starts cold; FUNCTIONS=process runs the deployed files."
	} else {
		i.Why[dashboard.KeyLatency] = "The functions run in processes of their own, so a message cannot be followed to its last post. See the median of `message` under Functions."
		i.Why[dashboard.KeyLag] = "The checkpoint function runs in a process of its own and tells CloudWatch, which is not here."
	}
	if o.gateways > 0 {
		why := "The gateways run in processes of their own (--gateways), whose counters are not read."
		i.Why[dashboard.KeyThrottles], i.Why[dashboard.KeyCost] = why, why
	}
	if back.listed == nil {
		i.Why["stream"] = "The stream function does not run here: the embedded store feeds the room directory by itself."
	}
	return i
}

// url is what to open in a browser; "" without a dashboard.
func (w *watch) url() string {
	if w == nil || w.server == nil {
		return ""
	}
	return w.server.URL()
}

func (w *watch) close() error {
	if w == nil {
		return nil
	}
	var err error
	if w.server != nil {
		err = w.server.Close()
		w.server = nil
	}
	if w.stop != nil {
		w.stop()
		<-w.stopped
		w.stop = nil
	}
	return err
}
