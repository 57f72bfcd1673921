// Package s3store keeps what is too large for a table, or for ever, in one S3
// bucket: snapshots, archived log, the bytes of large updates, and what clients
// upload. It implements room.Snapshots, room.Uploads, room.Links and dynamostore's Blobs.
// Names come from internal/layout; the bucket is the one EnsureBucket describes.
//
// Every object is stored with its SHA-256, which S3 checks on the way in, and
// is checked again on the way out. Objects that must never be overwritten are
// put on condition that there is none of that name.
package s3store

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go"

	"github.com/symphony-rt/symphony/internal/awscall"
	"github.com/symphony-rt/symphony/internal/room"
)

const (
	// headerTimeout ends an attempt that S3 does not begin to answer. It
	// answers in tens of milliseconds; a put of 50 MB is hashed before.
	headerTimeout = 10 * time.Second
	// callTimeout bounds a call whose context has no deadline: 50 MB at the
	// 25 MB/s of the smallest function, several times over.
	callTimeout = 60 * time.Second
	// DefaultReserve is how long before the context's deadline the store gives
	// up, so that the function can still answer.
	DefaultReserve = 250 * time.Millisecond
	// LinkLife is how long members may use a Link: long enough for a slow line
	// to begin, and functions' credentials outlive it.
	LinkLife = 15 * time.Minute
	// OfferLife is how long a client may begin to upload. It is checked when the
	// request begins, not when it ends.
	OfferLife = 15 * time.Minute
)

// NewClient returns a client with time-outs and jittered retries that suit a
// function. pathStyle is for engines without a virtual host for each bucket.
func NewClient(cfg aws.Config, pathStyle bool, options ...func(*s3.Options)) *s3.Client {
	defaults := func(o *s3.Options) {
		o.UsePathStyle = pathStyle
		// The store sends and checks SHA-256 itself; the SDK's own CRC would
		// go over the bytes once more.
		o.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired
		o.ResponseChecksumValidation = aws.ResponseChecksumValidationWhenRequired
		o.Retryer = awscall.New("ConditionalRequestConflict", "OperationAborted")
		o.HTTPClient = awscall.HTTPClient(cfg, func(c *awshttp.BuildableClient) *awshttp.BuildableClient {
			return c.WithTransportOptions(func(t *http.Transport) { t.ResponseHeaderTimeout = headerTimeout })
		})
	}
	return s3.NewFromConfig(cfg, append([]func(*s3.Options){defaults}, options...)...)
}

// Options are what a Store can be given; zero values mean the defaults.
type Options struct {
	// Reserve is how long before a context's deadline the store gives up.
	Reserve time.Duration
}

// Store is a bucket. It is safe for concurrent use.
type Store struct {
	s3      *s3.Client
	presign *s3.PresignClient
	bucket  string
	reserve time.Duration
}

var (
	_ room.Snapshots = (*Store)(nil)
	_ room.Uploads   = (*Store)(nil)
	_ room.Links     = (*Store)(nil)
)

// New returns the store in bucket, which must exist. Make client with NewClient.
func New(client *s3.Client, bucket string, opts Options) *Store {
	if opts.Reserve <= 0 {
		opts.Reserve = DefaultReserve
	}
	signer := v4.NewSigner(func(o *v4.SignerOptions) {
		o.DisableURIPathEscaping = true // as S3 wants it
		// S3 checks a checksum that comes as a signed header; one moved into
		// the query it only keeps.
		o.DisableHeaderHoisting = true
	})
	presign := s3.NewPresignClient(client, func(o *s3.PresignOptions) { o.Presigner = signer })
	return &Store{s3: client, presign: presign, bucket: bucket, reserve: opts.Reserve}
}

// within returns ctx ending before its deadline by the reserve, or after
// callTimeout when it has none.
func (s *Store) within(ctx context.Context) (context.Context, context.CancelFunc) {
	if deadline, ok := ctx.Deadline(); ok {
		return context.WithDeadline(ctx, deadline.Add(-s.reserve))
	}
	return context.WithTimeout(ctx, callTimeout)
}

// failed turns an SDK error into the domain's.
func failed(what, key string, err error) error {
	is := error(room.ErrUnavailable)
	if hasCode(err, "NoSuchKey", "NotFound") {
		is = room.ErrNotFound
	}
	return fmt.Errorf("s3store: %s %s: %w: %w", what, key, is, err)
}

func hasCode(err error, codes ...string) bool {
	var api smithy.APIError
	if !errors.As(err, &api) {
		return false
	}
	for _, code := range codes {
		if api.ErrorCode() == code {
			return true
		}
	}
	return false
}

func encodeHash(sum [32]byte) *string {
	return aws.String(base64.StdEncoding.EncodeToString(sum[:]))
}

// readExactly reads a body of size bytes into one buffer of that size.
func readExactly(body io.Reader, size int64) ([]byte, error) {
	data := make([]byte, size)
	if _, err := io.ReadFull(body, data); err != nil {
		return nil, err
	}
	if n, err := io.CopyN(io.Discard, body, 1); n != 0 || !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("more than %d bytes: %w", size, io.ErrUnexpectedEOF)
	}
	return data, nil
}

// readAttempts is how often a body that breaks off is asked for again.
const readAttempts = 3

// pause waits a random time of up to 100 ms << attempt.
func pause(ctx context.Context, attempt int) error {
	most := big.NewInt(int64(100*time.Millisecond) << attempt)
	n, err := rand.Int(rand.Reader, most)
	if err != nil {
		return err
	}
	t := time.NewTimer(time.Duration(n.Int64()))
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
