package stack

import (
	"strconv"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/awss3"
	"github.com/aws/jsii-runtime-go"

	"github.com/symphony-rt/symphony/internal/s3store"
)

// Lifecycle of the bucket, in days.
const (
	// oldVersionDays keeps what was overwritten or deleted, to restore from: as
	// long as the table's point-in-time recovery reaches, so that both can go
	// back to the same moment.
	oldVersionDays = 35
	// archiveDays is when an archive becomes unlikely to be read.
	archiveDays = 30
	// archiveBytes is the size from which Glacier Instant Retrieval is cheaper:
	// it bills every object as 128 KB at least
	// (https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-class-intro.html).
	archiveBytes = 128 << 10
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
				TagFilters:  &map[string]any{s3store.TagKey: s3store.ArchiveTagValue},
				Transitions: &[]*awss3.Transition{{StorageClass: awss3.StorageClass_GLACIER_INSTANT_RETRIEVAL(), TransitionAfter: days(archiveDays)}},
			},
			{
				// An upload is read by its commit seconds later, or never, and
				// its bytes are then in the log: nothing to restore.
				Id:                          jsii.String("uploads"),
				TagFilters:                  &map[string]any{s3store.TagKey: s3store.UploadTagValue},
				Expiration:                  days(s3store.UploadDays),
				NoncurrentVersionExpiration: days(s3store.UploadDays),
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
	// CloudFormation wants text here, which CDK's rule does not give.
	s.Bucket.Node().DefaultChild().(awss3.CfnBucket).AddPropertyOverride(
		jsii.String("LifecycleConfiguration.Rules.1.ObjectSizeGreaterThan"), strconv.Itoa(archiveBytes))
	if !s.Options.Retain {
		s.logEmptying()
	}
}

// logEmptying gives the function that empties the bucket a log group of the
// stack. Lambda would make one by itself, which would outlive the stack.
func (s *Stack) logEmptying() {
	provider := s.Root.Node().TryFindChild(jsii.String("Custom::S3AutoDeleteObjectsCustomResourceProvider"))
	handler := provider.Node().FindChild(jsii.String("Handler")).(awscdk.CfnResource)
	group := s.logGroup("Logs-empty-bucket", "/aws/lambda/"+s.Options.Name()+"-empty-bucket")
	role := provider.Node().FindChild(jsii.String("Role")).(awscdk.CfnResource)
	for _, r := range []awscdk.CfnResource{handler, role} { // CDK does not tag these two
		r.AddPropertyOverride(jsii.String("Tags"), []any{
			map[string]any{"Key": TagApp, "Value": "symphony"}, map[string]any{"Key": TagStage, "Value": s.Options.Stage},
		})
	}
	handler.AddPropertyOverride(jsii.String("LoggingConfig"), map[string]any{"LogGroup": group.LogGroupName()})
}
