// Package loadtest makes many users edit many rooms through real sockets, and
// says exactly what each of them received, and when. It is the program
// cmd/loadtest; docs/LOADTEST.md says how to use it.
//
// Every user is a client of the target's own protocol. Every edit is a real Yjs
// update whose client id and clock say who made it and which of theirs it is,
// so loss, duplicates and order are known for each receiver and not sampled.
// All members of a room live in one worker process, so that a latency is a
// difference of one clock.
package loadtest

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/url"
	"strings"
	"time"
)

// The targets.
const (
	TargetSymphony   = "symphony"
	TargetYWebSocket = "y-websocket"
	TargetHocuspocus = "hocuspocus"
)

// How edits are spaced.
const (
	ArrivalFixed   = "fixed"
	ArrivalPoisson = "poisson"
	ArrivalReplay  = "replay"
)

// Profile is one run. It is JSON for worker processes, too.
type Profile struct {
	Target string
	// URLs are the WebSocket URLs; the rooms take them in turn.
	URLs  []string
	Token string
	// Plain makes Symphony's users plain y-protocols clients.
	Plain bool

	Users, RoomSize int
	// Arrival is fixed, poisson or replay. EditEvery is the mean time between
	// two edits of one user (0: none), PresenceEvery between two presences.
	Arrival                  string
	EditEvery, PresenceEvery time.Duration
	// EditBytes is the text in one edit, DocumentBytes in a room before it starts.
	EditBytes, DocumentBytes int
	// Churn is the share of users, a minute, whose connection is cut or who
	// leave and come back, half each.
	Churn float64
	// Ramp is how long connecting takes, Settle the pause after it, Drain how
	// long at most the end waits for what is under way.
	Ramp, Settle, Duration, Drain time.Duration
	// Sample is how many rooms fresh users join at the end.
	Sample int
	Seed   uint64
	// Run is part of every room's id, so that no two runs share a room.
	Run string

	// Index and Of: this process has the rooms r with r mod Of = Index.
	Index, Of int

	// Step and Growth raise the rate of edits: after every Step it is Growth
	// times as high. Step 0: it stays.
	Step   time.Duration
	Growth float64

	// Start is when connecting begins.
	Start time.Time
}

// Rooms is the number of rooms of all workers.
func (p *Profile) Rooms() int { return (p.Users + p.RoomSize - 1) / max(1, p.RoomSize) }

// editStart is when the first edit may be sent, after Start.
func (p *Profile) editStart() time.Duration { return p.Ramp + p.Settle }

// rate is the factor on the rate of edits at a time after editStart.
func (p *Profile) rate(at time.Duration) float64 {
	f := 1.0
	if p.Step > 0 {
		for n := int(at / p.Step); n > 0; n-- {
			f *= p.Growth
		}
	}
	return f
}

// options is the command line.
type options struct {
	Profile
	workers     int
	yes         bool
	start       string
	serverArgs  string
	gateways    int
	data        string
	stats       string
	jsonOut     string
	report      string
	saturate    time.Duration
	quiet       bool
	merge       bool
	index, of   int
	allowLosing bool
	files       []string
	pprof       string
	limitP99    time.Duration
	targetsDir  string
}

const usage = `loadtest makes users edit rooms and counts what each of them receives.

  loadtest [flags]                    start the target here and run against it
  loadtest --url ws://…/dev [flags]   run against something that runs already
  loadtest --merge a.json b.json …    one result of several machines' results

`

var errHelp = errors.New("help")

func parse(args []string, out io.Writer) (options, error) {
	var o options
	var urls string
	fs := flag.NewFlagSet("loadtest", flag.ContinueOnError)
	fs.SetOutput(out)
	fs.Usage = func() { fmt.Fprint(out, usage); fs.PrintDefaults() }
	fs.StringVar(&o.Target, "target", TargetSymphony, "symphony, y-websocket or hocuspocus")
	fs.StringVar(&urls, "url", "", "WebSocket `URLs` of a running target, separated by commas; without it the target is started here")
	fs.StringVar(&o.Token, "token", "", "access `token`, sent as a subprotocol")
	fs.BoolVar(&o.yes, "yes", false, "run against a URL that is not on this machine: it is billed")
	fs.BoolVar(&o.Plain, "plain", false, "Symphony's users are plain y-protocols clients")
	fs.IntVar(&o.Users, "users", 400, "`number` of users")
	fs.IntVar(&o.RoomSize, "room-size", 4, "users in a room")
	fs.StringVar(&o.Arrival, "arrival", ArrivalPoisson, "fixed, poisson, or replay (a recorded editing session)")
	fs.DurationVar(&o.EditEvery, "edit-every", 10*time.Second, "mean `time` between a user's edits; 0: none")
	fs.DurationVar(&o.PresenceEvery, "presence-every", 5*time.Second, "mean `time` between a user's presences; 0: none")
	fs.IntVar(&o.EditBytes, "edit-bytes", 24, "`bytes` of text in an edit")
	fs.IntVar(&o.DocumentBytes, "document", 0, "`bytes` of text in each room before the edits begin")
	fs.Float64Var(&o.Churn, "churn", 0, "`share` of users a minute who are cut off, or leave, and come back")
	fs.DurationVar(&o.Ramp, "ramp", 0, "`time` that connecting takes; 0: 400 users a second")
	fs.DurationVar(&o.Settle, "settle", 3*time.Second, "`time` between the last connect and the first edit")
	fs.DurationVar(&o.Duration, "duration", 30*time.Second, "`time` that edits are made")
	fs.DurationVar(&o.Drain, "drain", 20*time.Second, "`time` at most that the end waits for what is under way")
	fs.IntVar(&o.Sample, "sample", 100, "`rooms` that fresh users join at the end, to see that everything is there")
	fs.Uint64Var(&o.Seed, "seed", 0, "`seed` of all randomness; 0 takes a new one")
	fs.IntVar(&o.workers, "workers", 1, "`processes` that the users are divided over")
	fs.IntVar(&o.index, "index", 0, "this machine's `number`, from 0, of --of machines")
	fs.IntVar(&o.of, "of", 1, "`machines` that run the same command with another --index and the same --run")
	fs.StringVar(&o.Run, "run", "", "`name` of the run, in every room's id")
	fs.BoolVar(&o.merge, "merge", false, "merge the results of several machines, given as files")
	fs.StringVar(&o.start, "start", "build/symphony-local", "`program` to start for --target symphony")
	fs.StringVar(&o.serverArgs, "server-args", "", "further `arguments` for it")
	fs.IntVar(&o.gateways, "gateways", 0, "gateway `processes` of it; a process may hold only so many sockets")
	fs.StringVar(&o.data, "data", "", "`folder` of its store; empty for a new one, removed at the end")
	fs.StringVar(&o.stats, "stats", "", "debug `URL` of a running symphony-local (--pprof), for its calls, CPU and memory")
	fs.StringVar(&o.targetsDir, "targets", "loadtest/targets", "`folder` of the Node package with the other targets")
	fs.StringVar(&o.jsonOut, "json", "", "write the result to this `file`")
	fs.StringVar(&o.report, "report", "", "write an HTML report to this `file`")
	fs.DurationVar(&o.saturate, "saturate", 0, "raise the rate of edits every --step until the p99 passes this `time`")
	fs.DurationVar(&o.Step, "step", 0, "`time` between two rates of --saturate (default 5s)")
	fs.Float64Var(&o.Growth, "growth", 1.25, "`factor` between two rates of --saturate")
	fs.DurationVar(&o.limitP99, "max-p99", 0, "fail when the p99 is over this `time`")
	fs.BoolVar(&o.allowLosing, "allow-loss", false, "do not fail when something was lost: to measure others")
	fs.BoolVar(&o.quiet, "quiet", false, "no progress lines")
	fs.StringVar(&o.pprof, "profile", "", "write profiles of the target, taken while editing, into this `folder` (symphony)")
	if err := fs.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return o, errHelp
		}
		return o, err
	}
	o.files = fs.Args()
	for u := range strings.SplitSeq(urls, ",") {
		if u != "" {
			o.URLs = append(o.URLs, strings.TrimSuffix(u, "/"))
		}
	}
	if err := o.check(); err != nil {
		fmt.Fprintf(out, "loadtest: %s\n\nRun with --help to see all flags.\n", err)
		return o, err
	}
	return o, nil
}

// maxUsers bounds what one command may ask for.
const maxUsers = 1_000_000

func (o *options) check() error {
	if o.merge {
		if len(o.files) == 0 {
			return errors.New("--merge wants the results' files")
		}
		return nil
	}
	switch {
	case len(o.files) > 0:
		return fmt.Errorf("unexpected argument %q", o.files[0])
	case o.Target != TargetSymphony && o.Target != TargetYWebSocket && o.Target != TargetHocuspocus:
		return fmt.Errorf("--target %q is neither symphony, y-websocket nor hocuspocus", o.Target)
	case o.Arrival != ArrivalFixed && o.Arrival != ArrivalPoisson && o.Arrival != ArrivalReplay:
		return fmt.Errorf("--arrival %q is neither fixed, poisson nor replay", o.Arrival)
	case o.Users < 1 || o.Users > maxUsers:
		return fmt.Errorf("--users %d: 1 to %d", o.Users, maxUsers)
	case o.RoomSize < 1 || o.RoomSize > o.Users:
		return fmt.Errorf("--room-size %d: 1 to the number of users", o.RoomSize)
	case o.EditBytes < 1 || o.EditBytes > maxText:
		return fmt.Errorf("--edit-bytes %d: 1 to %d", o.EditBytes, maxText)
	case o.DocumentBytes < 0 || o.DocumentBytes > 50<<20:
		return fmt.Errorf("--document %d: 0 to 50 MB", o.DocumentBytes)
	case o.EditEvery < 0 || o.PresenceEvery < 0 || o.Duration <= 0 || o.Ramp < 0 || o.Settle < 0 || o.Drain <= 0 || o.saturate < 0 || o.Step < 0:
		return errors.New("a time is negative, or --duration or --drain is 0")
	case o.Churn < 0 || o.Churn > 60:
		return errors.New("--churn is a share of users a minute, 0 to 60")
	case o.workers < 1 || o.workers > 64 || o.of < 1 || o.index < 0 || o.index >= o.of:
		return errors.New("--workers is 1 to 64, and --index is less than --of")
	case o.of > 1 && o.Run == "":
		return errors.New("--of wants the same --run on every machine, or their rooms would differ")
	case o.of > 1 && len(o.URLs) == 0:
		return errors.New("--of wants the --url that all machines use")
	case o.saturate > 0 && (o.Growth <= 1 || o.EditEvery == 0 || o.Arrival == ArrivalReplay):
		return errors.New("--saturate wants --growth over 1 and --edit-every")
	case o.gateways < 0:
		return errors.New("--gateways is 0 or more")
	}
	if o.saturate > 0 && o.Step == 0 {
		o.Step = 5 * time.Second
	}
	if o.saturate == 0 {
		o.Step = 0
	}
	if o.Ramp == 0 {
		o.Ramp = time.Duration(float64(o.Users) / connectsPerSecond * float64(time.Second))
	}
	for _, u := range o.URLs {
		if err := checkURL(u, o.yes); err != nil {
			return err
		}
	}
	return nil
}

// connectsPerSecond leaves some of AWS's 500 a second to others.
const connectsPerSecond = 400

// errRemote keeps a typing error from becoming a bill, or an attack.
var errRemote = errors.New("is not on this machine: add --yes to run against it anyway")

func checkURL(s string, yes bool) error {
	u, err := url.Parse(s)
	if err != nil || u.Host == "" || u.Scheme != "ws" && u.Scheme != "wss" {
		return fmt.Errorf("--url %q is not a ws or wss URL", s)
	}
	if yes || isLocal(u.Hostname()) {
		return nil
	}
	return fmt.Errorf("--url %q %w", s, errRemote)
}

func isLocal(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// Exit codes.
const (
	exitOK    = 0
	exitError = 1
	exitUsage = 2
)

// Main is the program. It returns the exit code: 1 when it could not run, or
// when something was lost, came twice or was too late.
func Main(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	if len(args) == 1 && args[0] == workerRole {
		if err := workerMain(ctx, stdin, stdout); err != nil {
			fmt.Fprintf(stderr, "loadtest: a worker: %s\n", err)
			return exitError
		}
		return exitOK
	}
	o, err := parse(args, stderr)
	switch {
	case errors.Is(err, errHelp):
		return exitOK
	case err != nil:
		return exitUsage
	}
	if o.merge {
		err = mergeFiles(o, stdout)
	} else {
		err = coordinate(ctx, o, stdout, stderr)
	}
	if err != nil {
		fmt.Fprintf(stderr, "\nloadtest: %s\n", err)
		return exitError
	}
	return exitOK
}
