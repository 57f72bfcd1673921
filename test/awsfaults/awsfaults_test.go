// Package awsfaults fails and kills what runs on the AWS adapters, on engines
// that somebody else wrote: every call of a store or of the sender, in whole
// sessions, and every single request that a checkpoint or an append makes.
package awsfaults

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/awstest"
	"github.com/symphony-rt/symphony/internal/dynamostore"
	"github.com/symphony-rt/symphony/internal/room/roomtest"
	"github.com/symphony-rt/symphony/internal/s3store"
)

func TestMain(m *testing.M) { awstest.Main(m) }

// engines is a table and a bucket that all runs share, each in a room of its own.
type engines struct {
	stack         awstest.Stack
	table, bucket string
}

func newEngines(t *testing.T) engines {
	stack := awstest.Engines(t)
	return engines{stack: stack, table: awstest.NewTable(t, stack), bucket: awstest.NewBucket(t, stack)}
}

// open returns a process's own handle. faults, unless nil, makes its requests.
func (e engines) open(clock *roomtest.Clock, faults *awstest.Faults) roomtest.Ports {
	if faults == nil {
		faults = &awstest.Faults{} // none; but thousands of processes share their connections
	}
	db, objects := awstest.Config(e.stack.DynamoDB), awstest.Config(e.stack.S3)
	db.HTTPClient, objects.HTTPClient = faults, faults
	bucket := s3store.New(s3store.NewClient(objects, true), e.bucket, s3store.Options{})
	table := dynamostore.New(dynamostore.NewClient(db), e.table, bucket, dynamostore.Options{Clock: clock})
	return roomtest.Ports{Log: table, Metas: table, Members: table, Snapshots: bucket, Uploads: bucket, Links: bucket}
}

// TestFaultRunOnTheEngines_N1_P21_P23: every store and sender call fails, fails
// after its effect, or is the last of its process, before or after its effect.
// Acknowledged is a subset of recovered, and later checkpoints clean up.
func TestFaultRunOnTheEngines_N1_P21_P23(t *testing.T) {
	e := newEngines(t)
	total := roomtest.RunFaults(t, roomtest.FaultRun{
		Stride: 1, Short: true,
		Open: func(_ testing.TB, clock *roomtest.Clock) roomtest.Ports { return e.open(clock, nil) },
	})
	for _, name := range []string{
		"Log.Append", "Log.Read", "Log.Trim", "Metas.Get", "Metas.Swap", "Metas.Unclean", "Members.Add", "Members.Admit",
		"Members.Update", "Members.Remove", "Members.List", "Snapshots.Put", "Snapshots.Get", "Snapshots.Delete", "Snapshots.List",
		"Snapshots.Archive", "Uploads.Offer", "Uploads.Fetch", "Uploads.Link", "Sender.Post",
	} {
		require.NotZero(t, total[name], "the sessions come by %s", name)
	}
}
