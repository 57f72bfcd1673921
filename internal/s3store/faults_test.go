package s3store_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/awstest"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/s3store"
)

// fixture is a bucket seen through a client without faults.
type fixture struct {
	stack  awstest.Stack
	bucket string
	raw    *s3.Client
	*s3store.Store
}

func newFixture(t *testing.T) fixture {
	stack := awstest.Engines(t)
	f := fixture{stack: stack, bucket: awstest.NewBucket(t, stack), raw: s3store.NewClient(awstest.Config(stack.S3), true)}
	f.Store = s3store.New(f.raw, f.bucket, s3store.Options{})
	return f
}

// open returns a handle whose requests go through faults.
func (f fixture) open(next func(string) awstest.Fault, opts s3store.Options) *s3store.Store {
	cfg := awstest.Config(f.stack.S3)
	cfg.HTTPClient = &awstest.Faults{Next: next}
	return s3store.New(s3store.NewClient(cfg, true), f.bucket, opts)
}

// TestEachFaultIsSurvived does each fault to each of a call's first requests.
func TestEachFaultIsSurvived(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	data := bytes.Repeat([]byte("symphony"), 5000)
	for _, fault := range []awstest.Fault{
		awstest.Refuse, awstest.Lose, awstest.Break, awstest.Fail, awstest.FailAfter, awstest.Throttle,
	} {
		for at := range 2 {
			id := room.ID(fmt.Sprintf("%d/%d", fault, at))
			open := func() *s3store.Store {
				script := slices.Repeat([]awstest.Fault{awstest.Pass}, at)
				return f.open(awstest.Script(append(script, fault)...), s3store.Options{})
			}
			ref, err := open().Put(t.Context(), id, 7, "n", data)
			require.NoError(t, err, "%s", id)
			got, err := open().Get(t.Context(), ref)
			require.NoError(t, err, "%s", id)
			require.True(t, bytes.Equal(data, got))
			got, err = open().Open(t.Context(), ref.Key)
			require.NoError(t, err, "%s", id)
			require.True(t, bytes.Equal(data, got))
			archive, err := open().Archive(t.Context(), id, 1, 7, data)
			require.NoError(t, err, "%s", id)
			update, err := open().PutUpdate(t.Context(), id, "n", data)
			require.NoError(t, err, "%s", id)
			for _, ref := range []room.SnapshotRef{archive, update} {
				got, err := f.Get(t.Context(), ref)
				require.NoError(t, err)
				require.True(t, bytes.Equal(data, got))
			}
			listed := 0
			require.NoError(t, open().List(t.Context(), id, room.ObjectSnapshot, func(room.Object) error { listed++; return nil }), "%s", id)
			require.Equal(t, 1, listed)
			require.NoError(t, open().Delete(t.Context(), ref), "%s", id)
			_, err = open().Get(t.Context(), ref)
			require.ErrorIs(t, err, room.ErrNotFound)
		}
	}
}

// TestNothingAnswers: every call ends as "unavailable" while its context still
// has the reserve left. Not one of them says that an object is not there.
func TestNothingAnswers(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	for name, fault := range map[string]awstest.Fault{"hangs": awstest.Hang, "throttles": awstest.Throttle, "fails": awstest.Fail, "refuses": awstest.Refuse} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			const reserve = 30 * time.Second
			store := f.open(func(string) awstest.Fault { return fault }, s3store.Options{Reserve: reserve})
			ctx, cancel := context.WithTimeout(t.Context(), reserve+300*time.Millisecond)
			defer cancel()
			errs := map[string]error{}
			_, errs["Put"] = store.Put(ctx, "r", 1, "n", []byte("x"))
			_, errs["Get"] = store.Get(ctx, room.SnapshotRef{Key: "k", Size: 1})
			errs["Delete"] = store.Delete(ctx, room.SnapshotRef{Key: "k"})
			_, errs["Open"] = store.Open(ctx, "k")
			errs["List"] = store.List(ctx, "r", room.ObjectArchive, func(room.Object) error { return nil })
			_, errs["Archive"] = store.Archive(ctx, "r", 1, 2, []byte("x"))
			_, errs["PutUpdate"] = store.PutUpdate(ctx, "r", "n", []byte("x"))
			_, errs["Fetch"] = store.Fetch(ctx, "r", "u")
			errs["Discard"] = store.Discard(ctx, "r", "u")
			for method, err := range errs {
				require.ErrorIs(t, err, room.ErrUnavailable, method)
				require.NotErrorIs(t, err, room.ErrNotFound, method)
			}
			require.NoError(t, ctx.Err(), "the reserve is untouched")
		})
	}
}

// TestNothingIsOverwritten: a second object of the same name is a conflict,
// the same object once more is not.
func TestNothingIsOverwritten(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	one, err := f.Put(t.Context(), "r", 7, "n", []byte("one"))
	require.NoError(t, err)
	_, err = f.Put(t.Context(), "r", 7, "n", []byte("two"))
	require.ErrorIs(t, err, room.ErrConflict)
	again, err := f.Put(t.Context(), "r", 7, "n", []byte("one"))
	require.NoError(t, err)
	require.Equal(t, one, again)
	got, err := f.Get(t.Context(), one)
	require.NoError(t, err)
	require.Equal(t, "one", string(got))
}

// TestDamageIsFound (N3): bytes changed behind the store's back.
func TestDamageIsFound(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	ref, err := f.Put(t.Context(), "r", 7, "n", []byte("good"))
	require.NoError(t, err)
	for _, bad := range []string{"evil", "longer than it was", ""} {
		_, err = f.raw.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &f.bucket, Key: &ref.Key, Body: bytes.NewReader([]byte(bad))})
		require.NoError(t, err)
		_, err = f.Get(t.Context(), ref)
		require.ErrorIs(t, err, room.ErrCorrupt, "%q", bad)
		_, err = f.Open(t.Context(), ref.Key)
		require.ErrorIs(t, err, room.ErrCorrupt, "%q: put without a checksum", bad)
	}
}

// TestOfferBindsEverything: what the signature covers cannot be left out or
// changed, nor can another object be written with it.
func TestOfferBindsEverything(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	data := []byte("an update")
	target, err := f.Offer(t.Context(), room.Upload{Room: "r", ID: "u", Size: int64(len(data)), SHA256: sha256.Sum256(data)})
	require.NoError(t, err)
	names := []string{}
	for _, h := range target.Headers {
		names = append(names, h.Name)
	}
	require.ElementsMatch(t, []string{"Content-Type", "X-Amz-Checksum-Sha256", "X-Amz-Tagging"}, names)

	put := func(change func(req *http.Request)) int {
		req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, target.URL, bytes.NewReader(data))
		require.NoError(t, err)
		for _, h := range target.Headers {
			req.Header.Set(h.Name, h.Value)
		}
		change(req)
		res, err := http.DefaultClient.Do(req)
		require.NoError(t, err)
		res.Body.Close()
		return res.StatusCode
	}
	for name, change := range map[string]func(*http.Request){
		"another type":   func(r *http.Request) { r.Header.Set("Content-Type", "text/html") },
		"no tag":         func(r *http.Request) { r.Header.Del("X-Amz-Tagging") },
		"another tag":    func(r *http.Request) { r.Header.Set("X-Amz-Tagging", "symphony=keep") },
		"no checksum":    func(r *http.Request) { r.Header.Del("X-Amz-Checksum-Sha256") },
		"another object": func(r *http.Request) { r.URL.Path += "2" },
		"another method": func(r *http.Request) { r.Method = http.MethodDelete },
		"a longer expiry": func(r *http.Request) {
			q := r.URL.Query()
			q.Set("X-Amz-Expires", "99999")
			r.URL.RawQuery = q.Encode()
		},
	} {
		require.GreaterOrEqual(t, put(change), 400, name)
	}
	_, err = f.Fetch(t.Context(), "r", "u")
	require.ErrorIs(t, err, room.ErrNotFound)
	require.Equal(t, http.StatusOK, put(func(*http.Request) {}))
	require.Equal(t, http.StatusOK, put(func(*http.Request) {}), "a client that lost the answer puts it again")
	got, err := f.Fetch(t.Context(), "r", "u")
	require.NoError(t, err)
	require.Equal(t, data, got)

	_, err = f.Offer(t.Context(), room.Upload{Room: "r", ID: "u", Size: room.MaxUpdateBytes + 1})
	require.ErrorIs(t, err, room.ErrTooLarge)
	_, err = f.Offer(t.Context(), room.Upload{Room: "r", ID: "../../other/u", Size: 1})
	require.Error(t, err)
	_, err = f.Fetch(t.Context(), "r", "../uploads/u")
	require.Error(t, err)
}

// TestUploadsCarryTheirTag: an upload that nobody commits goes by the bucket's
// lifecycle, which finds it by the tag that the offer demands (the template's
// rule is tested to be the same).
func TestUploadsCarryTheirTag(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	data := []byte("never committed")
	target, err := f.Offer(t.Context(), room.Upload{Room: "r", ID: "u", Size: int64(len(data)), SHA256: sha256.Sum256(data)})
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, target.URL, bytes.NewReader(data))
	require.NoError(t, err)
	for _, h := range target.Headers {
		req.Header.Set(h.Name, h.Value)
	}
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	res.Body.Close()
	require.Equal(t, http.StatusOK, res.StatusCode)
	tags, err := f.raw.GetObjectTagging(t.Context(), &s3.GetObjectTaggingInput{Bucket: &f.bucket, Key: aws.String("rooms/r/uploads/u")})
	require.NoError(t, err)
	require.Len(t, tags.TagSet, 1)
	require.Equal(t, s3store.TagKey, *tags.TagSet[0].Key)
	require.Equal(t, s3store.UploadTagValue, *tags.TagSet[0].Value)
}

// TestUploadThatWasNotOffered: an object without the checksum that an offer
// demands is not taken for an upload.
func TestUploadThatWasNotOffered(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	data := []byte("x")
	_, err := f.Offer(t.Context(), room.Upload{Room: "r", ID: "u", Size: 1, SHA256: sha256.Sum256(data)})
	require.NoError(t, err)
	_, err = f.raw.PutObject(t.Context(), &s3.PutObjectInput{Bucket: &f.bucket, Key: aws.String("rooms/r/uploads/u"), Body: bytes.NewReader(data)})
	require.NoError(t, err)
	_, err = f.Fetch(t.Context(), "r", "u")
	require.ErrorIs(t, err, room.ErrCorrupt)
}

// TestListFollowsPages: more snapshots than S3 lists at a time.
func TestListFollowsPages(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	paged := s3store.New(s3store.NewClient(awstest.Config(f.stack.S3), true, s3store.WithPageSize(7)), f.bucket, s3store.Options{})
	for i := range 30 {
		_, err := f.Put(t.Context(), "r", room.Seq(i), "n", nil)
		require.NoError(t, err)
	}
	var seqs []room.Seq
	require.NoError(t, paged.List(t.Context(), "r", room.ObjectSnapshot, func(o room.Object) error {
		seqs = append(seqs, o.To)
		return nil
	}))
	require.Len(t, seqs, 30)
	require.True(t, slices.IsSorted(seqs))
}

func TestEnsureBucketTwice(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	require.NoError(t, s3store.EnsureBucket(t.Context(), f.raw, f.bucket))
	v, err := f.raw.GetBucketVersioning(t.Context(), &s3.GetBucketVersioningInput{Bucket: &f.bucket})
	require.NoError(t, err)
	require.EqualValues(t, "Enabled", v.Status)
}
