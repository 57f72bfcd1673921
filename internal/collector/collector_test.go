package collector

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheHeapGrowsWithWhatIsGoingOn(t *testing.T) {
	require.Equal(t, 100, percentFor(20<<20, 1<<20), "quiet: as Go does")
	require.Equal(t, 500, percentFor(20<<20, 25<<20), "50 MB a second: every two seconds")
	require.Equal(t, 640, percentFor(20<<20, 1<<30), "bounded by room")
	require.Equal(t, 800, percentFor(1<<20, 1<<30), "and by a percentage")
	require.Equal(t, 800, percentFor(0, 1<<30), "before the first collection")
	require.Equal(t, 100, percentFor(1<<30, 1<<30), "a large heap is left to Go")
}
