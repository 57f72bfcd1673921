package handler

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/auth"
	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/room"
)

type fixedClock time.Time

func (c fixedClock) Now() time.Time { return time.Time(c) }

var now = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

// rooms records what the handlers ask for and answers what it is told.
type rooms struct {
	joined   map[room.ConnectionID]room.Member
	joinedIn map[room.ConnectionID]room.ID
	received []string
	from     room.Origin
	left     []room.ConnectionID
	reply    []byte
	err      error
}

func (r *rooms) Join(_ context.Context, id room.ID, m room.Member) error {
	if r.err != nil {
		return r.err
	}
	if r.joined == nil {
		r.joined, r.joinedIn = map[room.ConnectionID]room.Member{}, map[room.ConnectionID]room.ID{}
	}
	r.joined[m.Connection], r.joinedIn[m.Connection] = m, id
	return nil
}

func (r *rooms) Receive(_ context.Context, from room.Origin, frame string) ([]byte, error) {
	r.from = from
	r.received = append(r.received, frame)
	return r.reply, r.err
}

func (r *rooms) Leave(_ context.Context, _ room.ID, c room.ConnectionID) error {
	r.left = append(r.left, c)
	return r.err
}

func newHandler(r *rooms, p auth.Policy) (*Handler, *strings.Builder) {
	var log strings.Builder
	return New(r, p, fixedClock(now), slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))), &log
}

func event(authorizer map[string]any, query map[string]string, body string) events.APIGatewayWebsocketProxyRequest {
	e := events.APIGatewayWebsocketProxyRequest{QueryStringParameters: query, Body: body}
	e.RequestContext.ConnectionID = "c1"
	e.RequestContext.ConnectedAt = now.Add(-time.Second).UnixMilli()
	if authorizer != nil {
		e.RequestContext.Authorizer = authorizer
	}
	return e
}

var ada = map[string]any{"room": "plan/ü", "user": "ada", "name": "Ada", "access": "read", "principalId": "ada", "integrationLatency": float64(3)}

func TestConnectRegistersWhoTheAuthorizerNamed(t *testing.T) {
	r := &rooms{}
	h, _ := newHandler(r, nil)
	e := event(ada, map[string]string{"room": "another", "token": "x"}, "")
	e.Headers = map[string]string{"sec-websocket-protocol": "symphony.v1, symphony.token.a.b.c"}
	res, err := h.Connect(t.Context(), e)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Equal(t, "symphony.v1", res.Headers[subprotocolHeader])
	require.Empty(t, res.Body)
	require.Equal(t, room.ID("plan/ü"), r.joinedIn["c1"])
	require.Equal(t, room.Member{Connection: "c1", User: room.User{ID: "ada", Name: "Ada"}, Access: room.AccessRead, ConnectedAt: now.Add(-time.Second)}, r.joined["c1"])
}

func TestConnectWithoutAuthorizerAsksThePolicy(t *testing.T) {
	r := &rooms{}
	h, _ := newHandler(r, auth.Open{})
	res, err := h.Connect(t.Context(), event(nil, map[string]string{"room": "plan"}, ""))
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.StatusCode)
	require.Equal(t, room.AccessWrite, r.joined["c1"].Access)

	// P36: no authorizer and no policy is nobody's permission.
	closed, _ := newHandler(&rooms{}, nil)
	res, err = closed.Connect(t.Context(), event(nil, map[string]string{"room": "plan"}, ""))
	require.NoError(t, err)
	require.Equal(t, http.StatusInternalServerError, res.StatusCode)
}

func TestConnectIsRefusedWithTheRightStatus(t *testing.T) {
	hs, err := auth.NewHS256([]byte("0123456789abcdef0123456789abcdef"), fixedClock(now))
	require.NoError(t, err)
	elsewhere, err := hs.Sign(room.User{ID: "ada"}, map[string]room.Access{"other": room.AccessWrite}, time.Time{})
	require.NoError(t, err)
	for name, c := range map[string]struct {
		query  map[string]string
		fail   error
		status int
	}{
		"no room":        {nil, nil, http.StatusBadRequest},
		"long room":      {map[string]string{"room": strings.Repeat("r", room.MaxIDBytes+1)}, nil, http.StatusBadRequest},
		"room not UTF-8": {map[string]string{"room": "a\xff"}, nil, http.StatusBadRequest},
		"no token":       {map[string]string{"room": "plan"}, nil, http.StatusUnauthorized},
		"other room":     {map[string]string{"room": "plan", "token": elsewhere}, nil, http.StatusForbidden},
		"denied":         {map[string]string{"room": "other", "token": elsewhere}, room.ErrDenied, http.StatusForbidden},
		"store down":     {map[string]string{"room": "other", "token": elsewhere}, room.ErrUnavailable, http.StatusServiceUnavailable},
	} {
		r := &rooms{err: c.fail}
		h, log := newHandler(r, hs)
		res, err := h.Connect(t.Context(), event(nil, c.query, ""))
		require.NoError(t, err, name)
		require.Equal(t, c.status, res.StatusCode, name)
		require.Empty(t, r.joined, name)
		require.Contains(t, log.String(), "connection=c1", name)
	}
}

func TestMessagePassesOriginAndReply(t *testing.T) {
	r := &rooms{reply: []byte("AAAA")}
	h, _ := newHandler(r, nil)
	res, err := message(t, h, event(ada, nil, "AAEA"))
	require.NoError(t, err)
	require.Equal(t, events.APIGatewayProxyResponse{StatusCode: http.StatusOK, Body: "AAAA"}, res)
	require.Equal(t, []string{"AAEA"}, r.received)
	require.Equal(t, room.Origin{Connection: "c1", Room: "plan/ü", User: room.User{ID: "ada", Name: "Ada"}, Access: room.AccessRead,
		ConnectedAt: now.Add(-time.Second)}, r.from)
}

// Guarantee 8: a typed error, a log line with the connection, no internal text.
func TestEveryErrorHasItsCode(t *testing.T) {
	for err, want := range map[error]protocol.Code{
		room.ErrMalformed:         protocol.CodeMalformed,
		room.ErrTooLarge:          protocol.CodeTooLarge,
		room.ErrInvalidUpdate:     protocol.CodeInvalidUpdate,
		room.ErrInvalidAwareness:  protocol.CodeInvalidAwareness,
		room.ErrReadOnly:          protocol.CodeReadOnly,
		room.ErrDenied:            protocol.CodeDenied,
		room.ErrUnknownConnection: protocol.CodeUnknownConnection,
		room.ErrUnavailable:       protocol.CodeUnavailable,
		room.ErrConflict:          protocol.CodeUnavailable,
		context.DeadlineExceeded:  protocol.CodeUnavailable,
		room.ErrUnsupported:       protocol.CodeUnsupported,
		room.ErrRoomID:            protocol.CodeRoomID,
		room.ErrCorrupt:           protocol.CodeInternal,
		errors.New("anything"):    protocol.CodeInternal,
	} {
		r := &rooms{err: &room.MessageError{ID: 7, Err: fmt.Errorf("table secret-name: %w", err)}}
		h, log := newHandler(r, nil)
		res, callErr := message(t, h, event(ada, nil, "AAEA"))
		require.NoError(t, callErr)
		require.Equal(t, http.StatusOK, res.StatusCode)
		m, decodeErr := protocol.DecodeServerFrame(res.Body)
		require.NoError(t, decodeErr)
		e := m.(*protocol.Error)
		require.Equal(t, want, e.Code, err)
		require.EqualValues(t, 7, e.ID)
		require.Equal(t, want == protocol.CodeUnavailable, e.RetryMS > 0, "only what may work later says so")
		require.NotContains(t, e.Text, "secret-name")
		require.Contains(t, log.String(), "connection=c1")
		require.Contains(t, log.String(), "secret-name")
	}
}

func TestDisconnectedClientsAndPlainClientsAreAnsweredAsTheServiceSays(t *testing.T) {
	r := &rooms{err: fmt.Errorf("%w: %w", room.ErrDisconnected, room.ErrUnavailable)}
	h, _ := newHandler(r, nil)
	res, err := message(t, h, event(ada, nil, "AAEA"))
	require.NoError(t, err)
	require.Empty(t, res.Body, "the connection is closed already")

	r = &rooms{err: room.ErrReadOnly, reply: []byte("AgAA")}
	h, _ = newHandler(r, nil)
	res, err = message(t, h, event(ada, nil, "AAEA"))
	require.NoError(t, err)
	require.Equal(t, "AgAA", res.Body, "y-protocols has its own way to say it")
}

// Alarms count errors: a client that left while it was being answered is none.
func TestAClientThatVanishedIsNoError(t *testing.T) {
	for err, level := range map[error]string{
		fmt.Errorf("%w: %w: %w", room.ErrDisconnected, room.ErrUnavailable, room.ErrGone): "INFO",
		fmt.Errorf("%w: %w", room.ErrDisconnected, room.ErrUnavailable):                   "ERROR",
		room.ErrMalformed: "WARN",
	} {
		h, log := newHandler(&rooms{err: err}, nil)
		_, herr := message(t, h, event(ada, nil, "x"))
		require.NoError(t, herr)
		require.Contains(t, log.String(), "level="+level, "%v", err)
	}
}

func TestBinaryFrameIsRefused(t *testing.T) {
	r := &rooms{}
	h, _ := newHandler(r, nil)
	e := event(ada, nil, "AAEA")
	e.IsBase64Encoded = true
	res, err := message(t, h, e)
	require.NoError(t, err)
	m, err := protocol.DecodeServerFrame(res.Body)
	require.NoError(t, err)
	require.Equal(t, protocol.CodeMalformed, m.(*protocol.Error).Code)
	require.Empty(t, r.received)
}

func TestDisconnectMayComeTwice(t *testing.T) {
	for _, c := range []struct {
		err    error
		status int
	}{{nil, 200}, {room.ErrUnknownConnection, 200}, {room.ErrUnavailable, 503}} {
		r := &rooms{err: c.err}
		h, _ := newHandler(r, nil)
		res, err := h.Disconnect(t.Context(), event(ada, nil, ""))
		require.NoError(t, err)
		require.Equal(t, c.status, res.StatusCode)
		require.Equal(t, []room.ConnectionID{"c1"}, r.left)
	}
}

func TestAuthorizer(t *testing.T) {
	hs, err := auth.NewHS256([]byte("0123456789abcdef0123456789abcdef"), fixedClock(now))
	require.NoError(t, err)
	token, err := hs.Sign(room.User{ID: "ada", Name: "Ada"}, map[string]room.Access{"plan": room.AccessRead}, now.Add(time.Hour))
	require.NoError(t, err)
	a := NewAuthorizer(hs, slog.New(slog.DiscardHandler))
	ask := func(room, query, protocols string) (events.APIGatewayCustomAuthorizerResponse, error) {
		return a.Authorize(t.Context(), events.APIGatewayCustomAuthorizerRequestTypeRequest{
			MethodArn:             "arn:aws:execute-api:eu-west-1:1:api/dev/$connect",
			QueryStringParameters: map[string]string{"room": room, "token": query},
			Headers:               map[string]string{"Sec-WebSocket-Protocol": protocols},
		})
	}
	for _, where := range [][2]string{{token, ""}, {"", "symphony.v1,symphony.token." + token}} {
		res, err := ask("plan", where[0], where[1])
		require.NoError(t, err)
		require.Equal(t, "ada", res.PrincipalID)
		require.Equal(t, map[string]any{"room": "plan", "user": "ada", "name": "Ada", "access": "read"}, res.Context)
		require.Equal(t, "Allow", res.PolicyDocument.Statement[0].Effect)
		require.Equal(t, []string{"arn:aws:execute-api:eu-west-1:1:api/dev/$connect"}, res.PolicyDocument.Statement[0].Resource)
	}
	res, err := ask("secret", token, "")
	require.NoError(t, err)
	require.Equal(t, "Deny", res.PolicyDocument.Statement[0].Effect)
	require.Empty(t, res.Context)

	_, err = ask("plan", "", "")
	require.EqualError(t, err, "Unauthorized", "the one text API Gateway turns into 401")
}

// The event's shape is AWS's: the samples of aws-lambda-go decode, and with an
// authorizer's context in them they name their sender.
func TestSamplesOfAWSDecode(t *testing.T) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/aws/aws-lambda-go").Output()
	require.NoError(t, err)
	files, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(dir)), "events/testdata/apigw-websocket-*.json"))
	require.NoError(t, err)
	require.NotEmpty(t, files)
	for _, f := range files {
		sample, err := os.ReadFile(f)
		require.NoError(t, err)
		var e events.APIGatewayWebsocketProxyRequest
		require.NoError(t, json.Unmarshal(sample, &e))
		from, authorized := origin(e.RequestContext)
		require.False(t, authorized, f)
		require.NotEmpty(t, from.Connection, f)
		require.False(t, from.ConnectedAt.IsZero(), f)

		var raw map[string]any
		require.NoError(t, json.Unmarshal(sample, &raw))
		raw["requestContext"].(map[string]any)["authorizer"] = ada
		sample, err = json.Marshal(raw)
		require.NoError(t, err)
		require.NoError(t, json.Unmarshal(sample, &e))
		from, authorized = origin(e.RequestContext)
		require.True(t, authorized, f)
		require.Equal(t, room.User{ID: "ada", Name: "Ada"}, from.User, f)
		require.Equal(t, room.AccessRead, from.Access, f)
	}
}

type sweeper struct {
	sweeps int
	fail   error
	// rooms is what each sweep finds; the last stays.
	rooms []int
}

func (s *sweeper) Sweep(context.Context) (room.SweepReport, error) {
	s.sweeps++
	var r room.SweepReport
	if len(s.rooms) > 0 {
		r.Rooms = s.rooms[min(s.sweeps, len(s.rooms))-1]
	}
	return r, s.fail
}

type rule struct {
	calls []string
	fail  error
}

func (r *rule) Enable(context.Context) error  { r.calls = append(r.calls, "enable"); return r.fail }
func (r *rule) Disable(context.Context) error { r.calls = append(r.calls, "disable"); return r.fail }

// N9: the schedule rests while every room is clean, and never while one is not.
func TestScheduleRestsOnlyWhenIdle(t *testing.T) {
	timeUp := errors.New("time is up")
	for name, c := range map[string]struct {
		rooms []int
		wait  error
		fail  error
		want  []string
	}{
		"rooms are dirty":               {[]int{3, 1}, nil, nil, nil},
		"only the first sweep had some": {[]int{3, 0, 0}, nil, nil, []string{"disable"}},
		"one turned up meanwhile":       {[]int{0, 0, 1}, nil, nil, []string{"disable", "enable"}},
		"a failed sweep is not idle":    {[]int{0}, nil, room.ErrUnavailable, nil},
	} {
		r := &rule{}
		lags := 0
		h := NewCheckpoint(&sweeper{rooms: c.rooms, fail: c.fail}, CheckpointOptions{Rule: r, Lag: func(time.Duration) error { lags++; return nil }, Wait: func(context.Context, time.Duration) error { return c.wait }}, slog.New(slog.DiscardHandler))
		err := h.Handle(t.Context(), events.CloudWatchEvent{Detail: json.RawMessage(`{"sweeps":2}`)})
		require.ErrorIs(t, err, c.fail, name)
		require.Equal(t, c.want, r.calls, name)
		require.Equal(t, c.fail == nil && slices.Max(c.rooms) > 0, lags > 0, "%s: a sweep that found rooms tells their lag", name)
	}
	r := &rule{}
	h := NewCheckpoint(&sweeper{}, CheckpointOptions{Rule: r, Wait: func(context.Context, time.Duration) error { return timeUp }}, slog.New(slog.DiscardHandler))
	require.ErrorIs(t, h.Handle(t.Context(), events.CloudWatchEvent{}), timeUp)
	require.Equal(t, []string{"disable", "enable"}, r.calls, "when it cannot look again, it goes on")
}

func TestScheduleSweepsAsOftenAsItsEventSays(t *testing.T) {
	for detail, want := range map[string]int{"": 1, "{}": 1, `{"sweeps":2,"everySeconds":30}`: 2, `{"sweeps":99}`: maxSweeps, `{"sweeps":-1}`: 1} {
		s := &sweeper{}
		var waits []time.Duration
		c := NewCheckpoint(s, CheckpointOptions{Wait: func(_ context.Context, d time.Duration) error { waits = append(waits, d); return nil }}, slog.New(slog.DiscardHandler))
		require.NoError(t, c.Handle(t.Context(), events.CloudWatchEvent{Detail: json.RawMessage(detail)}))
		require.Equal(t, want, s.sweeps, detail)
		require.Len(t, waits, want-1)
		if want == 2 {
			require.Equal(t, 30*time.Second, waits[0])
		}
	}
	bad := NewCheckpoint(&sweeper{}, CheckpointOptions{}, slog.New(slog.DiscardHandler))
	require.Error(t, bad.Handle(t.Context(), events.CloudWatchEvent{Detail: json.RawMessage(`[]`)}))

	failing := &sweeper{fail: room.ErrUnavailable}
	c := NewCheckpoint(failing, CheckpointOptions{Wait: func(context.Context, time.Duration) error { return nil }}, slog.New(slog.DiscardHandler))
	require.ErrorIs(t, c.Handle(t.Context(), events.CloudWatchEvent{Detail: json.RawMessage(`{"sweeps":2}`)}), room.ErrUnavailable)
	require.Equal(t, 2, failing.sweeps, "one failed sweep does not cancel the next")
}
