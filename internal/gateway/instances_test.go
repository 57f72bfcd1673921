package gateway_test

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/gateway"
)

// Answers of invocations at the same time are not mixed up: with one handler of
// aws-lambda-go shared by all, they are.
func TestInstancesKeepAnswersApart(t *testing.T) {
	h := gateway.Instances(func() gateway.Handler {
		return lambda.NewHandler(func(_ context.Context, n int) (string, error) {
			return strings.Repeat(fmt.Sprintf("%04d", n), 50), nil
		})
	})
	var all sync.WaitGroup
	answers := make([][]byte, 2000)
	for worker := range 8 {
		all.Go(func() {
			for n := worker; n < len(answers); n += 8 {
				answers[n], _ = h.Invoke(context.Background(), fmt.Appendf(nil, "%d", n))
			}
		})
	}
	all.Wait()
	for n, got := range answers {
		require.Equal(t, `"`+strings.Repeat(fmt.Sprintf("%04d", n), 50)+`"`, string(got))
	}
}
