package rtclient_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/rtclient"
	"github.com/symphony-rt/symphony/internal/yjs"
)

func TestMerged(t *testing.T) {
	var d rtclient.Merged
	require.Equal(t, []byte{0}, d.StateVector())
	require.Equal(t, []byte{0, 0}, d.State())
	for _, u := range []string{inserted, deleted, inserted} { // twice changes nothing
		require.NoError(t, d.Apply(unbase64(t, u)))
	}
	require.Error(t, d.Apply([]byte("no update")))
	for _, u := range []string{inserted, deleted} {
		has, err := yjs.Contains(d.State(), unbase64(t, u))
		require.NoError(t, err)
		require.True(t, has)
	}
	missing, err := d.Diff(d.StateVector())
	require.NoError(t, err)
	known, err := yjs.Contains(d.State(), missing)
	require.NoError(t, err)
	require.True(t, known)
}
