package gateway

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"
	"time"
)

// The management API. Sources: "Use @connections commands in your backend
// service" (apigateway-how-to-call-websocket-api-connections.html) for paths,
// methods and signing; the "Amazon API Gateway Management API" reference for
// the errors. AWS's 410 has no body at all; ours says what it means.

// forwardedHeader marks a request that another gateway passed on, so that two
// gateways that disagree cannot send one back and forth.
const forwardedHeader = "X-Gateway-Forwarded"

// managementErrors is how an error of Post, Close or Get looks in HTTP.
var managementErrors = []struct {
	err           error
	status        int
	kind, message string
}{
	{ErrGone, http.StatusGone, "GoneException", "Gone"},
	{ErrTooLarge, http.StatusRequestEntityTooLarge, "PayloadTooLargeException", "Payload too large"},
	{ErrLimit, http.StatusTooManyRequests, "LimitExceededException", "Limit exceeded"},
	{ErrForbidden, http.StatusForbidden, "ForbiddenException", "Forbidden"},
}

// statusOf returns the HTTP status of what Post returned.
func statusOf(err error) int {
	if err == nil {
		return http.StatusOK
	}
	for _, m := range managementErrors {
		if errors.Is(err, m.err) {
			return m.status
		}
	}
	return http.StatusInternalServerError
}

// errorOf is the reverse of statusOf.
func errorOf(status int) error {
	if status >= 200 && status <= 299 {
		return nil
	}
	for _, m := range managementErrors {
		if m.status == status {
			return m.err
		}
	}
	return &StatusError{Status: status}
}

// serveManagement serves /{stage}/@connections/{id}.
func (g *Gateway) serveManagement(w http.ResponseWriter, r *http.Request, id string) {
	switch r.Method {
	case http.MethodPost, http.MethodGet, http.MethodDelete:
	default:
		g.unsigned(w)
		return
	}
	if g.config.RequireSignature && !strings.HasPrefix(r.Header.Get("Authorization"), "AWS4-HMAC-SHA256 ") {
		g.unsigned(w)
		return
	}
	post, remove, get := g.postHere, g.closeHere, g.getHere
	if g.foreign(id) && r.Header.Get(forwardedHeader) == "" {
		ctx := r.Context()
		post = func(id string, data []byte) error { return g.peers.Post(ctx, id, data) }
		remove = func(id string) error { return g.peers.Close(ctx, id) }
		get = func(id string) (Connection, error) { return g.peers.Get(ctx, id) }
	}
	switch r.Method {
	case http.MethodPost:
		data, err := g.readPost(r)
		if err == nil {
			err = post(id, data)
		}
		g.answer(w, http.StatusOK, nil, err)
	case http.MethodDelete:
		g.answer(w, http.StatusNoContent, nil, remove(id))
	case http.MethodGet:
		connection, err := get(id)
		var body []byte
		if err == nil {
			body, err = json.Marshal(newConnectionBody(connection))
		}
		g.answer(w, http.StatusOK, body, err)
	}
}

// unsigned is API Gateway's answer to a request that IAM knows nothing about:
// one without a signature, or for a method that does not exist.
func (g *Gateway) unsigned(w http.ResponseWriter) {
	g.metrics.fail(ErrorPostForbidden)
	g.httpError(w, http.StatusForbidden, "MissingAuthenticationTokenException", "Missing Authentication Token")
}

// readPost reads a post's body; one byte over the limit is enough to know.
func (g *Gateway) readPost(r *http.Request) ([]byte, error) {
	limit := int64(g.limits.Message)
	if r.ContentLength > limit {
		g.metrics.fail(ErrorTooLarge)
		return nil, ErrTooLarge
	}
	data := make([]byte, 0, max(r.ContentLength, 0)+1)
	for {
		if len(data) == cap(data) {
			data = append(data, 0)[:len(data)]
		}
		n, err := r.Body.Read(data[len(data):cap(data)])
		data = data[:len(data)+n]
		switch {
		case int64(len(data)) > limit:
			g.metrics.fail(ErrorTooLarge)
			return nil, ErrTooLarge
		case errors.Is(err, io.EOF):
			return data, nil
		case err != nil:
			return nil, err
		}
	}
}

// answer answers a management request.
func (g *Gateway) answer(w http.ResponseWriter, status int, body []byte, err error) {
	if err == nil {
		id := g.ids.request()
		w.Header().Set("x-amzn-RequestId", string(id[:]))
		if body != nil {
			w.Header().Set("Content-Type", "application/json")
		}
		w.WriteHeader(status)
		_, _ = w.Write(body)
		return
	}
	for _, m := range managementErrors {
		if errors.Is(err, m.err) {
			g.httpError(w, m.status, m.kind, m.message)
			return
		}
	}
	g.log.Error("management request failed", "error", err)
	g.httpError(w, http.StatusInternalServerError, "InternalServerErrorException", messageInternal)
}

// connectionBody is GetConnection's answer. Times are ISO 8601.
type connectionBody struct {
	ConnectedAt string `json:"connectedAt"`
	Identity    struct {
		SourceIP  string `json:"sourceIp"`
		UserAgent string `json:"userAgent"`
	} `json:"identity"`
	LastActiveAt string `json:"lastActiveAt"`
}

const connectionTime = "2006-01-02T15:04:05.000Z07:00"

func newConnectionBody(c Connection) connectionBody {
	body := connectionBody{ConnectedAt: c.ConnectedAt.Format(connectionTime), LastActiveAt: c.LastActiveAt.Format(connectionTime)}
	body.Identity.SourceIP, body.Identity.UserAgent = c.SourceIP, c.UserAgent
	return body
}

func (b connectionBody) connection() (c Connection, err error) {
	if c.ConnectedAt, err = time.Parse(connectionTime, b.ConnectedAt); err != nil {
		return c, err
	}
	c.LastActiveAt, err = time.Parse(connectionTime, b.LastActiveAt)
	c.SourceIP, c.UserAgent = b.Identity.SourceIP, b.Identity.UserAgent
	return c, err
}
