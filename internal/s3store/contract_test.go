package s3store_test

import (
	"testing"

	"github.com/symphony-rt/symphony/internal/awstest"
	"github.com/symphony-rt/symphony/internal/room/roomtest"
	"github.com/symphony-rt/symphony/internal/s3store"
)

func TestMain(m *testing.M) { awstest.Main(m) }

type backend struct {
	stack  awstest.Stack
	bucket string
}

func (b backend) Open(testing.TB) roomtest.Ports {
	store := s3store.New(s3store.NewClient(awstest.Config(b.stack.S3), true), b.bucket, s3store.Options{})
	return roomtest.Ports{Snapshots: store, Uploads: store, Links: store}
}

func TestContract(t *testing.T) {
	for _, stack := range awstest.Stacks(t) {
		t.Run(stack.Name, func(t *testing.T) {
			roomtest.Run(t, roomtest.Harness{
				New: func(t testing.TB, _ *roomtest.Clock) roomtest.Backend {
					return backend{stack: stack, bucket: awstest.NewBucket(t, stack)}
				},
				Several: true,
				MaxRoom: stack.MaxRoom,
			})
		})
	}
}
