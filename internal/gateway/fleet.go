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
	"slices"
	"strconv"
	"strings"
	"time"
)

// Fleet posts to the connections of several gateway processes over HTTP: a
// connection id names its gateway. It is for the backend that the gateways
// share. Its errors are those of a Gateway, and a *StatusError or the
// transport's own for what is neither.
type Fleet struct {
	// Stage is the gateways' stage.
	Stage string
	// Gateways are their base URLs by number, e.g. "http://127.0.0.1:9001".
	Gateways map[uint16]string
	// BatchPath is where the gateways serve their BatchHandler; PostMany then
	// takes one request for each gateway instead of one for each connection.
	BatchPath string
	// Client makes the requests; nil for one with many idle connections.
	Client *http.Client
}

// StatusError is an answer of a management API that is no documented error.
type StatusError struct{ Status int }

func (e *StatusError) Error() string {
	return "gateway: management API answered " + strconv.Itoa(e.Status)
}

// fleetClient keeps enough connections open for a busy backend.
var fleetClient = &http.Client{Transport: &http.Transport{
	DialContext:         (&net.Dialer{Timeout: 5 * time.Second}).DialContext,
	MaxIdleConns:        0,
	MaxIdleConnsPerHost: 256,
	IdleConnTimeout:     90 * time.Second,
}}

func (f *Fleet) client() *http.Client {
	if f.Client != nil {
		return f.Client
	}
	return fleetClient
}

// Post is Gateway.Post.
func (f *Fleet) Post(ctx context.Context, id string, data []byte) error {
	return f.do(ctx, http.MethodPost, id, data, nil)
}

// Close is Gateway.Close.
func (f *Fleet) Close(ctx context.Context, id string) error {
	return f.do(ctx, http.MethodDelete, id, nil, nil)
}

// Get is Gateway.Get.
func (f *Fleet) Get(ctx context.Context, id string) (Connection, error) {
	var body connectionBody
	if err := f.do(ctx, http.MethodGet, id, nil, &body); err != nil {
		return Connection{}, err
	}
	return body.connection()
}

// do makes one management request. A connection whose id names no gateway of
// the fleet is gone.
func (f *Fleet) do(ctx context.Context, method, id string, data []byte, into any) error {
	number, ok := NumberOf(id)
	base, known := f.Gateways[number]
	if !ok || !known {
		return ErrGone
	}
	target := strings.TrimSuffix(base, "/") + "/" + f.Stage + "/" + managementSegment + "/" + url.PathEscape(id)
	request, err := http.NewRequestWithContext(ctx, method, target, bytes.NewReader(data))
	if err != nil {
		return err
	}
	request.Header.Set(forwardedHeader, "1")
	// A signature to a gateway that asks for one; none of them can check it.
	request.Header.Set("Authorization", "AWS4-HMAC-SHA256 fleet")
	response, err := f.client().Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if err := errorOf(response.StatusCode); err != nil {
		_, _ = io.Copy(io.Discard, response.Body)
		return err
	}
	if into != nil {
		return json.NewDecoder(response.Body).Decode(into)
	}
	_, err = io.Copy(io.Discard, response.Body)
	return err
}

// PostMany is Gateway.PostMany: the gateways are asked at the same time.
func (f *Fleet) PostMany(ctx context.Context, ids []string, data []byte) []error {
	errs := make([]error, len(ids))
	byGateway := make(map[uint16][]int)
	for i, id := range ids {
		number, ok := NumberOf(id)
		if _, known := f.Gateways[number]; !ok || !known {
			errs[i] = ErrGone
			continue
		}
		byGateway[number] = append(byGateway[number], i)
	}
	done := make(chan struct{}, len(byGateway))
	for number, indexes := range byGateway {
		post := func() {
			if f.BatchPath == "" {
				for _, i := range indexes {
					errs[i] = f.Post(ctx, ids[i], data)
				}
			} else {
				f.postBatch(ctx, f.Gateways[number], ids, indexes, data, errs)
			}
			done <- struct{}{}
		}
		if len(byGateway) == 1 {
			post()
		} else {
			go post()
		}
	}
	for range byGateway {
		<-done
	}
	return errs
}

// A batch is the connection ids, separated by commas, a newline, and the
// message; the answer is the statuses in the same order, separated by commas.
// It is ours alone: AWS has no such request, and every message of it counts
// against the throttle as one.

// maxBatch is how many connections one batch may name.
const maxBatch = 1000

func (f *Fleet) postBatch(ctx context.Context, base string, ids []string, indexes []int, data []byte, errs []error) {
	for chunk := range slices.Chunk(indexes, maxBatch) {
		if err := f.postChunk(ctx, base, ids, chunk, data, errs); err != nil {
			for _, i := range chunk {
				errs[i] = err
			}
		}
	}
}

func (f *Fleet) postChunk(ctx context.Context, base string, ids []string, indexes []int, data []byte, errs []error) error {
	body := make([]byte, 0, len(indexes)*(idLength+1)+len(data))
	for n, i := range indexes {
		if n > 0 {
			body = append(body, ',')
		}
		body = append(body, ids[i]...)
	}
	body = append(append(body, '\n'), data...)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, strings.TrimSuffix(base, "/")+f.BatchPath, bytes.NewReader(body))
	if err != nil {
		return err
	}
	response, err := f.client().Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(response.Body, maxBatch*4))
	if err != nil {
		return err
	}
	if err := errorOf(response.StatusCode); err != nil {
		return err
	}
	statuses := strings.Split(string(answer), ",")
	if len(statuses) != len(indexes) {
		return errBatch
	}
	for n, i := range indexes {
		status, err := strconv.Atoi(statuses[n])
		if err != nil {
			return errBatch
		}
		errs[i] = errorOf(status)
	}
	return nil
}

// errBatch is a batch, or an answer to one, that cannot be read.
var errBatch = errors.New("gateway: malformed batch")

// BatchHandler serves PostMany of a Fleet. It asks for no signature: mount it
// where only the backend can reach it.
func (g *Gateway) BatchHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ids, data, err := g.readBatch(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		answer := make([]byte, 0, len(ids)*4)
		for i, id := range ids {
			if i > 0 {
				answer = append(answer, ',')
			}
			answer = strconv.AppendInt(answer, int64(statusOf(g.postHere(id, data))), 10)
		}
		_, _ = w.Write(answer)
	})
}

func (g *Gateway) readBatch(r *http.Request) (ids []string, data []byte, err error) {
	if r.Method != http.MethodPost {
		return nil, nil, fmt.Errorf("%w: not a POST", errBatch)
	}
	// A message may be over the limit, which each of its posts then says.
	limit := int64(maxBatch*(idLength+1) + g.limits.Message + 1)
	body, err := io.ReadAll(io.LimitReader(r.Body, limit))
	if err != nil {
		return nil, nil, err
	}
	return parseBatch(body)
}

func parseBatch(body []byte) (ids []string, data []byte, err error) {
	list, data, ok := bytes.Cut(body, []byte{'\n'})
	if !ok || len(list) > maxBatch*(idLength+1) {
		return nil, nil, errBatch
	}
	return strings.Split(string(list), ","), data, nil
}
