// Package config turns a function's environment into a typed Config, once, at
// the start. Nothing else in Symphony reads the environment.
package config

import (
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"github.com/symphony-rt/symphony/internal/room"
)

// The variables a function reads. The AWS SDK reads its own besides (region,
// credentials, AWS_ENDPOINT_URL_DYNAMODB, _S3 and _LAMBDA for a local engine).
const (
	// EnvTable names the DynamoDB table. Required.
	EnvTable = "SYMPHONY_TABLE"
	// EnvBucket names the S3 bucket. Required.
	EnvBucket = "SYMPHONY_BUCKET"
	// EnvManagement is the management API's endpoint,
	// https://{api}.execute-api.{region}.amazonaws.com/{stage}, without
	// /@connections. Required by the functions that post.
	EnvManagement = "SYMPHONY_MANAGEMENT_ENDPOINT"
	// EnvSecret is the HS256 secret, as it is or as "base64:<bytes>".
	EnvSecret = "SYMPHONY_AUTH_SECRET"
	// EnvSecretParameter names an SSM parameter (SecureString) that holds the
	// secret, instead of EnvSecret: how a deployment keeps it out of the template.
	EnvSecretParameter = "SYMPHONY_AUTH_SECRET_PARAMETER"
	// EnvAuth is "hs256" (default when a secret is set) or "open". Without a
	// secret it must say "open": a deployment is not left open by omission.
	EnvAuth = "SYMPHONY_AUTH"
	// EnvGrace is how long replaced snapshots and covered log entries stay
	// (a Go duration, default room.DefaultGrace).
	EnvGrace = "SYMPHONY_GRACE"
	// EnvS3PathStyle is "true" for S3 engines without virtual hosts.
	EnvS3PathStyle = "SYMPHONY_S3_PATH_STYLE"
	// EnvSchedule names the EventBridge rule that starts checkpoints. The stream
	// and checkpoint functions turn it on and off, so that an idle deployment
	// runs nothing. Empty: the schedule is somebody else's.
	EnvSchedule = "SYMPHONY_SCHEDULE_RULE"
	// EnvFanout names the function that posts slices of a large room's broadcast.
	// Empty: the message function posts to everybody itself.
	EnvFanout = "SYMPHONY_FANOUT_FUNCTION"
	// EnvLog is debug, info, warn or error.
	EnvLog = "SYMPHONY_LOG"
)

// LogStarted is the message that every instance of a function logs once, at
// level info: the dashboard counts cold starts by it, as Lambda's own lines for
// every message are turned off.
const LogStarted = "instance started"

// Config is what a function needs to know.
type Config struct {
	Table              string
	Bucket             string
	ManagementEndpoint string
	// Secret is nil when Open, and when SecretParameter says where it is.
	Secret          []byte
	SecretParameter string
	Open            bool
	Grace           time.Duration
	Schedule        string
	Fanout          string
	S3PathStyle     bool
	LogLevel        slog.Level
}

// Need says which settings a function cannot do without.
type Need uint8

const (
	// NeedStore wants EnvTable and EnvBucket.
	NeedStore Need = 1 << iota
	// NeedSender wants EnvManagement.
	NeedSender
	// NeedAuth wants EnvSecret, or EnvAuth=open.
	NeedAuth
)

// FromEnv reads the environment through getenv (os.Getenv) and reports
// everything that is wrong at once.
func FromEnv(getenv func(string) string, need Need) (Config, error) {
	c := Config{
		Table:              getenv(EnvTable),
		Bucket:             getenv(EnvBucket),
		ManagementEndpoint: strings.TrimSuffix(getenv(EnvManagement), "/"),
		Grace:              room.DefaultGrace,
		Schedule:           getenv(EnvSchedule),
		Fanout:             getenv(EnvFanout),
	}
	var errs []error
	wrong := func(name, format string, args ...any) {
		errs = append(errs, fmt.Errorf("%s %s", name, fmt.Sprintf(format, args...)))
	}
	if need&NeedStore != 0 && c.Table == "" {
		wrong(EnvTable, "is not set: the name of the DynamoDB table")
	}
	if need&NeedStore != 0 && c.Bucket == "" {
		wrong(EnvBucket, "is not set: the name of the S3 bucket")
	}
	if need&NeedSender != 0 && c.ManagementEndpoint == "" {
		wrong(EnvManagement, "is not set: the endpoint of the WebSocket API's stage")
	}
	if need&NeedAuth != 0 {
		c.auth(getenv, wrong)
	}
	if v := getenv(EnvGrace); v != "" {
		d, err := time.ParseDuration(v)
		if err != nil || d < room.MinGrace {
			wrong(EnvGrace, "is %q: a duration of at least %s", v, room.MinGrace)
		} else {
			c.Grace = d
		}
	}
	if v := getenv(EnvS3PathStyle); v != "" {
		b, err := strconv.ParseBool(v)
		if err != nil {
			wrong(EnvS3PathStyle, "is %q, neither true nor false", v)
		}
		c.S3PathStyle = b
	}
	if v := getenv(EnvLog); v != "" {
		if err := c.LogLevel.UnmarshalText([]byte(v)); err != nil {
			wrong(EnvLog, "is %q: debug, info, warn or error", v)
		}
	}
	return c, errors.Join(errs...)
}

func (c *Config) auth(getenv func(string) string, wrong func(name, format string, args ...any)) {
	secret, parameter := getenv(EnvSecret), getenv(EnvSecretParameter)
	switch mode := getenv(EnvAuth); {
	case mode == "open" && secret == "" && parameter == "":
		c.Open = true
	case mode == "open":
		wrong(EnvAuth, "is open although a secret is set: remove one of the two")
	case mode != "" && mode != "hs256":
		wrong(EnvAuth, "is %q, neither hs256 nor open", mode)
	case secret != "" && parameter != "":
		wrong(EnvSecret, "and %s are both set: remove one of the two", EnvSecretParameter)
	case parameter != "":
		c.SecretParameter = parameter
	case secret == "":
		wrong(EnvSecret, "is not set: a secret of at least 32 bytes, or %s=open to let everybody in", EnvAuth)
	default:
		b, err := ParseSecret(secret)
		if err != nil {
			wrong(EnvSecret, "%s", err)
		}
		c.Secret = b
	}
}

// ParseSecret reads a secret as it is or as "base64:<standard base64>".
func ParseSecret(s string) ([]byte, error) {
	b := []byte(s)
	if enc, ok := strings.CutPrefix(s, "base64:"); ok {
		var err error
		if b, err = base64.StdEncoding.DecodeString(enc); err != nil {
			return nil, errors.New("is not base64 after \"base64:\"")
		}
	}
	if len(b) < 32 {
		return nil, fmt.Errorf("has %d bytes: HS256 wants at least 32 (RFC 7518, section 3.2)", len(b))
	}
	return b, nil
}
