package compose

import (
	"context"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/eventbridge"

	"github.com/symphony-rt/symphony/internal/handler"
)

// rule is the EventBridge rule that starts checkpoints.
// https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_EnableRule.html
type rule struct {
	events *eventbridge.Client
	name   string
}

// Rule returns the schedule's switch, nil when the schedule is not ours to
// turn on and off.
func (e *Environment) Rule() handler.Rule {
	if e.Config.Schedule == "" {
		return nil
	}
	return &rule{eventbridge.NewFromConfig(e.AWS), e.Config.Schedule}
}

// Enable implements handler.Rule.
func (r *rule) Enable(ctx context.Context) error {
	if _, err := r.events.EnableRule(ctx, &eventbridge.EnableRuleInput{Name: &r.name}); err != nil {
		return fmt.Errorf("compose: enable rule %s: %w", r.name, err)
	}
	return nil
}

// Disable implements handler.Rule.
func (r *rule) Disable(ctx context.Context) error {
	if _, err := r.events.DisableRule(ctx, &eventbridge.DisableRuleInput{Name: &r.name}); err != nil {
		return fmt.Errorf("compose: disable rule %s: %w", r.name, err)
	}
	return nil
}
