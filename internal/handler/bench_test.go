//go:build unix

package handler_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambda"
	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/handler"
	"github.com/symphony-rt/symphony/internal/memstore"
	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/room"
)

// Benchmarks of a function without I/O: JSON event in, JSON answer out, as the
// Lambda runtime hands them over, on stores in memory and a sender that only
// counts. Allocations and time must not depend on the document's size, but for
// a join.

// benchClock is the system's, and later by what it was put forward.
type benchClock struct{ forward time.Duration }

func (c *benchClock) Now() time.Time { return time.Now().Add(c.forward) }

// countingSender counts posts.
type countingSender struct{ posts, bytes int }

func (s *countingSender) Post(_ context.Context, to []room.ConnectionID, frame []byte) []room.Failure {
	s.posts += len(to)
	s.bytes += len(to) * len(frame)
	return nil
}

func (s *countingSender) Disconnect(context.Context, room.ConnectionID) error { return nil }

// bench is a room of four with a document.
type bench struct {
	service *room.Service
	handler *handler.Handler
	lambda  lambda.Handler
	sender  *countingSender
	store   *memstore.Store
	clock   *benchClock
	epoch   string
	tail    uint64
}

const benchRoom = room.ID("plan")

// typing is client's edit at clock, ten characters long.
func typing(client byte, clock uint64, text string) []byte {
	u := appendUint([]byte{1, 1, client}, clock)
	if clock == 0 {
		u = append(u, 4, 1, 1, 't')
	} else {
		u = appendUint(append(u, 0x84, client), clock-1)
	}
	return append(append(appendUint(u, uint64(len(text))), text...), 0)
}

func appendUint(b []byte, v uint64) []byte {
	for ; v >= 0x80; v >>= 7 {
		b = append(b, byte(v)|0x80)
	}
	return append(b, byte(v))
}

// newBench opens a room of four whose document has size bytes of text. The
// document is a snapshot with ten edits after it.
func newBench(tb testing.TB, size int) *bench {
	clock := &benchClock{}
	b := &bench{sender: &countingSender{}, store: memstore.New(clock), clock: clock}
	var err error
	b.service, err = room.NewService(room.Ports{
		Log: b.store.Log(), Metas: b.store.Metas(), Members: b.store.Members(), Snapshots: b.store.Snapshots(), Sender: b.sender, Clock: clock,
	}, room.Options{})
	require.NoError(tb, err)
	b.handler = handler.New(b.service, nil, clock, nil)
	b.lambda = handler.MessageFunction{Handler: b.handler}
	for i := range 4 {
		conn := room.ConnectionID(fmt.Sprintf("connection-%d", i))
		require.NoError(tb, b.service.Join(context.Background(), benchRoom, room.Member{Connection: conn, User: room.User{ID: "ada"}, Access: room.AccessWrite, ConnectedAt: time.Now()}))
		b.send(tb, i, &protocol.Hello{Version: protocol.Version, Client: uint64(i + 1)})
	}
	at := uint64(0)
	for left := size; left > 0; left -= 10_000 {
		text := strings.Repeat("x", min(left, 10_000))
		b.send(tb, 0, &protocol.Submit{ID: 1, Update: typing(1, at, text)})
		at += uint64(len(text))
		b.tail++
	}
	require.NoError(tb, b.service.Checkpoint(context.Background(), benchRoom))
	for range 10 {
		b.send(tb, 0, &protocol.Submit{ID: 1, Update: typing(1, at, "0123456789")})
		at += 10
		b.tail++
	}
	meta, err := b.store.Metas().Get(context.Background(), benchRoom)
	require.NoError(tb, err)
	b.epoch = meta.Epoch
	return b
}

// event is the event of member i sending m.
func (b *bench) event(tb testing.TB, i int, m protocol.Message) []byte {
	req := events.APIGatewayWebsocketProxyRequest{Body: protocol.EncodeFrameString(m)}
	req.RequestContext.ConnectionID = fmt.Sprintf("connection-%d", i)
	req.RequestContext.EventType, req.RequestContext.RouteKey, req.RequestContext.Stage = "MESSAGE", "$default", "dev"
	req.RequestContext.RequestID, req.RequestContext.DomainName = "Zm9vYmFyYmF6cXV4MTI=", "abc.execute-api.us-east-1.amazonaws.com"
	req.RequestContext.ConnectedAt = time.Now().UnixMilli()
	req.RequestContext.Authorizer = map[string]any{"room": string(benchRoom), "user": "ada", "name": "Ada", "access": "write", "principalId": "ada"}
	payload, err := json.Marshal(req)
	require.NoError(tb, err)
	return payload
}

// send lets member i send m and returns the answer.
func (b *bench) send(tb testing.TB, i int, m protocol.Message) protocol.Message {
	answer, err := b.lambda.Invoke(context.Background(), b.event(tb, i, m))
	require.NoError(tb, err)
	var res events.APIGatewayProxyResponse
	require.NoError(tb, json.Unmarshal(answer, &res))
	if res.Body == "" {
		return nil
	}
	reply, err := protocol.DecodeServerFrame(res.Body)
	require.NoError(tb, err)
	_, refused := reply.(*protocol.Error)
	require.False(tb, refused, "%v", reply)
	return reply
}

var benchSizes = []struct {
	name  string
	bytes int
}{{"10KB", 10_000}, {"1MB", 1_000_000}}

func (b *bench) invoke(tb *testing.B, payload []byte) {
	tb.ReportAllocs()
	before := cpuTime()
	tb.ResetTimer()
	for range tb.N {
		if _, err := b.lambda.Invoke(context.Background(), payload); err != nil {
			tb.Fatal(err)
		}
	}
	tb.StopTimer()
	tb.ReportMetric(float64((cpuTime()-before).Microseconds())/float64(tb.N), "cpu-µs/op")
}

// BenchmarkEdit is one edit in a room of four: decoded, validated, appended,
// encoded once, handed to the sender for three.
func BenchmarkEdit(b *testing.B) {
	for _, size := range benchSizes {
		b.Run(size.name, func(b *testing.B) {
			s := newBench(b, size.bytes)
			s.sender.posts = 0
			s.invoke(b, s.event(b, 1, &protocol.Submit{ID: 7, Update: typing(2, 0, "0123456789")}))
			require.Equal(b, 3*b.N, s.sender.posts)
		})
	}
}

// BenchmarkPresence is one presence in a room of four.
func BenchmarkPresence(b *testing.B) {
	s := newBench(b, 10_000)
	awareness := append([]byte{1, 2, 1, 21}, `{"cursor":{"x":1000}}`...)
	s.invoke(b, s.event(b, 1, &protocol.Awareness{Update: awareness}))
}

// BenchmarkResume is a hello after ten missed edits.
func BenchmarkResume(b *testing.B) {
	for _, size := range benchSizes {
		b.Run(size.name, func(b *testing.B) {
			s := newBench(b, size.bytes)
			m := &protocol.Hello{Version: protocol.Version, Client: 2, Epoch: s.epoch, After: s.tail - 10}
			w := s.send(b, 1, m).(*protocol.Welcome)
			require.Empty(b, w.StateVector, "resumed")
			require.Equal(b, s.tail, w.Through)
			s.invoke(b, s.event(b, 1, m))
		})
	}
}

// BenchmarkJoin is a first hello: cold with an empty state vector, warm with one
// that has everything but the last edit.
func BenchmarkJoin(b *testing.B) {
	for _, size := range benchSizes {
		s := newBench(b, size.bytes)
		b.Run("cold/"+size.name, func(b *testing.B) {
			s.invoke(b, s.event(b, 1, &protocol.Hello{Version: protocol.Version, Client: 2}))
		})
		b.Run("warm/"+size.name, func(b *testing.B) {
			vector := appendUint([]byte{1, 1}, uint64(size.bytes+90))
			s.invoke(b, s.event(b, 1, &protocol.Hello{Version: protocol.Version, Client: 2, StateVector: vector}))
		})
	}
}

// BenchmarkCheckpoint is a checkpoint of a room with one new edit.
func BenchmarkCheckpoint(b *testing.B) {
	for _, size := range benchSizes {
		b.Run(size.name, func(b *testing.B) {
			s := newBench(b, size.bytes)
			b.ReportAllocs()
			for n := range b.N {
				s.clock.forward += time.Hour // what was replaced before is past its grace
				_, err := s.store.Log().Append(context.Background(), benchRoom, room.Seq(s.tail), room.Update{Data: typing(2, uint64(n)*10, "0123456789")})
				require.NoError(b, err)
				s.tail++
				require.NoError(b, s.service.Checkpoint(context.Background(), benchRoom))
			}
		})
	}
}

// Guarantee 4 and the promise behind the bill: the work for an edit, and for a
// resume, does not depend on the document. Time differs from run to run; what
// is allocated does not.
func TestEditAndResumeAreFlatInDocumentSize(t *testing.T) {
	measure := func(size int, m func(*bench) protocol.Message) float64 {
		s := newBench(t, size)
		payload := s.event(t, 1, m(s))
		return testing.AllocsPerRun(200, func() {
			if _, err := s.lambda.Invoke(context.Background(), payload); err != nil {
				t.Fatal(err)
			}
		})
	}
	for name, m := range map[string]func(*bench) protocol.Message{
		"edit": func(*bench) protocol.Message { return &protocol.Submit{ID: 7, Update: typing(2, 0, "0123456789")} },
		"resume": func(s *bench) protocol.Message {
			return &protocol.Hello{Version: protocol.Version, Client: 2, Epoch: s.epoch, After: s.tail - 10}
		},
	} {
		small, large := measure(10_000, m), measure(1_000_000, m)
		t.Logf("%s: %.0f allocations at 10 KB, %.0f at 1 MB", name, small, large)
		require.InDelta(t, small, large, 3, name)
	}
}
