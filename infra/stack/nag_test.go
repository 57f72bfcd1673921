package stack_test

//lint:file-ignore SA1019 CDK's assertions return a type that has been moved, and still exists under the old name only.

import (
	"strings"
	"testing"

	"github.com/aws/aws-cdk-go/awscdk/v2"
	"github.com/aws/aws-cdk-go/awscdk/v2/assertions"
	"github.com/aws/aws-cdk-go/awscdk/v2/awsiam"
	"github.com/aws/aws-cdk-go/awscdk/v2/cxapi"
	"github.com/aws/jsii-runtime-go"
	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/infra/stack"
)

// findings are cdk-nag's errors and warnings.
func findings(s awscdk.Stack) []string {
	a := assertions.Annotations_FromStack(s)
	var found []string
	for _, messages := range []*[]*cxapi.SynthesisMessage{
		a.FindError(jsii.String("*"), assertions.Match_StringLikeRegexp(jsii.String("AwsSolutions-.*"))),
		a.FindWarning(jsii.String("*"), assertions.Match_StringLikeRegexp(jsii.String("AwsSolutions-.*"))),
	} {
		for _, m := range *messages {
			found = append(found, *m.Id+" "+strings.Split(m.Entry.Data.(string), "\n")[0])
		}
	}
	return found
}

func TestNagFindsNothingUnexplained(t *testing.T) {
	for name := range contexts {
		require.Empty(t, findings(deployed(t, name).stack.Root), name)
	}
}

// Every reason is a reason, and every excuse of a wildcard is for one wildcard.
func TestNagExcusesAreReasons(t *testing.T) {
	excuses := 0
	for name := range contexts {
		for id, r := range deployed(t, name).body.Resources {
			nag, ok := r.Metadata["cdk_nag"]
			if !ok {
				continue
			}
			for _, rule := range dig(t, nag, "rules_to_suppress").([]any) {
				excuses++
				require.Greater(t, len(dig(t, rule, "reason").(string)), 40, id)
				if strings.Contains(dig(t, rule, "id").(string), "IAM") {
					require.NotEmpty(t, dig(t, rule, "applies_to"), "%s: a wildcard is excused one by one", id)
				}
			}
		}
	}
	require.Greater(t, excuses, 20)
}

// The check would see a new wildcard: one is planted.
func TestNagSeesANewWildcard(t *testing.T) {
	app := awscdk.NewApp(&awscdk.AppProps{AnalyticsReporting: jsii.Bool(false)})
	s := stack.New(app, options(t, contexts["dev"]))
	s.AddNag()
	s.Functions["message"].AddToRolePolicy(awsiam.NewPolicyStatement(&awsiam.PolicyStatementProps{
		Actions: jsii.Strings("s3:DeleteObject"), Resources: jsii.Strings(*s.Bucket.BucketArn() + "/*"),
	}))
	found := findings(s.Root)
	require.Len(t, found, 1)
	require.Contains(t, found[0], "Role-message")
}
