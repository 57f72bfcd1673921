// Package dynamostore keeps rooms in one DynamoDB table: it implements
// room.Log, room.Metas and room.Members. Keys come from internal/layout; the
// table is the one Schema describes.
//
// Every conditional write carries a nonce. The SDK repeats a request whose
// answer was lost, and the condition of the repetition then fails against the
// very item the first attempt wrote: the nonce in the returned old item tells
// "we won" from "somebody else did".
package dynamostore

import (
	"context"
	"crypto/rand"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/symphony-rt/symphony/internal/room"
)

// Blobs keeps the bytes of updates that do not fit a table item; s3store does.
type Blobs interface {
	// PutUpdate stores data under a new key of the room that contains nonce.
	// Durable on return.
	PutUpdate(ctx context.Context, id room.ID, nonce string, data []byte) (room.SnapshotRef, error)
	// Get returns the object's bytes after checking size and SHA-256.
	// room.ErrNotFound, room.ErrCorrupt.
	Get(ctx context.Context, ref room.SnapshotRef) ([]byte, error)
	// Delete removes the object. Deleting what is not there is no error.
	Delete(ctx context.Context, ref room.SnapshotRef) error
}

// Options are what a Store can be given; zero values mean the defaults.
type Options struct {
	// Clock decides which members are past their time. Default: the system's.
	Clock room.Clock
	// Random makes nonces and the jitter of retries. Default: crypto/rand.
	Random io.Reader
	// Reserve is how long before the context's deadline the store gives up, so
	// that the function can still answer. Default: DefaultReserve.
	Reserve time.Duration
	// Tails is how many rooms' tails are remembered. Default: DefaultTails.
	Tails int
}

const (
	// DefaultReserve is what a function needs to encode an error and return.
	DefaultReserve = 250 * time.Millisecond
	// DefaultTails bounds the memory of remembered tails: some 200 bytes each,
	// and a function instance serves one room at a time.
	DefaultTails = 4096
)

// Store is a table. It is safe for concurrent use.
type Store struct {
	db    *dynamodb.Client
	table string
	blobs Blobs
	opts  Options
	tails *tails
	dice  *dice
}

var (
	_ room.Log     = (*Store)(nil)
	_ room.Metas   = (*Store)(nil)
	_ room.Members = (*Store)(nil)
)

// New returns the store in table, which must exist (see EnsureTable). Make db
// with NewClient. blobs takes updates over MaxInline bytes.
func New(db *dynamodb.Client, table string, blobs Blobs, opts Options) *Store {
	if opts.Clock == nil {
		opts.Clock = systemClock{}
	}
	if opts.Random == nil {
		opts.Random = rand.Reader
	}
	if opts.Reserve <= 0 {
		opts.Reserve = DefaultReserve
	}
	if opts.Tails <= 0 {
		opts.Tails = DefaultTails
	}
	return &Store{db: db, table: table, blobs: blobs, opts: opts, tails: newTails(opts.Tails), dice: &dice{random: opts.Random}}
}

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }
