// Package streamsource does locally what Lambda's event source mapping does in
// a deployment: it reads a DynamoDB table's stream and gives a function its
// records, each shard in order, at least once, again when it failed.
// https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html
package streamsource

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams"
	"github.com/aws/aws-sdk-go-v2/service/dynamodbstreams/types"
)

const (
	// DefaultBatch is the most records given at once, as in the deployment.
	DefaultBatch = 100
	// DefaultInterval is how long to wait when there is nothing new: Lambda
	// polls four times a second.
	DefaultInterval = 250 * time.Millisecond
	// DefaultPause is the first pause after a function failed; it doubles, up to
	// maxDoublings times.
	DefaultPause = 100 * time.Millisecond
	maxDoublings = 6
)

// Invoke gives the function an event and returns its answer.
type Invoke func(ctx context.Context, event []byte) ([]byte, error)

// Options are what a Source can be given; zero values mean the defaults.
type Options struct {
	Batch    int32
	Interval time.Duration
	Pause    time.Duration
	Log      *slog.Logger
}

// Source is one table's stream and the function it feeds.
type Source struct {
	streams *dynamodbstreams.Client
	arn     string
	region  string
	invoke  Invoke
	opts    Options
	// shards are those seen so far, by id.
	shards map[string]*shard
}

// shard is how far one shard was read.
type shard struct {
	parent   string
	iterator *string
	// after is the last record that was handled.
	after *string
	done  bool
}

// New returns the source of table's present stream, from its oldest record on.
func New(ctx context.Context, cfg aws.Config, table string, invoke Invoke, opts Options) (*Source, error) {
	if opts.Batch <= 0 {
		opts.Batch = DefaultBatch
	}
	if opts.Interval <= 0 {
		opts.Interval = DefaultInterval
	}
	if opts.Pause <= 0 {
		opts.Pause = DefaultPause
	}
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	res, err := dynamodb.NewFromConfig(cfg).DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: &table})
	if err != nil {
		return nil, fmt.Errorf("streamsource: table %s: %w", table, err)
	}
	if res.Table.LatestStreamArn == nil {
		return nil, fmt.Errorf("streamsource: table %s has no stream", table)
	}
	return &Source{
		streams: dynamodbstreams.NewFromConfig(cfg), arn: *res.Table.LatestStreamArn, region: cfg.Region,
		invoke: invoke, opts: opts, shards: map[string]*shard{},
	}, nil
}

// Run feeds the function until ctx ends, whose error it returns. Errors of the
// engine are logged and tried again.
func (s *Source) Run(ctx context.Context) error {
	for {
		n, err := s.Poll(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if err != nil {
			s.opts.Log.Warn("table stream", "error", err)
		}
		if n > 0 && err == nil {
			continue
		}
		if err := pause(ctx, s.opts.Interval); err != nil {
			return err
		}
	}
}

// Poll reads every shard once, parents before their children, and returns how
// many records were handled.
func (s *Source) Poll(ctx context.Context) (handled int, err error) {
	if err := s.discover(ctx); err != nil {
		return 0, err
	}
	for _, id := range s.order() {
		sh := s.shards[id]
		if parent := s.shards[sh.parent]; sh.done || parent != nil && !parent.done {
			continue
		}
		n, err := s.read(ctx, id, sh)
		handled += n
		if err != nil {
			return handled, err
		}
	}
	return handled, nil
}

func (s *Source) order() []string {
	ids := make([]string, 0, len(s.shards))
	for id := range s.shards {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// discover lists the stream's shards.
func (s *Source) discover(ctx context.Context) error {
	in := &dynamodbstreams.DescribeStreamInput{StreamArn: &s.arn}
	for {
		res, err := s.streams.DescribeStream(ctx, in)
		if err != nil {
			return fmt.Errorf("streamsource: describe %s: %w", s.arn, err)
		}
		for _, sh := range res.StreamDescription.Shards {
			if id := aws.ToString(sh.ShardId); s.shards[id] == nil {
				s.shards[id] = &shard{parent: aws.ToString(sh.ParentShardId)}
			}
		}
		if res.StreamDescription.LastEvaluatedShardId == nil {
			return nil
		}
		in.ExclusiveStartShardId = res.StreamDescription.LastEvaluatedShardId
	}
}

// read hands one page of the shard to the function.
func (s *Source) read(ctx context.Context, id string, sh *shard) (handled int, err error) {
	if sh.iterator == nil {
		if err := s.begin(ctx, id, sh); err != nil {
			return 0, err
		}
	}
	res, err := s.streams.GetRecords(ctx, &dynamodbstreams.GetRecordsInput{ShardIterator: sh.iterator, Limit: &s.opts.Batch})
	if err != nil {
		sh.iterator = nil // it may have expired: begin again after the last record
		return 0, fmt.Errorf("streamsource: shard %s: %w", id, err)
	}
	if err := s.deliver(ctx, sh, res.Records); err != nil {
		sh.iterator = nil
		return 0, err
	}
	sh.iterator = res.NextShardIterator
	sh.done = res.NextShardIterator == nil
	return len(res.Records), nil
}

func (s *Source) begin(ctx context.Context, id string, sh *shard) error {
	in := &dynamodbstreams.GetShardIteratorInput{StreamArn: &s.arn, ShardId: &id, ShardIteratorType: types.ShardIteratorTypeTrimHorizon}
	if sh.after != nil {
		in.ShardIteratorType, in.SequenceNumber = types.ShardIteratorTypeAfterSequenceNumber, sh.after
	}
	res, err := s.streams.GetShardIterator(ctx, in)
	if err != nil {
		return fmt.Errorf("streamsource: shard %s: %w", id, err)
	}
	sh.iterator = res.ShardIterator
	return nil
}

// deliver gives the function the records until it has taken all of them: from
// the first it reports as failed, or half of them when it fails as a whole.
func (s *Source) deliver(ctx context.Context, sh *shard, records []types.Record) error {
	take := len(records)
	for failures := 0; len(records) > 0; {
		done, err := s.call(ctx, records[:take])
		if done > 0 {
			sh.after = records[done-1].Dynamodb.SequenceNumber
			records = records[done:]
			take, failures = len(records), 0
		}
		if err == nil {
			continue
		}
		s.opts.Log.Warn("stream function failed", "records", take, "error", err)
		take = max(1, min(take, len(records))/2)
		if err := pause(ctx, s.opts.Pause<<min(failures, maxDoublings)); err != nil {
			return err
		}
		failures++
	}
	return nil
}

var errReported = errors.New("streamsource: the function reported failed records")

// call invokes the function and returns how many of the records are done.
func (s *Source) call(ctx context.Context, records []types.Record) (done int, err error) {
	event, err := encodeEvent(s.arn, s.region, records)
	if err != nil {
		return 0, err
	}
	out, err := s.invoke(ctx, event)
	if err != nil {
		return 0, err
	}
	var answer events.DynamoDBEventResponse
	if len(out) > 0 {
		if err := json.Unmarshal(out, &answer); err != nil {
			return 0, fmt.Errorf("streamsource: the function's answer: %w", err)
		}
	}
	if len(answer.BatchItemFailures) == 0 {
		return len(records), nil
	}
	// Lambda begins again at the lowest of the reported sequence numbers, and
	// with all records when it does not know one.
	first := len(records)
	for _, f := range answer.BatchItemFailures {
		first = min(first, max(0, slices.IndexFunc(records, func(r types.Record) bool {
			return aws.ToString(r.Dynamodb.SequenceNumber) == f.ItemIdentifier
		})))
	}
	return first, errReported
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
