package local

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/auth"
	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/rtclient"
	"github.com/symphony-rt/symphony/internal/yjs"
)

var binary = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "symphony-local")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "symphony-local")
	out, err := exec.Command("go", "build", "-o", path, "../../localdev").CombinedOutput()
	if err != nil {
		return "", &exec.Error{Name: string(out), Err: err}
	}
	return path, nil
})

// running is a symphony-local in its own process.
type running struct {
	URL, WS   string
	Gateways  []string
	Debug     string
	Dashboard string
	cmd       *exec.Cmd
	stderr    *bytes.Buffer
}

func start(t *testing.T, args ...string) *running {
	t.Helper()
	path, err := binary()
	require.NoError(t, err)
	s := &running{cmd: exec.Command(path, append([]string{"--port", "0", "--ready-json", "--stack", "embedded"}, args...)...), stderr: &bytes.Buffer{}}
	s.cmd.Stderr = s.stderr
	out, err := s.cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, s.cmd.Start())
	t.Cleanup(func() { _ = s.cmd.Process.Kill(); _, _ = s.cmd.Process.Wait() })
	line, err := bufio.NewReader(out).ReadBytes('\n')
	require.NoError(t, err, s.stderr)
	require.NoError(t, json.Unmarshal(line, s))
	return s
}

func (s *running) kill(t *testing.T) {
	t.Helper()
	require.NoError(t, s.cmd.Process.Kill())
	_, _ = s.cmd.Process.Wait()
}

type document struct{ rtclient.Merged }

// insertion is the update of client (1 to 127) typing text (under 128 bytes)
// first thing into the root "t".
func insertion(client byte, text string) []byte {
	return append(append([]byte{1, 1, client, 0, 4, 1, 1, 't', byte(len(text))}, text...), 0)
}

func timeout(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	return ctx
}

func dial(t *testing.T, s *running, o rtclient.Options) (*rtclient.Client, *document) {
	t.Helper()
	d := &document{}
	if o.Room == "" {
		o.Room = "plan"
	}
	o.Document = d
	c, err := rtclient.Dial(timeout(t), s.WS, o)
	require.NoError(t, err)
	t.Cleanup(func() { _ = c.Close() })
	require.NoError(t, c.WaitSynced(timeout(t)))
	return c, d
}

func (d *document) has(t *testing.T, update []byte) bool {
	t.Helper()
	ok, err := yjs.Contains(d.State(), update)
	require.NoError(t, err)
	return ok
}

// Guarantee 1, P24: what was acknowledged is there after kill -9, for Symphony
// and for plain clients, and edits go on.
func TestAcknowledgedSurvivesKill(t *testing.T) {
	data := t.TempDir()
	s := start(t, "--data", data)
	for client := byte(1); client <= 20; client++ {
		if client%5 == 0 { // every round another process
			s.kill(t)
			s = start(t, "--data", data)
		}
		c, _ := dial(t, s, rtclient.Options{Client: uint64(client)})
		_, err := c.Submit(insertion(client, "hello"))
		require.NoError(t, err)
		require.NoError(t, c.Flush(timeout(t)))
	}
	s.kill(t)
	s = start(t, "--data", data)
	for _, mode := range []rtclient.Mode{rtclient.Symphony, rtclient.Plain} {
		_, d := dial(t, s, rtclient.Options{Mode: mode, Client: 99})
		for client := byte(1); client <= 20; client++ {
			require.True(t, d.has(t, insertion(client, "hello")), "mode %v misses client %d", mode, client)
		}
	}
}

// Both kinds of client in one room see each other's edits.
func TestPlainAndSymphonyClientsShareARoom(t *testing.T) {
	s := start(t, "--memory")
	a, da := dial(t, s, rtclient.Options{Client: 1})
	b, db := dial(t, s, rtclient.Options{Client: 2, Mode: rtclient.Plain})
	_, err := a.Submit(insertion(1, "from a"))
	require.NoError(t, err)
	_, err = b.Submit(insertion(2, "from b"))
	require.NoError(t, err)
	require.Eventually(t, func() bool {
		return da.has(t, insertion(2, "from b")) && db.has(t, insertion(1, "from a"))
	}, time.Minute, 10*time.Millisecond)
}

// P26: the room directory equals the truth, also after a kill.
func TestRoomDirectory(t *testing.T) {
	data := t.TempDir()
	s := start(t, "--data", data)
	rooms := func() map[room.ID]roomLine {
		res, err := http.Get(strings.TrimSuffix(s.URL, "/") + roomsPath)
		require.NoError(t, err)
		defer res.Body.Close()
		var lines []roomLine
		require.NoError(t, json.NewDecoder(res.Body).Decode(&lines))
		m := map[room.ID]roomLine{}
		for _, l := range lines {
			m[l.Room] = l
		}
		return m
	}
	require.Empty(t, rooms())
	a, _ := dial(t, s, rtclient.Options{Client: 1, Room: "busy"})
	dial(t, s, rtclient.Options{Client: 2, Room: "busy"})
	c, _ := dial(t, s, rtclient.Options{Client: 3, Room: "quiet"})
	_, err := a.Submit(insertion(1, "hello"))
	require.NoError(t, err)
	require.NoError(t, a.Flush(timeout(t)))
	require.NoError(t, c.Close())
	is := func(id room.ID, connections int, updates uint64) func() bool {
		return func() bool {
			l := rooms()[id]
			return l.Connections == connections && l.Active == (connections > 0) && l.Updates == updates
		}
	}
	require.Eventually(t, is("busy", 2, 1), time.Minute, 10*time.Millisecond)
	require.Eventually(t, is("quiet", 0, 0), time.Minute, 10*time.Millisecond)
	require.EqualValues(t, len(insertion(1, "hello")), rooms()["busy"].Bytes)

	_ = a.Close()
	s.kill(t)
	s = start(t, "--data", data)
	require.True(t, is("busy", 0, 1)(), "%+v", rooms())
}

func TestPagesHealthAndShutdown(t *testing.T) {
	site := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(site, "index.html"), []byte("<title>board</title>"), 0o600))
	examples := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(examples, "notes", "dist"), 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(examples, "notes", "dist", "index.html"), []byte("<title>notes</title>"), 0o600))
	s := start(t, "--memory", "--pages", site, "--examples", examples)
	get := func(path string) (int, string) {
		res, err := http.Get(strings.TrimSuffix(s.URL, "/") + path)
		require.NoError(t, err)
		defer res.Body.Close()
		b, err := io.ReadAll(res.Body)
		require.NoError(t, err)
		return res.StatusCode, string(b)
	}
	code, body := get("/")
	require.Equal(t, 200, code)
	require.Contains(t, body, "board")
	code, body = get("/notes") // goes on to /notes/
	require.Equal(t, 200, code)
	require.Contains(t, body, "notes")
	code, body = get("/editors/")
	require.Equal(t, http.StatusNotFound, code)
	require.Contains(t, body, "make editors")
	code, body = get("/healthz")
	require.Equal(t, 200, code)
	require.Equal(t, "ok\n", body)
	code, _ = get("/dev/anything")
	require.Equal(t, http.StatusForbidden, code)
	code, _ = get("/../../etc/passwd")
	require.Equal(t, http.StatusNotFound, code)

	c, _ := dial(t, s, rtclient.Options{Client: 1, NoReconnect: true})
	require.NoError(t, s.cmd.Process.Signal(os.Interrupt))
	state, err := s.cmd.Process.Wait()
	require.NoError(t, err)
	require.Equal(t, 0, state.ExitCode(), s.stderr)
	<-c.Done()
}

// "What bad input gets": a typed error or the right close code, and the room
// goes on for the others.
func TestBadInputOverTheWire(t *testing.T) {
	s := start(t, "--memory")
	good, _ := dial(t, s, rtclient.Options{Client: 1})
	update := func(bytes ...byte) string {
		return protocol.EncodeFrameString(&protocol.Submit{ID: 5, Update: bytes})
	}
	for name, c := range map[string]struct {
		frame string
		code  protocol.Code
	}{
		"not base64":       {"hello!", protocol.CodeMalformed},
		"empty":            {"", protocol.CodeMalformed},
		"unknown type":     {base64.StdEncoding.EncodeToString([]byte{50}), protocol.CodeMalformed},
		"a server's type":  {protocol.EncodeFrameString(&protocol.Ack{ID: 1, Seq: 1}), protocol.CodeMalformed},
		"truncated":        {base64.StdEncoding.EncodeToString([]byte{0, 2, 200}), protocol.CodeMalformed},
		"over the limit":   {base64.StdEncoding.EncodeToString(make([]byte, protocol.MaxClientMessage+1)), protocol.CodeTooLarge},
		"no update":        {update(1, 1, 1), protocol.CodeInvalidUpdate},
		"hostile length":   {update(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f), protocol.CodeInvalidUpdate},
		"not awareness":    {protocol.EncodeFrameString(&protocol.Awareness{Update: []byte{1, 0x4d, 1, 1, '1'}}), protocol.CodeInvalidAwareness},
		"y-protocols junk": {protocol.EncodeFrameString(&protocol.SyncUpdate{Update: []byte{9, 9}}), protocol.CodeInvalidUpdate},
	} {
		t.Run(name, func(t *testing.T) {
			ws, _, err := websocket.Dial(timeout(t), s.WS+"?room=plan", nil)
			require.NoError(t, err)
			defer ws.CloseNow() //nolint:errcheck // it may be closed already
			require.NoError(t, ws.Write(timeout(t), websocket.MessageText, []byte(c.frame)))
			_, reply, err := ws.Read(timeout(t))
			require.NoError(t, err)
			m, err := protocol.DecodeServerFrame(reply)
			require.NoError(t, err)
			require.Equal(t, c.code, m.(*protocol.Error).Code)
		})
	}
	closes := func(kind websocket.MessageType, size int) websocket.StatusCode {
		ws, _, err := websocket.Dial(timeout(t), s.WS+"?room=plan", nil)
		require.NoError(t, err)
		defer ws.CloseNow() //nolint:errcheck // it is closed by the server
		_ = ws.Write(timeout(t), kind, bytes.Repeat([]byte("A"), size))
		_, _, err = ws.Read(timeout(t))
		return websocket.CloseStatus(err)
	}
	require.Equal(t, websocket.StatusUnsupportedData, closes(websocket.MessageBinary, 4), "binary")
	require.Equal(t, websocket.StatusMessageTooBig, closes(websocket.MessageText, 33<<10), "a frame over 32 KB")
	for query, status := range map[string]int{"": 401, "?room=": 401, "?room=" + strings.Repeat("r", 257): 400} {
		_, res, err := websocket.Dial(timeout(t), s.WS+query, nil)
		require.Error(t, err)
		require.Equal(t, status, res.StatusCode, query)
	}

	_, err := good.Submit(insertion(1, "still here"))
	require.NoError(t, err)
	require.NoError(t, good.Flush(timeout(t)))
	_, d := dial(t, s, rtclient.Options{Client: 3})
	require.True(t, d.has(t, insertion(1, "still here")))
	require.EqualValues(t, 1, good.LastSeq(), "nothing of the rest was written")
}

func TestSecretWantsTokens(t *testing.T) {
	const secret = "0123456789abcdef0123456789abcdef"
	s := start(t, "--memory", "--secret", secret)
	_, res, err := websocket.Dial(timeout(t), s.WS+"?room=plan", nil)
	require.Error(t, err)
	require.Equal(t, 401, res.StatusCode)
	p, err := auth.NewHS256([]byte(secret), systemClock{})
	require.NoError(t, err)
	token, err := p.Sign(room.User{ID: "ada"}, map[string]room.Access{"plan": room.AccessRead}, time.Time{})
	require.NoError(t, err)
	_, res, err = websocket.Dial(timeout(t), s.WS+"?room=other&token="+token, nil)
	require.Error(t, err)
	require.Equal(t, 403, res.StatusCode)
	ws, _, err := websocket.Dial(timeout(t), s.WS+"?room=plan", &websocket.DialOptions{Subprotocols: protocol.Subprotocols(token)})
	require.NoError(t, err)
	defer ws.CloseNow() //nolint:errcheck // the test is over
	require.Equal(t, protocol.Subprotocol, ws.Subprotocol())
	require.NoError(t, ws.Write(timeout(t), websocket.MessageText, protocol.EncodeFrame(&protocol.Submit{ID: 9, Update: insertion(1, "x")})))
	_, reply, err := ws.Read(timeout(t))
	require.NoError(t, err)
	m, err := protocol.DecodeServerFrame(reply)
	require.NoError(t, err)
	require.Equal(t, protocol.CodeReadOnly, m.(*protocol.Error).Code)
	require.EqualValues(t, 9, m.(*protocol.Error).ID)
}

func runHere(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs bytes.Buffer
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	code = Run(ctx, "test", args, &out, &errs)
	return code, out.String(), errs.String()
}

func TestClearMessages(t *testing.T) {
	data := t.TempDir()
	s := start(t, "--data", data)
	port := s.URL[strings.LastIndex(s.URL, ":")+1 : len(s.URL)-1]

	code, _, stderr := runHere(t, "--port", port, "--memory")
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "port in use")
	require.Contains(t, stderr, "make local PORT=")

	code, _, stderr = runHere(t, "--port", "0", "--data", data, "--stack", "embedded")
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "in use")
	require.Contains(t, stderr, data)

	file := filepath.Join(t.TempDir(), "file")
	require.NoError(t, os.WriteFile(file, nil, 0o600))
	code, _, stderr = runHere(t, "--port", "0", "--data", file, "--stack", "embedded")
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, file)

	for _, args := range [][]string{
		{"--stack", "cloud"}, {"--functions", "docker"}, {"--port", "70000"}, {"--log", "loud"}, {"--secret", "short"}, {"extra"},
		{"--gateway-drop-disconnect", "2"}, {"--gateway-kill", "2"}, {"--grace", "1s"}, {"--checkpoint", "0"}, {"--s3-endpoint", "http://x"}, {"--memory", "--stack", "localstack"},
		{"--nonsense"},
	} {
		code, _, stderr = runHere(t, args...)
		require.Equal(t, exitUsage, code, args)
		require.NotEmpty(t, stderr, args)
	}
	code, _, stderr = runHere(t, "--help")
	require.Equal(t, exitOK, code)
	require.Contains(t, stderr, "gateway-idle")
	require.Contains(t, stderr, "make local ARGS=")
}

func TestDamagedFolderIsSaidNotReplaced(t *testing.T) {
	data := t.TempDir()
	s := start(t, "--data", data)
	c, _ := dial(t, s, rtclient.Options{Client: 1})
	_, err := c.Submit(insertion(1, "precious"))
	require.NoError(t, err)
	require.NoError(t, c.Flush(timeout(t)))
	s.kill(t)
	manifests, err := filepath.Glob(filepath.Join(data, "store", "MANIFEST-*"))
	require.NoError(t, err)
	require.NotEmpty(t, manifests)
	for _, m := range manifests {
		require.NoError(t, os.Remove(m))
	}
	code, _, stderr := runHere(t, "--port", "0", "--data", data, "--stack", "embedded")
	require.Equal(t, exitError, code)
	require.Contains(t, stderr, "damaged")
	require.Contains(t, stderr, "DATA=")
}
