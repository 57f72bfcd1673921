package deployment_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/infra/deployment"
	"github.com/symphony-rt/symphony/infra/stack"
)

type fake struct {
	region, role string
	identity     error
	parameters   map[string]deployment.Parameter
	broken       error
	enabled      []string
}

func (f *fake) Region() string { return f.region }
func (f *fake) Identity(context.Context) (string, string, error) {
	return "123456789012", "arn:aws:iam::123456789012:user/a", f.identity
}
func (f *fake) Parameter(_ context.Context, name string) (deployment.Parameter, error) {
	p, ok := f.parameters[name]
	if f.broken != nil {
		return p, f.broken
	}
	if !ok {
		return p, deployment.ErrNotFound
	}
	return p, nil
}
func (f *fake) LoggingRole(context.Context) (string, error) { return f.role, nil }
func (f *fake) EnableRule(_ context.Context, name string) error {
	f.enabled = append(f.enabled, name)
	return nil
}

const bootstrap = "/cdk-bootstrap/hnb659fds/version"

func ready() *fake {
	return &fake{region: "eu-central-1", parameters: map[string]deployment.Parameter{
		bootstrap: {Value: "30"}, "/symphony/dev/secret": {Value: "x", Secure: true},
	}}
}

func options(t *testing.T, args ...string) stack.Options {
	t.Helper()
	given, err := deployment.Context(append([]string{"-c", "secretParameter=/symphony/dev/secret", "--require-approval", "never"}, args...))
	require.NoError(t, err)
	o, err := stack.ParseOptions(given)
	require.NoError(t, err)
	return o
}

func TestReadyAccount(t *testing.T) {
	r, err := deployment.Check(t.Context(), ready(), options(t))
	require.NoError(t, err)
	require.Empty(t, r.Missing)
	require.Empty(t, r.Context)
	require.Equal(t, "123456789012", r.Account)
}

// P33: each thing that is missing is named with its cure.
func TestEachMissingThingHasItsCure(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(f *fake)
		cure  string
	}{
		"region":        {func(f *fake) { f.region = "" }, "AWS_REGION"},
		"credentials":   {func(f *fake) { f.identity = errors.New("expired") }, "aws sso login"},
		"bootstrap":     {func(f *fake) { delete(f.parameters, bootstrap) }, "make bootstrap"},
		"old bootstrap": {func(f *fake) { f.parameters[bootstrap] = deployment.Parameter{Value: "5"} }, "make bootstrap"},
		"odd bootstrap": {func(f *fake) { f.parameters[bootstrap] = deployment.Parameter{Value: "?"} }, "make bootstrap"},
		"secret":        {func(f *fake) { delete(f.parameters, "/symphony/dev/secret") }, "--type SecureString --name /symphony/dev/secret"},
		"open secret":   {func(f *fake) { f.parameters["/symphony/dev/secret"] = deployment.Parameter{Value: "x"} }, "delete-parameter"},
	} {
		f := ready()
		c.spoil(f)
		r, err := deployment.Check(t.Context(), f, options(t))
		require.NoError(t, err, name)
		require.Len(t, r.Missing, 1, name)
		require.Contains(t, r.Missing[0].Cure, c.cure, name)
		require.NotEmpty(t, r.Missing[0].What, name)
	}
	r, err := deployment.Check(t.Context(), &fake{identity: errors.New("none")}, options(t))
	require.NoError(t, err)
	require.Len(t, r.Missing, 2, "region and credentials are said at once")
	r, err = deployment.Check(t.Context(), &fake{region: "us-east-1"}, options(t))
	require.NoError(t, err)
	require.Len(t, r.Missing, 2, "bootstrap and secret are said at once")
	r, err = deployment.Check(t.Context(), ready(), options(t, "-c", "account=999999999999"))
	require.NoError(t, err)
	require.Len(t, r.Missing, 1)
}

// A question that AWS does not answer is not a missing thing.
func TestRefusedQuestion(t *testing.T) {
	f := ready()
	f.broken = errors.New("access denied")
	_, err := deployment.Check(t.Context(), f, options(t))
	require.ErrorContains(t, err, "access denied")
}

func TestOpenWantsNoSecret(t *testing.T) {
	f := ready()
	delete(f.parameters, "/symphony/dev/secret")
	o, err := stack.ParseOptions(map[string]any{"auth": "open"})
	require.NoError(t, err)
	r, err := deployment.Check(t.Context(), f, o)
	require.NoError(t, err)
	require.Empty(t, r.Missing)
}

// One logging role for all stages of an account and region.
func TestLoggingRole(t *testing.T) {
	role := func(name string) string { return "arn:aws:iam::123456789012:role/" + name }
	for _, c := range []struct {
		role, stage string
		brings      bool
	}{
		{"", "dev", true},
		{role("symphony-dev-Roleapigatewaylogs03F940D9-Ab12"), "dev", true},
		{role("symphony-prod-Roleapigatewaylogs03F940D9-Ab12"), "dev", false},
		{role("symphony-prod-Roleapigatewaylogs03F940D9-Ab12"), "staging", false},
		{role("symphony-dev-Roleapigatewaylogs03F940D9-Ab12"), "prod", true},
		{role("symphony-dev-anna-Roleapigatewaylogs03F940D9-Ab12"), "prod", true},
		{role("symphony-dev-anna-Roleapigatewaylogs03F940D9-Ab12"), "dev", false},
		{role("somebody-elses"), "prod", false},
	} {
		f := ready()
		f.role = c.role
		r, err := deployment.Check(t.Context(), f, options(t, "-c", "stage="+c.stage))
		require.NoError(t, err)
		if c.brings {
			require.Empty(t, r.Context, "%+v", c)
		} else {
			require.Equal(t, []string{"accountLogging=false"}, r.Context, "%+v", c)
		}
	}
}

func TestResume(t *testing.T) {
	f := ready()
	require.NoError(t, deployment.Resume(t.Context(), f, options(t)))
	require.Equal(t, []string{"symphony-dev-checkpoint"}, f.enabled)
}

func TestContext(t *testing.T) {
	got, err := deployment.Context([]string{"--verbose", "-c", "a=1", "--context", "b=x=y", "--context=c=", "deploy"})
	require.NoError(t, err)
	require.Equal(t, map[string]any{"a": "1", "b": "x=y", "c": ""}, got)
	for _, args := range [][]string{{"-c"}, {"-c", "a"}, {"--context", "=1"}} {
		_, err := deployment.Context(args)
		require.Error(t, err, "%v", args)
	}
}
