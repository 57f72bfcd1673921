package protocol_test

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/protocol"
)

// golden is golden/frames.json: what real y-protocols, lib0 and yjs write and
// read (golden/make.mjs).
type golden struct {
	Frames []struct {
		Go      string
		About   string
		Message json.RawMessage
		Frame   string
	}
	// Reads are inputs of readVarUint, Texts of readVarString; a null Value is
	// one that lib0 refuses or cannot represent.
	Reads []struct {
		Bytes []byte
		Value *uint64
	}
	Texts []struct {
		Bytes []byte
		Value *string
	}
}

func readGolden(t testing.TB) golden {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("golden", "frames.json"))
	require.NoError(t, err)
	var g golden
	require.NoError(t, json.Unmarshal(data, &g))
	require.NotEmpty(t, g.Frames)
	require.NotEmpty(t, g.Reads)
	require.NotEmpty(t, g.Texts)
	return g
}

// messageTypes maps the Go name of each message to its type.
func messageTypes() map[string]reflect.Type {
	types := map[string]reflect.Type{}
	for _, m := range everyMessage() {
		types[reflect.TypeOf(m).Elem().Name()] = reflect.TypeOf(m).Elem()
	}
	return types
}

// Every frame of the real libraries decodes to what it means and encodes back
// to the same bytes.
func TestGoldenFrames(t *testing.T) {
	types := messageTypes()
	seen := map[string]int{}
	for _, f := range readGolden(t).Frames {
		require.Contains(t, types, f.Go)
		want := reflect.New(types[f.Go]).Interface()
		require.NoError(t, json.Unmarshal(f.Message, want), "%s, %s", f.Go, f.About)

		got, err := protocol.DecodeFrame(f.Frame)
		require.NoError(t, err, "%s, %s", f.Go, f.About)
		require.Equal(t, want, got, "%s, %s", f.Go, f.About)
		require.Equal(t, f.Frame, protocol.EncodeFrameString(got), "%s, %s", f.Go, f.About)
		seen[f.Go]++
	}
	for name := range types {
		require.NotZero(t, seen[name], "no golden frame of %s", name)
	}
	t.Logf("%d message types, frames of each: %v", len(seen), seen)
}

// Numbers are read as lib0 reads them, padded ones included; what JavaScript
// could not represent is refused.
func TestReadsNumbersLikeLib0(t *testing.T) {
	for _, r := range readGolden(t).Reads {
		got, err := protocol.Decode(append([]byte{byte(protocol.TypeProbe)}, r.Bytes...))
		if r.Value == nil {
			require.ErrorIs(t, err, protocol.ErrMalformed, "% x", r.Bytes)
			continue
		}
		require.NoError(t, err, "% x", r.Bytes)
		require.Equal(t, &protocol.Probe{Seq: *r.Value}, got, "% x", r.Bytes)
	}
}

// Strings are read as lib0 reads them: what is not UTF-8 is refused.
func TestReadsStringsLikeLib0(t *testing.T) {
	for _, r := range readGolden(t).Texts {
		raw := append([]byte{byte(protocol.TypeAuth), 0, byte(len(r.Bytes))}, r.Bytes...)
		if len(r.Bytes) >= 0x80 {
			raw = append([]byte{byte(protocol.TypeAuth), 0, byte(len(r.Bytes)) | 0x80, byte(len(r.Bytes) >> 7)}, r.Bytes...)
		}
		got, err := protocol.Decode(raw)
		if r.Value == nil {
			require.ErrorIs(t, err, protocol.ErrNotUTF8, "% x", r.Bytes)
			continue
		}
		require.NoError(t, err, "% x", r.Bytes)
		require.Equal(t, &protocol.Auth{Reason: *r.Value}, got, "% x", r.Bytes)
	}
}

// frames.json is what make.mjs writes today.
func TestGoldenFramesAreCurrent(t *testing.T) {
	missing := ""
	node, err := exec.LookPath("node")
	if err != nil {
		missing = "node is not installed"
	} else if _, err := os.Stat(filepath.Join("golden", "node_modules", "y-protocols")); err != nil {
		missing = "run `npm ci` in internal/protocol/golden"
	}
	if missing != "" {
		if os.Getenv("SYMPHONY_REQUIRE_ALL") != "" {
			t.Fatalf("cannot compare frames.json with the real libraries: %s", missing)
		}
		t.Skipf("NOT CHECKED that frames.json is current: %s", missing)
	}
	make := exec.Command(node, "make.mjs")
	make.Dir = "golden"
	make.Stderr = os.Stderr
	got, err := make.Output()
	require.NoError(t, err)
	want, err := os.ReadFile(filepath.Join("golden", "frames.json"))
	require.NoError(t, err)
	require.True(t, string(want) == string(got), "golden/frames.json is stale: `npm run make` in internal/protocol/golden")
}

// A frame's text is strict: one frame for each message, nothing around it.
func TestTextIsStrict(t *testing.T) {
	good := protocol.EncodeFrameString(&protocol.Probe{Seq: 300}) // 3 bytes
	padded := protocol.EncodeFrameString(&protocol.Probe{Seq: 1}) // 2 bytes, one "="
	_, err := protocol.DecodeClientFrame(good)
	require.NoError(t, err)
	_, err = protocol.DecodeClientFrame([]byte(padded))
	require.NoError(t, err)
	for name, frame := range map[string]string{
		"line end after":         good + "\n",
		"line end before":        "\n" + good,
		"line end inside":        good[:2] + "\r\n" + good[2:],
		"blank":                  good[:2] + " " + good[2:],
		"something after":        good + "!",
		"something after the =":  padded + padded,
		"no padding":             padded[:len(padded)-1],
		"padding of its own":     good + "====",
		"padding bits set":       padded[:len(padded)-2] + string(padded[len(padded)-2]+1) + "=",
		"base64url":              "a_-_",
		"not base64":             "{\"action\":\"x\"}",
		"a byte over":            good + "A",
		"invisible, not ASCII":   good[:2] + "\u200b" + good[2:],
		"only padding":           "====",
		"a NUL":                  "\x00" + good,
		"raw bytes, not as text": string(protocol.Encode(&protocol.Probe{Seq: 300})),
	} {
		for _, decode := range []func(string) (protocol.Message, error){
			protocol.DecodeFrame[string], protocol.DecodeClientFrame[string], protocol.DecodeServerFrame[string],
		} {
			_, err := decode(frame)
			require.ErrorIs(t, err, protocol.ErrNotBase64, "%s: %q", name, frame)
			require.ErrorIs(t, err, protocol.ErrMalformed, name)
		}
	}
	_, err = protocol.DecodeClientFrame("")
	require.ErrorIs(t, err, protocol.ErrTruncated)
}

// API Gateway's own error frames are told apart from garbage.
func TestGatewayError(t *testing.T) {
	var gateway *protocol.GatewayError
	_, err := protocol.DecodeServerFrame(`{"message": "Internal server error", "connectionId":"Ab=", "requestId":"Cd="}`)
	require.ErrorAs(t, err, &gateway)
	require.Equal(t, "Internal server error", gateway.Message)
	require.ErrorIs(t, err, protocol.ErrMalformed)
	require.EqualError(t, err, "protocol: the gateway says Internal server error")
	for _, other := range []string{`{}`, `{"message":"x"}`, `{"message":"x","connectionId":"c"`, `["message"]`,
		`{"message":"` + strings.Repeat("x", 5000) + `","connectionId":"c"}`} {
		_, err := protocol.DecodeServerFrame(other)
		require.ErrorIs(t, err, protocol.ErrNotBase64)
		require.False(t, errors.As(err, &gateway), other)
	}
	_, err = protocol.DecodeClientFrame(`{"message": "x", "connectionId":"Ab="}`)
	require.False(t, errors.As(err, &gateway), "only the gateway talks so, and only to clients")
}

// The limit is exact: 24,000 raw bytes pass, 24,001 do not, in whatever layer.
func TestClientLimitIsExact(t *testing.T) {
	fits := protocol.Encode(&protocol.Submit{ID: 1, Update: make([]byte, protocol.MaxClientMessage-5)})
	require.Len(t, fits, protocol.MaxClientMessage)
	over := protocol.Encode(&protocol.Submit{ID: 1, Update: make([]byte, protocol.MaxClientMessage-4)})
	require.Len(t, over, protocol.MaxClientMessage+1)

	_, err := protocol.DecodeClient(fits)
	require.NoError(t, err)
	_, err = protocol.DecodeClientFrame(protocol.FrameOf(fits))
	require.NoError(t, err)
	for _, try := range []func() (protocol.Message, error){
		func() (protocol.Message, error) { return protocol.DecodeClient(over) },
		func() (protocol.Message, error) { return protocol.DecodeClientFrame(protocol.FrameOf(over)) },
		func() (protocol.Message, error) { return protocol.DecodeFrame(make([]byte, protocol.MaxPost+1)) },
		func() (protocol.Message, error) { return protocol.DecodeServerFrame(make([]byte, protocol.MaxPost+1)) },
	} {
		_, err := try()
		require.ErrorIs(t, err, protocol.ErrTooLarge)
		require.NotErrorIs(t, err, protocol.ErrMalformed, "it has a code of its own")
	}
}

// The limits hold together: what a side may send fits what carries it.
func TestLimitsFitTheGateway(t *testing.T) {
	const frameHeader = 14 // RFC 6455 section 5.2: at most 14 bytes, masked
	require.LessOrEqual(t, protocol.FrameSize(protocol.MaxClientMessage)+frameHeader, protocol.MaxFrame)
	require.LessOrEqual(t, protocol.FrameSize(protocol.MaxServerMessage), protocol.MaxPost)
	for _, m := range []protocol.Message{
		&protocol.Submit{ID: protocol.MaxUint}, &protocol.Broadcast{Seq: protocol.MaxUint},
		&protocol.Range{After: protocol.MaxUint, Through: protocol.MaxUint, More: true},
	} {
		const lengthOfUpdate = 8 - 1 // its prefix may take 8 bytes, an empty one takes 1
		require.LessOrEqual(t, protocol.Size(m)+lengthOfUpdate, protocol.MaxHeader, "%T", m)
	}
	require.Equal(t, protocol.IdleTimeout, 2*protocol.KeepAlive)
	require.Less(t, protocol.RenewBefore+protocol.RenewJitter, protocol.Lifetime)
}

func TestSubprotocols(t *testing.T) {
	require.Equal(t, []string{"symphony.v1"}, protocol.Subprotocols(""))
	token := "eyJhbGciOiJIUzI1NiJ9.e30.x-_y"
	offer := protocol.Subprotocols(token)
	require.Equal(t, "symphony.v1", offer[0])
	decoded, err := base64.RawURLEncoding.DecodeString(offer[1][len(protocol.TokenSubprotocol):])
	require.NoError(t, err)
	require.Equal(t, token, string(decoded))
}

func TestErrorIsReadable(t *testing.T) {
	e := &protocol.Error{Code: protocol.CodeThrottled, RetryMS: 1500, Text: "slow down"}
	require.EqualError(t, e, "protocol: the server says throttled: slow down")
	require.EqualValues(t, 1500, e.RetryAfter().Milliseconds())
	require.Equal(t, "24h0m0s", (&protocol.Error{RetryMS: protocol.MaxUint}).RetryAfter().String())
	require.Equal(t, "code 99", protocol.Code(99).String())
	require.Equal(t, "code 0", protocol.Code(0).String())
}
