package dynamodirectory_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/awstest"
	"github.com/symphony-rt/symphony/internal/directory"
	"github.com/symphony-rt/symphony/internal/dynamodirectory"
	"github.com/symphony-rt/symphony/internal/dynamostore"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/streamsource"
)

// seed of the random work and faults.
const seed = 11

func TestMain(m *testing.M) { awstest.Main(m) }

type clock struct{}

func (clock) Now() time.Time { return time.Now() }

// worked is what really happened in a room.
type worked struct {
	id    room.ID
	bytes int64
	last  time.Time
}

// work does random things to a room through the store, as functions do.
func work(t *testing.T, s *dynamostore.Store, id room.ID, dice *rand.Rand) worked {
	w := worked{id: id}
	ctx := t.Context()
	require.NoError(t, s.Swap(ctx, id, room.Meta{Epoch: "e", Created: time.Now().UTC().Truncate(time.Millisecond), State: room.Dirty}))
	here := map[room.ConnectionID]room.Member{}
	for range 40 {
		conn := room.ConnectionID(fmt.Sprintf("%s-%d", id, dice.IntN(5)))
		m, in := here[conn]
		switch k := dice.IntN(6); {
		case k < 3:
			data := make([]byte, dice.IntN(2000))
			if dice.IntN(20) == 0 {
				data = make([]byte, dynamostore.MaxInline+1)
			}
			at := time.Now()
			_, err := s.Append(ctx, id, 0, room.Update{Data: data, Author: "a", Connection: conn, At: at})
			require.NoError(t, err)
			w.bytes, w.last = w.bytes+int64(len(data)), at
		case k == 3 && !in:
			m = room.Member{Connection: conn, ConnectedAt: time.Now()}
			require.NoError(t, s.Add(ctx, id, m))
			here[conn] = m
		case k == 4 && in:
			m.Symphony = true
			require.NoError(t, s.Update(ctx, id, m))
		case k == 5 && in:
			_, err := s.Remove(ctx, id, conn)
			require.NoError(t, err)
			delete(here, conn)
		}
	}
	if dice.IntN(2) == 0 {
		tail, err := s.Tail(ctx, id, 0)
		require.NoError(t, err)
		meta, err := s.Get(ctx, id)
		require.NoError(t, err)
		meta.Snapshot = room.SnapshotRef{Key: "k", Seq: tail / 2, Size: 12345}
		meta.Trimmed = tail / 2
		meta.Erased = tail / 2
		require.NoError(t, s.Swap(ctx, id, meta))
		require.NoError(t, s.Trim(ctx, id, tail/2))
	}
	return w
}

// TestDirectoryEqualsTheTruth (P26): the table's own stream, delivered with
// duplicates, failures in the middle and functions that die after their work.
func TestDirectoryEqualsTheTruth(t *testing.T) {
	t.Logf("seed %d", seed)
	for _, stack := range awstest.Stacks(t) {
		t.Run(stack.Name, func(t *testing.T) { directoryEqualsTheTruth(t, stack) })
	}
}

func directoryEqualsTheTruth(t *testing.T, stack awstest.Stack) {
	table := awstest.NewTable(t, stack)
	objects := awstest.NewObjects(t, stack)
	store := dynamostore.New(dynamostore.NewClient(awstest.Config(stack.DynamoDB)), table, objects, dynamostore.Options{})

	faults := awstest.Random(t, seed, 0.15, awstest.Refuse, awstest.Lose, awstest.Fail, awstest.FailAfter, awstest.Throttle)
	cfg := awstest.Config(stack.DynamoDB)
	cfg.HTTPClient = &awstest.Faults{Next: faults}
	entries := dynamodirectory.New(dynamostore.NewClient(cfg), table, clock{})
	var lines bytes.Buffer
	handler := dynamodirectory.NewStream(dynamostore.Change, directory.NewKeeper(entries), directory.NewMetrics(&lines, table), clock{}, slog.New(slog.DiscardHandler))

	var wg sync.WaitGroup
	rooms := make([]worked, 6)
	for i := range rooms {
		wg.Go(func() {
			rooms[i] = work(t, store, room.ID(fmt.Sprintf("room/%d#", i)), rand.New(rand.NewPCG(seed, uint64(i))))
		})
	}
	wg.Wait()
	// Two functions read the same stream, as one does that was given up and
	// still runs.
	both := []*mortal{{dice: rand.New(rand.NewPCG(seed, 1)), handler: handler}, {dice: rand.New(rand.NewPCG(seed, 2)), handler: handler}}
	for _, m := range both {
		source, err := streamsource.New(t.Context(), awstest.Config(stack.DynamoDB), table, m.invoke, streamsource.Options{Batch: 9, Pause: time.Millisecond})
		require.NoError(t, err)
		wg.Go(func() { drain(t, source) })
	}
	wg.Wait()
	for _, m := range both {
		require.Greater(t, m.diedAfter, 5, "records that were applied did come again")
	}

	listed := map[room.ID]directory.Entry{}
	plain := dynamodirectory.New(dynamostore.NewClient(awstest.Config(stack.DynamoDB)), table, clock{})
	for _, active := range []bool{true, false} {
		require.NoError(t, plain.List(t.Context(), active, func(e directory.Entry) error {
			require.Equal(t, active, e.Active(time.Now()))
			require.NotContains(t, listed, e.Room)
			listed[e.Room] = e
			return nil
		}))
	}
	require.Len(t, listed, len(rooms))
	updates := 0.0
	for _, w := range rooms {
		got := listed[w.id]
		want, err := directory.Recount(t.Context(), w.id, store, store, store)
		require.NoError(t, err)
		require.Equal(t, want.Connections(time.Now()), got.Connections(time.Now()), "%s", w.id)
		require.Equal(t, want.Updates, got.Updates)
		require.Equal(t, want.Size(), got.Size())
		require.Equal(t, want.LogBytes, got.LogBytes)
		require.True(t, want.Created.Equal(got.Created))
		require.Equal(t, w.bytes, got.Bytes)
		require.Equal(t, want.Erased, got.Erased)
		require.False(t, got.LastActive.Before(w.last))
		updates += float64(want.Updates)
	}
	require.LessOrEqual(t, sum(t, &lines, directory.MetricUpdates), updates, "no update is counted twice")
	require.Greater(t, sum(t, &lines, directory.MetricUpdates), updates/2, "what is lost is only what an answer was lost of")
	require.Zero(t, sum(t, &lines, directory.MetricSkipped))
}

// mortal is a function that often dies: before, during and after its work.
type mortal struct {
	dice      *rand.Rand
	handler   *dynamodirectory.Stream
	diedAfter int
}

func (m *mortal) invoke(ctx context.Context, payload []byte) ([]byte, error) {
	var event events.DynamoDBEvent
	if err := json.Unmarshal(payload, &event); err != nil {
		return nil, err
	}
	killed := errors.New("killed")
	switch m.dice.IntN(6) {
	case 0:
		return nil, killed
	case 1:
		ctx, cancel := context.WithCancel(ctx)
		cancel()
		_, _ = m.handler.Handle(ctx, event)
		return nil, killed
	case 2:
		m.diedAfter++
		_, err := m.handler.Handle(ctx, event)
		return nil, errors.Join(err, killed)
	}
	res, err := m.handler.Handle(ctx, event)
	if err != nil {
		return nil, err
	}
	return json.Marshal(res)
}

// drain polls until nothing is left.
func drain(t *testing.T, source *streamsource.Source) {
	for idle := 0; idle < 3; {
		n, err := source.Poll(t.Context())
		if !assert.NoError(t, err) {
			return
		}
		if n == 0 {
			idle++
		} else {
			idle = 0
		}
	}
}

func sum(t *testing.T, lines *bytes.Buffer, metric string) (total float64) {
	t.Helper()
	for d := json.NewDecoder(bytes.NewReader(lines.Bytes())); d.More(); {
		var line map[string]any
		require.NoError(t, d.Decode(&line))
		total += line[metric].(float64)
	}
	return total
}

// TestStreamReportsTheFirstRecordOfARoomThatFails: Lambda begins again there.
func TestStreamReportsTheFirstRecordOfARoomThatFails(t *testing.T) {
	stack := awstest.Engines(t)
	table := awstest.NewTable(t, stack)
	cfg := awstest.Config(stack.DynamoDB)
	broken := false
	cfg.HTTPClient = &awstest.Faults{Next: func(op string) awstest.Fault {
		if broken {
			return awstest.Refuse
		}
		return awstest.Pass
	}}
	var lines bytes.Buffer
	entries := dynamodirectory.New(dynamostore.NewClient(cfg), table, clock{})
	s := dynamodirectory.NewStream(dynamostore.Change, directory.NewKeeper(entries), directory.NewMetrics(&lines, table), clock{}, slog.New(slog.DiscardHandler))
	record := func(seq, partition, sort, image string) string {
		keys := fmt.Sprintf(`"partition":{"S":%q},"sort":{"S":%q}`, partition, sort)
		return fmt.Sprintf(`{"eventSourceARN":"arn:aws:dynamodb:us-east-1:1:table/t/stream/2024-01-01T00:00:00.000","dynamodb":{"SequenceNumber":%q,"ApproximateCreationDateTime":1700000000,"Keys":{%s},"NewImage":{%s%s}}}`, seq, keys, keys, image)
	}
	const update = `,"data":{"B":"AAAA"},"size":{"N":"3"}`
	batch := []string{
		record("9", "connection#c", "connection", ""),
		record("10", "directory#a", "directory", ""),
		record("11", "room#a", "update#00000000000000000001", update),
		record("12", "room#b", "update#00000000000000000001", `,"size":{"S":"three"}`),
		record("100", "room#b", "update#00000000000000000002", update),
		record("101", "room#a", "update#00000000000000000002", update),
	}
	var event events.DynamoDBEvent
	require.NoError(t, json.Unmarshal([]byte(`{"Records":[`+join(batch)+`]}`), &event))

	broken = true
	res, err := s.Handle(t.Context(), event)
	require.NoError(t, err)
	require.ElementsMatch(t, []events.DynamoDBBatchItemFailure{{ItemIdentifier: "11"}, {ItemIdentifier: "100"}}, res.BatchItemFailures)

	broken = false
	for range 2 {
		res, err = s.Handle(t.Context(), event)
		require.NoError(t, err)
		require.Empty(t, res.BatchItemFailures)
	}
	for id, updates := range map[room.ID]uint64{"a": 2, "b": 2} {
		e, _, err := entries.Load(t.Context(), id)
		require.NoError(t, err)
		require.Equal(t, updates, e.Updates)
		require.EqualValues(t, 3*map[room.ID]int{"a": 2, "b": 1}[id], e.Bytes)
	}
	require.EqualValues(t, 3, sum(t, &lines, directory.MetricUpdates))
	require.EqualValues(t, 3, sum(t, &lines, directory.MetricSkipped), "each time it was delivered")

	// A table restored from a backup has another stream, whose numbers may be
	// lower.
	for i := range event.Records {
		event.Records[i].EventSourceArn = "arn:aws:dynamodb:us-east-1:1:table/t/stream/2024-02-01T00:00:00.000"
		event.Records[i].Change.SequenceNumber = fmt.Sprint(i + 1)
	}
	_, err = s.Handle(t.Context(), events.DynamoDBEvent{Records: event.Records[2:3]})
	require.NoError(t, err)
	e, _, err := entries.Load(t.Context(), "a")
	require.NoError(t, err)
	require.EqualValues(t, 9, e.Bytes)
}

func join(list []string) string {
	var b bytes.Buffer
	for i, s := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString(s)
	}
	return b.String()
}
