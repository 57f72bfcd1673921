package room_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/room"
)

func TestArchive(t *testing.T) {
	at := time.Date(2024, 5, 6, 7, 8, 9, 10, time.UTC)
	entries := []room.Update{
		{Seq: 7, Data: []byte("seven"), Author: "ann", Connection: "c=", At: at},
		{Seq: 8, Data: nil, Author: "", Connection: "", At: time.Time{}},
		{Seq: 9, Data: make([]byte, 100_000), Author: "ü", Connection: "x", At: at.Add(-200 * 365 * 24 * time.Hour)},
	}
	data, err := room.EncodeArchive(entries)
	require.NoError(t, err)
	again, err := room.EncodeArchive(entries)
	require.NoError(t, err)
	require.Equal(t, data, again)
	back, err := room.DecodeArchive(data)
	require.NoError(t, err)
	require.Len(t, back, 3)
	for i := range back {
		require.Equal(t, string(entries[i].Data), string(back[i].Data))
		back[i].Data = entries[i].Data
	}
	require.Equal(t, entries, back)

	for i := range len(data) / 100 {
		spoiled := append([]byte(nil), data...)
		spoiled[i*100] ^= 1
		_, err := room.DecodeArchive(spoiled)
		require.ErrorIs(t, err, room.ErrCorrupt)
	}
	for _, b := range [][]byte{nil, data[:40], data[:len(data)-1], append(data[:len(data):len(data)], 0)} {
		_, err := room.DecodeArchive(b)
		require.ErrorIs(t, err, room.ErrCorrupt)
	}
	_, err = room.EncodeArchive(nil)
	require.ErrorIs(t, err, room.ErrCorrupt)
	_, err = room.EncodeArchive([]room.Update{{Seq: 1}, {Seq: 3}})
	require.ErrorIs(t, err, room.ErrCorrupt)
}
