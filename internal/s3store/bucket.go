package s3store

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

// keepReplacedDays is how long deleted and overwritten objects can be brought
// back (versioning): as long as the table's point-in-time recovery reaches.
const keepReplacedDays = 35

// EnsureBucket creates the bucket for local use if there is none, with
// versioning, the lifecycle of uploads and what browsers need to reach
// presigned URLs. Doing it again is no error. In a deployment the
// infrastructure makes the same bucket, private and encrypted.
func EnsureBucket(ctx context.Context, client *s3.Client, bucket string) error {
	in := &s3.CreateBucketInput{Bucket: &bucket}
	if region := client.Options().Region; region != "us-east-1" { // the one S3 wants unnamed
		in.CreateBucketConfiguration = &types.CreateBucketConfiguration{LocationConstraint: types.BucketLocationConstraint(region)}
	}
	if _, err := client.CreateBucket(ctx, in); err != nil && !hasCode(err, "BucketAlreadyOwnedByYou") {
		return fmt.Errorf("s3store: create bucket %s: %w", bucket, err)
	}
	_, err := client.PutBucketVersioning(ctx, &s3.PutBucketVersioningInput{
		Bucket:                  &bucket,
		VersioningConfiguration: &types.VersioningConfiguration{Status: types.BucketVersioningStatusEnabled},
	})
	if err != nil {
		return fmt.Errorf("s3store: versioning of bucket %s: %w", bucket, err)
	}
	_, err = client.PutBucketCors(ctx, &s3.PutBucketCorsInput{Bucket: &bucket, CORSConfiguration: cors()})
	if err != nil {
		return fmt.Errorf("s3store: CORS of bucket %s: %w", bucket, err)
	}
	_, err = client.PutBucketLifecycleConfiguration(ctx, &s3.PutBucketLifecycleConfigurationInput{
		Bucket: &bucket, LifecycleConfiguration: lifecycle(),
	})
	// An engine that does not know lifecycles never removes uploads: no harm
	// on the machine of somebody who develops.
	if err != nil && !hasCode(err, "NotImplemented", "MethodNotAllowed") {
		return fmt.Errorf("s3store: lifecycle of bucket %s: %w", bucket, err)
	}
	return nil
}

// cors lets pages of any origin use presigned URLs. It opens nothing: without
// a signature every request is refused.
func cors() *types.CORSConfiguration {
	return &types.CORSConfiguration{CORSRules: []types.CORSRule{{
		AllowedOrigins: []string{"*"},
		AllowedMethods: []string{"GET", "PUT"},
		AllowedHeaders: []string{"*"},
		MaxAgeSeconds:  aws.Int32(3600),
	}}}
}

func lifecycle() *types.BucketLifecycleConfiguration {
	return &types.BucketLifecycleConfiguration{Rules: []types.LifecycleRule{
		{
			ID:         aws.String("uploads"),
			Status:     types.ExpirationStatusEnabled,
			Filter:     &types.LifecycleRuleFilter{Tag: &types.Tag{Key: aws.String(TagKey), Value: aws.String(UploadTagValue)}},
			Expiration: &types.LifecycleExpiration{Days: aws.Int32(UploadDays)},
		},
		{
			ID:                             aws.String("replaced"),
			Status:                         types.ExpirationStatusEnabled,
			Filter:                         &types.LifecycleRuleFilter{Prefix: aws.String("")},
			NoncurrentVersionExpiration:    &types.NoncurrentVersionExpiration{NoncurrentDays: aws.Int32(keepReplacedDays)},
			AbortIncompleteMultipartUpload: &types.AbortIncompleteMultipartUpload{DaysAfterInitiation: aws.Int32(1)},
		},
	}}
}
