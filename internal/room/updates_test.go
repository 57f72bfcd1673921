package room_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/room/roomtest"
	"github.com/symphony-rt/symphony/internal/yjs"
)

var (
	emptyUpdate = roomtest.EmptyUpdate
	merged      = roomtest.Merged
	vectorOf    = roomtest.VectorOf
	wantSame    = roomtest.WantSame
	presence    = roomtest.Presence
)

func TestAuthorsUpdatesAreYjs(t *testing.T) {
	a := &roomtest.Author{Client: 300}
	updates := [][]byte{a.Insert("a"), a.Insert("bc"), a.Remove(2), a.Binary(10), emptyUpdate}
	for _, u := range updates {
		require.NoError(t, yjs.Validate(u))
	}
	vector, err := yjs.DecodeStateVector(vectorOf(t, merged(t, updates...)))
	require.NoError(t, err)
	require.Equal(t, map[uint64]uint64{300: 4}, vector)
}
