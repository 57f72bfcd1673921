package deployment

import (
	"fmt"
	"strings"
)

// Context finds the options among arguments for the CDK CLI: `-c key=value`,
// `--context key=value` and `--context=key=value`. What else there is, is the CLI's.
func Context(args []string) (map[string]any, error) {
	context := map[string]any{}
	for i := 0; i < len(args); i++ {
		pair, ok := strings.CutPrefix(args[i], "--context=")
		if !ok {
			if args[i] != "-c" && args[i] != "--context" {
				continue
			}
			if i++; i == len(args) {
				return nil, fmt.Errorf("deployment: %s at the end, without key=value", args[i-1])
			}
			pair = args[i]
		}
		key, value, ok := strings.Cut(pair, "=")
		if !ok || key == "" {
			return nil, fmt.Errorf("deployment: -c %s: not key=value", pair)
		}
		context[key] = value
	}
	return context, nil
}
