package dynamodirectory

import (
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/symphony-rt/symphony/internal/directory"
	"github.com/symphony-rt/symphony/internal/layout"
	"github.com/symphony-rt/symphony/internal/room"
)

const (
	// positionWidth is the most digits a sequence number of a stream has
	// (https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_streams_StreamRecord.html);
	// filled up with zeros, their order as text is that as numbers.
	positionWidth = 40
	// concurrency is how many rooms of a batch are written at a time.
	concurrency = 16
	// reserve is kept of a function's time to report what failed.
	reserve = time.Second
)

// Stream handles the table's stream. Lambda delivers each record at least once
// and, within a room, in order; records that failed are delivered again with
// all that follow them in the shard.
type Stream struct {
	change  func(events.DynamoDBEventRecord) (room.Change, error)
	keeper  *directory.Keeper
	metrics *directory.Metrics
	clock   room.Clock
	log     *slog.Logger
}

// NewStream returns the handler. change reads a record: dynamostore.Change.
func NewStream(change func(events.DynamoDBEventRecord) (room.Change, error), keeper *directory.Keeper,
	metrics *directory.Metrics, clock room.Clock, log *slog.Logger) *Stream {
	return &Stream{change: change, keeper: keeper, metrics: metrics, clock: clock, log: log}
}

// stretch is one room's records of a batch.
type stretch struct {
	room    room.ID
	first   string // the first record's sequence number, as Lambda knows it
	records []directory.Record
}

// Handle applies a batch and reports the records that could not be: for each
// room the first, because Lambda starts again from there.
func (s *Stream) Handle(ctx context.Context, event events.DynamoDBEvent) (events.DynamoDBEventResponse, error) {
	if deadline, ok := ctx.Deadline(); ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithDeadline(ctx, deadline.Add(-reserve))
		defer cancel()
	}
	stretches, counts := s.split(event.Records)
	var mu sync.Mutex
	var res events.DynamoDBEventResponse
	var wait sync.WaitGroup
	slots := make(chan struct{}, concurrency)
	for _, st := range stretches {
		slots <- struct{}{}
		wait.Go(func() {
			defer func() { <-slots }()
			applied, err := s.keeper.Apply(ctx, st.room, st.records)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				s.log.Error("room directory not updated", "room", st.room, "records", len(st.records), "error", err)
				res.BatchItemFailures = append(res.BatchItemFailures, events.DynamoDBBatchItemFailure{ItemIdentifier: st.first})
			}
			counts.Rooms += applied.Rooms
			counts.ActiveRooms += applied.Active
			for _, r := range applied.Records {
				counts.Add(r.Change)
			}
		})
	}
	wait.Wait()
	if err := s.metrics.Write(s.clock.Now(), counts); err != nil {
		s.log.Error("metrics not written", "error", err)
	}
	return res, nil
}

// split sorts a batch by room. A record that cannot be read will not be
// readable next time either: it is counted and passed over, so that it does
// not hold up its shard.
func (s *Stream) split(records []events.DynamoDBEventRecord) ([]*stretch, directory.Counts) {
	var counts directory.Counts
	var list []*stretch
	byRoom := map[room.ID]*stretch{}
	for _, r := range records {
		c, err := s.change(r)
		if errors.Is(err, layout.ErrKey) {
			continue
		}
		if err != nil {
			counts.Skipped++
			s.log.Error("stream record skipped", "sequence", r.Change.SequenceNumber, "error", err)
			continue
		}
		st := byRoom[c.Room]
		if st == nil {
			st = &stretch{room: c.Room, first: r.Change.SequenceNumber}
			byRoom[c.Room] = st
			list = append(list, st)
		}
		st.records = append(st.records, directory.Record{At: position(r), Change: c})
	}
	return list, counts
}

// position orders records of one stream by their sequence number, and streams
// by their label, the time they began: the table's own stream is another one
// after it was turned off and on, or the table restored.
func position(r events.DynamoDBEventRecord) directory.Position {
	_, label, _ := strings.Cut(r.EventSourceArn, "/stream/")
	sequence := r.Change.SequenceNumber
	return directory.Position(label + "#" + strings.Repeat("0", max(0, positionWidth-len(sequence))) + sequence)
}
