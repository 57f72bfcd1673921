package dashboard

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/symphony-rt/symphony/internal/dashboard/series"
	"github.com/symphony-rt/symphony/internal/room"
)

func (s *Server) snapshot(ctx context.Context) (snapshotBody, error) {
	body := snapshotBody{At: s.Clock.Now().UTC(), Rooms: s.Catalog.Version(), Figures: Figures{}}
	figures, err := s.Source.Now(ctx)
	body.Figures = figures.clean() // what is known in spite of an error
	if err != nil {
		body.Problem = err.Error()
	}
	return body, nil
}

func window(r *http.Request) (series.Window, error) {
	w := series.Window(r.URL.Query().Get("window"))
	if w == "" {
		w = series.Hour
	}
	if _, ok := series.ShapeOf(w); !ok {
		return "", fmt.Errorf("%w: there is no window %q (1h, 24h, 7d)", ErrQuery, w)
	}
	return w, nil
}

func (s *Server) series(r *http.Request) (any, error) {
	w, err := window(r)
	if err != nil {
		return nil, err
	}
	l, err := s.Source.Series(r.Context(), w)
	if err != nil {
		return nil, err
	}
	return wireLines(l), nil
}

// functionBody is a Function with its line.
type functionBody struct {
	Function
	Rate numbers `json:"rate"`
}

func (s *Server) functions(r *http.Request) (any, error) {
	w, err := window(r)
	if err != nil {
		return nil, err
	}
	report, err := s.Source.Functions(r.Context(), w)
	if err != nil {
		return nil, err
	}
	all := []functionBody{}
	for _, f := range report.Functions {
		all = append(all, functionBody{f, f.Rate})
	}
	return map[string]any{"from": report.From.UnixMilli(), "step": report.Step.Milliseconds(), "functions": all, "why": report.Why}, nil
}

const (
	maxLogLines     = 1000
	defaultLogLines = 200
)

func (s *Server) logs(r *http.Request) (any, error) {
	q := r.URL.Query()
	limit, err := number(q.Get("limit"), defaultLogLines)
	if err != nil || limit < 1 || limit > maxLogLines {
		return nil, fmt.Errorf("%w: limit is a number up to %d", ErrQuery, maxLogLines)
	}
	return s.Source.Logs(r.Context(), LogQuery{
		After: q.Get("after"), Text: q.Get("q"), Function: q.Get("function"), Level: q.Get("level"), Limit: limit,
	})
}

func number(text string, fallback int) (int, error) {
	if text == "" {
		return fallback, nil
	}
	return strconv.Atoi(text)
}

func (s *Server) roomTable(r *http.Request) (any, error) {
	q := r.URL.Query()
	page, err := number(q.Get("page"), 0)
	if err != nil {
		return nil, fmt.Errorf("%w: page is a number", ErrQuery)
	}
	size, err := number(q.Get("size"), 0)
	if err != nil {
		return nil, fmt.Errorf("%w: size is a number", ErrQuery)
	}
	return s.Catalog.Rooms(Query{
		Text: q.Get("q"), ActiveOnly: q.Get("active") == "1", Sort: q.Get("sort"), Descending: q.Get("dir") == "desc", Page: page, Size: size,
	}, s.Clock.Now())
}

// member is one of a room's, as the page shows it.
type member struct {
	User      string      `json:"user"`
	Name      string      `json:"name"`
	Access    room.Access `json:"access"`
	Client    uint64      `json:"client"`
	Protocol  string      `json:"protocol"`
	Connected time.Time   `json:"connected"`
}

type roomBody struct {
	RoomRow
	// Members is nil where they cannot be asked for; Problem says why.
	Members []member `json:"members"`
	Problem string   `json:"problem,omitempty"`
	History []Point  `json:"history"`
}

func roomID(text string) (room.ID, error) {
	id := room.ID(text)
	return id, id.Validate()
}

func (s *Server) room(r *http.Request) (any, error) {
	id, err := roomID(r.URL.Query().Get("room"))
	if err != nil {
		return nil, err
	}
	entry, ok := s.Catalog.Get(id)
	if !ok {
		return nil, fmt.Errorf("room %q: %w", id, room.ErrNotFound)
	}
	body := roomBody{RoomRow: rowOf(entry, s.Clock.Now()), History: s.Catalog.History(id)}
	if s.Rooms == nil {
		body.Problem = ErrNotHere.Error()
		return body, nil
	}
	members, err := s.Rooms.Members(r.Context(), id)
	if err != nil {
		body.Problem = err.Error()
		return body, nil
	}
	body.Members = []member{}
	for _, m := range members {
		protocol := "y-protocols"
		if m.Symphony {
			protocol = "Symphony"
		}
		body.Members = append(body.Members, member{m.User.ID, m.User.Name, m.Access, m.Client, protocol, m.ConnectedAt})
	}
	return body, nil
}

// asked reads the room of a request that acts: {"room": …, "confirm": …}.
func asked(r *http.Request) (id room.ID, confirm string, err error) {
	var body struct{ Room, Confirm string }
	if err := json.NewDecoder(io.LimitReader(r.Body, 16<<10)).Decode(&body); err != nil {
		return "", "", fmt.Errorf("%w: %w", ErrQuery, err)
	}
	id, err = roomID(body.Room)
	return id, body.Confirm, err
}

func (s *Server) verify(r *http.Request) (any, error) {
	id, _, err := asked(r)
	if err != nil {
		return nil, err
	}
	if s.Rooms == nil {
		return nil, ErrNotHere
	}
	return s.Rooms.Verify(r.Context(), id)
}

func (s *Server) delete(r *http.Request) (any, error) {
	id, confirm, err := asked(r)
	switch {
	case err != nil:
		return nil, err
	case confirm != string(id):
		return nil, fmt.Errorf("%w: to delete a room, its name is to be typed", ErrQuery)
	case s.Rooms == nil:
		return nil, ErrNotHere
	}
	if err := s.Rooms.Delete(r.Context(), id); err != nil {
		return nil, err
	}
	s.Catalog.Remove(id)
	s.trees.forget(id)
	s.Log.Warn("room deleted from the dashboard", "room", id)
	return map[string]any{"deleted": id}, nil
}
