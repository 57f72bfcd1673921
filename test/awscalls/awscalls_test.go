// Package awscalls counts what each action of Symphony asks of AWS, on the real
// adapters and engines, and writes docs/AWS-CALLS.md from it. The test fails
// when the file is not what was counted; SYMPHONY_UPDATE_DOCS=1 writes it anew.
package awscalls

import (
	"context"
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/apigwsender"
	"github.com/symphony-rt/symphony/internal/awstest"
	"github.com/symphony-rt/symphony/internal/dynamostore"
	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/room/roomtest"
	"github.com/symphony-rt/symphony/internal/s3store"
	"github.com/symphony-rt/symphony/internal/yjs"
)

const document = "../../docs/AWS-CALLS.md"

// The sizes of document and room that are measured.
var (
	documents = []struct {
		name  string
		bytes int
	}{{"10 KB", 10_000}, {"10 MB", 10_000_000}}
	rooms = []int{1, 4, 50}
)

// The actions, in the order of the table.
const (
	connect    = "connect"
	join       = "join (hello)"
	firstEdit  = "edit, the first after a checkpoint"
	edit       = "edit"
	foreign    = "edit, after somebody on another instance"
	presence   = "presence"
	newTab     = "presence of another tab, the first"
	tab        = "presence of another tab"
	checkpoint = "checkpoint of 4 edits"
	retire     = "checkpoint, nothing new, one grace later"
	leave      = "leave"
	sweep      = "sweep, no room changed"
)

var actions = []string{connect, join, firstEdit, edit, foreign, presence, newTab, tab, checkpoint, retire, leave, sweep}

// world is a deployment in one process.
type world struct {
	t       *testing.T
	clock   *roomtest.Clock
	meter   *meter
	table   *dynamostore.Store
	service *room.Service
	// other is a function instance whose calls are not counted.
	other *dynamostore.Store
}

func newWorld(t *testing.T, stack awstest.Stack) *world {
	w := &world{t: t, clock: roomtest.NewClock(), meter: newMeter()}
	// A checkpoint looks for orphans in the first pass of an hour: none begins meanwhile.
	w.clock.Advance(w.clock.Now().Truncate(time.Hour).Add(time.Hour).Sub(w.clock.Now()))
	table, bucket := awstest.NewTable(t, stack), awstest.NewBucket(t, stack)
	objects := s3store.New(s3store.NewClient(w.meter.attach(awstest.Config(stack.S3)), true), bucket, s3store.Options{})
	w.table = dynamostore.New(dynamostore.NewClient(w.meter.attach(awstest.Config(stack.DynamoDB))), table, objects, dynamostore.Options{Clock: w.clock})
	w.other = dynamostore.New(dynamostore.NewClient(awstest.Config(stack.DynamoDB)), table, objects, dynamostore.Options{Clock: w.clock})
	var err error
	w.service, err = room.NewService(room.Ports{
		Log: w.table, Metas: w.table, Members: w.table, Snapshots: objects, Uploads: objects, Links: objects, Clock: w.clock,
		Sender: apigwsender.New(w.meter.attach(awstest.Config("")), management(t), apigwsender.Options{}),
	}, room.Options{})
	require.NoError(t, err)
	return w
}

// author is the connection whose actions are counted.
const author room.ConnectionID = "L0SM9cOFvHcCIhw="

func (w *world) origin() room.Origin {
	return room.Origin{
		Connection: author, Room: "whiteboard", User: room.User{ID: "ada", Name: "Ada"}, Access: room.AccessWrite, ConnectedAt: w.clock.Now(),
	}
}

// send handles one message of the author.
func (w *world) send(m protocol.Message) {
	w.t.Helper()
	_, err := w.service.Receive(w.t.Context(), w.origin(), protocol.EncodeFrameString(m))
	require.NoError(w.t, err)
}

// measure runs every action once in a room of n with a document of size bytes.
func measure(t *testing.T, stack awstest.Stack, size, n int) map[string]counted {
	w := newWorld(t, stack)
	ctx := t.Context()
	from := w.origin()
	text := &roomtest.Author{Client: 1}
	w.fill(ctx, from.Room, size)
	for i := range n - 1 {
		member := room.Member{
			Connection: room.ConnectionID(fmt.Sprintf("L0SM9cOFvHcC%03d=", i)), User: room.User{ID: fmt.Sprintf("user%03d", i), Name: "Somebody"},
			Access: room.AccessWrite, Client: uint64(i + 10), Symphony: true, ConnectedAt: w.clock.Now(),
		}
		require.NoError(t, w.table.Add(ctx, from.Room, member))
	}
	w.meter.take()

	taken := map[string]counted{}
	done := func(action string) { taken[action] = w.meter.take() }
	submit := func(id uint64) { w.send(&protocol.Submit{ID: id, Update: text.Insert("a stroke of the pen")}) }

	require.NoError(t, w.service.Join(ctx, from.Room, room.Member{
		Connection: from.Connection, User: from.User, Access: from.Access, ConnectedAt: from.ConnectedAt,
	}))
	done(connect)
	w.send(&protocol.Hello{Version: protocol.Version, Client: 1})
	done(join)
	submit(1)
	done(firstEdit)
	submit(2)
	done(edit)
	_, err := w.other.Append(ctx, from.Room, 0, room.Update{Data: (&roomtest.Author{Client: 2}).Insert("x"), At: w.clock.Now()})
	require.NoError(t, err)
	w.meter.take()
	submit(3)
	done(foreign)
	w.send(&protocol.Awareness{Update: yjs.EncodeAwareness([]yjs.AwarenessState{{Client: 1, Clock: 1, State: []byte(`{"cursor":[1,2]}`)}})})
	done(presence)
	for clock, action := range []string{newTab, tab} {
		w.send(&protocol.TabPresence{Update: yjs.EncodeAwareness([]yjs.AwarenessState{{Client: 2, Clock: uint64(clock + 1), State: []byte(`{"cursor":[1,2]}`)}})})
		done(action)
	}
	require.NoError(t, w.other.Update(ctx, from.Room, room.Member{ // one tab leaves in the end
		Connection: from.Connection, User: from.User, Access: from.Access, Client: 1, Symphony: true, ConnectedAt: from.ConnectedAt,
	}))
	require.NoError(t, w.service.Checkpoint(ctx, from.Room))
	done(checkpoint)
	w.clock.Advance(room.DefaultGrace + time.Second)
	require.NoError(t, w.service.Checkpoint(ctx, from.Room))
	done(retire)
	require.NoError(t, w.service.Leave(ctx, from.Room, from.Connection))
	done(leave)
	for range 3 { // Dirty, Cleaning, Clean
		w.clock.Advance(room.DefaultGrace + time.Second)
		_, err = w.service.Sweep(ctx)
		require.NoError(t, err)
	}
	w.meter.take()
	_, err = w.service.Sweep(ctx)
	require.NoError(t, err)
	done(sweep)
	return taken
}

// fill makes a document of size bytes and a snapshot of it.
func (w *world) fill(ctx context.Context, id room.ID, size int) {
	w.t.Helper()
	text := &roomtest.Author{Client: 99}
	piece := min(size, 100_000)
	for range size / piece {
		_, err := w.table.Append(ctx, id, 0, room.Update{Data: text.Insert(strings.Repeat("symphony..", piece/10)), Author: "ada", At: w.clock.Now()})
		require.NoError(w.t, err)
	}
	require.NoError(w.t, w.table.Swap(ctx, id, room.Meta{Epoch: strings.Repeat("0", 32), Created: w.clock.Now(), State: room.Dirty, StateAt: w.clock.Now()}))
	require.NoError(w.t, w.service.Checkpoint(ctx, id))
	w.clock.Advance(room.DefaultGrace + time.Second)
	require.NoError(w.t, w.service.Checkpoint(ctx, id))
	m, err := w.table.Get(ctx, id)
	require.NoError(w.t, err)
	require.Greater(w.t, m.Snapshot.Size, int64(size)*9/10)
	require.Equal(w.t, m.Snapshot.Seq, m.Trimmed, "the log is trimmed: the document is all snapshot")
}

// TestCalls counts, compares with the document, and holds an edit to its bill.
func TestCalls(t *testing.T) {
	stack := awstest.Engines(t)
	results := map[string]map[string]counted{}
	for _, d := range documents {
		for _, n := range rooms {
			results[fmt.Sprint(d.name, n)] = measure(t, stack, d.bytes, n)
		}
	}
	for _, n := range rooms {
		small, large := results[fmt.Sprint(documents[0].name, n)], results[fmt.Sprint(documents[1].name, n)]
		for _, action := range []string{connect, firstEdit, edit, foreign, presence, newTab, tab, leave, sweep} {
			require.Equal(t, small[action], large[action], "%s does not depend on the size of the document", action)
		}
		for _, r := range []map[string]counted{small, large} {
			holdToBill(t, n, r)
		}
	}
	got := render(results)
	if os.Getenv("SYMPHONY_UPDATE_DOCS") == "1" {
		require.NoError(t, os.WriteFile(document, []byte(got), 0o644))
	}
	want, err := os.ReadFile(document)
	require.NoError(t, err)
	require.Equal(t, string(want), got, "docs/AWS-CALLS.md is old: SYMPHONY_UPDATE_DOCS=1 go test ./test/awscalls writes it anew")
}

// holdToBill checks an edit against what docs/ARCHITECTURE.md says it costs.
func holdToBill(t *testing.T, n int, r map[string]counted) {
	t.Helper()
	bill := map[string]int{"DynamoDB/GetItem": 1, "DynamoDB/PutItem": 1, "DynamoDB/Query": 1}
	if n > 1 {
		bill["ApiGatewayManagementApi/PostToConnection"] = n - 1
	}
	require.Equal(t, bill, r[edit].calls, "an edit: one read, one write, one query, a post to each other")
	require.LessOrEqual(t, r[edit].write, 1.0, "one small write")
	if n <= 4 {
		require.LessOrEqual(t, r[edit].read, 2.0, "one unit for the get, one for the query")
	}
	require.Empty(t, r[presence].write+r[tab].write)
	require.Empty(t, r[firstEdit].s3+r[edit].s3+r[foreign].s3+r[presence].s3)
}

const heading = `# What each action asks of AWS

Counted by a program, ` + "`test/awscalls`" + `, which runs every action on the real adapters against DynamoDB Local, versitygw and a
management API that takes every post. A test fails when this file is not what was counted.

Read and write units are DynamoDB's own count of what an on-demand table bills: a unit reads 4 KB (strongly consistent) or
writes 1 KB. A room of n is the author and n − 1 others, all of them Symphony clients. The acknowledgement of an edit and the
answer to a hello are the route response, which costs no call. The document lies in a snapshot, its log trimmed.

`

const explained = `
- **connect** writes the member and the item that says which room the connection is in, and reads whether the user is denied.
- **join** reads the snapshot. What does not fit into the answer is posted in pieces of up to 96 KB; a snapshot of a megabyte or
  more as a URL that the function signs, and the second GetObject is the client's download. Up to two others are asked for the
  presence they know of. The others are told who has come.
- **edit** does not depend on the document. The first one after a checkpoint marks the room, so that the next checkpoint visits it,
  and an instance that does not know the room's tail reads it. When somebody else has appended through another instance, the
  first put loses, and the tail is read before the second; from then on the instance reads the tail first, until it finds itself alone.
- **presence** is never stored. Who else shares the connection is, once for each tab: the server must know who is gone with
  it, and posts that of each when it **leaves**.
- **checkpoint** pays for the document once: it reads the old snapshot, writes the new one, reads that back to prove it, and
  swings the record. One grace later the covered log is archived, read back and trimmed, and the old snapshot deleted.
- **sweep** is what the schedule costs when nothing changed: one query for each shard of the ` + "`dirty`" + ` index.
`

func render(results map[string]map[string]counted) string {
	var b strings.Builder
	b.WriteString(heading)
	b.WriteString("| action | document | room of | DynamoDB | read units | write units | S3 | management API |\n|---|---|---|---|---|---|---|---|\n")
	for _, action := range actions {
		for _, row := range rowsOf(action, results) {
			c := row.counted
			fmt.Fprintf(&b, "| %s | %s | %s | %s | %g | %g | %s | %s |\n", action, row.documents, row.rooms, c.dynamo, c.read, c.write, c.s3, c.posts)
		}
	}
	b.WriteString(explained)
	return b.String()
}

// row is the same count for some documents and rooms.
type row struct {
	documents, rooms string
	counted          counted
}

// rowsOf puts rooms with equal counts together, and then documents.
func rowsOf(action string, results map[string]map[string]counted) []row {
	var rows []row
	for _, n := range rooms {
		for _, d := range documents {
			rows = append(rows, row{d.name, fmt.Sprint(n), results[fmt.Sprint(d.name, n)][action]})
		}
	}
	rows = joinNeighbours(rows, func(a, b row) (row, bool) {
		ok := a.rooms == b.rooms && reflect.DeepEqual(a.counted, b.counted)
		return row{a.documents + ", " + b.documents, a.rooms, a.counted}, ok
	})
	return joinNeighbours(rows, func(a, b row) (row, bool) {
		ok := a.documents == b.documents && reflect.DeepEqual(a.counted, b.counted)
		return row{a.documents, a.rooms + ", " + b.rooms, a.counted}, ok
	})
}

// joinNeighbours joins neighbours as long as join says they can be.
func joinNeighbours(rows []row, join func(a, b row) (row, bool)) []row {
	var out []row
	for _, r := range rows {
		if last := len(out) - 1; last >= 0 {
			if joined, ok := join(out[last], r); ok {
				out[last] = joined
				continue
			}
		}
		out = append(out, r)
	}
	return out
}
