package local

import (
	"context"
	"log/slog"

	"github.com/symphony-rt/symphony/internal/gateway"
)

// front is what clients connect to: the gateway in this process, or a fleet of
// others.
type front struct {
	late      lateGateway
	lateFleet lateFleet
	gate      *gateway.Gateway
	fleet     *fleet
	several   bool
	// meter and debug are nil without --pprof.
	meter *meter
	debug *debugServer
}

func newFront(o options) *front {
	f := &front{several: o.gateways > 0}
	if o.pprof {
		f.meter = &meter{}
	}
	return f
}

// posts reaches the connections, once the front is open.
func (f *front) posts() poster {
	if f.several {
		return &f.lateFleet
	}
	return &f.late
}

func (f *front) open(ctx context.Context, o options, functions gateway.Invoker, log *slog.Logger) error {
	if f.several {
		fleet, err := startFleet(ctx, o, functions, log.With("part", "fleet"))
		if err != nil {
			return err
		}
		f.fleet = fleet
		f.lateFleet.Store(fleet.posts)
		return nil
	}
	gate, err := gateway.New(o.gateway.config(functions, log.With("part", "gateway")))
	if err != nil {
		return err
	}
	f.gate = gate
	f.late.Store(gate)
	return nil
}

func (f *front) openDebug(o options) error {
	if !o.pprof {
		return nil
	}
	var err error
	f.debug, err = startDebug(func() debugReport {
		r := debugReport{Calls: f.meter.snapshot()}
		if f.gate != nil {
			r.Gateway = snapshotOf(f.gate)
		} else {
			for _, c := range f.fleet.children {
				r.Processes = append(r.Processes, c.debug)
			}
		}
		return r
	})
	return err
}

// failed gets an error when a gateway process ended by itself.
func (f *front) failed() <-chan error {
	if f.fleet == nil {
		return nil
	}
	return f.fleet.failed
}

func (f *front) close(ctx context.Context) error {
	if f.debug != nil {
		f.debug.close()
	}
	if f.fleet != nil {
		return f.fleet.close(ctx)
	}
	return f.gate.Shutdown(ctx)
}

// sockets are the WebSocket URLs, at least one.
func (f *front) sockets(base string) []string {
	if f.fleet != nil {
		return f.fleet.sockets()
	}
	return []string{socketURL(base)}
}

func (f *front) debugURL() string {
	if f.debug == nil {
		return ""
	}
	return f.debug.url
}
