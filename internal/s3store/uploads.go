package s3store

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/symphony-rt/symphony/internal/layout"
	"github.com/symphony-rt/symphony/internal/room"
)

// Tags tell the bucket's lifecycle what an object is: the room comes first in
// its name, so a rule by prefix cannot. Uploads are removed after UploadDays;
// archives may move to colder storage.
const (
	TagKey          = "symphony"
	UploadTagValue  = "upload"
	ArchiveTagValue = "archive"
	UploadDays      = 1
)

// Offer implements room.Uploads: a presigned PutObject whose signature covers
// the length, the type, the tag and the SHA-256, so that S3 takes exactly the
// announced bytes. It makes no call.
func (s *Store) Offer(ctx context.Context, u room.Upload) (room.UploadTarget, error) {
	key, err := layout.UploadObject(u.Room, u.ID)
	if err != nil {
		return room.UploadTarget{}, err
	}
	if u.Size < 0 || u.Size > room.MaxUpdateBytes {
		return room.UploadTarget{}, fmt.Errorf("s3store: upload of %d bytes: %w: at most %d", u.Size, room.ErrTooLarge, room.MaxUpdateBytes)
	}
	req, err := s.presign.PresignPutObject(ctx, &s3.PutObjectInput{
		Bucket:         &s.bucket,
		Key:            &key,
		ContentLength:  aws.Int64(u.Size),
		ContentType:    aws.String(contentType),
		ChecksumSHA256: encodeHash(u.SHA256),
		Tagging:        aws.String(TagKey + "=" + UploadTagValue),
	}, s3.WithPresignExpires(OfferLife))
	if err != nil {
		return room.UploadTarget{}, failed("offer", key, err)
	}
	return room.UploadTarget{URL: req.URL, Headers: uploadHeaders(req.SignedHeader)}, nil
}

// uploadHeaders leaves out what an HTTP client sets by itself, and a browser
// does not let a page set.
func uploadHeaders(signed http.Header) []room.UploadHeader {
	var list []room.UploadHeader
	for name, values := range signed {
		name = http.CanonicalHeaderKey(name)
		if name == "Host" || name == "Content-Length" {
			continue
		}
		for _, value := range values {
			list = append(list, room.UploadHeader{Name: name, Value: value})
		}
	}
	slices.SortFunc(list, func(a, b room.UploadHeader) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return list
}

// Fetch implements room.Uploads. S3 has checked the announced SHA-256 and keeps
// it beside the bytes; an object without one did not come through an offer.
func (s *Store) Fetch(ctx context.Context, id room.ID, upload string) ([]byte, error) {
	key, err := layout.UploadObject(id, upload)
	if err != nil {
		return nil, err
	}
	ctx, cancel := s.within(ctx)
	defer cancel()
	return s.open(ctx, key, "upload", room.MaxUpdateBytes)
}

// Link implements room.Uploads: a presigned GetObject, good for LinkLife. It
// makes no call.
func (s *Store) Link(ctx context.Context, id room.ID, upload string) (string, error) {
	key, err := layout.UploadObject(id, upload)
	if err != nil {
		return "", err
	}
	return s.link(ctx, key, LinkLife)
}

// LinkSnapshot implements room.Links, as Link does.
func (s *Store) LinkSnapshot(ctx context.Context, ref room.SnapshotRef, life time.Duration) (string, error) {
	return s.link(ctx, ref.Key, life)
}

func (s *Store) link(ctx context.Context, key string, life time.Duration) (string, error) {
	req, err := s.presign.PresignGetObject(ctx, &s3.GetObjectInput{Bucket: &s.bucket, Key: &key}, s3.WithPresignExpires(life))
	if err != nil {
		return "", failed("link", key, err)
	}
	return req.URL, nil
}

// Discard implements room.Uploads.
func (s *Store) Discard(ctx context.Context, id room.ID, upload string) error {
	key, err := layout.UploadObject(id, upload)
	if err != nil {
		return err
	}
	return s.delete(ctx, key)
}
