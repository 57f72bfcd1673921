package awslocal

import (
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/awstest"
)

// roundTripper lets the faults have the requests of a reverse proxy.
type roundTripper struct{ faults *awstest.Faults }

func (r roundTripper) RoundTrip(req *http.Request) (*http.Response, error) {
	out := req.Clone(req.Context())
	out.RequestURI = "" // a client's request has none
	return r.faults.Do(out)
}

// before serves an engine on another URL, with faults; a request without an
// answer is a connection that breaks off.
func before(t *testing.T, engine string, faults *awstest.Faults) string {
	t.Helper()
	target, err := url.Parse(engine)
	require.NoError(t, err)
	proxy := httputil.NewSingleHostReverseProxy(target) // the Host stays, which signatures are of
	proxy.Transport = roundTripper{faults}
	proxy.ErrorLog = log.New(io.Discard, "", 0) // it would tell of each answer that breaks off
	proxy.ErrorHandler = func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }
	server := httptest.NewServer(proxy)
	t.Cleanup(server.Close)
	return server.URL
}

// Guarantees 1, 2, 3 and 5, N1: one in eight requests of the deployed files to
// DynamoDB and S3 is refused, fails, fails after its effect, loses its answer
// or half of it, or is throttled, while people edit and checkpoints run. Every
// edit is acknowledged in the end, and nothing acknowledged is lost for anybody.
func TestFaultyEnginesLoseNothing_N1_P21_P23(t *testing.T) {
	stack := awstest.Engines(t)
	seed := rand.Uint64()
	random := awstest.Random(t, seed, 1./8, awstest.Refuse, awstest.Lose, awstest.Break, awstest.Fail, awstest.FailAfter, awstest.Throttle)
	var on atomic.Bool
	var done atomic.Int64
	faults := &awstest.Faults{Next: func(operation string) awstest.Fault {
		if !on.Load() {
			return awstest.Pass
		}
		fault := random(operation)
		if fault != awstest.Pass {
			done.Add(1)
		}
		return fault
	}}
	stack.DynamoDB, stack.S3 = before(t, stack.DynamoDB, faults), before(t, stack.S3, faults)
	s := start(t, stack)
	on.Store(true)
	begun := time.Now()
	loseNothing(t, s, "faulty-"+strconv.FormatUint(seed, 36)+"-", func() {
		on.Store(false)
		t.Logf("%d requests went wrong in %s", done.Load(), time.Since(begun).Round(time.Millisecond))
		require.Positive(t, done.Load())
	})
}
