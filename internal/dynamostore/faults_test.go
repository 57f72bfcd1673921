package dynamostore_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/awstest"
	"github.com/symphony-rt/symphony/internal/dynamostore"
	"github.com/symphony-rt/symphony/internal/layout"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/s3store"
)

// seed of the random faults; change it to see others.
const seed = 20240611

var disturbing = []awstest.Fault{
	awstest.Refuse, awstest.Lose, awstest.Break, awstest.Fail, awstest.FailAfter, awstest.Throttle, awstest.Unprocessed,
}

// fixture is a table seen through a client without faults.
type fixture struct {
	stack         awstest.Stack
	table, bucket string
	*dynamostore.Store
}

func newFixture(t *testing.T) fixture {
	stack := awstest.Engines(t)
	f := fixture{stack: stack, table: awstest.NewTable(t, stack), bucket: awstest.NewBucket(t, stack)}
	f.Store = f.open(nil)
	return f
}

// open returns a handle whose requests go through faults.
func (f fixture) open(next func(string) awstest.Fault) *dynamostore.Store {
	objects := s3store.New(s3store.NewClient(awstest.Config(f.stack.S3), true), f.bucket, s3store.Options{})
	return dynamostore.New(dynamostore.NewClient(f.config(&awstest.Faults{Next: next})), f.table, objects, dynamostore.Options{})
}

func (f fixture) config(client aws.HTTPClient) aws.Config {
	cfg := awstest.Config(f.stack.DynamoDB)
	cfg.HTTPClient = client
	return cfg
}

func (f fixture) read(t *testing.T, id room.ID) (log []string) {
	t.Helper()
	require.NoError(t, f.Read(t.Context(), id, 0, func(u room.Update) error {
		require.EqualValues(t, len(log)+1, u.Seq, "no holes")
		log = append(log, string(u.Data))
		return nil
	}))
	return log
}

// count returns how many entries up to through are in the table.
func (f fixture) count(t *testing.T, id room.ID, through room.Seq) int {
	t.Helper()
	res, err := dynamostore.NewClient(awstest.Config(f.stack.DynamoDB)).Query(t.Context(), &dynamodb.QueryInput{
		TableName: &f.table, Select: types.SelectCount, ConsistentRead: aws.Bool(true),
		KeyConditionExpression:   aws.String("#p = :p AND #s BETWEEN :from AND :to"),
		ExpressionAttributeNames: map[string]string{"#p": layout.PartitionAttribute, "#s": layout.SortAttribute},
		ExpressionAttributeValues: map[string]types.AttributeValue{
			":p":    &types.AttributeValueMemberS{Value: layout.RoomPartition(id)},
			":from": &types.AttributeValueMemberS{Value: layout.UpdateSort(0)},
			":to":   &types.AttributeValueMemberS{Value: layout.UpdateSort(through)},
		},
	})
	require.NoError(t, err)
	return int(res.Count)
}

func limited(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

// TestAppendUnderFaults: guarantees 1, 3 and 7, N1. What is acknowledged is in
// the log under its number; nothing is in it twice; there are no holes.
func TestAppendUnderFaults(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const writers, each = 6, 25
	var mu sync.Mutex
	acknowledged := map[string]room.Seq{}
	failures := 0
	var wg sync.WaitGroup
	for w := range writers {
		store := f.open(awstest.Random(t, seed+uint64(w), 0.4, disturbing...))
		wg.Go(func() {
			for i := range each {
				data := fmt.Sprintf("%d/%d", w, i)
				ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
				seq, err := store.Append(ctx, "r", 0, room.Update{Data: []byte(data)})
				cancel()
				mu.Lock()
				if err == nil {
					acknowledged[data] = seq
				} else if failures++; !errors.Is(err, room.ErrUnavailable) {
					t.Errorf("append: %v", err)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	log := f.read(t, "r")
	t.Logf("%d acknowledged, %d failed, %d in the log", len(acknowledged), failures, len(log))
	for data, seq := range acknowledged {
		require.Equal(t, data, log[seq-1])
	}
	require.LessOrEqual(t, len(log), len(acknowledged)+failures)
	slices.Sort(log)
	require.Len(t, slices.Compact(log), len(log), "nothing is stored twice")
	require.Greater(t, len(acknowledged), writers*each/2, "faults that pass are survived")
}

// TestAppendOnceUnderEachFault does each fault to each of the first requests.
func TestAppendOnceUnderEachFault(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for _, fault := range disturbing {
		for at := range 4 {
			id := room.ID(fmt.Sprintf("%d/%d", fault, at))
			require.NoError(t, oneAppend(f.Store, t.Context(), id, "before"))
			script := slices.Repeat([]awstest.Fault{awstest.Pass}, at)
			store := f.open(awstest.Script(append(script, fault)...))
			require.NoError(t, oneAppend(store, limited(t), id, "first"), "%s", id)
			require.NoError(t, oneAppend(f.Store, t.Context(), id, "between"))
			require.NoError(t, oneAppend(store, limited(t), id, "second"), "%s", id)
			require.Equal(t, []string{"before", "first", "between", "second"}, f.read(t, id), "%s", id)
		}
	}
}

func oneAppend(s *dynamostore.Store, ctx context.Context, id room.ID, data string) error {
	_, err := s.Append(ctx, id, 0, room.Update{Data: []byte(data)})
	return err
}

// TestSwapUnderFaults: a swap that reports a conflict has not happened, one
// that reports success has, and none happens twice.
func TestSwapUnderFaults(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const writers, each = 4, 25
	var mu sync.Mutex
	outcome := map[string]error{}
	var wg sync.WaitGroup
	for w := range writers {
		store := f.open(awstest.Random(t, seed+uint64(w), 0.3, disturbing...))
		wg.Go(func() {
			for i := range each {
				m, err := store.Get(t.Context(), "r")
				if err != nil {
					continue
				}
				token := fmt.Sprintf("%d/%d", w, i)
				// The record keeps the tokens of all swaps that happened.
				m.Denied = addTo(m.Denied, token)
				err = store.Swap(t.Context(), "r", m)
				mu.Lock()
				outcome[token] = err
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	m, err := f.Get(t.Context(), "r")
	require.NoError(t, err)
	count := map[string]int{}
	for token, err := range outcome {
		switch {
		case err == nil:
			count["swapped"]++
			require.True(t, m.Denied[token], "%s was swapped and is not there", token)
		case errors.Is(err, room.ErrConflict):
			count["conflict"]++
			require.False(t, m.Denied[token], "%s was reported a conflict and is there", token)
		default:
			count["unknown"]++
			require.ErrorIs(t, err, room.ErrUnavailable)
		}
	}
	t.Log(count)
	require.EqualValues(t, len(m.Denied), m.Version, "each swap counts once")
	require.NotZero(t, count["swapped"])
	require.NotZero(t, count["conflict"])
}

func addTo(set map[string]bool, s string) map[string]bool {
	if set == nil {
		set = map[string]bool{}
	}
	set[s] = true
	return set
}

// TestSwapWhoseAnswerIsLostBelowAnother: ours came first, somebody else's on
// top of it. "Conflict" would let us delete the snapshot both point at.
func TestSwapWhoseAnswerIsLostBelowAnother(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	script := awstest.Script(awstest.Lose)
	store := f.open(func(op string) awstest.Fault {
		fault := script(op)
		if fault == awstest.Pass {
			m, err := f.Get(t.Context(), "r")
			require.NoError(t, err)
			m.State = room.Dirty
			require.NoError(t, f.Swap(t.Context(), "r", m))
		}
		return fault
	})
	err := store.Swap(limited(t), "r", room.Meta{Snapshot: room.SnapshotRef{Key: "mine"}})
	require.ErrorIs(t, err, room.ErrUnavailable)
	require.NotErrorIs(t, err, room.ErrConflict)
	m, err := f.Get(t.Context(), "r")
	require.NoError(t, err)
	require.Equal(t, "mine", m.Snapshot.Key)
}

// TestMembersUnderFaults: who was added is listed and admitted until removed.
func TestMembersUnderFaults(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	store := f.open(awstest.Random(t, seed, 0.3, disturbing...))
	here := map[room.ConnectionID]bool{}
	for i := range 60 {
		conn := room.ConnectionID(fmt.Sprintf("c%d", i%10))
		var err error
		if here[conn] {
			if _, err = store.Remove(t.Context(), "", conn); err == nil {
				here[conn] = false
			}
		} else if err = store.Add(t.Context(), "r", room.Member{Connection: conn, ConnectedAt: time.Now()}); err == nil {
			here[conn] = true
		}
		if err != nil {
			require.ErrorIs(t, err, room.ErrUnavailable)
			// It may or may not have happened: find out.
			_, err := f.Admit(t.Context(), "r", conn)
			here[conn] = err == nil
		}
		if adm, err := store.Admit(t.Context(), "r", conn); !errors.Is(err, room.ErrUnavailable) {
			require.Equal(t, here[conn], err == nil, "%v", err)
			require.Equal(t, here[conn], adm.Member.Connection == conn)
		}
		list, err := store.List(t.Context(), "r")
		if err != nil {
			require.ErrorIs(t, err, room.ErrUnavailable)
			continue
		}
		listed := map[room.ConnectionID]bool{}
		for _, m := range list {
			listed[m.Connection] = true
		}
		for conn, in := range here {
			require.Equal(t, in, listed[conn], "%s", conn)
		}
	}
}

// TestTrimUnderFaults: whatever a trim that failed has left, a reader is told
// "trimmed", never "damaged", and a later trim finishes.
func TestTrimUnderFaults(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	const entries, through = 70, 60
	for i := range entries {
		n := 10
		if i%20 == 7 {
			n = dynamostore.MaxInline + 1
		}
		_, err := f.Append(t.Context(), "r", 0, room.Update{Data: make([]byte, n)})
		require.NoError(t, err)
	}
	require.NoError(t, f.Swap(t.Context(), "r", room.Meta{Snapshot: room.SnapshotRef{Key: "k", Seq: through}}))
	for i := range 10 {
		ctx, cancel := context.WithCancel(t.Context())
		faults := awstest.Random(t, seed+uint64(i), 0.3, disturbing...)
		calls := 0
		store := f.open(func(op string) awstest.Fault {
			if calls++; calls > 2+i { // and then the function dies
				cancel()
			}
			if op == "BatchWriteItem" {
				return awstest.Unprocessed
			}
			return faults(op)
		})
		trimmed := store.Trim(ctx, "r", through)
		cancel()
		if trimmed != nil {
			require.ErrorIs(t, trimmed, room.ErrUnavailable)
		} else {
			require.Zero(t, f.count(t, "r", through), "nothing is left of what was trimmed")
		}
		for after := range room.Seq(entries) {
			n := after
			err := f.Read(t.Context(), "r", after, func(u room.Update) error {
				n++
				require.Equal(t, n, u.Seq)
				return nil
			})
			if after >= through {
				require.NoError(t, err)
				require.EqualValues(t, entries, n)
			} else if err != nil || trimmed == nil {
				require.ErrorIs(t, err, room.ErrTrimmed, "after %d", after)
			}
		}
	}
	require.NoError(t, f.Trim(t.Context(), "r", through))
	require.ErrorIs(t, f.Read(t.Context(), "r", through-1, func(room.Update) error { return nil }), room.ErrTrimmed)
	var left []room.Seq
	require.NoError(t, f.Read(t.Context(), "r", through, func(u room.Update) error { left = append(left, u.Seq); return nil }))
	require.Len(t, left, entries-through)
	tail, err := f.Tail(t.Context(), "r", 0)
	require.NoError(t, err)
	require.EqualValues(t, entries, tail)
}

// each calls every method of the store.
func each(s *dynamostore.Store, ctx context.Context) map[string]error {
	out := map[string]error{}
	_, out["Append"] = s.Append(ctx, "r", 0, room.Update{Data: []byte("x")})
	out["Read"] = s.Read(ctx, "r", 0, func(room.Update) error { return nil })
	out["Large"] = s.Large(ctx, "r", func(string) error { return nil })
	_, out["Tail"] = s.Tail(ctx, "r", 0)
	out["Trim"] = s.Trim(ctx, "r", 1)
	_, out["Get"] = s.Get(ctx, "r")
	out["Swap"] = s.Swap(ctx, "r", room.Meta{})
	out["Unclean"] = s.Unclean(ctx, func(room.ID) error { return nil })
	out["Add"] = s.Add(ctx, "r", room.Member{Connection: "c"})
	out["Update"] = s.Update(ctx, "r", room.Member{Connection: "c"})
	_, out["Remove"] = s.Remove(ctx, "r", "c")
	_, out["List"] = s.List(ctx, "r")
	_, out["Admit"] = s.Admit(ctx, "", "c")
	return out
}

// TestNothingAnswers: every call ends as "unavailable" while its context still
// has the reserve left, so that the function can answer.
func TestNothingAnswers(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for name, fault := range map[string]awstest.Fault{"hangs": awstest.Hang, "throttles": awstest.Throttle, "fails": awstest.Fail, "refuses": awstest.Refuse} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := dynamostore.NewClient(f.config(&awstest.Faults{Next: func(string) awstest.Fault { return fault }}))
			const reserve = 30 * time.Second
			store := dynamostore.New(client, f.table, nil, dynamostore.Options{Reserve: reserve})
			ctx, cancel := context.WithTimeout(t.Context(), reserve+300*time.Millisecond)
			defer cancel()
			for method, err := range each(store, ctx) {
				require.ErrorIs(t, err, room.ErrUnavailable, method)
			}
			require.NoError(t, ctx.Err(), "the reserve is untouched")
		})
	}
}

// TestHungAttemptIsRepeated: the client's own time-out ends an attempt that is
// never answered, and the next one works.
func TestHungAttemptIsRepeated(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	hangs := awstest.Script(awstest.Hang)
	engine := awstest.NewProxy(t, f.stack.DynamoDB, func(req *http.Request) awstest.Fault { return hangs(awstest.Operation(req)) })
	store := dynamostore.New(dynamostore.NewClient(awstest.Config(engine)), f.table, nil, dynamostore.Options{})
	require.NoError(t, oneAppend(store, limited(t), "r", "x"))
	require.Equal(t, []string{"x"}, f.read(t, "r"))
}

// TestLargeUpdateWithoutItsBytes: an entry whose object cannot be had is an
// error, never an empty update (guarantee 5).
func TestLargeUpdateWithoutItsBytes(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	data := make([]byte, dynamostore.MaxInline+1)
	blobs := &stubBlobs{Blobs: s3store.New(s3store.NewClient(awstest.Config(f.stack.S3), true), f.bucket, s3store.Options{})}
	store := dynamostore.New(dynamostore.NewClient(awstest.Config(f.stack.DynamoDB)), f.table, blobs, dynamostore.Options{})

	blobs.err = fmt.Errorf("%w: no", room.ErrUnavailable)
	_, err := store.Append(t.Context(), "r", 0, room.Update{Data: data})
	require.ErrorIs(t, err, room.ErrUnavailable)
	require.Empty(t, f.read(t, "r"), "nothing is appended whose bytes are not stored")

	blobs.err = nil
	_, err = store.Append(t.Context(), "r", 0, room.Update{Data: data})
	require.NoError(t, err)
	for _, fail := range []error{room.ErrUnavailable, room.ErrCorrupt} {
		blobs.err = fail
		err = store.Read(t.Context(), "r", 0, func(room.Update) error { t.Error("called"); return nil })
		require.ErrorIs(t, err, fail)
	}
	blobs.err = room.ErrNotFound
	err = store.Read(t.Context(), "r", 0, func(room.Update) error { t.Error("called"); return nil })
	require.ErrorIs(t, err, room.ErrCorrupt, "lost, and no snapshot covers it")
}

type stubBlobs struct {
	dynamostore.Blobs
	err error
}

func (b *stubBlobs) PutUpdate(ctx context.Context, id room.ID, nonce string, data []byte) (room.SnapshotRef, error) {
	if b.err != nil {
		return room.SnapshotRef{}, b.err
	}
	return b.Blobs.PutUpdate(ctx, id, nonce, data)
}

func (b *stubBlobs) Get(ctx context.Context, ref room.SnapshotRef) ([]byte, error) {
	if b.err != nil {
		return nil, b.err
	}
	return b.Blobs.Get(ctx, ref)
}
