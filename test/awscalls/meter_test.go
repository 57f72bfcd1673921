package awscalls

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go/middleware"

	"github.com/symphony-rt/symphony/internal/awstest"
)

// meter counts the calls the SDK makes, by service and operation, and the
// capacity that DynamoDB says they took.
type meter struct {
	mu          sync.Mutex
	calls       map[string]int
	read, write float64
}

func newMeter() *meter { return &meter{calls: map[string]int{}} }

// attach counts what clients made from cfg do.
func (m *meter) attach(cfg aws.Config) aws.Config {
	cfg.APIOptions = append(slices.Clone(cfg.APIOptions), func(stack *middleware.Stack) error {
		return stack.Initialize.Add(middleware.InitializeMiddlewareFunc("meter", m.handle), middleware.After)
	})
	return cfg
}

func (m *meter) handle(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
	if f := reflect.ValueOf(in.Parameters).Elem().FieldByName("ReturnConsumedCapacity"); f.IsValid() {
		f.SetString(string(types.ReturnConsumedCapacityTotal))
	}
	out, meta, err := next.HandleInitialize(ctx, in)
	m.mu.Lock()
	defer m.mu.Unlock()
	operation := awsmiddleware.GetOperationName(ctx)
	m.calls[awsmiddleware.GetServiceID(ctx)+"/"+operation]++
	var condition *types.ConditionalCheckFailedException
	if errors.As(err, &condition) {
		m.write++ // a write that is refused is billed as well; ours are small
	}
	if out.Result == nil || reflect.ValueOf(out.Result).IsNil() {
		return out, meta, err
	}
	units := 0.0
	switch c := reflect.ValueOf(out.Result).Elem().FieldByName("ConsumedCapacity"); {
	case !c.IsValid():
		return out, meta, err
	case c.Kind() == reflect.Slice:
		for i := range c.Len() {
			units += aws.ToFloat64(c.Index(i).Interface().(types.ConsumedCapacity).CapacityUnits)
		}
	case !c.IsNil():
		units = aws.ToFloat64(c.Interface().(*types.ConsumedCapacity).CapacityUnits)
	}
	if isWrite(operation) {
		m.write += units
	} else {
		m.read += units
	}
	return out, meta, err
}

func isWrite(operation string) bool {
	return strings.Contains(operation, "Write") || strings.HasPrefix(operation, "Put") || strings.HasPrefix(operation, "Delete")
}

// counted is what one action took.
type counted struct {
	dynamo, s3, posts string
	calls             map[string]int
	read, write       float64
}

// take returns what was counted since the last take.
func (m *meter) take() counted {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := counted{
		dynamo: listing(m.calls, "DynamoDB/"), s3: listing(m.calls, "S3/"), posts: listing(m.calls, "ApiGatewayManagementApi/"),
		calls: m.calls, read: m.read, write: m.write,
	}
	m.calls, m.read, m.write = map[string]int{}, 0, 0
	return c
}

// listing writes calls as "BatchGetItem, 2 PutItem".
func listing(calls map[string]int, prefix string) string {
	var list []string
	for name, n := range calls {
		name, ok := strings.CutPrefix(name, prefix)
		switch {
		case ok && n == 1:
			list = append(list, name)
		case ok:
			list = append(list, fmt.Sprintf("%d %s", n, name))
		}
	}
	slices.SortFunc(list, func(a, b string) int {
		return strings.Compare(strings.TrimLeft(a, "0123456789 "), strings.TrimLeft(b, "0123456789 "))
	})
	return strings.Join(list, ", ")
}

// management is a management API that takes every post.
func management(t *testing.T) string {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusOK) }))
	t.Cleanup(server.Close)
	return server.URL + "/stage"
}

func TestMain(m *testing.M) { awstest.Main(m) }
