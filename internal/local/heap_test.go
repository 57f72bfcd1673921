package local

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestASmallHeapMayGrowAndALargeOneIsLeftToGo(t *testing.T) {
	require.Equal(t, 800, collectorPercent(0), "bounded, whatever the figure")
	require.Equal(t, 640, collectorPercent(10<<20))
	require.Equal(t, 100, collectorPercent(64<<20))
	require.Equal(t, 100, collectorPercent(10<<30))
}
