package dashboard

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"syscall"
	"time"

	"github.com/symphony-rt/symphony/internal/room"
)

// DefaultPort is where the dashboard is unless told otherwise.
const DefaultPort = 8788

// Options are what a Server is made of.
type Options struct {
	Info    Info
	Source  Source
	Catalog *Catalog
	// Rooms is nil where rooms cannot be looked into.
	Rooms Rooms
	// Page is the built page.
	Page fs.FS
	// Private asks for a token to read: where what is shown is more than the
	// programs of this machine can read anyway. Info.Changes asks for one too.
	Private bool
	Clock   room.Clock
	Log     *slog.Logger
}

// Server serves the dashboard. It is made by Listen.
type Server struct {
	Options
	guard    guard
	listener net.Listener
	http     *http.Server
	trees    *trees
	live     *live
	stop     context.CancelFunc
}

const (
	// headerTime bounds how slowly a request may come.
	headerTime = 10 * time.Second
	// answerTime bounds an answer, but for those of rooms and the live stream.
	answerTime = 20 * time.Second
	// roomTime bounds looking into a room: a document of 50 MB takes a while.
	roomTime = 2 * time.Minute
)

// ErrPort: the port is taken.
var ErrPort = errors.New("port in use")

// Listen takes the port of 127.0.0.1 (0: a free one) and serves until Close.
func Listen(ctx context.Context, port int, o Options) (*Server, error) {
	listener, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fmt.Errorf("dashboard: %w: 127.0.0.1:%d", ErrPort, port)
	case err != nil:
		return nil, fmt.Errorf("dashboard: %w", err)
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Info.Every <= 0 {
		o.Info.Every = time.Second
	}
	token := ""
	if o.Private || o.Info.Changes {
		token = rand.Text()
	}
	ctx, stop := context.WithCancel(ctx)
	s := &Server{
		Options: o, listener: listener, stop: stop, trees: newTrees(o.Clock),
		guard: newGuard(strconv.Itoa(listener.Addr().(*net.TCPAddr).Port), token),
	}
	s.live = newLive(s.snapshot, o.Info.Every)
	s.http = &http.Server{Handler: s.guard.admit(s.routes()), ReadHeaderTimeout: headerTime, BaseContext: func(net.Listener) context.Context { return ctx }}
	go func() { _ = s.http.Serve(listener) }() // it ends with Close
	return s, nil
}

// URL is what to open in a browser.
func (s *Server) URL() string {
	u := "http://" + s.listener.Addr().String() + "/"
	if s.guard.token != "" {
		u += "?token=" + s.guard.token
	}
	return u
}

// Watched says whether any page is open.
func (s *Server) Watched() bool {
	s.live.mu.Lock()
	defer s.live.mu.Unlock()
	return len(s.live.streams) > 0
}

// Close ends the server and its live streams.
func (s *Server) Close() error {
	s.stop()
	return s.http.Close()
}

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	get := func(path string, within time.Duration, answer func(r *http.Request) (any, error)) {
		mux.HandleFunc("GET "+path, s.answer(within, answer))
	}
	get("/api/info", answerTime, func(*http.Request) (any, error) { return s.Info, nil })
	get("/api/now", answerTime, func(r *http.Request) (any, error) { return s.snapshot(r.Context()) })
	get("/api/series", answerTime, s.series)
	get("/api/rooms", answerTime, s.roomTable)
	get("/api/room", answerTime, s.room)
	get("/api/room/edits", roomTime, s.edits)
	get("/api/room/document", roomTime, s.document)
	get("/api/functions", answerTime, s.functions)
	get("/api/logs", answerTime, s.logs)
	mux.HandleFunc("POST /api/room/verify", s.act(false, s.verify))
	mux.HandleFunc("POST /api/room/delete", s.act(true, s.delete))
	mux.Handle("GET /api/live", s.live)
	mux.HandleFunc("/api/", func(w http.ResponseWriter, _ *http.Request) {
		writeProblem(w, http.StatusNotFound, "There is nothing here.")
	})
	mux.Handle("/", pages(s.Page))
	return mux
}

// answer writes what the function returns as JSON.
func (s *Server) answer(within time.Duration, answer func(r *http.Request) (any, error)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		ctx, cancel := context.WithTimeout(r.Context(), within)
		defer cancel()
		body, err := answer(r.WithContext(ctx))
		if err != nil {
			s.problem(w, r, err)
			return
		}
		writeJSON(w, http.StatusOK, body)
	}
}

// act is answer for requests that only the page itself may send; changes also
// have to be allowed.
func (s *Server) act(changes bool, answer func(r *http.Request) (any, error)) http.HandlerFunc {
	next := s.answer(roomTime, answer)
	return func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !s.guard.acting(r):
			writeProblem(w, http.StatusForbidden, "Only the dashboard's own page may ask for this.")
		case changes && !s.Info.Changes:
			writeProblem(w, http.StatusForbidden, "This dashboard is read-only. Start it with --allow-changes to act.")
		default:
			next(w, r)
		}
	}
}

func writeJSON(w http.ResponseWriter, status int, body any) {
	b, err := json.Marshal(body)
	if err != nil {
		status, b = http.StatusInternalServerError, []byte(`{"problem":"the answer cannot be written"}`)
	}
	h := w.Header()
	h.Set("Content-Type", "application/json")
	h.Set("Cache-Control", "no-store")
	w.WriteHeader(status)
	_, _ = w.Write(b) // nobody left to tell
}

func writeProblem(w http.ResponseWriter, status int, text string) {
	writeJSON(w, status, map[string]string{"problem": text})
}

// problem turns an error into a status and a text for the person at the page,
// whose own deployment it is: causes are not hidden.
func (s *Server) problem(w http.ResponseWriter, r *http.Request, err error) {
	status := http.StatusInternalServerError
	switch {
	case errors.Is(err, ErrQuery), errors.Is(err, room.ErrRoomID):
		status = http.StatusBadRequest
	case errors.Is(err, room.ErrNotFound), errors.Is(err, errNoNode):
		status = http.StatusNotFound
	case errors.Is(err, ErrNotHere):
		status = http.StatusNotImplemented
	case errors.Is(err, room.ErrUnavailable), errors.Is(err, context.DeadlineExceeded):
		status = http.StatusServiceUnavailable
	}
	if status >= http.StatusInternalServerError && r.Context().Err() == nil && !errors.Is(err, ErrNotHere) {
		s.Log.Warn("dashboard", "path", r.URL.Path, "error", err)
	}
	writeProblem(w, status, err.Error())
}
