// Package stack is Symphony's CloudFormation stack, in CDK.
package stack

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
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
	// AlarmEmail gets the alarms.
	AlarmEmail string
	// Rate and Burst throttle the stage's routes; 0 keeps the account's.
	Rate, Burst float64
	// Reserved is reserved concurrency by function name; absent is none.
	Reserved map[string]float64
	// LogDays is how long logs are kept.
	LogDays int
	// AccountLogging creates the account-wide role that lets API Gateway write
	// access logs. One stack of an account and region needs it.
	AccountLogging bool
	// Account and Region fix the environment; "" leaves it to the CLI.
	Account, Region string
	// Assets is the folder of the functions' zip files.
	Assets string
}

// FunctionNames are the folders of functions/, in the order of a connection's life.
var FunctionNames = []string{"authorize", "connect", "message", "disconnect", "checkpoint", "stream"}

var (
	stagePattern = regexp.MustCompile(`^[a-z][a-z0-9-]{0,19}$`)
	logDays      = map[int]bool{1: true, 3: true, 5: true, 7: true, 14: true, 30: true, 60: true, 90: true, 180: true, 365: true}
)

// reader collects what is wrong so that everything is said at once.
type reader struct {
	get  func(string) any
	errs []error
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
	if err != nil || f < 0 {
		r.wrong("-c %s=%s: not a number of 0 or more", key, s)
	}
	return f
}

// ParseOptions reads the context through get, which returns nil for what is absent.
func ParseOptions(get func(key string) any) (Options, error) {
	r := &reader{get: get}
	o := Options{Stage: r.text("stage", "dev")}
	if !stagePattern.MatchString(o.Stage) {
		r.wrong("-c stage=%s: a lower-case letter, then up to 19 letters, digits or hyphens", o.Stage)
	}
	isDev := o.Stage == "dev" || strings.HasPrefix(o.Stage, "dev-")
	o.Retain = r.flag("retain", !isDev)
	o.authentication(r)
	o.domain(r)
	o.Origins = strings.Split(r.text("origins", "*"), ",")
	o.AlarmEmail = r.text("alarmEmail", "")
	o.Rate, o.Burst = r.number("rate", 0), r.number("burst", 0)
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
	o.AccountLogging = r.flag("accountLogging", true)
	o.Account, o.Region = r.text("account", ""), r.text("region", "")
	o.Assets = r.text("assets", filepath.Join("..", "build", "zips"))
	return o, errors.Join(r.errs...)
}

func (o *Options) authentication(r *reader) {
	o.SecretParameter = r.text("secretParameter", "")
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
