package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation/types"
	"github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi"
	tagtypes "github.com/aws/aws-sdk-go-v2/service/resourcegroupstaggingapi/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"

	"github.com/symphony-rt/symphony/internal/operate"
)

// awsCloud is cloud over the SDK.
type awsCloud struct {
	app *App
	cfg aws.Config
}

func (c *awsCloud) Describe(ctx context.Context, stage string) (awsStage, error) {
	return describe(ctx, c.cfg, stage)
}

func (c *awsCloud) stacks() *cloudformation.Client { return cloudformation.NewFromConfig(c.cfg) }

func (c *awsCloud) Resources(ctx context.Context, stage string) ([]resource, error) {
	var list []resource
	pages := cloudformation.NewListStackResourcesPaginator(c.stacks(), &cloudformation.ListStackResourcesInput{StackName: aws.String(stackName(stage))})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, fmt.Errorf("list the stack's resources: %w", err)
		}
		for _, r := range page.StackResourceSummaries {
			if r.ResourceStatus != types.ResourceStatusDeleteComplete {
				list = append(list, resource{aws.ToString(r.ResourceType), aws.ToString(r.PhysicalResourceId)})
			}
		}
	}
	return list, nil
}

func (c *awsCloud) Protected(ctx context.Context, stage string) (bool, error) {
	out, err := c.stacks().DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: aws.String(stackName(stage))})
	if err != nil || len(out.Stacks) == 0 {
		return false, err
	}
	return aws.ToBool(out.Stacks[0].EnableTerminationProtection), nil
}

func (c *awsCloud) Unprotect(ctx context.Context, stage string) error {
	_, err := c.stacks().UpdateTerminationProtection(ctx, &cloudformation.UpdateTerminationProtectionInput{
		StackName: aws.String(stackName(stage)), EnableTerminationProtection: aws.Bool(false),
	})
	return err
}

// emptyPage is how many versions S3 lists and deletes at a time.
const emptyPage = 1000

func (c *awsCloud) Empty(ctx context.Context, bucket string, progress func(n int)) error {
	client := s3.NewFromConfig(c.cfg)
	total := 0
	for {
		page, err := client.ListObjectVersions(ctx, &s3.ListObjectVersionsInput{Bucket: &bucket, MaxKeys: aws.Int32(emptyPage)})
		var none *s3types.NoSuchBucket
		if errors.As(err, &none) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("list the bucket %s: %w", bucket, err)
		}
		var ids []s3types.ObjectIdentifier
		for _, v := range page.Versions {
			ids = append(ids, s3types.ObjectIdentifier{Key: v.Key, VersionId: v.VersionId})
		}
		for _, m := range page.DeleteMarkers {
			ids = append(ids, s3types.ObjectIdentifier{Key: m.Key, VersionId: m.VersionId})
		}
		if len(ids) == 0 {
			return nil
		}
		out, err := client.DeleteObjects(ctx, &s3.DeleteObjectsInput{Bucket: &bucket, Delete: &s3types.Delete{Objects: ids, Quiet: aws.Bool(true)}})
		if err == nil && len(out.Errors) > 0 {
			err = fmt.Errorf("%s: %s", aws.ToString(out.Errors[0].Key), aws.ToString(out.Errors[0].Message))
		}
		if err != nil {
			return fmt.Errorf("empty the bucket %s: %w", bucket, err)
		}
		total += len(ids)
		progress(total)
	}
}

const (
	// eventPause is between two looks at a stack that is being deleted.
	eventPause = 4 * time.Second
	// deleteTime bounds the deletion: emptying log groups and domains is slow.
	deleteTime = 45 * time.Minute
)

func (c *awsCloud) Delete(ctx context.Context, stage string, progress func(event string)) error {
	ctx, cancel := context.WithTimeout(ctx, deleteTime)
	defer cancel()
	client, name := c.stacks(), stackName(stage)
	described, err := client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &name})
	if err != nil {
		return err
	}
	// By its id a stack can be asked about after it is gone.
	id := aws.ToString(described.Stacks[0].StackId)
	// What happened before is told apart by its ids: the clocks here and there may differ.
	seen := map[string]bool{}
	before, err := client.DescribeStackEvents(ctx, &cloudformation.DescribeStackEventsInput{StackName: &id})
	if err != nil {
		return fmt.Errorf("read the stack's events: %w", err)
	}
	for _, e := range before.StackEvents {
		seen[aws.ToString(e.EventId)] = true
	}
	if _, err := client.DeleteStack(ctx, &cloudformation.DeleteStackInput{StackName: &id}); err != nil {
		return fmt.Errorf("delete the stack: %w", err)
	}
	var failed []error
	for {
		events, err := client.DescribeStackEvents(ctx, &cloudformation.DescribeStackEventsInput{StackName: &id})
		if err != nil {
			return fmt.Errorf("follow the deletion: %w", err)
		}
		for i := len(events.StackEvents) - 1; i >= 0; i-- {
			e := events.StackEvents[i]
			if seen[aws.ToString(e.EventId)] {
				continue
			}
			seen[aws.ToString(e.EventId)] = true
			switch e.ResourceStatus {
			case types.ResourceStatusDeleteComplete:
				progress(fmt.Sprintf("deleted  %s  %s", aws.ToString(e.ResourceType), aws.ToString(e.LogicalResourceId)))
			case types.ResourceStatusDeleteFailed:
				failed = append(failed, fmt.Errorf("%s %s: %s", aws.ToString(e.ResourceType), aws.ToString(e.LogicalResourceId), aws.ToString(e.ResourceStatusReason)))
			}
		}
		out, err := client.DescribeStacks(ctx, &cloudformation.DescribeStacksInput{StackName: &id})
		if err != nil {
			return fmt.Errorf("follow the deletion: %w", err)
		}
		switch out.Stacks[0].StackStatus {
		case types.StackStatusDeleteComplete:
			return nil
		case types.StackStatusDeleteFailed:
			return errors.Join(append([]error{errors.New("CloudFormation could not delete everything")}, failed...)...)
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(c.app.pause(eventPause)):
		}
	}
}

func (c *awsCloud) DeleteSecret(ctx context.Context, stage string) error {
	_, err := ssm.NewFromConfig(c.cfg).DeleteParameter(ctx, &ssm.DeleteParameterInput{Name: aws.String("/symphony/" + stage + "/secret")})
	var none *ssmtypes.ParameterNotFound
	if err == nil || errors.As(err, &none) {
		return nil
	}
	return fmt.Errorf("delete the secret: %w", err)
}

func (c *awsCloud) Tagged(ctx context.Context, stage string) ([]string, error) {
	var arns []string
	pages := resourcegroupstaggingapi.NewGetResourcesPaginator(resourcegroupstaggingapi.NewFromConfig(c.cfg), &resourcegroupstaggingapi.GetResourcesInput{
		TagFilters: []tagtypes.TagFilter{
			{Key: aws.String("symphony:app"), Values: []string{"symphony"}},
			{Key: aws.String("symphony:stage"), Values: []string{stage}},
		},
	})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, r := range page.ResourceTagMappingList {
			arns = append(arns, aws.ToString(r.ResourceARN))
		}
	}
	return arns, nil
}

func (c *awsCloud) Rooms(_ context.Context, s awsStage) (operate.Rooms, error) {
	t, err := c.app.onAWS(c.cfg, s, nobody{})
	if err != nil {
		return nil, err
	}
	return t.rooms, nil
}
