package local

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/symphony-rt/symphony/internal/dynamodirectory"
	"github.com/symphony-rt/symphony/internal/dynamostore"
	"github.com/symphony-rt/symphony/internal/operate"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/s3store"
)

// What local engines are told. The credentials are no secret: LocalStack and
// DynamoDB Local take any; another engine's come from the usual variables.
const (
	localRegion = "us-east-1"
	localTable  = "symphony-local"
	localBucket = "symphony-local"
	localKey    = "test"
)

func localCredentials() (key, secret string) {
	key, secret = os.Getenv("AWS_ACCESS_KEY_ID"), os.Getenv("AWS_SECRET_ACCESS_KEY")
	if key == "" || secret == "" {
		return localKey, localKey
	}
	return key, secret
}

// onEngines runs on a DynamoDB and an S3 outside of this process. It creates
// the table and the bucket when they are missing.
func onEngines(ctx context.Context, o options, s server, e engines, log *slog.Logger) (*backend, error) {
	key, secret := localCredentials()
	cfg := aws.Config{Region: localRegion, Credentials: credentials.NewStaticCredentialsProvider(key, secret, "")}
	db := dynamostore.NewClient(cfg, func(c *dynamodb.Options) { c.BaseEndpoint = &e.dynamodb })
	objects := s3store.NewClient(cfg, true, func(c *s3.Options) { c.BaseEndpoint = &e.s3 })
	if err := dynamostore.EnsureTable(ctx, db, localTable); err != nil {
		return nil, fmt.Errorf("the table at %s: %w", e.dynamodb, err)
	}
	if err := s3store.EnsureBucket(ctx, objects, localBucket); err != nil {
		return nil, fmt.Errorf("the bucket at %s: %w", e.s3, err)
	}
	b := &backend{
		where: fmt.Sprintf("table %s at %s, bucket %s at %s", localTable, e.dynamodb, localBucket, e.s3),
		stack: e.stack, why: e.why,
		healthy: func() error { return nil },
		close:   func(context.Context) error { return nil },
	}
	b.rooms = tableRooms(db)
	b.later = newAsync(func() invoker { return b.functions }, log.With("part", "functions"))
	b.close = b.later.close
	service, err := engineService(o, s, db, objects, b.later, log)
	if err != nil {
		return nil, err
	}
	b.ports, b.listed = service.Ports, dynamodirectory.New(db, localTable, systemClock{})
	b.operations = operate.NewDirect(service, operate.InTable{Listed: dynamodirectory.New(db, localTable, systemClock{})}, operator)
	if o.functions == functionsProcess {
		err := b.runBootstraps(o, s, e, log)
		if err == nil {
			err = b.feedStream(ctx, cfg, e.dynamodb, log.With("part", "stream"))
		}
		return b, err
	}
	policy, err := policyFor(o)
	if err != nil {
		return nil, err
	}
	functions := inlineFunctions(service, policy, systemClock{}, s.watch, log.With("part", "functions"))
	functions[fnStream] = streamFunction(db, log.With("part", "functions"))
	b.functions = s.watch.invoker(functions)
	return b, b.feedStream(ctx, cfg, e.dynamodb, log.With("part", "stream"))
}

func engineService(o options, s server, db *dynamodb.Client, objects *s3.Client, later *async, log *slog.Logger) (*room.Service, error) {
	snapshots := s3store.New(objects, localBucket, s3store.Options{})
	table := dynamostore.New(db, localTable, snapshots, dynamostore.Options{Clock: systemClock{}})
	return room.NewService(s.meter.wrap(room.Ports{
		Log: table, Metas: table, Members: table, Snapshots: snapshots, Uploads: snapshots, Links: snapshots,
		Sender: s.watch.sender(&sender{s.posts}), Fanout: later, Clock: systemClock{},
	}), room.Options{Grace: o.grace, Logger: log.With("part", "room")})
}

var errNotBuilt = errors.New("the functions are not built for this machine: make functions ARCH=amd64 (or arm64), or use `make local FUNCTIONS=process`, which does it")
