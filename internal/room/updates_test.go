package room_test

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/yjs"
)

// author makes the updates of one Yjs client: each inserts text at the end of
// what the client has inserted before, into the root text "t".
type author struct {
	client, clock uint64
}

// insert returns the next update, which depends on the one before.
func (a *author) insert(text string) []byte {
	b := []byte{1, 1}
	b = binary.AppendUvarint(b, a.client)
	b = binary.AppendUvarint(b, a.clock)
	const stringContent, hasOrigin = 4, 0x80
	if a.clock == 0 {
		b = append(b, stringContent, 1, 1, 't')
	} else {
		b = append(b, stringContent|hasOrigin)
		b = binary.AppendUvarint(b, a.client)
		b = binary.AppendUvarint(b, a.clock-1)
	}
	b = binary.AppendUvarint(b, uint64(len(text)))
	b = append(b, text...)
	a.clock += uint64(len(text)) // ASCII: one clock a byte
	return append(b, 0)
}

// remove returns an update that deletes the first n clocks of the client.
func (a *author) remove(n uint64) []byte {
	b := []byte{0, 1}
	b = binary.AppendUvarint(b, a.client)
	b = append(b, 1, 0)
	return binary.AppendUvarint(b, n)
}

// binaryUpdate returns an update whose one value, of n bytes, cannot be split.
func (a *author) binaryUpdate(n int) []byte {
	b := []byte{1, 1}
	b = binary.AppendUvarint(b, a.client)
	b = binary.AppendUvarint(b, a.clock)
	b = append(b, 3, 1, 1, 'b')
	b = binary.AppendUvarint(b, uint64(n))
	b = append(b, make([]byte, n)...)
	a.clock++
	return append(b, 0)
}

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

func contains(t testing.TB, update, sub []byte) bool {
	t.Helper()
	ok, err := yjs.Contains(update, sub)
	require.NoError(t, err)
	return ok
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
	a := &author{client: 300}
	updates := [][]byte{a.insert("a"), a.insert("bc"), a.remove(2), a.binaryUpdate(10), emptyUpdate}
	for _, u := range updates {
		require.NoError(t, yjs.Validate(u))
	}
	vector, err := yjs.DecodeStateVector(vectorOf(t, merged(t, updates...)))
	require.NoError(t, err)
	require.Equal(t, map[uint64]uint64{300: 4}, vector)
}
