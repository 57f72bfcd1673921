package awscli

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// listedAtOnce is how many versions of objects the proxy lets be listed at a
// time: S3 lists 1000 at most, which would take a mock long to store.
const listedAtOnce = 50

// proxy stands before an engine: it counts calls, can look at what is there when
// one comes, and can answer instead.
type proxy struct {
	url    string
	mu     sync.Mutex
	counts map[string]int
	before func(action string, form url.Values) (answer string)
}

// on calls before with every call from now on; an answer that is not "" is sent
// instead of the engine's.
func (p *proxy) on(before func(action string, form url.Values) (answer string)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.before = before
}

func (p *proxy) count(action string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.counts[action]
}

// action is what a request asks for, of the protocols that destroy uses.
func action(r *http.Request, body []byte) (string, url.Values) {
	switch {
	case strings.HasPrefix(r.Header.Get("Content-Type"), "application/x-www-form-urlencoded"):
		form, _ := url.ParseQuery(string(body))
		return form.Get("Action"), form
	case r.Method == http.MethodPost && r.URL.Query().Has("delete"):
		return "DeleteObjects", nil
	}
	_, name, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	return name, nil
}

func (p *proxy) serve(t *testing.T, engine string) string {
	t.Helper()
	target, err := url.Parse(engine)
	require.NoError(t, err)
	p.counts = map[string]int{}
	to := httputil.NewSingleHostReverseProxy(target)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		if q := r.URL.Query(); q.Has("max-keys") {
			q.Set("max-keys", strconv.Itoa(listedAtOnce))
			r.URL.RawQuery = q.Encode()
		}
		name, form := action(r, body)
		p.mu.Lock()
		p.counts[name]++
		before := p.before
		p.mu.Unlock()
		if before != nil {
			if answer := before(name, form); answer != "" {
				w.Header().Set("Content-Type", "text/xml")
				fmt.Fprint(w, answer)
				return
			}
		}
		to.ServeHTTP(w, r)
	}))
	t.Cleanup(server.Close)
	p.url = server.URL
	return p.url
}
