package room_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/room/roomtest"
	"github.com/symphony-rt/symphony/internal/yjs"
)

// emptyUpdate changes nothing.
var emptyUpdate = []byte{0, 0}

func merged(t testing.TB, updates ...[]byte) []byte {
	t.Helper()
	m, err := yjs.Merge(updates...)
	require.NoError(t, err)
	return m
}

func vectorOf(t testing.TB, update []byte) []byte {
	t.Helper()
	v, err := yjs.StateVector(update)
	require.NoError(t, err)
	return v
}

// wantSame demands that two documents are the same once what is deleted is
// dropped in both.
func wantSame(t testing.TB, want, got []byte, what ...any) {
	t.Helper()
	a, err := yjs.Compact(merged(t, want))
	require.NoError(t, err)
	b, err := yjs.Compact(merged(t, got))
	require.NoError(t, err)
	same, err := yjs.Equal(a, b)
	require.NoError(t, err)
	if !same {
		va, _ := yjs.DecodeStateVector(vectorOf(t, a))
		vb, _ := yjs.DecodeStateVector(vectorOf(t, b))
		require.FailNow(t, "documents differ", "%s\nwant %v (%d bytes)\ngot  %v (%d bytes)", fmt.Sprint(what...), va, len(a), vb, len(b))
	}
}

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
