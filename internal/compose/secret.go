package compose

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/ssm"

	"github.com/symphony-rt/symphony/internal/config"
)

// fetchSecret reads the HS256 secret once, at the cold start. A new secret is
// taken by new instances; to make all of them take it, deploy again.
// https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_GetParameter.html
func fetchSecret(a aws.Config, name string) ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	out, err := ssm.NewFromConfig(a).GetParameter(ctx, &ssm.GetParameterInput{Name: &name, WithDecryption: aws.Bool(true)})
	if err != nil {
		return nil, fmt.Errorf("the secret %s: %w", name, err)
	}
	if out.Parameter == nil {
		return nil, fmt.Errorf("the secret %s: SSM answered without it", name)
	}
	secret, err := config.ParseSecret(aws.ToString(out.Parameter.Value))
	if err != nil {
		return nil, fmt.Errorf("the secret %s %w", name, err)
	}
	return secret, nil
}
