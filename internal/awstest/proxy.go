package awstest

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"testing"

	"github.com/stretchr/testify/require"
)

// NewProxy serves an engine on another URL, for tests of the SDK's own HTTP
// client: a request for which next says Hang is never answered, all others pass.
func NewProxy(tb testing.TB, engine string, next func(*http.Request) Fault) string {
	tb.Helper()
	target, err := url.Parse(engine)
	require.NoError(tb, err)
	proxy := httputil.NewSingleHostReverseProxy(target)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if next(req) == Hang {
			_, _ = io.Copy(io.Discard, req.Body) // or the server does not notice that the client has gone
			<-req.Context().Done()
			return
		}
		proxy.ServeHTTP(w, req)
	}))
	tb.Cleanup(server.Close)
	return server.URL
}
