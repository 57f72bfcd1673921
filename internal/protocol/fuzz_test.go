package protocol_test

import (
	"bytes"
	"runtime"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/protocol"
)

// seeds gives a fuzzer every golden frame and a few hostile ones.
func seeds(f *testing.F, add func(frame string)) {
	for _, g := range readGolden(f).Frames {
		add(g.Frame)
	}
	for _, raw := range hostile() {
		add(string(protocol.FrameOf(raw)))
	}
}

// hostile are messages whose lengths promise far more than there is.
func hostile() map[string][]byte {
	huge := []byte{255, 255, 255, 255, 255, 255, 255, 15} // 2^53 - 1
	return map[string][]byte{
		"sync":            append([]byte{0, 2}, huge...),
		"awareness":       append([]byte{1}, huge...),
		"auth":            append([]byte{2, 0}, huge...),
		"hello epoch":     append([]byte{100, 1, 1}, huge...),
		"hello vector":    append([]byte{100, 1, 1, 0, 0}, huge...),
		"submit":          append([]byte{102, 1}, huge...),
		"upload hash":     append([]byte{110, 1, 1}, huge...),
		"upload headers":  append([]byte{111, 1, 0, 0}, huge...),
		"upload headers2": {111, 1, 0, 0, 32, 0},
		"error text":      append([]byte{131, 1, 1, 1}, huge...),
	}
}

// A length that promises more than there is costs no more than the error.
func TestHostileLengthsAllocateNothing(t *testing.T) {
	for name, raw := range hostile() {
		for decoderName, decode := range map[string]func([]byte) (protocol.Message, error){
			"Decode": protocol.Decode, "DecodeClient": protocol.DecodeClient, "DecodeServer": protocol.DecodeServer,
		} {
			_, err := decode(raw)
			require.ErrorIs(t, err, protocol.ErrMalformed, "%s, %s", name, decoderName)
			require.LessOrEqual(t, bytesPerRun(func() { _, _ = decode(raw) }), uint64(512), "%s, %s", name, decoderName)
		}
	}
}

// bytesPerRun returns how many bytes fn allocates, averaged.
func bytesPerRun(fn func()) uint64 {
	const runs = 100
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range runs {
		fn()
	}
	runtime.ReadMemStats(&after)
	return (after.TotalAlloc - before.TotalAlloc) / runs
}

// checkDecoded holds what any decoder returned without an error to this: it
// encodes, decodes to the same again, and encodes to the same bytes again.
func checkDecoded(t *testing.T, m protocol.Message) {
	t.Helper()
	raw := protocol.Encode(m)
	if len(raw) != protocol.Size(m) {
		t.Fatalf("Size says %d, Encode makes %d bytes", protocol.Size(m), len(raw))
	}
	again, err := protocol.Decode(raw)
	require.NoError(t, err)
	require.Equal(t, m, again)
	require.True(t, bytes.Equal(raw, protocol.Encode(again)))
}

func FuzzDecode(f *testing.F) {
	seeds(f, func(frame string) {
		if m, err := protocol.DecodeFrame(frame); err == nil {
			f.Add(protocol.Encode(m))
		}
	})
	for _, raw := range hostile() {
		f.Add(raw)
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		before := bytes.Clone(raw)
		m, err := protocol.Decode(raw)
		if err != nil {
			require.ErrorIs(t, err, protocol.ErrMalformed)
			require.Nil(t, m)
		} else {
			checkDecoded(t, m)
			if len(protocol.Encode(m)) > len(raw) {
				t.Fatal("the canonical form is longer than what was read")
			}
		}
		fromClient, clientErr := protocol.DecodeClient(raw)
		fromServer, serverErr := protocol.DecodeServer(raw)
		if err == nil && len(raw) <= protocol.MaxClientMessage && clientErr != nil && serverErr != nil {
			t.Fatal("a message that nobody sends")
		}
		if clientErr == nil {
			require.NoError(t, err, "a client's message is decoded as strictly as any")
			require.Equal(t, m, fromClient)
		}
		if serverErr == nil {
			checkDecoded(t, fromServer)
		}
		if !bytes.Equal(before, raw) {
			t.Fatal("decoding changed its input")
		}
	})
}

func FuzzDecodeFrame(f *testing.F) {
	seeds(f, func(frame string) { f.Add(frame) })
	f.Add("\n")
	f.Add("AA=\n=")
	f.Fuzz(func(t *testing.T, frame string) {
		m, err := protocol.DecodeFrame(frame)
		fromBytes, bytesErr := protocol.DecodeFrame([]byte(frame))
		require.Equal(t, err, bytesErr)
		require.Equal(t, m, fromBytes)
		if err == nil {
			checkDecoded(t, m)
			if len(protocol.EncodeFrame(m)) > len(frame) {
				t.Fatal("the canonical frame is longer than what was read")
			}
		}
		if c, clientErr := protocol.DecodeClientFrame(frame); clientErr == nil {
			require.NoError(t, err)
			require.Equal(t, m, c)
		}
		if s, serverErr := protocol.DecodeServerFrame(frame); serverErr == nil {
			checkDecoded(t, s)
		}
	})
}

// FuzzRoundTrip builds messages from values rather than from bytes.
func FuzzRoundTrip(f *testing.F) {
	f.Add(uint64(0), uint64(1), "", "x", []byte(nil), false)
	f.Add(uint64(127), uint64(128), "ä", "\x00", []byte{0}, true)
	f.Add(uint64(protocol.MaxUint), uint64(1<<32), "\xff", "€", bytes.Repeat([]byte{7}, 200), true)
	f.Fuzz(func(t *testing.T, a, b uint64, s, u string, data []byte, more bool) {
		a, b = a&protocol.MaxUint, b&protocol.MaxUint
		s, u = string([]rune(s)), string([]rune(u)) // UTF-8, as TextEncoder makes it
		if len(data) == 0 {
			data = nil
		}
		for _, m := range []protocol.Message{
			&protocol.SyncStep1{StateVector: data}, &protocol.Awareness{Update: data}, &protocol.Auth{Reason: s},
			&protocol.Hello{Version: a, Client: b, Epoch: s, After: a, StateVector: data},
			&protocol.Welcome{Version: a, Epoch: s, Through: b, Connection: u, UserID: s, UserName: u,
				Access: protocol.Access(s), Members: a, TimeMS: b, StateVector: data, Update: data},
			&protocol.Range{After: a, Through: b, More: more, Update: data},
			&protocol.UploadOffer{ID: a, Upload: s, URL: u, Headers: []protocol.UploadHeader{{Name: s, Value: u}, {Name: u}}},
			&protocol.Error{Code: protocol.Code(a), ID: b, RetryMS: a, Text: s},
		} {
			got, err := protocol.DecodeFrame(protocol.EncodeFrame(m))
			if protocol.FrameSize(protocol.Size(m)) > protocol.MaxPost {
				require.ErrorIs(t, err, protocol.ErrTooLarge)
				continue
			}
			require.NoError(t, err)
			require.Equal(t, m, got)
		}
	})
}
