package local

import (
	"context"
	"log/slog"
	"math"
	"sync/atomic"
	"time"

	"github.com/symphony-rt/symphony/internal/gateway"
)

// stage is the name of the local deployment: ws://host:port/dev.
const stage = "dev"

// shuffleTime is how far --gateway-shuffle moves messages about.
const shuffleTime = 20 * time.Millisecond

// lateGateway lets the functions be made before the gateway that invokes them.
type lateGateway struct {
	atomic.Pointer[gateway.Gateway]
}

// PostMany waits for nothing: the gateway is in this process.
func (l *lateGateway) PostMany(ctx context.Context, ids []string, data []byte) []error {
	return l.Load().PostMany(ctx, ids, data)
}

func (l *lateGateway) Close(ctx context.Context, id string) error { return l.Load().Close(ctx, id) }

func (g gatewayOptions) config(functions gateway.Invoker, log *slog.Logger) gateway.Config {
	limits := gateway.Limits{
		Idle: g.idle, Lifetime: g.lifetime, Integration: g.integrationTime,
		RequestRate: g.requestsPerSec, RequestBurst: float64(g.requestBurst),
		ConnectRate: g.connectsPerSec, ConnectBurst: g.connectsPerSec,
	}
	if g.noThrottle {
		limits.RequestRate, limits.RequestBurst = math.MaxInt32, math.MaxInt32
		limits.ConnectRate, limits.ConnectBurst = math.MaxInt32, math.MaxInt32
	}
	c := gateway.Config{
		Stage:   stage,
		Invoker: functions,
		// A post that is not signed fails here too, not only once it is deployed.
		RequireSignature: true,
		Functions:        gateway.Functions{Authorizer: fnAuthorize, Connect: fnConnect, Message: fnMessage, Disconnect: fnDisconnect},
		// The room is the only identity source: API Gateway answers 401 without
		// running the authorizer when one is missing, and a token is optional
		// on a laptop.
		Authorizer: gateway.AuthorizerConfig{IdentitySources: []string{"route.request.querystring.room"}},
		Limits:     limits,
		Chaos:      gateway.Chaos{Seed: uint64(g.seed), DropDisconnect: g.dropDisconnect, KillMessage: g.killMessage},
		Log:        log,
	}
	if g.shuffle {
		c.Chaos.Shuffle = shuffleTime
	}
	return c
}
