package protocol_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/protocol"
)

// everyMessage has each message once, with every field set.
func everyMessage() []protocol.Message {
	var hash [32]byte
	for i := range hash {
		hash[i] = byte(i)
	}
	b := []byte{1, 2, 3}
	return []protocol.Message{
		&protocol.SyncStep1{StateVector: b}, &protocol.SyncStep2{Update: b}, &protocol.SyncUpdate{Update: b},
		&protocol.Awareness{Update: b}, &protocol.Auth{Reason: "no"}, &protocol.QueryAwareness{},
		&protocol.Hello{Version: 1, Client: 7, Epoch: "e", After: 9, StateVector: b},
		&protocol.Welcome{Version: 1, Epoch: "e", Through: 9, Connection: "c", UserID: "u", UserName: "n",
			Access: protocol.AccessRead, Members: 4, TimeMS: 1_700_000_000_000, StateVector: b, Update: b},
		&protocol.Submit{ID: 1, Update: b}, &protocol.Ack{ID: 1, Seq: 2}, &protocol.Broadcast{Seq: 2, Update: b},
		&protocol.RangeRequest{After: 1, Through: 3}, &protocol.Range{After: 1, Through: 3, More: true, Update: b},
		&protocol.Probe{Seq: 3}, &protocol.Tail{Seq: 3},
		&protocol.UploadRequest{ID: 1, Size: 1 << 20, SHA256: hash},
		&protocol.UploadOffer{ID: 1, Upload: "u", URL: "https://x", Headers: []protocol.UploadHeader{{Name: "a", Value: "b"}}},
		&protocol.UploadCommit{ID: 1, Upload: "u"},
		&protocol.BroadcastByURL{Seq: 1, Size: 2, SHA256: hash, URL: "https://x"},
		&protocol.SnapshotByURL{Seq: 1, Size: 2, SHA256: hash, URL: "https://x"},
		&protocol.PeerJoined{Connection: "c", Client: 7, UserID: "u", UserName: "n"},
		&protocol.PeerLeft{Connection: "c", Client: 7},
		&protocol.Event{Client: 7, Data: "{}"}, &protocol.PeerEvent{Connection: "c", Client: 7, UserID: "u", Data: "{}"},
		&protocol.TabPresence{Update: b}, &protocol.TabLeft{Client: 7},
		&protocol.Notice{Code: "c", Text: "t"},
		&protocol.Error{Code: protocol.CodeThrottled, ID: 1, RetryMS: 2, Text: "t"},
	}
}

func TestEveryMessageSurvivesTheWire(t *testing.T) {
	for _, m := range everyMessage() {
		raw := protocol.Encode(m)
		require.Len(t, raw, protocol.Size(m), "%T", m)
		got, err := protocol.Decode(raw)
		require.NoError(t, err, "%T", m)
		require.Equal(t, m, got)

		frame := protocol.EncodeFrame(m)
		require.Len(t, frame, protocol.FrameSize(len(raw)))
		require.Equal(t, string(frame), protocol.EncodeFrameString(m))
		require.Equal(t, string(frame), string(protocol.FrameOf(raw)))
		require.Equal(t, ">"+string(frame), string(protocol.AppendFrame([]byte(">"), m)))
		got, err = protocol.DecodeFrame(frame)
		require.NoError(t, err)
		require.Equal(t, m, got)
	}
}

func TestEveryTruncationIsRefused(t *testing.T) {
	for _, m := range everyMessage() {
		raw := protocol.Encode(m)
		for n := range raw {
			_, err := protocol.Decode(raw[:n])
			require.ErrorIs(t, err, protocol.ErrTruncated, "%T cut to %d", m, n)
			require.ErrorIs(t, err, protocol.ErrMalformed)
		}
	}
}

func TestDirections(t *testing.T) {
	for _, m := range everyMessage() {
		raw := protocol.Encode(m)
		_, asClient := protocol.DecodeClient(raw)
		_, asServer := protocol.DecodeServer(raw)
		switch m.(type) {
		case *protocol.SyncStep1, *protocol.SyncStep2, *protocol.SyncUpdate, *protocol.Awareness, *protocol.QueryAwareness:
			require.NoError(t, asClient)
			require.NoError(t, asServer)
		case *protocol.Hello, *protocol.Submit, *protocol.RangeRequest, *protocol.Probe, *protocol.UploadRequest, *protocol.UploadCommit,
			*protocol.Event, *protocol.TabPresence:
			require.NoError(t, asClient)
			require.ErrorIs(t, asServer, protocol.ErrDirection)
		default:
			require.ErrorIs(t, asClient, protocol.ErrDirection)
			require.NoError(t, asServer)
		}
	}
}

func TestTrailingBytes(t *testing.T) {
	for _, m := range everyMessage() {
		raw := append(protocol.Encode(m), 0)
		_, err := protocol.Decode(raw)
		require.ErrorIs(t, err, protocol.ErrTrailing, "%T", m)
		if _, err = protocol.DecodeClient(raw); err != nil {
			require.ErrorIs(t, err, protocol.ErrMalformed)
		}
		_, err = protocol.DecodeClient(raw)
		require.Error(t, err, "%T", m)
		if got, err := protocol.DecodeServer(raw); err == nil {
			require.Equal(t, m, got, "a server's later fields are ignored")
		} else {
			require.ErrorIs(t, err, protocol.ErrDirection)
		}
	}
}

func TestRefused(t *testing.T) {
	for name, c := range map[string]struct {
		raw  []byte
		want error
	}{
		"nothing":                       {nil, protocol.ErrTruncated},
		"type 4":                        {[]byte{4}, protocol.ErrUnknownType},
		"type 109, not given":           {[]byte{109}, protocol.ErrUnknownType},
		"type 2^53 - 1":                 {[]byte{255, 255, 255, 255, 255, 255, 255, 15}, protocol.ErrUnknownType},
		"type 2^53":                     {[]byte{128, 128, 128, 128, 128, 128, 128, 16}, protocol.ErrOutOfRange},
		"type of 2^64 and more":         {[]byte{255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 127}, protocol.ErrOutOfRange},
		"sync kind 3":                   {[]byte{0, 3, 0}, protocol.ErrUnknownType},
		"auth kind 1":                   {[]byte{2, 1, 0}, protocol.ErrUnknownType},
		"bytes of 2^53 - 1":             {[]byte{0, 2, 255, 255, 255, 255, 255, 255, 255, 15}, protocol.ErrTruncated},
		"string that is not UTF-8":      {[]byte{2, 0, 1, 0xff}, protocol.ErrNotUTF8},
		"surrogate in UTF-8":            {[]byte{2, 0, 3, 0xed, 0xa0, 0x80}, protocol.ErrNotUTF8},
		"range more = 2":                {[]byte{106, 0, 0, 2, 0}, protocol.ErrOutOfRange},
		"hash of 31 bytes":              {append([]byte{110, 1, 1, 31}, make([]byte, 31)...), protocol.ErrOutOfRange},
		"a million headers":             {[]byte{111, 1, 0, 0, 0xc0, 0x84, 0x3d}, protocol.ErrOutOfRange},
		"two headers, no room for them": {[]byte{111, 1, 0, 0, 2, 0, 0}, protocol.ErrTruncated},
	} {
		_, err := protocol.Decode(c.raw)
		require.ErrorIs(t, err, c.want, name)
		require.ErrorIs(t, err, protocol.ErrMalformed, name)
	}
}

func TestIsPresence(t *testing.T) {
	for _, m := range everyMessage() {
		var want bool
		switch m.(type) {
		case *protocol.Awareness, *protocol.TabPresence:
			want = true
		}
		require.Equal(t, want, protocol.IsPresence(protocol.EncodeFrame(m)), "%T", m)
		require.Equal(t, want, protocol.IsPresence(protocol.EncodeFrameString(m)), "%T", m)
	}
	for _, frame := range []string{"", "A", "A{", "{Q", "\xff\xff", "éé"} {
		require.False(t, protocol.IsPresence(frame), frame)
	}
}
