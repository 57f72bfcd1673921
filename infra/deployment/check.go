// Package deployment looks whether an AWS account is ready for a deployment,
// and says of each thing that is missing how to get it, before CloudFormation
// is asked for anything.
package deployment

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/symphony-rt/symphony/infra/stack"
)

// ErrNotFound: the parameter does not exist.
var ErrNotFound = errors.New("deployment: not found")

// Parameter is one of the SSM parameter store.
type Parameter struct {
	// Value is not decrypted: a secret is never read here.
	Value string
	// Secure says that it is a SecureString.
	Secure bool
}

// Account is what of AWS a check looks at.
type Account interface {
	// Region is "" when none is configured.
	Region() string
	// Identity returns the account's number and who asks. An error means that
	// there are no credentials that work.
	Identity(ctx context.Context) (account, arn string, err error)
	// Parameter returns ErrNotFound when there is none of that name.
	Parameter(ctx context.Context, name string) (Parameter, error)
	// LoggingRole is the ARN of the role with which API Gateway writes logs in
	// this account and region, "" when there is none.
	LoggingRole(ctx context.Context) (string, error)
	// EnableRule turns an EventBridge rule on.
	EnableRule(ctx context.Context, name string) error
}

const (
	// bootstrapParameter is where `cdk bootstrap` notes its version.
	bootstrapParameter = "/cdk-bootstrap/hnb659fds/version"
	// bootstrapVersion is the first that this kind of stack deploys with.
	bootstrapVersion = 6
)

// Missing is one thing that is not there, and how to get it.
type Missing struct {
	What, Cure string
}

// Report is what Check found.
type Report struct {
	Account, Region, Arn string
	Missing              []Missing
	// Context is what to tell CDK beside the user's own options.
	Context []string
}

func (r *Report) lacks(what, cure string) { r.Missing = append(r.Missing, Missing{what, cure}) }

// Check looks at everything a deployment of o needs. What cannot be looked at
// because something before it is missing is left out.
func Check(ctx context.Context, a Account, o stack.Options) (Report, error) {
	r := Report{Region: a.Region()}
	if r.Region == "" {
		r.lacks("No AWS region is chosen.", "export AWS_REGION=eu-central-1   (or any other), or `aws configure`")
	}
	var err error
	if r.Account, r.Arn, err = a.Identity(ctx); err != nil {
		r.lacks("There are no AWS credentials that work: "+firstLine(err),
			"`aws configure sso` once and `aws sso login`, or export AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (and AWS_SESSION_TOKEN)")
	}
	if r.Region == "" || err != nil {
		return r, nil
	}
	if o.Account != "" && o.Account != r.Account {
		r.lacks(fmt.Sprintf("The credentials are for account %s, and -c account=%s.", r.Account, o.Account), "other credentials, or without -c account")
	}
	if err := r.checkBootstrap(ctx, a); err != nil {
		return r, err
	}
	if err := r.checkSecret(ctx, a, o); err != nil {
		return r, err
	}
	return r, r.checkLogging(ctx, a, o)
}

func firstLine(err error) string {
	line, _, _ := strings.Cut(err.Error(), "\n")
	return line
}

func (r *Report) checkBootstrap(ctx context.Context, a Account) error {
	where := fmt.Sprintf("aws://%s/%s", r.Account, r.Region)
	p, err := a.Parameter(ctx, bootstrapParameter)
	if errors.Is(err, ErrNotFound) {
		r.lacks("CDK has never been used in account "+r.Account+", region "+r.Region+": it wants a bucket and roles of its own there.",
			"`make bootstrap` once (cdk bootstrap "+where+")")
		return nil
	}
	if err != nil {
		return fmt.Errorf("deployment: look for CDK's bootstrap: %w", err)
	}
	if version, err := strconv.Atoi(p.Value); err != nil || version < bootstrapVersion {
		r.lacks(fmt.Sprintf("CDK's bootstrap of %s has version %s; at least %d is needed.", where, p.Value, bootstrapVersion), "`make bootstrap`")
	}
	return nil
}

// checkSecret makes sure that the authorizer will find its secret. It is not
// read.
func (r *Report) checkSecret(ctx context.Context, a Account, o stack.Options) error {
	if o.Open {
		return nil
	}
	create := fmt.Sprintf("aws ssm put-parameter --region %s --type SecureString --name %s --value \"$(openssl rand -base64 48)\"", r.Region, o.SecretParameter)
	p, err := a.Parameter(ctx, o.SecretParameter)
	switch {
	case errors.Is(err, ErrNotFound):
		r.lacks("There is no parameter "+o.SecretParameter+" with the secret that tokens are signed with.",
			create+"\n      (or -c auth=open, to let everybody in)")
	case err != nil:
		return fmt.Errorf("deployment: look for the secret: %w", err)
	case !p.Secure:
		r.lacks("The parameter "+o.SecretParameter+" is not a SecureString: its value can be read by whoever may list parameters.",
			"aws ssm delete-parameter --region "+r.Region+" --name "+o.SecretParameter+", then\n      "+create)
	}
	return nil
}

// ownRole recognises the logging role of one of our stages; CloudFormation
// begins its name with the stack's.
var ownRole = regexp.MustCompile(`:role/symphony-([a-z][a-z0-9-]*)-Roleapigatewaylogs`)

// checkLogging decides whether this stack brings the role for access logs. There
// is one for an account and region: a role of somebody else's is used as it
// is. One that goes away with a dev stage is replaced by a stage that stays.
func (r *Report) checkLogging(ctx context.Context, a Account, o stack.Options) error {
	if !o.AccountLogging {
		return nil
	}
	role, err := a.LoggingRole(ctx)
	if err != nil {
		return fmt.Errorf("deployment: look for API Gateway's logging role: %w", err)
	}
	own := ownRole.FindStringSubmatch(role)
	switch {
	case role == "", own != nil && own[1] == o.Stage:
		return nil
	case own != nil && o.Retain && stack.IsDev(own[1]):
		return nil
	}
	r.Context = append(r.Context, "accountLogging=false")
	return nil
}

// Resume turns the schedule of checkpoints on after a deployment, which may have
// replaced the rule while rooms were waiting. The checkpoint function turns it
// off when there is nothing to do.
func Resume(ctx context.Context, a Account, o stack.Options) error {
	if err := a.EnableRule(ctx, o.ScheduleName()); err != nil {
		return fmt.Errorf("deployment: turn the schedule on (it turns itself on with the next edit): %w", err)
	}
	return nil
}
