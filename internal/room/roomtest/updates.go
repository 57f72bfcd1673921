package roomtest

import (
	"encoding/binary"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/yjs"
)

// Author makes the updates of one Yjs client: each inserts text at the end of
// what the client has inserted before, into the root text "t".
type Author struct {
	// Client is the Yjs client id, Clock the next clock.
	Client, Clock uint64
}

// Insert returns the next update, which depends on the one before.
func (a *Author) Insert(text string) []byte {
	b := []byte{1, 1}
	b = binary.AppendUvarint(b, a.Client)
	b = binary.AppendUvarint(b, a.Clock)
	const stringContent, hasOrigin = 4, 0x80
	if a.Clock == 0 {
		b = append(b, stringContent, 1, 1, 't')
	} else {
		b = append(b, stringContent|hasOrigin)
		b = binary.AppendUvarint(b, a.Client)
		b = binary.AppendUvarint(b, a.Clock-1)
	}
	b = binary.AppendUvarint(b, uint64(len(text)))
	b = append(b, text...)
	a.Clock += uint64(len(text)) // ASCII: one clock a byte
	return append(b, 0)
}

// Remove returns an update that deletes the first n clocks of the client.
func (a *Author) Remove(n uint64) []byte {
	b := []byte{0, 1}
	b = binary.AppendUvarint(b, a.Client)
	b = append(b, 1, 0)
	return binary.AppendUvarint(b, n)
}

// Binary returns an update whose one value, of n bytes, cannot be split.
func (a *Author) Binary(n int) []byte {
	b := []byte{1, 1}
	b = binary.AppendUvarint(b, a.Client)
	b = binary.AppendUvarint(b, a.Clock)
	b = append(b, 3, 1, 1, 'b')
	b = binary.AppendUvarint(b, uint64(n))
	b = append(b, make([]byte, n)...)
	a.Clock++
	return append(b, 0)
}

// EmptyUpdate changes nothing.
var EmptyUpdate = []byte{0, 0}

// Merged merges updates.
func Merged(t testing.TB, updates ...[]byte) []byte {
	t.Helper()
	m, err := yjs.Merge(updates...)
	require.NoError(t, err)
	return m
}

// VectorOf is the state vector of a document.
func VectorOf(t testing.TB, update []byte) []byte {
	t.Helper()
	v, err := yjs.StateVector(update)
	require.NoError(t, err)
	return v
}

// WantSame demands that two documents are the same once what is deleted is
// dropped in both.
func WantSame(t testing.TB, want, got []byte, what ...any) {
	t.Helper()
	a, err := yjs.Compact(Merged(t, want))
	require.NoError(t, err)
	b, err := yjs.Compact(Merged(t, got))
	require.NoError(t, err)
	same, err := yjs.Equal(a, b)
	require.NoError(t, err)
	if !same {
		va, _ := yjs.DecodeStateVector(VectorOf(t, a))
		vb, _ := yjs.DecodeStateVector(VectorOf(t, b))
		require.FailNow(t, "documents differ", "%s\nwant %v (%d bytes)\ngot  %v (%d bytes)", fmt.Sprint(what...), va, len(a), vb, len(b))
	}
}

// Presence encodes the awareness state of one client, in JSON.
func Presence(client, clock uint64, state string) []byte {
	b := binary.AppendUvarint([]byte{1}, client)
	b = binary.AppendUvarint(b, clock)
	b = binary.AppendUvarint(b, uint64(len(state)))
	return append(b, state...)
}
