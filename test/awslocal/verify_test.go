package awslocal

import (
	"bytes"
	"context"
	"io"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/awstest"
	"github.com/symphony-rt/symphony/internal/dynamostore"
	"github.com/symphony-rt/symphony/internal/layout"
	"github.com/symphony-rt/symphony/internal/operate"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/room/roomtest"
	"github.com/symphony-rt/symphony/internal/s3store"
	"github.com/symphony-rt/symphony/internal/yjs"
)

// verifiable is a room on a DynamoDB and an S3 engine that has lived: two
// archives, a snapshot, and a log after it.
type verifiable struct {
	stack         awstest.Stack
	table, bucket string
	db            *dynamodb.Client
	objects       *s3.Client
	snapshots     *s3store.Store
	rooms         *operate.Direct
	meta          room.Meta
	export        []byte
}

const verified = room.ID("team/plan")

type silent struct{}

func (silent) Post(context.Context, []room.ConnectionID, []byte) []room.Failure { return nil }
func (silent) Disconnect(context.Context, room.ConnectionID) error              { return nil }

func newVerifiable(t *testing.T, stack awstest.Stack) *verifiable {
	t.Helper()
	v := &verifiable{stack: stack, table: awstest.NewTable(t, stack), bucket: awstest.NewBucket(t, stack)}
	v.db = dynamostore.NewClient(awstest.Config(stack.DynamoDB))
	v.objects = s3store.NewClient(awstest.Config(stack.S3), true)
	v.snapshots = s3store.New(v.objects, v.bucket, s3store.Options{})
	clock := roomtest.NewClock()
	store := dynamostore.New(v.db, v.table, v.snapshots, dynamostore.Options{Clock: clock})
	service, err := room.NewService(room.Ports{Log: store, Metas: store, Members: store, Snapshots: v.snapshots, Sender: silent{}, Clock: clock}, room.Options{})
	require.NoError(t, err)
	v.rooms = operate.NewDirect(service, operate.Recounted{
		Rooms: func(_ context.Context, fn func(room.ID) error) error { return fn(verified) }, Log: store, Metas: store, Members: store,
	}, room.User{ID: "operator"})
	doc := yjs.NewDoc()
	for i := range 12 {
		u, err := doc.Transact(7, func(tx *yjs.Tx) error { return tx.Array("list").Push(i) })
		require.NoError(t, err)
		_, err = v.rooms.Import(t.Context(), verified, u, true)
		require.NoError(t, err)
		for range map[int]int{3: 3, 7: 3, 11: 1}[i] {
			require.NoError(t, service.Checkpoint(t.Context(), verified))
			if i < 11 {
				clock.Advance(room.DefaultGrace + time.Second)
			}
		}
	}
	v.meta, err = store.Get(t.Context(), verified)
	require.NoError(t, err)
	e, err := v.rooms.Export(t.Context(), verified, operate.Point{})
	require.NoError(t, err)
	v.export = e.Update
	return v
}

func (v *verifiable) key(t *testing.T, seq room.Seq) map[string]types.AttributeValue {
	t.Helper()
	return map[string]types.AttributeValue{
		layout.PartitionAttribute: &types.AttributeValueMemberS{Value: layout.RoomPartition(verified)},
		layout.SortAttribute:      &types.AttributeValueMemberS{Value: layout.UpdateSort(seq)},
	}
}

// N3 on DynamoDB and S3: `verify` finds a flipped byte in a snapshot, a missing
// log entry, a pointer to a missing object, and an orphan; and nothing in a room
// that is whole.
func TestVerifyFindsDamageOnEngines(t *testing.T) {
	stack := awstest.Engines(t)
	for name, c := range map[string]struct {
		kind   string
		damage func(t *testing.T, v *verifiable)
	}{
		"nothing": {"", func(*testing.T, *verifiable) {}},
		"a flipped byte in the snapshot": {operate.ProblemSnapshot, func(t *testing.T, v *verifiable) {
			out, err := v.objects.GetObject(t.Context(), &s3.GetObjectInput{Bucket: &v.bucket, Key: &v.meta.Snapshot.Key})
			require.NoError(t, err)
			data, err := io.ReadAll(out.Body)
			require.NoError(t, err)
			data[len(data)/2] ^= 1
			_, err = v.objects.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &v.bucket, Key: &v.meta.Snapshot.Key, Body: bytes.NewReader(data), Metadata: out.Metadata})
			require.NoError(t, err)
		}},
		"a missing log entry": {operate.ProblemLog, func(t *testing.T, v *verifiable) {
			_, err := v.db.DeleteItem(t.Context(), &dynamodb.DeleteItemInput{TableName: &v.table, Key: v.key(t, 10)})
			require.NoError(t, err)
		}},
		"a pointer to a missing object": {operate.ProblemSnapshot, func(t *testing.T, v *verifiable) {
			_, err := v.objects.DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: &v.bucket, Key: &v.meta.Snapshot.Key})
			require.NoError(t, err)
		}},
		"an orphan": {operate.ProblemOrphan, func(t *testing.T, v *verifiable) {
			_, err := v.snapshots.Put(t.Context(), verified, 12, "ffff", v.export)
			require.NoError(t, err)
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			v := newVerifiable(t, stack)
			c.damage(t, v)
			r, err := v.rooms.Verify(t.Context(), verified)
			require.NoError(t, err)
			if c.kind == "" {
				require.Empty(t, r.Problems)
				require.Contains(t, r.Checked, "replay of 12 updates")
				return
			}
			require.False(t, r.OK())
			require.Equal(t, c.kind, r.Problems[0].Kind, "%+v", r.Problems)
		})
	}
}
