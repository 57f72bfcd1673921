package rtclient

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// Whatever order numbers arrive in, and however often, the sequence agrees
// with a plain set of what arrived.
func TestSequenceAgainstASet(t *testing.T) {
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 1))
	for range 300 {
		var s sequence
		have := map[uint64]bool{}
		n := uint64(1 + r.IntN(60))
		for range 4 * n {
			x := 1 + r.Uint64N(n)
			if r.IntN(20) == 0 { // a range that completes through x
				s.advance(x)
				for i := uint64(1); i <= x; i++ {
					have[i] = true
				}
			} else {
				s.mark(x)
				have[x] = true
			}
			last := uint64(0)
			for have[last+1] {
				last++
			}
			require.Equal(t, last, s.last)
			for i := uint64(1); i <= n; i++ {
				require.Equal(t, have[i], s.has(i))
			}
			after, through, gap := s.gap()
			require.Equal(t, uint64(len(have)) > last, gap)
			if gap {
				require.Equal(t, last, after)
				require.False(t, have[through])
				require.True(t, have[through+1])
			}
		}
	}
}
