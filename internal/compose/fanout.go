package compose

import (
	"os"
	"time"

	"github.com/symphony-rt/symphony/internal/config"
	"github.com/symphony-rt/symphony/internal/directory"
	"github.com/symphony-rt/symphony/internal/handler"
	"github.com/symphony-rt/symphony/internal/lambdafanout"
	"github.com/symphony-rt/symphony/internal/room"
)

// Message returns the handler of $default. It alone hands slices of a large
// room's broadcast to another function, so it alone links Lambda's client.
func Message() (*handler.Handler, error) {
	e, err := Start(config.NeedStore | config.NeedSender)
	if err != nil {
		return nil, err
	}
	var second room.Fanout
	if e.Config.Fanout != "" {
		second = lambdafanout.New(e.AWS, e.Config.Fanout)
	}
	service, err := e.Service(second)
	if err != nil {
		return nil, err
	}
	metrics := directory.NewMetrics(os.Stdout, e.Config.Table)
	rooms := handler.CountPresence(service, Clock{}, func(at time.Time, messages int64) {
		if err := metrics.WritePresence(at, messages); err != nil {
			e.Log.Error("metrics not written", "error", err)
		}
	})
	return handler.New(rooms, nil, Clock{}, e.Log), nil
}

// Fanout returns the handler of such a slice.
func Fanout() (*handler.Fanout, error) {
	e, err := Start(config.NeedStore | config.NeedSender)
	if err != nil {
		return nil, err
	}
	service, err := e.Service(nil)
	if err != nil {
		return nil, err
	}
	return handler.NewFanout(service, e.Log), nil
}
