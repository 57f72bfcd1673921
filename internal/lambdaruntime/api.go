package lambdaruntime

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"
)

// The paths and headers of the Runtime API, version 2018-06-01
// (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html).
const (
	apiPrefix = "/2018-06-01/runtime/"

	headerRequestID = "Lambda-Runtime-Aws-Request-Id"
	headerDeadline  = "Lambda-Runtime-Deadline-Ms"
	headerARN       = "Lambda-Runtime-Invoked-Function-Arn"
	headerTrace     = "Lambda-Runtime-Trace-Id"
	headerErrorType = "Lambda-Runtime-Function-Error-Type"
)

// maxErrorBytes bounds what is read of a reported error.
const maxErrorBytes = MaxResponseBytes

// api serves one instance.
func (in *instance) api() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+apiPrefix+"invocation/next", in.serveNext)
	mux.HandleFunc("POST "+apiPrefix+"invocation/{id}/response", in.serveResponse)
	mux.HandleFunc("POST "+apiPrefix+"invocation/{id}/error", in.serveError)
	mux.HandleFunc("POST "+apiPrefix+"init/error", in.serveInitError)
	return mux
}

// reply answers as the Runtime API does.
func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(body) // the instance may be gone
}

func accept(w http.ResponseWriter) {
	reply(w, http.StatusAccepted, map[string]string{"status": "OK"})
}

func refuse(w http.ResponseWriter, status int, errorType, message string) {
	reply(w, status, errorBody{message, errorType})
}

// serveNext waits for the next event. Asking for it ends the initialisation,
// or what is left of an event that failed.
func (in *instance) serveNext(w http.ResponseWriter, r *http.Request) {
	in.mu.Lock()
	if !in.isReady {
		in.isReady = true
		close(in.ready)
	}
	drained := in.draining
	in.draining = false
	in.mu.Unlock()
	if drained {
		in.freeze()
		in.f.park(in)
	}
	var inv *invocation
	select {
	case inv = <-in.events:
	case <-r.Context().Done():
		return
	case <-in.ended:
		return
	}
	if r.Context().Err() != nil {
		in.events <- inv // whoever asked is gone: not taken
		return
	}
	now := in.f.rt.opts.Now()
	inv.begun = time.Now()
	h := w.Header()
	h.Set(headerRequestID, inv.id)
	h.Set(headerDeadline, strconv.FormatInt(now.Add(in.f.config.Timeout).UnixMilli(), 10))
	h.Set(headerARN, in.f.arn())
	h.Set(headerTrace, inv.trace)
	h.Set("Content-Type", "application/json")
	h.Set("Content-Length", strconv.Itoa(len(inv.payload)))
	close(inv.taken)
	_, _ = w.Write(inv.payload) // if it fails the instance is ending
}

var errTooLarge = errors.New("too large")

// readBody returns at most limit bytes, errTooLarge when there are more.
func readBody(r *http.Request, limit int64) ([]byte, error) {
	body, err := io.ReadAll(io.LimitReader(r.Body, limit+1))
	if err == nil && int64(len(body)) > limit {
		err = errTooLarge
	}
	return body, err
}

// serveResponse takes the outcome of an event and freezes the instance before
// it answers: the answer is read when the next event comes.
func (in *instance) serveResponse(w http.ResponseWriter, r *http.Request) {
	body, err := readBody(r, MaxResponseBytes)
	if err != nil && !errors.Is(err, errTooLarge) {
		refuse(w, http.StatusBadRequest, "InvalidRequest", "the response could not be read")
		return
	}
	inv := in.finish(r.PathValue("id"))
	if inv == nil {
		refuse(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
		return
	}
	result := Result{RequestID: inv.id, Payload: body}
	if err != nil {
		in.tooLarge(w, r, inv)
		return
	}
	if t := r.Trailer.Get(headerErrorType); t != "" { // it failed while it was writing
		result.FunctionError = unhandled
		result.Payload = encodeError(t, "the function failed while it was writing its response")
	}
	in.freeze()
	in.f.park(in)
	inv.outcome <- result
	accept(w)
}

// tooLarge ends the instance, which has been told of the failure and would
// exit itself.
func (in *instance) tooLarge(w http.ResponseWriter, r *http.Request, inv *invocation) {
	rest, _ := io.Copy(io.Discard, r.Body) // how large, for the message
	size := strconv.FormatInt(MaxResponseBytes+1+rest, 10)
	limit := strconv.Itoa(MaxResponseBytes)
	refuse(w, http.StatusRequestEntityTooLarge, "RequestEntityTooLarge",
		"Exceeded maximum allowed payload size ("+limit+" bytes).")
	in.kill()
	inv.outcome <- Result{
		RequestID: inv.id, FunctionError: unhandled,
		Payload: encodeError(TypeResponseTooLarge,
			"Response payload size ("+size+" bytes) exceeded maximum allowed payload size ("+limit+" bytes)."),
	}
}

// serveError takes an error as the outcome. The instance goes on running until
// it asks for the next event: after a panic it exits instead.
func (in *instance) serveError(w http.ResponseWriter, r *http.Request) {
	body, err := readBody(r, maxErrorBytes)
	if err != nil {
		refuse(w, http.StatusBadRequest, "InvalidRequest", "the error could not be read")
		return
	}
	inv := in.finish(r.PathValue("id"))
	if inv == nil {
		refuse(w, http.StatusBadRequest, "InvalidRequestID", "Invalid request ID")
		return
	}
	in.drain()
	accept(w)
	inv.outcome <- Result{
		RequestID: inv.id, FunctionError: unhandled,
		Payload: reportedError(body, r.Header.Get(headerErrorType)),
	}
}

// serveInitError takes the reason why the instance cannot start.
func (in *instance) serveInitError(w http.ResponseWriter, r *http.Request) {
	body, err := readBody(r, maxErrorBytes)
	if err != nil {
		refuse(w, http.StatusBadRequest, "InvalidRequest", "the error could not be read")
		return
	}
	in.mu.Lock()
	late := in.isReady || in.initErr != nil
	if !late {
		in.initErr = reportedError(body, r.Header.Get(headerErrorType))
	}
	in.mu.Unlock()
	if late {
		refuse(w, http.StatusForbidden, "InvalidStateTransition", "not initialising")
		return
	}
	accept(w)
	close(in.failed)
}
