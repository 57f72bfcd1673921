package gateway

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// HTTPInvoker and InvokeHandler carry invocations over HTTP in the form of the
// Lambda Invoke API (POST /2015-03-31/functions/{name}/invocations), so either
// end can be something else that speaks it.

const (
	invokePrefix = "/2015-03-31/functions/"
	invokeSuffix = "/invocations"
	// functionErrorHeader is there when the function ran and failed.
	functionErrorHeader = "X-Amz-Function-Error"
	// maxPayload is Lambda's limit for a synchronous invocation's request and
	// answer.
	maxPayload = 6 << 20
)

// invokeError is what the Invoke API says of a function that failed.
type invokeError struct {
	Type    string `json:"errorType"`
	Message string `json:"errorMessage"`
}

// HTTPInvoker is an Invoker of functions behind an InvokeHandler, or anything
// else with Lambda's Invoke API.
type HTTPInvoker struct {
	// Base is the URL before /2015-03-31/…, e.g. "http://127.0.0.1:9100".
	Base string
	// Client makes the requests; nil for one with many idle connections.
	Client *http.Client
}

// invokeClient keeps enough connections open for a gateway's invocations.
var invokeClient = &http.Client{Transport: &http.Transport{
	DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
	MaxIdleConns:        0,
	MaxIdleConnsPerHost: 1024,
	IdleConnTimeout:     90 * time.Second,
}}

// Invoke implements Invoker.
func (i *HTTPInvoker) Invoke(ctx context.Context, function string, payload []byte) ([]byte, error) {
	target := strings.TrimSuffix(i.Base, "/") + invokePrefix + url.PathEscape(function) + invokeSuffix
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, target, bytes.NewReader(payload))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	client := i.Client
	if client == nil {
		client = invokeClient
	}
	response, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxPayload+1))
	switch {
	case err != nil:
		return nil, err
	case len(answer) > maxPayload:
		return nil, &FunctionError{Type: "Function.ResponseSizeTooLarge", Message: "response over 6 MB"}
	case response.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("gateway: invoking %q: status %d", function, response.StatusCode)
	case response.Header.Get(functionErrorHeader) != "":
		var failed invokeError
		if err := json.Unmarshal(answer, &failed); err != nil {
			return nil, &FunctionError{Type: "Unknown", Message: "unreadable error"}
		}
		return nil, &FunctionError{Type: failed.Type, Message: failed.Message}
	}
	return answer, nil
}

// InvokeHandler serves the functions of invoker to HTTPInvokers.
func InvokeHandler(invoker Invoker) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		name, ok := invokedFunction(r)
		if !ok {
			http.NotFound(w, r)
			return
		}
		payload, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxPayload))
		if err != nil {
			writeInvoke(w, http.StatusRequestEntityTooLarge, "RequestTooLargeException", invokeError{Message: "payload over 6 MB"})
			return
		}
		answer, err := invoker.Invoke(r.Context(), name, payload)
		var failed *FunctionError
		switch {
		case errors.As(err, &failed):
			w.Header().Set(functionErrorHeader, "Unhandled")
			writeInvoke(w, http.StatusOK, "", invokeError{Type: failed.Type, Message: failed.Message})
		case errors.Is(err, ErrNoFunction):
			writeInvoke(w, http.StatusNotFound, "ResourceNotFoundException", invokeError{Message: "no such function"})
		case err != nil:
			writeInvoke(w, http.StatusInternalServerError, "ServiceException", invokeError{Message: "cannot invoke"})
		default:
			w.Header().Set("Content-Type", "application/json")
			_, _ = w.Write(answer)
		}
	})
}

func invokedFunction(r *http.Request) (name string, ok bool) {
	rest, ok := strings.CutPrefix(r.URL.EscapedPath(), invokePrefix)
	if !ok || r.Method != http.MethodPost {
		return "", false
	}
	escaped, ok := strings.CutSuffix(rest, invokeSuffix)
	if !ok {
		return "", false
	}
	name, err := url.PathUnescape(escaped)
	return name, err == nil && name != ""
}

func writeInvoke(w http.ResponseWriter, status int, kind string, body invokeError) {
	w.Header().Set("Content-Type", "application/json")
	if kind != "" {
		w.Header().Set("x-amzn-ErrorType", kind)
	}
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body)
}
