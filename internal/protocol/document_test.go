package protocol_test

import (
	"encoding/hex"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/protocol"
)

// rows returns the cells of the table in docs/PROTOCOL.md whose header begins
// with the given cells.
func rows(t *testing.T, header ...string) [][]string {
	t.Helper()
	data, err := os.ReadFile("../../docs/PROTOCOL.md")
	require.NoError(t, err)
	_, table, found := strings.Cut(string(data), "\n| "+strings.Join(header, " | ")+" |")
	require.True(t, found, "no table %v", header)
	table, _, _ = strings.Cut(table, "\n\n")
	var all [][]string
	for _, line := range strings.Split(table, "\n")[2:] { // the rest of the header, the rule
		cells := strings.Split(strings.Trim(line, "| "), "|")
		for i := range cells {
			cells[i] = strings.TrimSpace(cells[i])
		}
		all = append(all, cells)
	}
	require.NotEmpty(t, all)
	return all
}

// names maps what the document calls a message to the Go types that carry it.
var names = map[string][]string{
	"sync": {"SyncStep1", "SyncStep2", "SyncUpdate"}, "awareness": {"Awareness"}, "auth": {"Auth"}, "query awareness": {"QueryAwareness"},
	"hello": {"Hello"}, "welcome": {"Welcome"}, "submit": {"Submit"}, "acknowledgement": {"Ack"}, "broadcast": {"Broadcast"},
	"range request": {"RangeRequest"}, "range": {"Range"}, "probe": {"Probe"}, "tail": {"Tail"},
	"upload request": {"UploadRequest"}, "upload offer": {"UploadOffer"}, "upload commit": {"UploadCommit"},
	"broadcast by URL": {"BroadcastByURL"}, "snapshot by URL": {"SnapshotByURL"},
	"peer joined": {"PeerJoined"}, "peer left": {"PeerLeft"}, "event": {"Event"}, "peer event": {"PeerEvent"}, "tab presence": {"TabPresence"}, "tab left": {"TabLeft"},
	"notice": {"Notice"}, "error": {"Error"},
}

// kinds returns the wire kinds of a message's body from its Go fields, which
// are in the order of the wire (the golden frames hold them to it).
func kinds(m reflect.Type) []string {
	var all []string
	for f := range m.Fields() {
		switch {
		case f.Type.Kind() == reflect.Uint64 || f.Type.Kind() == reflect.Bool:
			all = append(all, "uint")
		case f.Type.Kind() == reflect.String:
			all = append(all, "string")
		case f.Type == reflect.TypeFor[[]protocol.UploadHeader]():
			all = append(all, "uint", "string", "string")
		default:
			all = append(all, "bytes")
		}
	}
	return all
}

// The table of messages is the code's: numbers, directions and fields.
func TestDocumentedMessages(t *testing.T) {
	types := messageTypes()
	examples := map[string]protocol.Message{}
	for _, m := range everyMessage() {
		examples[reflect.TypeOf(m).Elem().Name()] = m
	}
	field := regexp.MustCompile("`(uint|string|bytes)`")
	documented := 0
	for _, row := range rows(t, "type", "name", "direction", "body") {
		require.Len(t, row, 4, "%v", row)
		require.Contains(t, names, row[1])
		for _, name := range names[row[1]] {
			documented++
			m := examples[name]
			require.Equal(t, row[0], strconv.FormatUint(uint64(m.Type()), 10), name)
			_, asClient := protocol.DecodeClient(protocol.Encode(m))
			_, asServer := protocol.DecodeServer(protocol.Encode(m))
			direction := map[[2]bool]string{
				{true, true}: "both", {true, false}: "client → server", {false, true}: "server → client",
			}[[2]bool{asClient == nil, asServer == nil}]
			require.Equal(t, row[2], direction, name)

			var want []string
			for _, match := range field.FindAllStringSubmatch(row[3], -1) {
				want = append(want, match[1])
			}
			got := kinds(types[name])
			if m.Type() == protocol.TypeSync || m.Type() == protocol.TypeAuth {
				got = append([]string{"uint"}, got...) // the kind
			}
			require.Equal(t, want, got, name)
		}
	}
	require.Equal(t, len(types), documented)
}

// The table of error codes is the code's.
func TestDocumentedErrors(t *testing.T) {
	documented := rows(t, "code", "name", "when", "the client")
	for i, row := range documented {
		require.Equal(t, strconv.Itoa(i+1), row[0])
		require.Equal(t, protocol.Code(i+1).String(), row[1])
	}
	require.Equal(t, "code "+strconv.Itoa(len(documented)+1), protocol.Code(len(documented)+1).String(), "an undocumented code")
}

// The table of limits is the code's, every constant of limits.go included.
func TestDocumentedLimits(t *testing.T) {
	values := map[string]any{
		"MaxFrame": protocol.MaxFrame, "MaxPost": protocol.MaxPost, "MaxClientMessage": protocol.MaxClientMessage,
		"MaxServerMessage": protocol.MaxServerMessage, "MaxHeader": protocol.MaxHeader, "MaxUploadHeaders": protocol.MaxUploadHeaders,
		"MaxTabs":   protocol.MaxTabs,
		"LargeRoom": protocol.LargeRoom, "IdleTimeout": protocol.IdleTimeout, "Lifetime": protocol.Lifetime,
		"RenewBefore": protocol.RenewBefore, "RenewJitter": protocol.RenewJitter, "KeepAlive": protocol.KeepAlive,
		"ProbeQuiet": protocol.ProbeQuiet, "AckTimeout": protocol.AckTimeout, "GapPatience": protocol.GapPatience,
		"MergeInterval": protocol.MergeInterval, "PresenceInterval": protocol.PresenceInterval,
		"MaxPresenceInterval": protocol.MaxPresenceInterval, "PresencePosts": protocol.PresencePosts,
		"BackoffBase": protocol.BackoffBase, "BackoffMax": protocol.BackoffMax,
	}
	documented := map[string]bool{"MaxUint": true, "Version": true} // in the text
	for _, row := range rows(t, "constant", "value", "why") {
		name := strings.Trim(row[0], "`")
		require.Contains(t, values, name)
		got := fmt.Sprint(values[name])
		want := strings.ReplaceAll(row[1], ",", "")
		if _, isTime := values[name].(time.Duration); !isTime {
			want, _, _ = strings.Cut(want, " ")
		}
		require.Equal(t, want, got, name)
		documented[name] = true
	}
	file, err := parser.ParseFile(token.NewFileSet(), "limits.go", nil, 0)
	require.NoError(t, err)
	for _, decl := range file.Decls {
		if d, ok := decl.(*ast.GenDecl); ok && d.Tok == token.CONST {
			for _, spec := range d.Specs {
				for _, name := range spec.(*ast.ValueSpec).Names {
					require.True(t, documented[name.Name], "%s is not in docs/PROTOCOL.md", name.Name)
				}
			}
		}
	}
}

// The examples of frames are what the code makes.
func TestDocumentedFrames(t *testing.T) {
	for _, row := range rows(t, "message", "bytes", "frame") {
		raw, err := hex.DecodeString(strings.ReplaceAll(strings.Trim(row[1], "`"), " ", ""))
		require.NoError(t, err)
		require.Equal(t, strings.Trim(row[2], "`"), string(protocol.FrameOf(raw)))
		_, err = protocol.Decode(raw)
		require.NoError(t, err, row[0])
	}
}

func TestPresencePace(t *testing.T) {
	for members, want := range map[int]time.Duration{
		0: 100 * time.Millisecond, 1: 100 * time.Millisecond, 14: 100 * time.Millisecond, 30: 450 * time.Millisecond,
		100: 5 * time.Second, 500: 10 * time.Second, 1 << 40: 10 * time.Second,
	} {
		require.Equal(t, want, protocol.PresencePace(members), "%d members", members)
	}
}
