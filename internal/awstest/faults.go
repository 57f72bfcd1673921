package awstest

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"testing"
)

// Fault is what Faults does to one request.
type Fault int

// The faults.
const (
	// Pass does nothing.
	Pass Fault = iota
	// Refuse fails without the engine seeing the request: no connection.
	Refuse
	// Lose lets the engine act and loses its answer.
	Lose
	// Break lets the engine act and breaks the answer off in its body.
	Break
	// Fail answers 500 without the engine seeing the request.
	Fail
	// FailAfter lets the engine act and answers 500.
	FailAfter
	// Throttle answers as the service does when it is asked too much.
	Throttle
	// Unprocessed does every other item of a DynamoDB batch and hands the rest back. Any
	// other request passes.
	Unprocessed
	// Hang gives no answer until the request is given up.
	Hang
)

var errNoAnswer = errors.New("connection reset (injected)")

// Faults is an HTTP client for the SDK that treats requests as Next says. It
// is safe for concurrent use.
type Faults struct {
	// Next says what happens to a request. operation is DynamoDB's ("PutItem"),
	// or S3's method ("PUT"). nil lets all pass.
	Next func(operation string) Fault
	// Seen, if set, is called with each operation that reaches the engine.
	Seen func(operation string)

	client http.Client
}

// Script returns a Next that takes the faults one after another, for every
// request, and passes what comes after them.
func Script(faults ...Fault) func(string) Fault {
	var mu sync.Mutex
	return func(string) Fault {
		mu.Lock()
		defer mu.Unlock()
		if len(faults) == 0 {
			return Pass
		}
		next := faults[0]
		faults = faults[1:]
		return next
	}
}

// Random returns a Next that does one of faults to share of all requests, with
// a seed that is printed.
func Random(tb testing.TB, seed uint64, share float64, faults ...Fault) func(string) Fault {
	tb.Helper()
	tb.Logf("faults: seed %d", seed)
	var mu sync.Mutex
	dice := rand.New(rand.NewPCG(seed, seed))
	return func(string) Fault {
		mu.Lock()
		defer mu.Unlock()
		if dice.Float64() >= share {
			return Pass
		}
		return faults[dice.IntN(len(faults))]
	}
}

// Operation names a request as Faults.Next sees it.
func Operation(req *http.Request) string {
	if _, op, ok := strings.Cut(req.Header.Get("X-Amz-Target"), "."); ok {
		return op
	}
	return req.Method
}

// Do implements the SDK's HTTP client.
func (f *Faults) Do(req *http.Request) (*http.Response, error) {
	op := Operation(req)
	fault := Pass
	if f.Next != nil {
		fault = f.Next(op)
	}
	switch fault {
	case Refuse:
		return nil, errNoAnswer
	case Fail:
		return answer(req, http.StatusInternalServerError, "InternalServerError"), nil
	case Throttle:
		return throttled(req), nil
	case Hang:
		<-req.Context().Done()
		return nil, req.Context().Err()
	case Unprocessed:
		return f.half(req, op)
	}
	res, err := f.pass(req, op)
	if err != nil || fault == Pass {
		return res, err
	}
	body, _ := io.ReadAll(res.Body)
	res.Body.Close()
	switch fault {
	case Lose:
		return nil, errNoAnswer
	case FailAfter:
		return answer(req, http.StatusInternalServerError, "InternalServerError"), nil
	default: // Break
		res.Body = io.NopCloser(io.MultiReader(bytes.NewReader(body[:len(body)/2]), broken{}))
		return res, nil
	}
}

func (f *Faults) pass(req *http.Request, op string) (*http.Response, error) {
	if f.Seen != nil {
		f.Seen(op)
	}
	return f.client.Do(req)
}

type broken struct{}

func (broken) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

func answer(req *http.Request, status int, code string) *http.Response {
	body := `{"__type":"com.amazonaws.dynamodb.v20120810#` + code + `","message":"injected"}`
	contentType := "application/x-amz-json-1.0"
	if req.Header.Get("X-Amz-Target") == "" {
		body, contentType = `<Error><Code>`+code+`</Code><Message>injected</Message></Error>`, "application/xml"
	}
	return &http.Response{
		StatusCode: status, Status: http.StatusText(status), Request: req,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {contentType}},
		Body:   io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}

func throttled(req *http.Request) *http.Response {
	if req.Header.Get("X-Amz-Target") == "" {
		return answer(req, http.StatusServiceUnavailable, "SlowDown")
	}
	return answer(req, http.StatusBadRequest, "ThrottlingException")
}

// half passes every other item of a batch on and adds the rest to the answer's
// unprocessed items. The engine does not check the signature of what it gets.
func (f *Faults) half(req *http.Request, op string) (*http.Response, error) {
	var left string
	switch op {
	case "BatchGetItem":
		left = "UnprocessedKeys"
	case "BatchWriteItem":
		left = "UnprocessedItems"
	default:
		return f.pass(req, op)
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	done, rest, err := split(op, body)
	if err != nil {
		return nil, err
	}
	first := req.Clone(req.Context())
	first.Body, first.ContentLength = io.NopCloser(bytes.NewReader(done)), int64(len(done))
	res, err := f.pass(first, op)
	if err != nil || res.StatusCode != http.StatusOK {
		return res, err
	}
	defer res.Body.Close()
	var out map[string]json.RawMessage
	if err := json.NewDecoder(res.Body).Decode(&out); err != nil {
		return nil, err
	}
	out[left] = rest
	merged, err := json.Marshal(out)
	if err != nil {
		return nil, err
	}
	res.Header.Del("X-Amz-Crc32")
	res.Header.Del("Content-Length")
	res.Body, res.ContentLength = io.NopCloser(bytes.NewReader(merged)), int64(len(merged))
	return res, nil
}

// split parts a batch of one table: the request for one part, and the
// RequestItems of the other.
func split(op string, body []byte) (done, rest []byte, err error) {
	var in map[string]json.RawMessage
	var items map[string]json.RawMessage
	if err := errors.Join(json.Unmarshal(body, &in), json.Unmarshal(in["RequestItems"], &items)); err != nil {
		return nil, nil, err
	}
	second := map[string]json.RawMessage{}
	for table, raw := range items {
		if items[table], second[table], err = halve(op, raw); err != nil {
			return nil, nil, err
		}
	}
	if in["RequestItems"], err = json.Marshal(items); err != nil {
		return nil, nil, err
	}
	if rest, err = json.Marshal(second); err != nil {
		return nil, nil, err
	}
	done, err = json.Marshal(in)
	return done, rest, err
}

// halve splits a list of writes, or the keys of a read, item by item. The first
// part has at least one.
func halve(op string, raw json.RawMessage) (first, second json.RawMessage, err error) {
	list := raw
	var read map[string]json.RawMessage
	if op == "BatchGetItem" {
		if err := json.Unmarshal(raw, &read); err != nil {
			return nil, nil, err
		}
		list = read["Keys"]
	}
	var all []json.RawMessage
	if err := json.Unmarshal(list, &all); err != nil {
		return nil, nil, err
	}
	var done, rest []json.RawMessage
	for i, one := range all {
		if i%2 == 0 {
			done = append(done, one)
		} else {
			rest = append(rest, one)
		}
	}
	wrap := func(part []json.RawMessage) json.RawMessage {
		b, _ := json.Marshal(part)
		if read == nil {
			return b
		}
		read["Keys"] = b
		b, _ = json.Marshal(read)
		return b
	}
	return wrap(done), wrap(rest), nil
}
