package gateway

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
)

// Gateway is one stage of a WebSocket API. It is an http.Handler; Shutdown
// ends it. Safe for concurrent use.
type Gateway struct {
	config Config
	limits Limits
	clock  Clock
	log    *slog.Logger

	ids      *ids
	conns    *registry
	connects *bucket
	requests *bucket
	metrics  metrics
	chaos    *chaos
	peers    *Fleet
	identity []identitySource

	stageVariables []byte // `"stageVariables":{…},` or empty

	ctx     context.Context // of every invocation; ends when Shutdown gives up
	cancel  context.CancelFunc
	open    tracker // connections and upgrades under way
	work    tracker // invocations
	workers workers // what they run on
	flusher flusher // writes to connections

	mu        sync.Mutex
	stopSweep func() bool
	down      bool
}

// New makes a Gateway. The error wraps ErrConfig when config is not valid.
func New(config Config) (*Gateway, error) {
	config, err := config.withDefaults()
	if err != nil {
		return nil, err
	}
	g := &Gateway{
		config: config, limits: config.Limits, clock: config.Clock, log: config.Log,
		conns:    newRegistry(),
		connects: newBucket(config.Clock, config.Limits.ConnectRate, config.Limits.ConnectBurst),
		requests: newBucket(config.Clock, config.Limits.RequestRate, config.Limits.RequestBurst),
	}
	if g.ids, err = newIDs(config.Number, config.Rand); err != nil {
		return nil, fmt.Errorf("%w: randomness: %w", ErrConfig, err)
	}
	g.identity, _ = parseIdentitySources(config.Authorizer.IdentitySources) // checked above
	if err := g.setUpChaos(); err != nil {
		return nil, err
	}
	if len(config.Variables) > 0 {
		variables, err := json.Marshal(config.Variables)
		if err != nil {
			return nil, fmt.Errorf("%w: stage variables: %w", ErrConfig, err)
		}
		g.stageVariables = append(append([]byte(`"stageVariables":`), variables...), ',')
	}
	if len(config.Peers) > 0 {
		g.peers = &Fleet{Stage: config.Stage, Gateways: config.Peers}
	}
	g.ctx, g.cancel = context.WithCancel(context.Background())
	g.scheduleSweep()
	g.flusher.start(g)
	return g, nil
}

func (g *Gateway) setUpChaos() error {
	c := g.config.Chaos
	if c.Seed == 0 {
		var seed [8]byte
		if _, err := io.ReadFull(g.config.Rand, seed[:]); err != nil {
			return fmt.Errorf("%w: randomness: %w", ErrConfig, err)
		}
		c.Seed = binary.LittleEndian.Uint64(seed[:])
	}
	if c.Shuffle > 0 || c.DropDisconnect > 0 || c.KillMessage > 0 {
		g.log.Info("chaos is on", "seed", c.Seed, "shuffle", c.Shuffle, "dropDisconnect", c.DropDisconnect, "killMessage", c.KillMessage)
	}
	g.chaos = newChaos(c)
	return nil
}

// Snapshot returns the counters.
func (g *Gateway) Snapshot() Snapshot { return g.metrics.snapshot(g.conns.len()) }

// Limits returns the quotas in force.
func (g *Gateway) Limits() Limits { return g.limits }

// Number is the number that this gateway's connection ids carry.
func (g *Gateway) Number() uint16 { return g.config.Number }

// managementSegment is the path segment of the management API.
const managementSegment = "@connections"

// ServeHTTP takes upgrades at /{stage} and /{stage}/, and management requests
// at /{stage}/@connections/{id}. Everything else is forbidden, as it is for any
// other path of a WebSocket API: such an API has routes, not paths.
func (g *Gateway) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	segments := pathSegments(r)
	switch {
	case segments == nil || segments[0] != g.config.Stage:
	case len(segments) == 1, len(segments) == 2 && segments[1] == "":
		g.serveUpgrade(w, r)
		return
	case len(segments) == 3 && segments[1] == managementSegment && segments[2] != "":
		g.serveManagement(w, r, segments[2])
		return
	}
	g.metrics.fail(ErrorPath)
	g.httpError(w, http.StatusForbidden, "ForbiddenException", "Forbidden")
}

// pathSegments splits a request's path at slashes and then decodes each part,
// so that an encoded slash does not split. nil when a part does not decode.
func pathSegments(r *http.Request) []string {
	segments := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/")
	for i, s := range segments {
		decoded, err := url.PathUnescape(s)
		if err != nil {
			return nil
		}
		segments[i] = decoded
	}
	return segments
}

// httpError answers a request that is turned down, the way API Gateway does.
// An empty message is null.
func (g *Gateway) httpError(w http.ResponseWriter, status int, kind, message string) {
	id := g.ids.request()
	body := []byte(`{"message":null}`)
	if message != "" {
		body = append(appendJSON([]byte(`{"message":`), message), '}')
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("x-amzn-RequestId", string(id[:]))
	h.Set("x-amz-apigw-id", string(id[:]))
	if kind != "" {
		h.Set("x-amzn-ErrorType", kind)
	}
	w.WriteHeader(status)
	_, _ = w.Write(body)
}

// Shutdown refuses new connections, closes the open ones with 1001 and waits
// until their $disconnect functions and all other invocations have returned.
// When ctx ends first it cuts what is left off and returns an error that wraps
// ErrShutdown and the context's error.
func (g *Gateway) Shutdown(ctx context.Context) error {
	g.mu.Lock()
	if !g.down {
		g.down = true
		g.stopSweep()
	}
	g.mu.Unlock()
	closed := g.open.close()
	g.conns.each(func(c *conn) { c.close(closeGoingAway, reasonGoingAway) })
	defer g.cancel()
	defer g.workers.stop()
	defer g.flusher.stop()
	select {
	case <-closed:
	case <-ctx.Done():
		g.abortAll()
		return fmt.Errorf("%w: connections: %w", ErrShutdown, ctx.Err())
	}
	select {
	case <-g.work.close():
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w: invocations: %w", ErrShutdown, ctx.Err())
	}
}
