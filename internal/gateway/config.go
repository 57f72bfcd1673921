package gateway

import (
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"regexp"
	"time"
)

// Config says what a Gateway is. Stage and Invoker are required.
type Config struct {
	// Stage is the first segment of every path: letters, digits, - and _, at
	// most 128 characters.
	Stage string
	// Invoker runs the functions.
	Invoker Invoker
	// Functions are the names given to the Invoker for each route.
	Functions Functions
	// Authorizer says which requests the authorizer function sees.
	Authorizer AuthorizerConfig

	// Number names this gateway process: it is part of every connection id.
	Number uint16
	// Peers are the base URLs (without stage, e.g. "http://127.0.0.1:9001") of
	// the other gateways by number; management requests for their connections
	// are passed on to them. May be nil.
	Peers map[uint16]string

	// APIID, Region, Account, Domain and Variables are what events report.
	// Defaults: "local00000", "us-east-1", "000000000000", the request's Host,
	// none.
	APIID, Region, Account, Domain string
	Variables                      map[string]string

	// Limits are the quotas; zero fields mean AWS's default.
	Limits Limits
	// RequireSignature makes the management API answer 403 to a request
	// without a Signature Version 4 header. The signature itself is not
	// checked: there are no credentials to check it against.
	RequireSignature bool
	// NoRouteResponse makes $default one-way, as a route without a route
	// response is: what its function returns goes nowhere.
	NoRouteResponse bool
	// PingsKeepAlive lets ping and pong frames count as traffic for
	// Limits.Idle. AWS speaks of messages only, so by default they do not.
	PingsKeepAlive bool

	// Chaos makes the gateway as unhelpful as it is allowed to be.
	Chaos Chaos

	// Clock, Rand and Log default to the system's clock, crypto/rand and no
	// log at all.
	Clock Clock
	Rand  io.Reader
	Log   *slog.Logger
}

// Functions names the function of each route. An empty name means the route
// has no integration: $connect then accepts and $disconnect does nothing, a
// message gets "Forbidden" (no route), and there is no authorizer.
type Functions struct {
	Authorizer, Connect, Message, Disconnect string
}

// AuthorizerConfig configures the REQUEST authorizer of $connect.
type AuthorizerConfig struct {
	// IdentitySources must all be present and not empty, else the answer is
	// 401 and the function does not run. Forms:
	// "route.request.querystring.NAME" and "route.request.header.NAME".
	IdentitySources []string
}

// Chaos is behaviour that API Gateway permits itself and rarely shows.
type Chaos struct {
	// Seed makes the choices repeatable. 0 takes one from Rand and logs it.
	Seed uint64
	// Shuffle delays every message by a random time up to this, so that the
	// messages of a connection reach its function in another order.
	Shuffle time.Duration
	// DropDisconnect is the share (0 to 1) of $disconnect events that are
	// never sent: delivery is best effort.
	DropDisconnect float64
	// KillMessage is the share (0 to 1) of message functions that die before
	// they have answered: at a random moment their context ends, and whatever
	// they answer is lost, as when a runtime crashes or is taken away.
	KillMessage float64
}

var stageName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)

func (c Config) withDefaults() (Config, error) {
	var errs []error
	if !stageName.MatchString(c.Stage) {
		errs = append(errs, fmt.Errorf("stage %q: want 1 to 128 letters, digits, - or _", c.Stage))
	}
	if c.Invoker == nil {
		errs = append(errs, errors.New("no invoker"))
	}
	if c.Chaos.DropDisconnect < 0 || c.Chaos.DropDisconnect > 1 {
		errs = append(errs, fmt.Errorf("share of dropped $disconnect events %v: want 0 to 1", c.Chaos.DropDisconnect))
	}
	if c.Chaos.KillMessage < 0 || c.Chaos.KillMessage > 1 {
		errs = append(errs, fmt.Errorf("share of killed functions %v: want 0 to 1", c.Chaos.KillMessage))
	}
	if _, err := parseIdentitySources(c.Authorizer.IdentitySources); err != nil {
		errs = append(errs, err)
	}
	for number, base := range c.Peers {
		if u, err := url.Parse(base); err != nil || u.Host == "" {
			errs = append(errs, fmt.Errorf("peer %d: %q is not an absolute URL", number, base))
		}
	}
	if len(errs) > 0 {
		return c, fmt.Errorf("%w: %w", ErrConfig, errors.Join(errs...))
	}
	c.Limits = c.Limits.withDefaults()
	c.APIID = orString(c.APIID, "local00000")
	c.Region = orString(c.Region, "us-east-1")
	c.Account = orString(c.Account, "000000000000")
	if c.Clock == nil {
		c.Clock = SystemClock{}
	}
	if c.Rand == nil {
		c.Rand = rand.Reader
	}
	if c.Log == nil {
		c.Log = slog.New(slog.DiscardHandler)
	}
	return c, nil
}

func orString(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}
