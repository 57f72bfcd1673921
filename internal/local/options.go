package local

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"time"

	"github.com/symphony-rt/symphony/internal/config"
	"github.com/symphony-rt/symphony/internal/room"
)

// The stacks that can keep the data.
const (
	stackAuto       = "auto"
	stackEmbedded   = "embedded"
	stackLocalStack = "localstack"
)

// How the functions run.
const (
	functionsInline  = "inline"
	functionsProcess = "process"
)

// options is everything the command line says.
type options struct {
	version                     string
	host, data, pages, examples string
	port                        int
	memory, readyJSON           bool
	stack, functions            string
	functionsDir                string
	dynamodb, s3                string
	level                       slog.Level
	secret                      []byte
	checkpoint, grace           time.Duration
	gateways                    int
	pprof                       bool
	dashboard                   string
	allowChanges                bool
	gateway                     gatewayOptions
}

// gatewayOptions are the gateway's: shorter limits and faults, for tests.
type gatewayOptions struct {
	idle, lifetime  time.Duration
	shuffle         bool
	dropDisconnect  float64
	killMessage     float64
	seed            int64
	requestsPerSec  float64
	requestBurst    int
	connectsPerSec  float64
	noThrottle      bool
	integrationTime time.Duration
}

const usage = `symphony-local runs Symphony on this machine: an API Gateway, the functions, the
store, the checkpoint schedule and the whiteboard page, in one process.

  make local ARGS="<flags>"

`

// errHelp: help was asked for and printed.
var errHelp = errors.New("help")

// parse reads the command line; what is wrong with it is said on out.
func parse(args []string, out io.Writer) (options, error) {
	var o options
	var level, secret string
	fs := flag.NewFlagSet("symphony-local", flag.ContinueOnError)
	fs.SetOutput(out)
	fs.Usage = func() {
		fmt.Fprint(out, usage)
		fs.PrintDefaults()
	}
	fs.StringVar(&o.host, "host", "127.0.0.1", "`address` to listen on; 0.0.0.0 lets other devices in your network in")
	fs.IntVar(&o.port, "port", 8787, "`port` of the pages and the WebSocket; 0 takes a free one")
	fs.StringVar(&o.data, "data", ".symphony", "`folder` of the embedded store")
	fs.BoolVar(&o.memory, "memory", false, "keep nothing: the embedded store in memory")
	fs.StringVar(&o.pages, "pages", "examples/whiteboard/dist", "`folder` of the page served at /")
	fs.StringVar(&o.examples, "examples", "examples", "`folder` of the examples: those built (make notes, make editors) are served at /notes/ and /editors/")
	fs.StringVar(&o.stack, "stack", stackAuto, "where the data lies: embedded, localstack, or auto (LocalStack when it answers or Docker can start it)")
	fs.StringVar(&o.functions, "functions", functionsInline, "inline: in this process; process: the very bootstrap files that are deployed (not with the embedded store)")
	fs.StringVar(&o.functionsDir, "functions-dir", "build/functions", "`folder` of the bootstrap files")
	fs.StringVar(&o.dynamodb, "dynamodb-endpoint", "", "`URL` of another DynamoDB engine (with --s3-endpoint), instead of LocalStack")
	fs.StringVar(&o.s3, "s3-endpoint", "", "`URL` of another S3 engine (with --dynamodb-endpoint), instead of LocalStack")
	fs.StringVar(&level, "log", "info", "log `level`: debug, info, warn, error")
	fs.StringVar(&secret, "secret", "", "HS256 `secret` of at least 32 bytes, as it is or as base64:…; then connections need a token. Without it everybody is let in")
	fs.DurationVar(&o.checkpoint, "checkpoint", 30*time.Second, "`time` at most between two checkpoints of a room that is edited")
	fs.DurationVar(&o.grace, "grace", room.DefaultGrace, "`time` that replaced snapshots and covered log entries stay")
	fs.BoolVar(&o.readyJSON, "ready-json", false, "print one JSON line {\"url\",\"ws\",\"data\",\"stack\"} instead of the block when ready, for scripts")
	fs.IntVar(&o.gateways, "gateways", 0, "`number` of gateway processes of their own, on the ports after --port; 0: the gateway is in this process")
	fs.BoolVar(&o.pprof, "pprof", false, "serve profiles and counters on a loopback port of their own")
	fs.StringVar(&o.dashboard, "dashboard", dashboardAuto, "`port` of the dashboard on 127.0.0.1; auto: 8788, or a free one when it is taken; off: none")
	fs.BoolVar(&o.allowChanges, "allow-changes", false, "let the dashboard delete rooms; without it, it only reads")
	o.gateway.flags(fs)
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return o, errHelp
		}
		return o, err
	}
	if err := o.check(fs.Args(), level, secret); err != nil {
		fmt.Fprintf(out, "symphony-local: %s\n\nRun with --help to see all flags.\n", err)
		return o, err
	}
	return o, nil
}

func (g *gatewayOptions) flags(fs *flag.FlagSet) {
	fs.DurationVar(&g.idle, "gateway-idle", 10*time.Minute, "close a connection idle for this `time` (AWS: 10m)")
	fs.DurationVar(&g.lifetime, "gateway-lifetime", 2*time.Hour, "close any connection after this `time` (AWS: 2h)")
	fs.DurationVar(&g.integrationTime, "gateway-timeout", 29*time.Second, "`time` a function may take (AWS: 29s)")
	fs.BoolVar(&g.shuffle, "gateway-shuffle", false, "deliver messages to the functions in random order; AWS promises none")
	fs.Float64Var(&g.dropDisconnect, "gateway-drop-disconnect", 0, "`share` (0 to 1) of $disconnect events that never come; AWS promises none")
	fs.Float64Var(&g.killMessage, "gateway-kill", 0, "`share` (0 to 1) of the messages whose function dies before it has answered")
	fs.Int64Var(&g.seed, "gateway-seed", 0, "`seed` of the three above; 0 takes a new one and logs it")
	fs.Float64Var(&g.requestsPerSec, "gateway-rate", 10_000, "messages and posts a second (AWS: 10000 for the account)")
	fs.IntVar(&g.requestBurst, "gateway-burst", 5_000, "burst of the above (AWS: 5000)")
	fs.Float64Var(&g.connectsPerSec, "gateway-connects", 500, "new connections a second (AWS: 500)")
	fs.BoolVar(&g.noThrottle, "gateway-no-throttle", false, "no rate limits at all, to measure the machine and not AWS's quotas")
}

func (o *options) check(rest []string, level, secret string) error {
	switch {
	case len(rest) > 0:
		return fmt.Errorf("unexpected argument %q", rest[0])
	case o.port < 0 || o.port > 65535:
		return fmt.Errorf("--port %d is not a port (0 to 65535)", o.port)
	case o.stack != stackAuto && o.stack != stackEmbedded && o.stack != stackLocalStack:
		return fmt.Errorf("--stack %q is neither auto, embedded nor localstack", o.stack)
	case o.functions != functionsInline && o.functions != functionsProcess:
		return fmt.Errorf("--functions %q is neither inline nor process", o.functions)
	case (o.dynamodb == "") != (o.s3 == ""):
		return errors.New("--dynamodb-endpoint and --s3-endpoint go together")
	case o.memory && (o.stack == stackLocalStack || o.dynamodb != ""):
		return errors.New("--memory goes with the embedded store only")
	case validGateways(o.gateways, o.port) != nil:
		return validGateways(o.gateways, o.port)
	case o.gateways > 0 && o.functions == functionsProcess:
		return errors.New("--gateways goes with --functions inline")
	case o.gateway.dropDisconnect < 0 || o.gateway.dropDisconnect > 1:
		return errors.New("--gateway-drop-disconnect is a share between 0 and 1")
	case o.gateway.killMessage < 0 || o.gateway.killMessage > 1:
		return errors.New("--gateway-kill is a share between 0 and 1")
	case o.dashboardPort() < dashboardOff:
		return fmt.Errorf("--dashboard %q is neither a port nor auto nor off", o.dashboard)
	case o.checkpoint <= 0:
		return errors.New("--checkpoint must be more than 0")
	case o.grace < room.MinGrace:
		return fmt.Errorf("--grace %s: at least %s, so that no slow reader loses its snapshot", o.grace, room.MinGrace)
	}
	if o.memory {
		o.stack = stackEmbedded
	}
	if err := o.level.UnmarshalText([]byte(level)); err != nil {
		return fmt.Errorf("--log %q is neither debug, info, warn nor error", level)
	}
	if secret != "" {
		b, err := config.ParseSecret(secret)
		if err != nil {
			return fmt.Errorf("--secret %w", err)
		}
		o.secret = b
	}
	return nil
}
