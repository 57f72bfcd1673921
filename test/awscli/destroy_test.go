package awscli

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/cloudformation"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	ddbtypes "github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	ssmtypes "github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/awstest"
	"github.com/symphony-rt/symphony/internal/cli"
	"github.com/symphony-rt/symphony/internal/directory"
	"github.com/symphony-rt/symphony/internal/dynamodirectory"
	"github.com/symphony-rt/symphony/internal/dynamostore"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/room/roomtest"
	"github.com/symphony-rt/symphony/internal/s3store"
	"github.com/symphony-rt/symphony/internal/yjs"
)

// stage is a deployed stage on moto, less what the mock does not know: a stack
// with the table, the versioned bucket and a log group, all tagged, and the
// secret beside it.
type stage struct {
	t           *testing.T
	name, stack string
	bucket      string
	cfg         aws.Config // moto itself
	proxy       proxy      // what the command talks to
}

func newStage(t *testing.T, name, policy string) *stage {
	t.Helper()
	engine := awstest.Moto(t)
	s := &stage{t: t, name: name, stack: "symphony-" + name, bucket: "symphony-" + name + "-objects", cfg: awstest.Config(engine)}
	for variable, value := range map[string]string{
		"AWS_ENDPOINT_URL": s.proxy.serve(t, engine), "AWS_ACCESS_KEY_ID": awstest.AccessKey, "AWS_SECRET_ACCESS_KEY": awstest.SecretKey, "AWS_SESSION_TOKEN": "",
		"AWS_REGION": awstest.Region, "AWS_PROFILE": "", "AWS_CONFIG_FILE": os.DevNull, "AWS_SHARED_CREDENTIALS_FILE": os.DevNull, "AWS_EC2_METADATA_DISABLED": "true",
	} {
		t.Setenv(variable, value)
	}
	_, err := s.stacks().CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: &s.stack, TemplateBody: aws.String(s.template(policy))})
	require.NoError(t, err)
	// The mock's CloudFormation passes over this property.
	_, err = s.objects().PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
		Bucket: &s.bucket, VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusEnabled},
	})
	require.NoError(t, err)
	_, err = ssm.NewFromConfig(s.cfg).PutParameter(t.Context(), &ssm.PutParameterInput{
		Name: aws.String("/symphony/" + name + "/secret"), Type: ssmtypes.ParameterTypeSecureString, Value: aws.String(strings.Repeat("s", 44)),
		Tags: []ssmtypes.Tag{{Key: aws.String("symphony:app"), Value: aws.String("symphony")}, {Key: aws.String("symphony:stage"), Value: &name}},
	})
	require.NoError(t, err)
	return s
}

// template is the stage's, with the table as the adapter wants it.
func (s *stage) template(policy string) string {
	schema := dynamostore.Schema(s.stack)
	tags := []map[string]string{{"Key": "symphony:app", "Value": "symphony"}, {"Key": "symphony:stage", "Value": s.name}}
	resource := func(kind string, properties map[string]any) map[string]any {
		properties["Tags"] = tags
		return map[string]any{"Type": kind, "DeletionPolicy": policy, "Properties": properties}
	}
	text, err := json.Marshal(map[string]any{
		"Resources": map[string]any{
			"Rooms": resource("AWS::DynamoDB::Table", map[string]any{
				"TableName": s.stack, "BillingMode": "PAY_PER_REQUEST", "AttributeDefinitions": plain(s.t, schema.AttributeDefinitions),
				"KeySchema": plain(s.t, schema.KeySchema), "GlobalSecondaryIndexes": plain(s.t, schema.GlobalSecondaryIndexes),
			}),
			"Objects": resource("AWS::S3::Bucket", map[string]any{"BucketName": s.bucket, "VersioningConfiguration": map[string]any{"Status": "Enabled"}}),
			"Logs":    resource("AWS::Logs::LogGroup", map[string]any{"LogGroupName": "/aws/lambda/" + s.stack}),
		},
		"Outputs": map[string]any{
			"WebSocketUrl": map[string]any{"Value": "wss://abc.execute-api.us-east-1.amazonaws.com/" + s.name},
			"TableName":    map[string]any{"Value": s.stack}, "BucketName": map[string]any{"Value": s.bucket},
		},
	})
	require.NoError(s.t, err)
	return string(text)
}

// plain is v as CloudFormation takes it: the SDK's names without what is null.
func plain(t *testing.T, v any) any {
	t.Helper()
	text, err := json.Marshal(v)
	require.NoError(t, err)
	var out any
	require.NoError(t, json.Unmarshal(text, &out))
	return withoutNull(out)
}

func withoutNull(v any) any {
	switch v := v.(type) {
	case []any:
		for i := range v {
			v[i] = withoutNull(v[i])
		}
	case map[string]any:
		for k := range v {
			if v[k] == nil {
				delete(v, k)
			} else {
				v[k] = withoutNull(v[k])
			}
		}
	}
	return v
}

func (s *stage) stacks() *cloudformation.Client { return cloudformation.NewFromConfig(s.cfg) }
func (s *stage) objects() *s3.Client            { return s3store.NewClient(s.cfg, true) }

// versions is how many versions and delete markers the bucket has.
func (s *stage) versions() (n int) {
	pages := s3.NewListObjectVersionsPaginator(s.objects(), &s3.ListObjectVersionsInput{Bucket: &s.bucket})
	for pages.HasMorePages() {
		page, err := pages.NextPage(s.t.Context())
		if !assert.NoError(s.t, err) {
			return -1
		}
		n += len(page.Versions) + len(page.DeleteMarkers)
	}
	return n
}

// fill leaves versions and delete markers in the bucket, and returns how many.
func (s *stage) fill() int {
	s.t.Helper()
	var ids []s3types.ObjectIdentifier
	for i := range 40 {
		key := fmt.Sprint("rooms/", i)
		for range 2 {
			_, err := s.objects().PutObject(s.t.Context(), &s3.PutObjectInput{Bucket: &s.bucket, Key: &key, Body: strings.NewReader("x")})
			require.NoError(s.t, err)
		}
		ids = append(ids, s3types.ObjectIdentifier{Key: &key})
	}
	out, err := s.objects().DeleteObjects(s.t.Context(), &s3.DeleteObjectsInput{Bucket: &s.bucket, Delete: &s3types.Delete{Objects: ids}})
	require.NoError(s.t, err)
	require.Empty(s.t, out.Errors)
	return s.versions()
}

// list puts the room into the directory, as the stream function would: the mock
// has no function that runs.
func (s *stage) list(id room.ID) {
	s.t.Helper()
	db, clock := dynamostore.NewClient(s.cfg), roomtest.NewClock()
	table := dynamostore.New(db, s.stack, s3store.New(s.objects(), s.bucket, s3store.Options{}), dynamostore.Options{Clock: clock})
	e, err := directory.Recount(s.t.Context(), id, table, table, table)
	require.NoError(s.t, err)
	require.NoError(s.t, dynamodirectory.New(db, s.stack, clock).Save(s.t.Context(), e, "", "1"))
}

func (s *stage) hasSecret() bool {
	_, err := ssm.NewFromConfig(s.cfg).GetParameter(s.t.Context(), &ssm.GetParameterInput{Name: aws.String("/symphony/" + s.name + "/secret")})
	var none *ssmtypes.ParameterNotFound
	require.True(s.t, err == nil || errors.As(err, &none), "%v", err)
	return err == nil
}

func (s *stage) hasTable() bool {
	_, err := dynamostore.NewClient(s.cfg).DescribeTable(s.t.Context(), &dynamodb.DescribeTableInput{TableName: &s.stack})
	var none *ddbtypes.ResourceNotFoundException
	require.True(s.t, err == nil || errors.As(err, &none), "%v", err)
	return err == nil
}

func document(t *testing.T, text string) string {
	t.Helper()
	u, err := yjs.NewDoc().Transact(7, func(tx *yjs.Tx) error { return tx.Text("text").Insert(0, text) })
	require.NoError(t, err)
	return string(u)
}

// P35, N10 on a mock of AWS: rooms are exported first, a versioned bucket is
// empty before the stack goes (more versions and delete markers than it lists at
// a time), and nothing with the stage's tag is left.
func TestDestroyOnMoto_P35_N10(t *testing.T) {
	s, x := newStage(t, "dev-gone", "Delete"), newTerminal(t)
	all := s.fill()
	require.Equal(t, 3*40, all)
	x.ok(document(t, "hello"), "rooms", "import", "plan/a", "--stage", s.name)
	s.list("plan/a")
	x.ok("", "verify", "plan/a", "--stage", s.name)
	x.ok("", "rooms", "export", "plan/a", "one.yjs", "--stage", s.name)
	s.proxy.on(func(action string, _ url.Values) string {
		if action == "DeleteStack" {
			assert.Zero(t, s.versions(), "S3 deletes no bucket that has anything")
		}
		return ""
	})
	code, _, errs := x.run("", "destroy", "--stage", s.name, "--yes", "--export", "rooms")
	require.Equal(t, cli.ExitOK, code)
	require.Contains(t, errs, "Nothing is left")
	require.Contains(t, errs, fmt.Sprintf("%d objects and versions deleted", all))
	require.Equal(t, (all+listedAtOnce-1)/listedAtOnce, s.proxy.count("DeleteObjects"))
	require.NotZero(t, s.proxy.count("GetResources"))
	require.False(t, s.hasSecret() || s.hasTable())
	one, err := os.ReadFile(filepath.Join(x.app.Dir, "one.yjs"))
	require.NoError(t, err)
	same, err := os.ReadFile(filepath.Join(x.app.Dir, "rooms", "plan%2Fa.yjs"))
	require.NoError(t, err)
	require.Equal(t, one, same, "an export of a stage is byte-true")

	code, _, errs = x.run("", "destroy", "--stage", s.name, "--yes")
	require.Equal(t, cli.ExitFailed, code, "there is nothing to destroy any more")
	require.Contains(t, errs, "no such stage")
}

// A deletion that CloudFormation gives up says why, whatever the clock here says
// and whatever failed another time; run again it goes on.
func TestDestroyFollowsTheStackOnMoto_P35(t *testing.T) {
	s, x := newStage(t, "dev-stuck", "Delete"), newTerminal(t)
	event := func(id, kind, resource, status, reason string) string {
		return fmt.Sprintf("<member><EventId>%s</EventId><StackName>%s</StackName><ResourceType>%s</ResourceType><LogicalResourceId>%s</LogicalResourceId>"+
			"<ResourceStatus>%s</ResourceStatus><ResourceStatusReason>%s</ResourceStatusReason><Timestamp>2001-02-03T04:05:06Z</Timestamp></member>", id, s.stack, kind, resource, status, reason)
	}
	looks, deleting := 0, false
	s.proxy.on(func(action string, _ url.Values) string {
		switch {
		case action == "DeleteStack":
			deleting = true
			return "<DeleteStackResponse/>"
		case action == "DescribeStackEvents":
			events := event("1", "AWS::SQS::Queue", "Long", "DELETE_FAILED", "that was another time")
			if deleting { // the newest first
				events = event("2", "AWS::Logs::LogGroup", "Logs", "DELETE_COMPLETE", "") + events
			}
			if looks > 1 {
				events = event("3", "AWS::S3::Bucket", "Objects", "DELETE_FAILED", "The bucket you tried to delete is not empty") + events
			}
			return "<DescribeStackEventsResponse><DescribeStackEventsResult><StackEvents>" + events + "</StackEvents></DescribeStackEventsResult></DescribeStackEventsResponse>"
		case action == "DescribeStacks" && deleting:
			status := "DELETE_IN_PROGRESS"
			if looks++; looks > 2 {
				status = "DELETE_FAILED"
			}
			return "<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>" + s.stack + "</StackName><StackStatus>" + status + "</StackStatus></member></Stacks></DescribeStacksResult></DescribeStacksResponse>"
		}
		return ""
	})
	code, _, errs := x.run("", "destroy", "--stage", s.name, "--yes")
	require.Equal(t, cli.ExitFailed, code)
	require.Equal(t, 1, strings.Count(errs, "deleted  AWS::Logs::LogGroup  Logs"), "each event once")
	require.Contains(t, errs, "AWS::S3::Bucket Objects: The bucket you tried to delete is not empty")
	require.NotContains(t, errs, "another time")
	require.True(t, s.hasSecret(), "nothing more was tried")

	s.proxy.on(nil)
	x.ok("", "destroy", "--stage", s.name, "--yes")
	require.False(t, s.hasSecret() || s.hasTable())
}

// What has the stage's tag and is not the stack's is named, and is a failure;
// what has another stage's is not.
func TestDestroyFindsWhatIsLeftOnMoto_N10(t *testing.T) {
	s, x := newStage(t, "dev-left", "Delete"), newTerminal(t)
	newStage(t, "dev-other", "Delete")
	logs := "/aws/lambda/" + s.stack + "-lost"
	tags := map[string]string{"symphony:app": "symphony", "symphony:stage": s.name}
	_, err := s.stacks().CreateStack(t.Context(), &cloudformation.CreateStackInput{StackName: aws.String("lost"), TemplateBody: aws.String(
		fmt.Sprintf(`{"Resources": {"Lost": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": %q, "Tags": [{"Key": "symphony:app", "Value": %q}, {"Key": "symphony:stage", "Value": %q}]}}}}`,
			logs, tags["symphony:app"], tags["symphony:stage"]))})
	require.NoError(t, err)
	t.Setenv("AWS_ENDPOINT_URL", s.proxy.url)
	for range 2 { // the second time there is no stack any more
		code, out, errs := x.run("", "destroy", "--stage", s.name, "--yes")
		require.Equal(t, cli.ExitFailed, code)
		require.Contains(t, out, logs)
		require.NotContains(t, out, "dev-other")
		require.Contains(t, errs, "1 resource is with the tag of stage dev-left left")
	}
}

// --keep-data deploys the stage once more, as one that retains its data, before
// anything goes; then table, bucket and secret stay as they are.
func TestDestroyKeepsDataOnMoto(t *testing.T) {
	s, x := newStage(t, "dev-kept", "Retain"), newTerminal(t)
	all := s.fill()
	tools, called := t.TempDir(), filepath.Join(t.TempDir(), "called")
	for name, script := range map[string]string{
		"go": "exit 0", "npm": "echo 10.0.0", "node": "echo v22.1.0", "make": fmt.Sprintf("echo \"$*\" >> %s", called),
	} {
		require.NoError(t, os.WriteFile(filepath.Join(tools, name), []byte("#!/bin/sh\n"+script+"\n"), 0o755))
	}
	t.Setenv("PATH", tools+string(os.PathListSeparator)+os.Getenv("PATH"))
	source := t.TempDir()
	require.NoError(t, os.Mkdir(filepath.Join(source, "infra"), 0o755))
	require.NoError(t, os.WriteFile(filepath.Join(source, "go.mod"), []byte("module github.com/symphony-rt/symphony\n"), 0o600))
	require.NoError(t, os.WriteFile(filepath.Join(source, "infra", "cdk.json"), []byte("{}"), 0o600))
	x.app.Source = source
	s.proxy.on(func(action string, form url.Values) string {
		switch action {
		case "UpdateTerminationProtection": // the mock does not know it
			assert.Equal(t, []string{s.stack, "false"}, []string{form.Get("StackName"), form.Get("EnableTerminationProtection")})
			assert.FileExists(t, called, "deployed before it is unprotected")
			return "<UpdateTerminationProtectionResponse><UpdateTerminationProtectionResult><StackId>1</StackId></UpdateTerminationProtectionResult></UpdateTerminationProtectionResponse>"
		case "DeleteStack":
			assert.FileExists(t, called, "deployed before it is deleted")
		}
		return ""
	})
	_, _, errs := x.run("", "destroy", "--stage", s.name, "--yes", "--keep-data")
	require.Contains(t, errs, "Removed. The data is still there.")
	require.Equal(t, 1, s.proxy.count("UpdateTerminationProtection"))
	made, err := os.ReadFile(called)
	require.NoError(t, err)
	require.Contains(t, string(made), "retain=true")
	require.True(t, s.hasTable() && s.hasSecret())
	require.Equal(t, all, s.versions())
}

// A protected stack is left alone, and so is everything of it.
func TestDestroyLeavesTheProtectedOnMoto(t *testing.T) {
	s, x := newStage(t, "dev-safe", "Delete"), newTerminal(t)
	s.proxy.on(func(action string, _ url.Values) string {
		if action == "DescribeStacks" {
			return "<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackName>" + s.stack + "</StackName><StackStatus>CREATE_COMPLETE</StackStatus>" +
				"<EnableTerminationProtection>true</EnableTerminationProtection></member></Stacks></DescribeStacksResult></DescribeStacksResponse>"
		}
		return ""
	})
	code, _, errs := x.run("", "destroy", "--stage", s.name, "--yes")
	require.Equal(t, cli.ExitFailed, code)
	require.Contains(t, errs, "is protected from deletion")
	require.Zero(t, s.proxy.count("DeleteStack")+s.proxy.count("DeleteObjects"))
	require.True(t, s.hasTable() && s.hasSecret())
}
