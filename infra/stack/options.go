// Package stack is Symphony's CloudFormation stack, in CDK.
package stack

import (
	"errors"
	"fmt"
	"maps"
	"math"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Options are what `-c key=value` can say. docs/DEPLOY.md lists them.
type Options struct {
	// Stage names the deployment; several fit in one account and region.
	Stage string
	// Retain keeps the data when the stack is destroyed. Default: every stage
	// but "dev" and "dev-*".
	Retain bool
	// Open lets everybody in. Without it SecretParameter is required.
	Open bool
	// SecretParameter is the SSM parameter (SecureString) with the HS256 secret.
	SecretParameter string
	// Domain, Certificate and Zone put the API under a name of the user's.
	// Certificate is an ACM ARN in the stack's region; Zone a Route 53 hosted
	// zone id, optional.
	Domain, Certificate, Zone string
	// Origins may use presigned URLs from a browser (CORS). Default "*": a
	// presigned URL is itself the permission.
	Origins []string
	// SecretKey is the ARN of the KMS key that encrypts the parameter when it is
	// not the account's own aws/ssm.
	SecretKey string
	// AlarmEmail gets the alarms.
	AlarmEmail string
	// Alarms and Dashboard can be left out: an account has ten alarm metrics
	// and three dashboards for nothing, which is what one stage takes.
	Alarms, Dashboard bool
	// Rate and Burst throttle the stage's routes, in messages a second; 0 keeps
	// what the account allows. Default: what an account allows by default.
	Rate, Burst float64
	// Reserved is reserved concurrency by function name; absent is none.
	Reserved map[string]float64
	// LogDays is how long logs are kept.
	LogDays int
	// AccessLogs writes a line for each connect, message and disconnect;
	// Tracing lets X-Ray sample the functions. Both cost with traffic
	// (docs/COST.md), so a large deployment may do without.
	AccessLogs, Tracing bool
	// AccountLogging creates the account-wide role that lets API Gateway write
	// access logs. One stack of an account and region needs it.
	AccountLogging bool
	// Account and Region fix the environment; "" leaves it to the CLI.
	Account, Region string
	// Assets is the folder of the functions' zip files.
	Assets string
}

// FunctionNames are the folders of functions/, in the order of a connection's life.
var FunctionNames = []string{"authorize", "connect", "message", "fanout", "disconnect", "checkpoint", "stream"}

// An account's throttles unless they were raised
// (https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html).
const (
	defaultRate  = 10_000
	defaultBurst = 5_000
)

var (
	stagePattern = regexp.MustCompile(`^[a-z][a-z0-9-]{0,19}$`)
	logDays      = map[int]bool{1: true, 3: true, 5: true, 7: true, 14: true, 30: true, 60: true, 90: true, 180: true, 365: true}
)

// reader collects what is wrong so that everything is said at once, and what
// was asked for so that a key nobody reads is found.
type reader struct {
	context map[string]any
	known   map[string]bool
	errs    []error
}

func (r *reader) get(key string) any {
	r.known[key] = true
	return r.context[key]
}

// unknown complains of keys that mean nothing. Those with a colon or an @ are
// CDK's own.
func (r *reader) unknown() {
	for _, key := range slices.Sorted(maps.Keys(r.context)) {
		if !r.known[key] && !strings.ContainsAny(key, ":@") {
			r.wrong("-c %s=…: there is no such option (docs/DEPLOY.md lists them)", key)
		}
	}
}

func (r *reader) wrong(format string, args ...any) {
	r.errs = append(r.errs, fmt.Errorf(format, args...))
}

func (r *reader) text(key, fallback string) string {
	switch v := r.get(key).(type) {
	case nil:
		return fallback
	case string:
		return v
	default:
		return fmt.Sprint(v)
	}
}

func (r *reader) flag(key string, fallback bool) bool {
	s := r.text(key, strconv.FormatBool(fallback))
	b, err := strconv.ParseBool(s)
	if err != nil {
		r.wrong("-c %s=%s: neither true nor false", key, s)
	}
	return b
}

func (r *reader) number(key string, fallback float64) float64 {
	s := r.text(key, strconv.FormatFloat(fallback, 'f', -1, 64))
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f < 0 || f != math.Trunc(f) { // NaN is not its own Trunc
		r.wrong("-c %s=%s: not a whole number of 0 or more", key, s)
	}
	return f
}

// ParseOptions reads CDK's context. The error says everything that is wrong.
func ParseOptions(context map[string]any) (Options, error) {
	r := &reader{context: context, known: map[string]bool{}}
	o := Options{Stage: r.text("stage", "dev")}
	if !stagePattern.MatchString(o.Stage) {
		r.wrong("-c stage=%s: a lower-case letter, then up to 19 letters, digits or hyphens", o.Stage)
	}
	o.Retain = r.flag("retain", !IsDev(o.Stage))
	o.authentication(r)
	o.domain(r)
	o.Origins = strings.Split(r.text("origins", "*"), ",")
	for _, origin := range o.Origins {
		if origin != "*" && !strings.HasPrefix(origin, "https://") && !strings.HasPrefix(origin, "http://") {
			r.wrong("-c origins: %q is not an origin such as https://app.example.com", origin)
		}
	}
	o.AlarmEmail = r.text("alarmEmail", "")
	if o.AlarmEmail != "" && !strings.Contains(o.AlarmEmail, "@") {
		r.wrong("-c alarmEmail=%s: not an e-mail address", o.AlarmEmail)
	}
	o.Alarms, o.Dashboard = r.flag("alarms", true), r.flag("dashboard", true)
	if o.AlarmEmail != "" && !o.Alarms {
		r.wrong("-c alarmEmail wants alarms: remove -c alarms=false")
	}
	o.Rate, o.Burst = r.number("rate", defaultRate), r.number("burst", defaultBurst)
	if (o.Rate == 0) != (o.Burst == 0) {
		r.wrong("-c rate and -c burst go together")
	}
	o.Reserved = map[string]float64{}
	for _, name := range FunctionNames {
		if r.get("reserved."+name) != nil {
			o.Reserved[name] = r.number("reserved."+name, 0)
		}
	}
	o.LogDays = int(r.number("logDays", 30))
	if !logDays[o.LogDays] {
		r.wrong("-c logDays=%d: CloudWatch keeps logs for 1, 3, 5, 7, 14, 30, 60, 90, 180 or 365 days", o.LogDays)
	}
	o.AccessLogs, o.Tracing = r.flag("accessLogs", true), r.flag("tracing", true)
	o.AccountLogging = r.flag("accountLogging", true) && o.AccessLogs
	o.Account, o.Region = r.text("account", ""), r.text("region", "")
	o.Assets = r.text("assets", filepath.Join("..", "build", "zips"))
	r.unknown()
	return o, errors.Join(r.errs...)
}

// IsDev says whether a stage is one to play with: its data goes with it.
func IsDev(stage string) bool { return stage == "dev" || strings.HasPrefix(stage, "dev-") }

func (o *Options) authentication(r *reader) {
	o.SecretParameter, o.SecretKey = r.text("secretParameter", ""), r.text("secretKey", "")
	switch auth := r.text("auth", "hs256"); {
	case auth == "open" && o.SecretParameter != "":
		r.wrong("-c auth=open although -c secretParameter is given: remove one of the two")
	case auth == "open":
		o.Open = true
	case auth != "hs256":
		r.wrong("-c auth=%s: neither hs256 nor open", auth)
	case o.SecretParameter == "":
		r.wrong("say who may connect: -c secretParameter=/name/of/an/ssm/parameter (a SecureString of at least 32 bytes), or -c auth=open to let everybody in")
	case !strings.HasPrefix(o.SecretParameter, "/"):
		r.wrong("-c secretParameter=%s: a full name that starts with /", o.SecretParameter)
	}
	if o.SecretKey != "" && (o.SecretParameter == "" || !strings.HasPrefix(o.SecretKey, "arn:")) {
		r.wrong("-c secretKey is the ARN of the KMS key of -c secretParameter")
	}
}

func (o *Options) domain(r *reader) {
	o.Domain, o.Certificate, o.Zone = r.text("domain", ""), r.text("certificate", ""), r.text("zone", "")
	switch {
	case o.Domain == "" && (o.Certificate != "" || o.Zone != ""):
		r.wrong("-c certificate and -c zone want -c domain")
	case o.Domain != "" && !strings.HasPrefix(o.Certificate, "arn:"):
		r.wrong("-c domain=%s wants -c certificate=<ARN of an ACM certificate in this region>", o.Domain)
	}
}
