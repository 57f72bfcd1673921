package gateway

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func TestTheFlusherRestsLongerOnlyWhenThatSavesWhatIsShort(t *testing.T) {
	const pass, inTime, late = 4 * time.Millisecond, 100 * time.Microsecond, 8 * time.Millisecond
	var p flushPace
	run := func(passes int, frames float64, oversleep time.Duration) {
		for range passes {
			p.after(pass, frames)
			require.GreaterOrEqual(t, p.rest, flushRest*pass, "at most a quarter of one CPU")
			require.LessOrEqual(t, p.rest, flushLongest)
			p.woke(p.rest + oversleep)
		}
	}
	run(50, 5, inTime)
	require.Equal(t, flushRest*pass, p.rest, "the CPUs are not short")
	run(50, 1, late)
	require.Equal(t, flushRest*pass, p.rest, "a longer rest would save no write")
	run(50, 2, late)
	require.Equal(t, flushLongest, p.rest)
	run(50, 2, inTime)
	require.Equal(t, flushRest*pass, p.rest, "and back, when it is over")

	p.after(time.Second, 1)
	require.Equal(t, flushLong, p.rest)
	p.after(0, 1)
	require.Positive(t, p.rest)
}
