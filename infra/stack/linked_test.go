package stack_test

import (
	"debug/elf"
	"debug/gosym"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/infra/stack"
)

// The linker keeps a method of an SDK client only when something calls it, so
// the names in a built function are the calls it can make.
var clientCall = regexp.MustCompile(`^github\.com/aws/aws-sdk-go-v2/service/([a-z0-9]+)\.\(\*(Client|PresignClient)\)\.([A-Z]\w+)$`)

// actions is what IAM asks for, for each call of an SDK client.
var actions = map[string][]string{
	"dynamodb.BatchGetItem":                    {"dynamodb:BatchGetItem"},
	"dynamodb.BatchWriteItem":                  {"dynamodb:BatchWriteItem"},
	"dynamodb.DeleteItem":                      {"dynamodb:DeleteItem"},
	"dynamodb.DescribeEndpoints":               nil, // of endpoint discovery, which is off
	"dynamodb.GetItem":                         {"dynamodb:GetItem"},
	"dynamodb.PutItem":                         {"dynamodb:PutItem"},
	"dynamodb.Query":                           {"dynamodb:Query"},
	"dynamodb.UpdateItem":                      {"dynamodb:UpdateItem"},
	"s3.CreateSession":                         nil, // of S3 Express, whose bucket names ours is not
	"s3.DeleteObject":                          {"s3:DeleteObject"},
	"s3.GetObject":                             {"s3:GetObject"},
	"s3.HeadObject":                            {"s3:GetObject"},
	"s3.ListObjectsV2":                         {"s3:ListBucket"},
	"s3.PutObject":                             {"s3:PutObject"},
	"s3.PresignGetObject":                      {"s3:GetObject"},
	"s3.PresignPutObject":                      {"s3:PutObject", "s3:PutObjectTagging"},
	"apigatewaymanagementapi.PostToConnection": {"execute-api:ManageConnections"},
	"apigatewaymanagementapi.DeleteConnection": {"execute-api:ManageConnections"},
	"eventbridge.EnableRule":                   {"events:EnableRule"},
	"eventbridge.DisableRule":                  {"events:DisableRule"},
	"lambda.Invoke":                            {"lambda:InvokeFunction"},
	"ssm.GetParameter":                         {"ssm:GetParameter"},
}

// beside are actions that no call of ours needs a name for.
var beside = map[string]string{
	"logs:CreateLogStream":      "Lambda writes the log with the function's role",
	"logs:PutLogEvents":         "Lambda writes the log with the function's role",
	"xray:PutTraceSegments":     "Lambda writes traces with the function's role",
	"xray:PutTelemetryRecords":  "Lambda writes traces with the function's role",
	"dynamodb:ListStreams":      "Lambda reads the stream with the function's role",
	"dynamodb:DescribeStream":   "Lambda reads the stream with the function's role",
	"dynamodb:GetRecords":       "Lambda reads the stream with the function's role",
	"dynamodb:GetShardIterator": "Lambda reads the stream with the function's role",
	"sqs:SendMessage":           "Lambda sends what failed with the function's role",
	"sqs:GetQueueAttributes":    "Lambda sends what failed with the function's role",
	"sqs:GetQueueUrl":           "Lambda sends what failed with the function's role",
	"s3:ListBucket":             "tells a missing object (404) from a forbidden one (403)",
	"s3:PutObjectTagging":       "PutObject with a tag needs it",
}

// linkedBeyond are actions a binary can name but its function never comes to:
// the linker sees an interface where we see who implements it. Each has its
// reason; one that is not linked any more fails the test.
var linkedBeyond = map[string]map[string]string{
	"connect": {"dynamodb:Query": "Store.query has the name and form of a method of an interface elsewhere; joining queries nothing"},
}

// credentials are services the SDK can get credentials from. On Lambda they
// come from the environment.
var credentials = map[string]bool{"signin": true, "sso": true, "ssooidc": true, "sts": true}

// calls returns the SDK calls linked into a function.
func calls(t *testing.T, binary string) []string {
	t.Helper()
	f, err := elf.Open(binary)
	require.NoError(t, err)
	defer f.Close()
	pcln, err := f.Section(".gopclntab").Data()
	require.NoError(t, err)
	table, err := gosym.NewTable(nil, gosym.NewLineTable(pcln, f.Section(".text").Addr))
	require.NoError(t, err)
	var found []string
	for _, fn := range table.Funcs {
		if m := clientCall.FindStringSubmatch(fn.Name); m != nil && m[3] != "Options" && !credentials[m[1]] {
			found = append(found, m[1]+"."+m[3])
		}
	}
	sort.Strings(found)
	return found
}

// P36: what a role allows is what its function's code calls, no more, no less.
func TestRolesAllowWhatIsLinked(t *testing.T) {
	d := deployed(t, "prod")
	dir := t.TempDir()
	for _, name := range stack.FunctionNames {
		binary := filepath.Join(dir, name)
		build := exec.Command("go", "build", "-tags", "lambda.norpc", "-trimpath", "-o", binary, "./functions/"+name)
		build.Dir = filepath.Join("..", "..")
		build.Env = append(os.Environ(), "GOOS=linux", "GOARCH=arm64", "CGO_ENABLED=0")
		out, err := build.CombinedOutput()
		require.NoError(t, err, "%s", out)

		allowed := map[string]bool{}
		for _, line := range permissions(t, d, name) {
			action, _, _ := strings.Cut(line, " on ")
			allowed[action] = true
		}
		linked := map[string]bool{}
		for _, call := range calls(t, binary) {
			needs, known := actions[call]
			assert.True(t, known, "%s calls %s: which actions does that need?", name, call)
			for _, action := range needs {
				linked[action] = true
			}
		}
		t.Logf("%s: %v", name, keysOf(linked))
		for action := range linked {
			if linkedBeyond[name][action] == "" {
				assert.True(t, allowed[action], "%s calls something that needs %s, which its role does not have", name, action)
			}
		}
		for action := range allowed {
			if beside[action] == "" && action != "kms:Decrypt" { // by SSM, for the function
				assert.True(t, linked[action], "%s may %s, which it never calls", name, action)
			}
		}
		for action := range linkedBeyond[name] {
			require.True(t, linked[action] && !allowed[action], "%s: %s needs no excuse", name, action)
		}
	}
}

func keysOf(m map[string]bool) []string {
	var list []string
	for k := range m {
		list = append(list, k)
	}
	sort.Strings(list)
	return list
}
