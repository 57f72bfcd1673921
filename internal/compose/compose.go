// Package compose puts the AWS adapters, the domain and the handlers together
// for the functions' mains, so that each of those is wiring only.
package compose

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"github.com/symphony-rt/symphony/internal/apigwsender"
	"github.com/symphony-rt/symphony/internal/auth"
	"github.com/symphony-rt/symphony/internal/config"
	"github.com/symphony-rt/symphony/internal/directory"
	"github.com/symphony-rt/symphony/internal/dynamostore"
	"github.com/symphony-rt/symphony/internal/handler"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/s3store"
)

// startTimeout bounds what happens before the first event: Lambda gives a
// function ten seconds to start.
const startTimeout = 8 * time.Second

// Clock is the system's, in UTC.
type Clock struct{}

// Now implements room.Clock.
func (Clock) Now() time.Time { return time.Now().UTC() }

// Environment is what every function starts from.
type Environment struct {
	Config config.Config
	AWS    aws.Config
	Log    *slog.Logger
}

// Start reads the environment. The AWS SDK reads its own variables (region,
// credentials, endpoints).
func Start(need config.Need) (*Environment, error) {
	c, err := config.FromEnv(os.Getenv, need)
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	a, err := awsconfig.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, fmt.Errorf("configuration of the AWS SDK: %w", err)
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: c.LogLevel}))
	log.Info(config.LogStarted)
	return &Environment{Config: c, AWS: a, Log: log}, nil
}

// Service returns the domain on DynamoDB, S3 and the management API. fanout may
// be nil.
func (e *Environment) Service(fanout room.Fanout) (*room.Service, error) {
	objects := s3store.New(s3store.NewClient(e.AWS, e.Config.S3PathStyle), e.Config.Bucket, s3store.Options{})
	table := dynamostore.New(dynamostore.NewClient(e.AWS), e.Config.Table, objects, dynamostore.Options{Clock: Clock{}})
	return room.NewService(room.Ports{
		Log: table, Metas: table, Members: table, Snapshots: objects, Uploads: objects, Links: objects, Sender: e.sender(), Fanout: fanout, Clock: Clock{},
	}, room.Options{Grace: e.Config.Grace, Logger: e.Log})
}

// sender posts, or says that this function was not given an endpoint: connect
// and checkpoint post to nobody.
func (e *Environment) sender() room.Sender {
	if e.Config.ManagementEndpoint == "" {
		return noSender{}
	}
	return apigwsender.New(e.AWS, e.Config.ManagementEndpoint, apigwsender.Options{})
}

var errNoEndpoint = errors.New("compose: this function has no management endpoint")

type noSender struct{}

func (noSender) Post(_ context.Context, to []room.ConnectionID, _ []byte) []room.Failure {
	failures := make([]room.Failure, len(to))
	for i, c := range to {
		failures[i] = room.Failure{Connection: c, Err: fmt.Errorf("%w: %w", room.ErrUnavailable, errNoEndpoint)}
	}
	return failures
}

func (noSender) Disconnect(context.Context, room.ConnectionID) error {
	return fmt.Errorf("%w: %w", room.ErrUnavailable, errNoEndpoint)
}

// Routes returns the handlers of $connect and $disconnect.
func Routes(need config.Need) (*handler.Handler, error) {
	e, err := Start(need)
	if err != nil {
		return nil, err
	}
	service, err := e.Service(nil)
	if err != nil {
		return nil, err
	}
	return handler.New(service, nil, Clock{}, e.Log), nil
}

// Authorizer returns the authorizer's handler, its secret fetched.
func Authorizer() (*handler.Authorizer, error) {
	e, err := Start(config.NeedAuth)
	if err != nil {
		return nil, err
	}
	policy, err := e.policy()
	if err != nil {
		return nil, err
	}
	return handler.NewAuthorizer(policy, e.Log), nil
}

func (e *Environment) policy() (auth.Policy, error) {
	secret := e.Config.Secret
	switch {
	case e.Config.Open:
		return auth.Open{}, nil
	case e.Config.SecretParameter != "":
		var err error
		if secret, err = fetchSecret(e.AWS, e.Config.SecretParameter); err != nil {
			return nil, err
		}
	}
	return auth.NewHS256(secret, Clock{})
}

// Checkpoint returns the handler of the schedule.
func Checkpoint() (*handler.Checkpoint, error) {
	e, err := Start(config.NeedStore)
	if err != nil {
		return nil, err
	}
	service, err := e.Service(nil)
	if err != nil {
		return nil, err
	}
	metrics := directory.NewMetrics(os.Stdout, e.Config.Table)
	return handler.NewCheckpoint(service, handler.CheckpointOptions{
		Rule: e.Rule(),
		Lag:  func(lag time.Duration) error { return metrics.WriteCheckpointLag(time.Now(), lag) },
	}, e.Log), nil
}
