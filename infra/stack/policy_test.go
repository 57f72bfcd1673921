package stack_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sort"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/infra/stack"
)

// permissions returns one line for each thing a function may do:
// "action on resource, if condition".
func permissions(t *testing.T, d *deployment, f string) []string {
	t.Helper()
	role := d.one(t, "AWS::IAM::Role", "Role"+f)
	require.Nil(t, role.Properties["ManagedPolicyArns"], "%s: its role has its own lines only", f)
	require.Nil(t, role.Properties["Policies"], f)
	require.Equal(t, "lambda.amazonaws.com", dig(t, role.Properties, "AssumeRolePolicyDocument", "Statement", 0, "Principal", "Service"))
	var lines []string
	for _, s := range dig(t, d.one(t, "AWS::IAM::Policy", "Role"+f+"DefaultPolicy").Properties, "PolicyDocument", "Statement").([]any) {
		statement := s.(map[string]any)
		require.Equal(t, "Allow", statement["Effect"])
		for _, action := range list(statement["Action"]) {
			for _, on := range list(statement["Resource"]) {
				line := fmt.Sprintf("%s on %s", action, plain(on))
				if c := statement["Condition"]; c != nil {
					raw, err := json.Marshal(c)
					require.NoError(t, err)
					line += " if " + string(raw)
				}
				lines = append(lines, line)
			}
		}
	}
	sort.Strings(lines)
	return lines
}

func list(v any) []any {
	if l, ok := v.([]any); ok {
		return l
	}
	return []any{v}
}

// plain writes a reference as <LogicalId> or <LogicalId.Attribute>.
func plain(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case map[string]any:
		if ref, ok := v["Ref"]; ok {
			return fmt.Sprintf("<%s>", ref)
		}
		if get, ok := v["Fn::GetAtt"].([]any); ok {
			return fmt.Sprintf("<%s.%s>", get[0], get[1])
		}
		if join, ok := v["Fn::Join"].([]any); ok {
			var b strings.Builder
			for _, part := range join[1].([]any) {
				b.WriteString(plain(part))
			}
			return b.String()
		}
	}
	return fmt.Sprint(v)
}

// P36: a function that gains an action fails here until a person has read
// testdata/permissions.json and agreed (`make synth-update` writes it).
func TestPermissionsAreTheAgreedOnes(t *testing.T) {
	for _, name := range []string{"dev", "prod"} {
		got := map[string][]string{}
		for _, f := range stack.FunctionNames {
			got[f] = permissions(t, deployed(t, name), f)
		}
		golden(t, "permissions-"+name+".json", got)
	}
}

// golden compares v with a file of testdata.
func golden(t *testing.T, name string, v any) {
	t.Helper()
	path := filepath.Join("testdata", name)
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	require.NoError(t, e.Encode(v))
	if *update {
		require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o644))
	}
	want, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, string(want), b.String(), "%s: if this is meant, `make synth-update` and read the difference", path)
}

// What no function may ever have, whatever the agreed list says.
func TestNobodyMay(t *testing.T) {
	for name := range contexts {
		d := deployed(t, name)
		for _, f := range stack.FunctionNames {
			for _, line := range permissions(t, d, f) {
				action, on, _ := strings.Cut(line, " on ")
				require.NotContains(t, action, "*", f)
				if on == "*" {
					require.Contains(t, []string{"xray:PutTraceSegments", "xray:PutTelemetryRecords", "dynamodb:ListStreams"}, action, f)
				}
				require.False(t, strings.HasPrefix(action, "iam:") || strings.HasPrefix(action, "sts:"), line)
				require.NotContains(t, []string{"dynamodb:Scan", "dynamodb:DeleteTable", "dynamodb:UpdateTable", "s3:DeleteObjectVersion", "s3:PutBucketPolicy", "s3:DeleteBucket"}, action, f)
				if strings.HasPrefix(action, "dynamodb:") && strings.Contains(on, "<Table") && !strings.Contains(on, "StreamArn") {
					require.Contains(t, line, "dynamodb:LeadingKeys", "%s: only partitions it knows", f)
				}
				if strings.HasPrefix(action, "s3:") && action != "s3:ListBucket" {
					require.Contains(t, on, "/rooms/*/", "%s: only kinds of objects it knows", f)
				}
			}
		}
	}
}

func TestLeastPrivilegeInWords(t *testing.T) {
	d := deployed(t, "dev")
	may := func(f, action, on string) bool {
		return slices.ContainsFunc(permissions(t, d, f), func(line string) bool {
			return strings.HasPrefix(line, action+" on ") && strings.Contains(line, on)
		})
	}
	for _, f := range stack.FunctionNames {
		require.Equal(t, f == "checkpoint", may(f, "s3:DeleteObject", "snapshots"), "%s and snapshots", f)
		require.Equal(t, f == "checkpoint", may(f, "s3:PutObject", "snapshots"), "%s and snapshots", f)
		require.Equal(t, f == "checkpoint", may(f, "s3:PutObject", "/log/"), "%s and archives", f)
		require.False(t, may(f, "s3:DeleteObject", "/log/"), "%s and archives: nobody deletes the log", f)
		require.Equal(t, f == "message" || f == "fanout" || f == "disconnect", may(f, "execute-api:ManageConnections", "/POST/"), "%s and posts", f)
		require.Equal(t, f == "message" || f == "fanout", may(f, "execute-api:ManageConnections", "/DELETE/"), "%s and connections", f)
		require.Equal(t, f == "message", may(f, "lambda:InvokeFunction", "fanout"), "%s and the second level", f)
		require.False(t, f == "fanout" && may(f, "dynamodb:PutItem", "Table"), "%s writes nothing", f)
		require.Equal(t, f == "stream", may(f, "dynamodb:PutItem", "directory#"), "%s and the directory", f)
		require.Equal(t, f == "checkpoint", may(f, "events:DisableRule", "checkpoint"), "%s and the schedule", f)
	}
	prod := deployed(t, "prod")
	require.Contains(t, permissions(t, prod, "authorize"),
		"ssm:GetParameter on arn:<AWS::Partition>:ssm:<AWS::Region>:<AWS::AccountId>:parameter/symphony/prod/secret")
	for _, line := range permissions(t, d, "authorize") {
		require.True(t, strings.HasPrefix(line, "logs:") || strings.HasPrefix(line, "xray:"), "an open authorizer reads nothing: %s", line)
	}
}
