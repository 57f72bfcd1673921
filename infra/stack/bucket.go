package stack

import (
	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/jsii-runtime-go"
)

// Lifecycle of the bucket, in days.
const (
	// oldVersionDays keeps what was overwritten or deleted, to restore from.
	oldVersionDays = 30
	// incompleteDays ends multipart uploads nobody finished.
	incompleteDays = 1
)

func (s *Stack) addBucket() {
	days := func(n float64) awscdk.Duration { return awscdk.Duration_Days(jsii.Number(n)) }
	s.Bucket = awss3.NewBucket(s.Root, jsii.String("Bucket"), &awss3.BucketProps{
		BlockPublicAccess: awss3.BlockPublicAccess_BLOCK_ALL(),
		ObjectOwnership:   awss3.ObjectOwnership_BUCKET_OWNER_ENFORCED,
		EnforceSSL:        jsii.Bool(true),
		MinimumTLSVersion: jsii.Number(1.2),
		Encryption:        awss3.BucketEncryption_S3_MANAGED,
		Versioned:         jsii.Bool(true),
		RemovalPolicy:     s.removal(),
		// A custom resource empties the bucket before it goes: dev leaves nothing.
		AutoDeleteObjects: jsii.Bool(!s.Options.Retain),
		LifecycleRules: &[]*awss3.LifecycleRule{
			{
				Id:                                  jsii.String("old-versions"),
				NoncurrentVersionExpiration:         days(oldVersionDays),
				ExpiredObjectDeleteMarker:           jsii.Bool(true),
				AbortIncompleteMultipartUploadAfter: days(incompleteDays),
			},
			{
				// Log archives are read only to restore: Glacier Instant Retrieval
				// reads at once and costs a sixth to keep.
				Id:          jsii.String("archive"),
				TagFilters:  &map[string]interface{}{"symphony": "archive"},
				Transitions: &[]*awss3.Transition{{StorageClass: awss3.StorageClass_GLACIER_INSTANT_RETRIEVAL(), TransitionAfter: days(30)}},
			},
			{
				// An upload is read by its commit seconds later, or never.
				Id:         jsii.String("uploads"),
				TagFilters: &map[string]interface{}{"symphony": "upload"},
				Expiration: days(1),
			},
		},
		Cors: &[]*awss3.CorsRule{{
			AllowedMethods: &[]awss3.HttpMethods{awss3.HttpMethods_GET, awss3.HttpMethods_PUT},
			AllowedOrigins: jsii.Strings(s.Options.Origins...),
			AllowedHeaders: jsii.Strings("*"),
			ExposedHeaders: jsii.Strings("ETag"),
			MaxAge:         jsii.Number(3600),
		}},
	})
}
