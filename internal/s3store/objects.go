package s3store

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/symphony-rt/symphony/internal/layout"
	"github.com/symphony-rt/symphony/internal/room"
)

const contentType = "application/octet-stream"

// Put implements room.Snapshots with one conditional PutObject.
func (s *Store) Put(ctx context.Context, id room.ID, seq room.Seq, nonce string, data []byte) (room.SnapshotRef, error) {
	key, err := layout.SnapshotObject(id, seq, nonce)
	if err != nil {
		return room.SnapshotRef{}, err
	}
	ref, err := s.put(ctx, key, data, once)
	ref.Seq = seq
	return ref, err
}

// Archive implements room.Snapshots. The same range has the same bytes, so it
// may overwrite.
func (s *Store) Archive(ctx context.Context, id room.ID, from, to room.Seq, data []byte) (room.SnapshotRef, error) {
	ref, err := s.put(ctx, layout.LogObject(id, from, to), data, func(in *s3.PutObjectInput) {
		in.Tagging = aws.String(TagKey + "=" + ArchiveTagValue)
	})
	ref.Seq = to
	return ref, err
}

// PutUpdate stores the bytes of a log entry too large for a table item, under
// a key that contains nonce.
func (s *Store) PutUpdate(ctx context.Context, id room.ID, nonce string, data []byte) (room.SnapshotRef, error) {
	key, err := layout.UpdateObject(id, nonce)
	if err != nil {
		return room.SnapshotRef{}, err
	}
	return s.put(ctx, key, data, once)
}

// put stores data, which is read from where it lies. S3 refuses what does not
// arrive with this SHA-256.
func (s *Store) put(ctx context.Context, key string, data []byte, how func(*s3.PutObjectInput)) (room.SnapshotRef, error) {
	ctx, cancel := s.within(ctx)
	defer cancel()
	ref := room.SnapshotRef{Key: key, Size: int64(len(data)), SHA256: sha256.Sum256(data)}
	in := &s3.PutObjectInput{
		Bucket:         &s.bucket,
		Key:            &key,
		Body:           bytes.NewReader(data),
		ContentLength:  aws.Int64(ref.Size),
		ContentType:    aws.String(contentType),
		ChecksumSHA256: encodeHash(ref.SHA256),
	}
	how(in)
	_, err := s.s3.PutObject(ctx, in)
	if in.IfNoneMatch != nil && hasCode(err, "PreconditionFailed") {
		return ref, s.mustBe(ctx, ref)
	}
	if err != nil {
		return room.SnapshotRef{}, failed("put", key, err)
	}
	return ref, nil
}

// once is how to put an object that must not be there yet.
func once(in *s3.PutObjectInput) { in.IfNoneMatch = aws.String("*") }

// mustBe tells our own object, put by an attempt whose answer was lost, from
// somebody else's of the same name, which is ErrConflict.
func (s *Store) mustBe(ctx context.Context, ref room.SnapshotRef) error {
	head, err := s.s3.HeadObject(ctx, &s3.HeadObjectInput{Bucket: &s.bucket, Key: &ref.Key, ChecksumMode: types.ChecksumModeEnabled})
	if err != nil {
		return failed("look at", ref.Key, err)
	}
	if aws.ToInt64(head.ContentLength) != ref.Size || aws.ToString(head.ChecksumSHA256) != *encodeHash(ref.SHA256) {
		return fmt.Errorf("s3store: put %s: %w: it exists with other bytes", ref.Key, room.ErrConflict)
	}
	return nil
}

// Get implements room.Snapshots. The bytes are read into one buffer of the
// object's size; a body that breaks off is asked for again.
func (s *Store) Get(ctx context.Context, ref room.SnapshotRef) ([]byte, error) {
	ctx, cancel := s.within(ctx)
	defer cancel()
	data, _, err := s.get(ctx, ref.Key, func(out *s3.GetObjectOutput) error {
		if size := aws.ToInt64(out.ContentLength); size != ref.Size {
			return fmt.Errorf("s3store: %s: %w: it has %d bytes, not %d", ref.Key, room.ErrCorrupt, size, ref.Size)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if sha256.Sum256(data) != ref.SHA256 {
		return nil, fmt.Errorf("s3store: %s: %w: its SHA-256 is not the one that was stored", ref.Key, room.ErrCorrupt)
	}
	return data, nil
}

// get reads an object; check sees its headers first.
func (s *Store) get(ctx context.Context, key string, check func(*s3.GetObjectOutput) error) ([]byte, *s3.GetObjectOutput, error) {
	in := &s3.GetObjectInput{Bucket: &s.bucket, Key: &key, ChecksumMode: types.ChecksumModeEnabled}
	for attempt := 1; ; attempt++ {
		out, err := s.s3.GetObject(ctx, in)
		if err != nil {
			return nil, nil, failed("get", key, err)
		}
		if err := check(out); err != nil {
			out.Body.Close()
			return nil, nil, err
		}
		data, err := readExactly(out.Body, aws.ToInt64(out.ContentLength))
		out.Body.Close()
		if err == nil {
			return data, out, nil
		}
		if attempt == readAttempts || pause(ctx, attempt) != nil {
			return nil, nil, failed("read", key, err)
		}
	}
}

// Delete implements room.Snapshots. In a versioned bucket the bytes stay until
// the bucket's lifecycle ends them.
func (s *Store) Delete(ctx context.Context, ref room.SnapshotRef) error {
	return s.delete(ctx, ref.Key)
}

func (s *Store) delete(ctx context.Context, key string) error {
	ctx, cancel := s.within(ctx)
	defer cancel()
	_, err := s.s3.DeleteObject(ctx, &s3.DeleteObjectInput{Bucket: &s.bucket, Key: &key})
	if err == nil {
		return nil
	}
	if err = failed("delete", key, err); errors.Is(err, room.ErrNotFound) {
		return nil
	}
	return err
}

// Open implements room.Snapshots: the bytes are checked against the SHA-256
// that S3 was given with them and keeps.
func (s *Store) Open(ctx context.Context, key string) ([]byte, error) {
	ctx, cancel := s.within(ctx)
	defer cancel()
	return s.open(ctx, key, "object", math.MaxInt64)
}

// open reads an object of at most so many bytes and checks its SHA-256.
func (s *Store) open(ctx context.Context, key, what string, most int64) ([]byte, error) {
	data, out, err := s.get(ctx, key, func(out *s3.GetObjectOutput) error {
		if size := aws.ToInt64(out.ContentLength); size < 0 || size > most {
			return fmt.Errorf("s3store: %s %s of %d bytes: %w", what, key, size, room.ErrTooLarge)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	if aws.ToString(out.ChecksumSHA256) != *encodeHash(sha256.Sum256(data)) {
		return nil, fmt.Errorf("s3store: %s %s: %w: its SHA-256 is not the one it was stored with", what, key, room.ErrCorrupt)
	}
	return data, nil
}

// List implements room.Snapshots, to the last page. Stored is S3's time.
func (s *Store) List(ctx context.Context, id room.ID, kind room.ObjectKind, fn func(o room.Object) error) error {
	if err := id.Validate(); err != nil {
		return err
	}
	prefix := layout.Folder(id, kind)
	pages := s3.NewListObjectsV2Paginator(s.s3, &s3.ListObjectsV2Input{Bucket: &s.bucket, Prefix: &prefix})
	for pages.HasMorePages() {
		page, err := s.nextPage(ctx, pages)
		if err != nil {
			return failed("list", prefix, err)
		}
		for _, o := range page.Contents {
			object, err := layout.ParseObject(aws.ToString(o.Key))
			if err != nil {
				continue // not ours: whoever put it there knows what it is
			}
			found := room.Object{
				Kind: kind, Key: *o.Key, From: object.From, To: object.To, Size: aws.ToInt64(o.Size), Stored: aws.ToTime(o.LastModified),
			}
			if err := fn(found); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Store) nextPage(ctx context.Context, pages *s3.ListObjectsV2Paginator) (*s3.ListObjectsV2Output, error) {
	ctx, cancel := s.within(ctx)
	defer cancel()
	return pages.NextPage(ctx)
}
