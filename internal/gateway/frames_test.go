package gateway

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/stretchr/testify/require"
)

// "API Gateway WebSocket APIs don't currently support binary frames in incoming
// message payloads. If a client app sends a binary frame, API Gateway rejects
// it and disconnects the client with code 1003":
// websocket-api-develop-binary-media-types.html
func TestBinaryClosesWith1003(t *testing.T) {
	s := start(t)
	c := s.dial("", nil)
	require.NoError(t, c.Write(testContext(t), websocket.MessageBinary, []byte{1, 2, 3}))
	require.Equal(t, websocket.StatusUnsupportedData, closed(t, c).Code)
	require.EqualValues(t, 1003, s.left.event(t).RequestContext.DisconnectStatusCode)
	s.message.none(t)
	require.EqualValues(t, 1, s.Snapshot().Errors[ErrorBinary])
}

// "WebSocket frame size 32 KB … Message payload size 128 KB … If a larger
// message (or larger frame size) is received, the connection is closed with
// code 1009": apigateway-execution-service-websocket-limits-table.html
func TestSizes(t *testing.T) {
	const kb = 1 << 10
	part := func(n int) []byte { return bytes.Repeat([]byte("z"), n) }
	for name, test := range map[string]struct {
		frames [][]byte
		total  int // 0: closes with 1009
	}{
		"32 KB frame":          {[][]byte{frame(0x81, part(32*kb))}, 32 * kb},
		"32 KB and a byte":     {[][]byte{frame(0x81, part(32*kb+1))}, 0},
		"100 KB frame":         {[][]byte{frame(0x81, part(100*kb))}, 0},
		"128 KB in 4 frames":   {[][]byte{frame(0x01, part(32*kb)), frame(0, part(32*kb)), frame(0, part(32*kb)), frame(0x80, part(32*kb))}, 128 * kb},
		"128 KB and a byte":    {[][]byte{frame(0x01, part(32*kb)), frame(0, part(32*kb)), frame(0, part(32*kb)), frame(0, part(32*kb)), frame(0x80, part(1))}, 0},
		"large second frame":   {[][]byte{frame(0x01, part(1)), frame(0x80, part(32*kb+1))}, 0},
		"empty":                {[][]byte{frame(0x81, nil)}, 1},
		"empty last fragment":  {[][]byte{frame(0x01, part(10)), frame(0x80, nil)}, 10},
		"empty first fragment": {[][]byte{frame(0x01, nil), frame(0x80, part(10))}, 10},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			c := s.raw()
			c.send(test.frames...)
			if test.total == 0 {
				require.Equal(t, 1009, c.closeCode())
				c.send(frame(0x88, []byte{0x03, 0xF1}))
				require.EqualValues(t, 1009, s.left.event(t).RequestContext.DisconnectStatusCode)
				s.message.none(t)
				return
			}
			if name == "empty" {
				test.total = 0
			}
			require.Len(t, s.message.event(t).Body, test.total)
		})
	}
}

// A length that is only announced costs nothing and is refused at once.
func TestHostileLength(t *testing.T) {
	s := start(t)
	for _, head := range []string{
		"\x81\xff\x7f\xff\xff\xff\xff\xff\xff\xff", "\x81\xff\x00\x00\x00\x00\x00\x01\x00\x00", "\x81\xfe\x80\x01",
	} {
		c := s.raw()
		c.send(append([]byte(head), "mask"...))
		require.Equal(t, 1009, c.closeCode(), "%q", head)
	}
}

// RFC 6455 sections 5 and 8: what breaks the protocol closes with 1002, text
// that is not UTF-8 with 1007. API Gateway documents nothing of its own here.
func TestProtocolErrors(t *testing.T) {
	for name, test := range map[string]struct {
		data []byte
		code int
	}{
		"RSV1":                      {frame(0xC1, []byte("x")), 1002},
		"RSV2":                      {frame(0xA1, []byte("x")), 1002},
		"RSV3":                      {frame(0x91, []byte("x")), 1002},
		"opcode 3":                  {frame(0x83, []byte("x")), 1002},
		"opcode 11":                 {frame(0x8B, nil), 1002},
		"unmasked":                  {[]byte("\x81\x01x"), 1002},
		"continuation of nothing":   {frame(0x80, []byte("x")), 1002},
		"text inside a message":     {append(frame(0x01, []byte("x")), frame(0x81, []byte("y"))...), 1002},
		"fragmented ping":           {frame(0x09, nil), 1002},
		"large ping":                {frame(0x89, make([]byte, 126)), 1002},
		"length not shortest":       {[]byte("\x81\xfe\x00\x01mask."), 1002},
		"length not shortest 64":    {[]byte("\x81\xff\x00\x00\x00\x00\x00\x00\x00\x01mask."), 1002},
		"negative length":           {[]byte("\x81\xff\x80\x00\x00\x00\x00\x00\x00\x01mask."), 1002},
		"close with one byte":       {frame(0x88, []byte{3}), 1002},
		"close with code 1005":      {frame(0x88, []byte{0x03, 0xED}), 1002},
		"close with code 999":       {frame(0x88, []byte{0x03, 0xE7}), 1002},
		"close with a broken text":  {frame(0x88, []byte{0x03, 0xE8, 0xFF}), 1002},
		"not UTF-8":                 {frame(0x81, []byte{0xFF}), 1007},
		"not UTF-8 across frames":   {append(frame(0x01, []byte{0xC3}), frame(0x80, []byte("x"))...), 1007},
		"surrogate":                 {frame(0x81, []byte{0xED, 0xA0, 0x80}), 1007},
		"cut off in the middle":     {frame(0x81, []byte{0xE2, 0x82}), 1007},
		"overlong encoding of NUL":  {frame(0x81, []byte{0xC0, 0x80}), 1007},
		"beyond the last character": {frame(0x81, []byte{0xF4, 0x90, 0x80, 0x80}), 1007},
	} {
		t.Run(name, func(t *testing.T) {
			s := start(t)
			c := s.raw()
			c.send(test.data)
			require.Equal(t, test.code, c.closeCode())
			_ = c.Close()
			require.EqualValues(t, test.code, s.left.event(t).RequestContext.DisconnectStatusCode)
			s.message.none(t)
		})
	}
}

// UTF-8 may be split anywhere between the frames of a message, and control
// frames may come in between (RFC 6455 section 5.4).
func TestFragments(t *testing.T) {
	s := start(t)
	c := s.raw()
	text := []byte("ü€\U0001F600")
	var frames []byte
	for i := range text {
		first := byte(0)
		if i == 0 {
			first = opText
		}
		if i == len(text)-1 {
			first |= 0x80
		}
		frames = append(frames, frame(first, text[i:i+1])...)
		frames = append(frames, frame(0x89, []byte{byte(i)})...)
		frames = append(frames, frame(0x8A, nil)...)
	}
	for i := range frames { // byte by byte: nothing may depend on how they arrive
		c.send(frames[i : i+1])
	}
	require.Equal(t, string(text), s.message.event(t).Body)
}

// A ping is answered with its payload (RFC 6455 section 5.5.2).
func TestPing(t *testing.T) {
	s := start(t)
	c := s.raw()
	for _, payload := range []string{"", "beat", strings.Repeat("p", 125)} {
		c.send(frame(0x89, []byte(payload)))
		first, got, err := c.next()
		require.NoError(t, err)
		require.EqualValues(t, 0x80|opPong, first)
		require.Equal(t, payload, string(got))
	}
	s.message.none(t)
}

// A close frame is answered with its code, and then the server hangs up (RFC
// 6455 section 7.1.1).
func TestCloseIsAnswered(t *testing.T) {
	for _, payload := range []string{"", "\x03\xe8", "\x0f\xa1custom"} {
		s := start(t)
		c := s.raw()
		c.send(frame(0x81, []byte("last words")), frame(0x88, []byte(payload)))
		require.Equal(t, "last words", s.message.event(t).Body)
		for {
			first, got, err := c.next()
			require.NoError(t, err)
			if first&0x0F == opClose {
				require.Equal(t, payload, string(got))
				break
			}
		}
		_, _, err := c.next()
		require.ErrorIs(t, err, io.EOF)
		s.left.event(t)
	}
}

// A client that does not answer a close frame is cut off after the grace.
func TestCloseGrace(t *testing.T) {
	s := start(t)
	c := s.raw()
	id := s.onlyConn()
	require.NoError(t, s.Close(t.Context(), id))
	require.Equal(t, 1000, c.closeCode())
	require.ErrorIs(t, s.Post(t.Context(), id, nil), ErrGone)
	_, err := s.Get(t.Context(), id)
	require.ErrorIs(t, err, ErrGone)
	c.send(frame(0x81, []byte("ignored"))) // not a goodbye
	s.left.none(t)
	s.advance(s.limits.CloseGrace)
	require.EqualValues(t, 1000, s.left.event(t).RequestContext.DisconnectStatusCode)
	s.message.none(t)
	_, _, err = c.next()
	require.Error(t, err)
}

// The code reaches a client that is still sending a lot when it is closed.
func TestCloseCodeSurvivesAFlood(t *testing.T) {
	s := start(t)
	c := s.raw()
	done := make(chan struct{})
	go func() {
		defer close(done)
		big := frame(0x82, make([]byte, 1<<20))
		for range 20 {
			if _, err := c.Write(big); err != nil {
				return
			}
		}
	}()
	require.Equal(t, 1003, c.closeCode())
	<-done
}

// FuzzHeader: the parser agrees with itself however the bytes arrive, never
// wants more than it may, and accepts exactly what the encoder of this test
// makes.
func FuzzHeader(f *testing.F) {
	f.Add([]byte(frame(0x81, []byte("hello"))))
	f.Add([]byte(frame(0x01, make([]byte, 300))))
	f.Add([]byte(frame(0x82, make([]byte, 70_000))[:20]))
	f.Add([]byte{0x88, 0x80, 1, 2, 3, 4})
	f.Fuzz(func(t *testing.T, data []byte) {
		h, size, err := parseHeader(data)
		require.LessOrEqual(t, size, maxHeader)
		for n := range data {
			_, partSize, partErr := parseHeader(data[:n])
			if partErr != nil {
				require.Error(t, err, "a prefix was refused")
			}
			if partErr == nil && n >= partSize {
				require.NoError(t, err)
				require.Equal(t, size, partSize)
			}
		}
		if err != nil || len(data) < size {
			return
		}
		// Encode it again.
		b := []byte{h.op}
		if h.fin {
			b[0] |= 0x80
		}
		switch {
		case h.length < 126:
			b = append(b, 0x80|byte(h.length))
		case h.length < 1<<16:
			b = binary.BigEndian.AppendUint16(append(b, 0xFE), uint16(h.length))
		default:
			b = binary.BigEndian.AppendUint64(append(b, 0xFF), h.length)
		}
		require.Equal(t, data[:size], append(b, h.key[:]...))
	})
}

// FuzzUnmask: fast or byte by byte, in one piece or several, it is the same.
func FuzzUnmask(f *testing.F) {
	f.Add([]byte("some longer payload"), uint32(0x01020304), uint8(5))
	f.Fuzz(func(t *testing.T, data []byte, mask uint32, cut uint8) {
		var key [4]byte
		binary.BigEndian.PutUint32(key[:], mask)
		want := make([]byte, len(data))
		for i := range data {
			want[i] = data[i] ^ key[i%4]
		}
		whole := bytes.Clone(data)
		unmask(whole, key, 0)
		require.Equal(t, want, whole)
		split := min(int(cut), len(data))
		parts := bytes.Clone(data)
		unmask(parts[:split], key, 0)
		unmask(parts[split:], key, uint64(split))
		require.Equal(t, want, parts)
	})
}

// FuzzClose: what is parsed is what the peer said.
func FuzzClose(f *testing.F) {
	f.Add([]byte("\x03\xe8bye"))
	f.Fuzz(func(t *testing.T, payload []byte) {
		code, reason, err := parseClose(payload)
		if err == nil && len(payload) <= maxControl {
			require.Equal(t, len(payload), len(appendClose(nil, code, reason)))
			require.True(t, bytes.Equal(payload, appendClose(nil, code, reason)))
		}
	})
}

// FuzzSocket: bytes from a socket, in any pieces, never make the gateway
// panic, and it always ends the connection with a close frame or a goodbye.
func FuzzSocket(f *testing.F) {
	f.Add(append(frame(0x81, []byte("hello")), frame(0x88, nil)...), uint8(3))
	f.Add(append(frame(0x01, []byte("a")), frame(0x80, []byte("b"))...), uint8(1))
	f.Add([]byte("\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff...."), uint8(200))
	f.Fuzz(func(t *testing.T, data []byte, piece uint8) {
		s := start(t, func(c *Config) { c.Limits.Frame = 200; c.Limits.Message = 500 })
		c := s.raw()
		for rest := data; len(rest) > 0; {
			n := min(len(rest), int(piece)+1)
			if _, err := c.Write(rest[:n]); err != nil {
				break
			}
			rest = rest[n:]
		}
		_ = c.CloseWrite()
		event := s.left.event(t)
		require.NotZero(t, event.RequestContext.DisconnectStatusCode)
	})
}

// Random messages in random frames arrive whole. The seed is printed.
func TestRandomFragmentation(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	s := start(t, func(c *Config) { c.Limits.ConnectionConcurrency = 1 })
	c := s.raw()
	for n := range 200 {
		body := fmt.Appendf(nil, "%d:", n)
		for range rng.IntN(2000) {
			body = append(body, byte('a'+rng.IntN(26)))
		}
		op := byte(opText)
		rest := body
		for {
			k := 1 + rng.IntN(len(rest))
			first := op
			if k == len(rest) {
				first |= 0x80
			}
			c.send(frame(first, rest[:k]))
			if rest = rest[k:]; len(rest) == 0 {
				break
			}
			op = opContinuation
			if rng.IntN(4) == 0 {
				c.send(frame(0x8A, []byte("unasked pong")))
			}
		}
		require.Equal(t, string(body), s.message.event(t).Body)
	}
}

// The answer to one message is one message for a client we did not write,
// whatever its size.
func TestClientSeesWholeMessages(t *testing.T) {
	s := start(t, with("message", handlerFunc(func(ctx context.Context, payload []byte) ([]byte, error) {
		var event struct{ Body string }
		if err := json.Unmarshal(payload, &event); err != nil {
			return nil, err
		}
		var n int
		if _, err := fmt.Sscan(event.Body, &n); err != nil {
			return nil, err
		}
		return ok(strings.Repeat("r", n))(ctx, payload)
	})))
	c := s.dial("", nil)
	for _, n := range []int{1, 125, 126, 127, 65_535, 65_536, 16<<10 - 1, 16 << 10, 16<<10 + 1, 32 << 10, 32<<10 + 1, 128 << 10} {
		write(t, c, fmt.Sprint(n))
		require.Len(t, read(t, c), n)
	}
}
