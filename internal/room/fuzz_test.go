package room_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/room/roomtest"
	"github.com/symphony-rt/symphony/internal/yjs"
)

// FuzzReceive sends any bytes as a message (G8): each is answered, stored or
// refused with an error that has a name; what is stored is an update; and the
// room serves the next newcomer.
func FuzzReceive(f *testing.F) {
	text := &roomtest.Author{Client: 1}
	for _, m := range []protocol.Message{
		&protocol.SyncStep1{StateVector: []byte{0}}, &protocol.SyncStep2{Update: text.Insert("ab")}, &protocol.SyncUpdate{Update: text.Remove(1)},
		&protocol.Awareness{Update: presence(1, 1, `{"a":1}`)}, &protocol.QueryAwareness{},
		&protocol.Hello{Version: 1, Client: 1, StateVector: []byte{1, 1, 1}}, &protocol.Submit{ID: 1, Update: text.Insert("c")},
		&protocol.RangeRequest{After: 1}, &protocol.Probe{Seq: 1}, &protocol.UploadRequest{ID: 1, Size: 10}, &protocol.Event{Data: "{}"},
		&protocol.UploadCommit{ID: 1, Upload: "00000000000000000000000000000000"},
	} {
		f.Add(protocol.Encode(m))
	}
	names := []error{
		room.ErrMalformed, room.ErrTooLarge, room.ErrInvalidUpdate, room.ErrInvalidAwareness, room.ErrUnsupported,
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		w := newWorld(t)
		ann, bob := w.join("a", "ann"), w.join("b", "bob")
		w.hello(bob, 2)
		ask[*protocol.Ack](w, bob, &protocol.Submit{ID: 1, Update: (&roomtest.Author{Client: 9}).Insert("x")})
		_, err := w.service.Receive(t.Context(), ann, base64.StdEncoding.EncodeToString(raw))
		named := err == nil
		for _, name := range names {
			named = named || errors.Is(err, name)
		}
		require.True(t, named, "%v", err)
		for _, u := range w.entries(0) {
			require.NoError(t, yjs.Validate(u.Data))
		}
		w.checkpoint()
		ask[*protocol.SyncStep2](w, bob, &protocol.SyncStep1{StateVector: []byte{0}})
	})
}

// FuzzDecodeArchive: what decodes encodes to the same bytes.
func FuzzDecodeArchive(f *testing.F) {
	data, err := room.EncodeArchive([]room.Update{{Seq: 7, Data: []byte("x"), Author: "a", Connection: "c"}, {Seq: 8}})
	require.NoError(f, err)
	f.Add(data)
	f.Fuzz(func(t *testing.T, b []byte) {
		entries, err := room.DecodeArchive(b)
		if err != nil {
			require.ErrorIs(t, err, room.ErrCorrupt)
			return
		}
		again, err := room.EncodeArchive(entries)
		require.NoError(t, err)
		back, err := room.DecodeArchive(again)
		require.NoError(t, err)
		require.Equal(t, len(entries), len(back))
		require.True(t, bytes.Equal(b[:16], again[:16]))
	})
}
