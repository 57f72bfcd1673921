package deployment

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/apigateway"
	"github.com/aws/aws-sdk-go-v2/service/eventbridge"
	"github.com/aws/aws-sdk-go-v2/service/ssm"
	"github.com/aws/aws-sdk-go-v2/service/ssm/types"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// AWS is an Account over the SDK.
type AWS struct{ config aws.Config }

// Open reads the SDK's configuration as the AWS CLI and CDK do. region, unless
// empty, is chosen over it.
func Open(ctx context.Context, region string) (*AWS, error) {
	c, err := config.LoadDefaultConfig(ctx)
	if err != nil {
		return nil, err
	}
	if region != "" {
		c.Region = region
	}
	return &AWS{c}, nil
}

var _ Account = (*AWS)(nil)

// Region implements Account.
func (a *AWS) Region() string { return a.config.Region }

// Identity implements Account.
func (a *AWS) Identity(ctx context.Context) (account, arn string, err error) {
	c := a.config.Copy()
	if c.Region == "" {
		c.Region = "us-east-1" // any will do to say who one is
	}
	if c.Credentials == nil {
		return "", "", errors.New("none are configured")
	}
	if _, err := c.Credentials.Retrieve(ctx); err != nil {
		return "", "", err
	}
	out, err := sts.NewFromConfig(c).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return "", "", err
	}
	return aws.ToString(out.Account), aws.ToString(out.Arn), nil
}

// Parameter implements Account.
func (a *AWS) Parameter(ctx context.Context, name string) (Parameter, error) {
	out, err := ssm.NewFromConfig(a.config).GetParameter(ctx, &ssm.GetParameterInput{Name: &name})
	var none *types.ParameterNotFound
	switch {
	case errors.As(err, &none):
		return Parameter{}, ErrNotFound
	case err != nil:
		return Parameter{}, err
	}
	return Parameter{Value: aws.ToString(out.Parameter.Value), Secure: out.Parameter.Type == types.ParameterTypeSecureString}, nil
}

// LoggingRole implements Account.
func (a *AWS) LoggingRole(ctx context.Context) (string, error) {
	out, err := apigateway.NewFromConfig(a.config).GetAccount(ctx, &apigateway.GetAccountInput{})
	if err != nil {
		return "", err
	}
	return aws.ToString(out.CloudwatchRoleArn), nil
}

// EnableRule implements Account.
func (a *AWS) EnableRule(ctx context.Context, name string) error {
	_, err := eventbridge.NewFromConfig(a.config).EnableRule(ctx, &eventbridge.EnableRuleInput{Name: &name})
	return err
}
