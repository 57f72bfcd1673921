package local

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"github.com/symphony-rt/symphony/internal/config"
	"github.com/symphony-rt/symphony/internal/gateway"
	"github.com/symphony-rt/symphony/internal/lambdaruntime"
)

// functionTimes are the functions' time-outs, as infra has them.
var functionTimes = map[string]time.Duration{
	fnAuthorize: 5 * time.Second, fnConnect: 10 * time.Second, fnMessage: 29 * time.Second,
	fnDisconnect: 10 * time.Second, fnCheckpoint: 90 * time.Second, fnStream: 60 * time.Second, fnFanout: 30 * time.Second,
}

// functionConcurrency bounds the instances of one function on a laptop: each is
// a process of some 20 MB. In Lambda it is a thousand, so an event beyond it
// waits here for its turn instead of being throttled.
const functionConcurrency = 32

// bootstraps invokes the very files that are deployed, each in a process of its
// own behind the Lambda Runtime API.
type bootstraps struct {
	*lambdaruntime.Runtime
	turns map[string]chan struct{}
}

// Invoke implements gateway.Invoker.
func (b bootstraps) Invoke(ctx context.Context, function string, payload []byte) ([]byte, error) {
	turn := b.turns[function]
	select {
	case turn <- struct{}{}:
		defer func() { <-turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	res, err := b.Runtime.Invoke(ctx, function, payload)
	if err != nil {
		return nil, err
	}
	var failed *lambdaruntime.FunctionError
	if errors.As(res.Err(), &failed) {
		return nil, &gateway.FunctionError{Type: failed.Type, Message: failed.Message}
	}
	return res.Payload, nil
}

func (b *backend) runBootstraps(o options, s server, e engines, log *slog.Logger) error {
	rt := lambdaruntime.New(lambdaruntime.Options{Logger: log.With("part", "functions"), Region: localRegion, Started: s.watch.cold})
	env := functionEnvironment(o, s, e)
	turns := map[string]chan struct{}{}
	for name, limit := range functionTimes {
		turns[name] = make(chan struct{}, functionConcurrency)
		path, err := filepath.Abs(filepath.Join(o.functionsDir, name, "bootstrap"))
		if err != nil {
			return err
		}
		err = rt.Function(name, lambdaruntime.FunctionConfig{
			Path: path, Env: env, Timeout: limit, MaxConcurrency: 2 * functionConcurrency, // one whose caller gave up still runs
		})
		if err != nil {
			return errors.Join(fmt.Errorf("%w (%w)", errNotBuilt, err), rt.Shutdown(context.Background()))
		}
	}
	b.functions = s.watch.invoker(bootstraps{rt, turns})
	b.close = func(ctx context.Context) error { return errors.Join(b.later.close(ctx), rt.Shutdown(ctx)) }
	return nil
}

func functionEnvironment(o options, s server, e engines) map[string]string {
	key, secret := localCredentials()
	env := map[string]string{
		"AWS_ACCESS_KEY_ID": key, "AWS_SECRET_ACCESS_KEY": secret, "AWS_REGION": localRegion,
		"AWS_ENDPOINT_URL_DYNAMODB": e.dynamodb, "AWS_ENDPOINT_URL_S3": e.s3,
		config.EnvTable: localTable, config.EnvBucket: localBucket, config.EnvS3PathStyle: "true",
		config.EnvManagement: s.base + "/" + stage,
		config.EnvFanout:     fnFanout, "AWS_ENDPOINT_URL_LAMBDA": s.base,
		config.EnvGrace: o.grace.String(),
		config.EnvLog:   o.level.String(),
	}
	if o.secret == nil {
		env[config.EnvAuth] = "open"
	} else {
		env[config.EnvSecret] = "base64:" + base64.StdEncoding.EncodeToString(o.secret)
	}
	return env
}
