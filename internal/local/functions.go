package local

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/symphony-rt/symphony/internal/auth"
	"github.com/symphony-rt/symphony/internal/gateway"
	"github.com/symphony-rt/symphony/internal/handler"
	"github.com/symphony-rt/symphony/internal/room"
)

// The functions' names: the folders of functions/.
const (
	fnAuthorize  = "authorize"
	fnConnect    = "connect"
	fnMessage    = "message"
	fnDisconnect = "disconnect"
	fnCheckpoint = "checkpoint"
	fnStream     = "stream"
	fnFanout     = "fanout"
)

// inlineFunctions runs the functions' handlers in this process. Events go in
// and results come out as JSON bytes through aws-lambda-go's own wrapper, or
// as the runtime would call a lambda.Handler, so nothing passes that would not
// pass in Lambda.
func inlineFunctions(service *room.Service, policy auth.Policy, clock room.Clock, w *watch, log *slog.Logger) gateway.Handlers {
	h := handler.New(service, nil, clock, log)
	return gateway.Handlers{
		fnAuthorize:  guarded{instances(handler.NewAuthorizer(policy, log).Authorize), fnAuthorize, log},
		fnConnect:    guarded{instances(h.Connect), fnConnect, log},
		fnMessage:    guarded{handler.MessageFunction{Handler: h}, fnMessage, log},
		fnDisconnect: guarded{instances(h.Disconnect), fnDisconnect, log},
		fnFanout:     guarded{instances(handler.NewFanout(service, log).Handle), fnFanout, log},
		fnCheckpoint: guarded{instances(handler.NewCheckpoint(service, handler.CheckpointOptions{Lag: w.lag()}, log).Handle), fnCheckpoint, log},
	}
}

// instances wraps f as the Lambda runtime does, for invocations side by side.
func instances(f any) gateway.Handler {
	return gateway.Instances(func() gateway.Handler { return lambda.NewHandler(f) })
}

// guarded turns a panic into the function's failure, as Lambda does.
type guarded struct {
	gateway.Handler
	name string
	log  *slog.Logger
}

func (g guarded) Invoke(ctx context.Context, payload []byte) (out []byte, err error) {
	defer func() {
		if p := recover(); p != nil {
			g.log.Error("function panicked", "function", g.name, "panic", p, "stack", string(debug.Stack()))
			err = &gateway.FunctionError{Type: "panic", Message: fmt.Sprint(p)}
		}
	}()
	return g.Handler.Invoke(ctx, payload)
}
