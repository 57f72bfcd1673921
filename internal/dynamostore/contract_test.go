package dynamostore_test

import (
	"testing"

	"github.com/symphony-rt/symphony/internal/awstest"
	"github.com/symphony-rt/symphony/internal/dynamostore"
	"github.com/symphony-rt/symphony/internal/room/roomtest"
	"github.com/symphony-rt/symphony/internal/s3store"
)

func TestMain(m *testing.M) { awstest.Main(m) }

// backend is a table and a bucket; each handle is a function's own.
type backend struct {
	stack         awstest.Stack
	table, bucket string
	clock         *roomtest.Clock
}

func (b backend) Open(testing.TB) roomtest.Ports {
	objects := s3store.New(s3store.NewClient(awstest.Config(b.stack.S3), true), b.bucket, s3store.Options{})
	store := dynamostore.New(dynamostore.NewClient(awstest.Config(b.stack.DynamoDB)), b.table, objects, dynamostore.Options{Clock: b.clock})
	return roomtest.Ports{Log: store, Metas: store, Members: store, Snapshots: objects}
}

func TestContract(t *testing.T) {
	for _, stack := range awstest.Stacks(t) {
		t.Run(stack.Name, func(t *testing.T) {
			roomtest.Run(t, roomtest.Harness{
				New: func(t testing.TB, clock *roomtest.Clock) roomtest.Backend {
					return backend{stack: stack, table: awstest.NewTable(t, stack), bucket: awstest.NewBucket(t, stack), clock: clock}
				},
				Several: true,
				MaxRoom: stack.MaxRoom,
				// What they show of the domain they show on the fast stores too.
				Schedules: stack.Schedules,
			})
		})
	}
}
