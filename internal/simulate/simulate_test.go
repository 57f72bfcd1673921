package simulate

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// reference is 4 in a room, each an edit per 10 s and a presence per 5 s: 1.2
// requests a second for each user.
func reference(users int) Scenario {
	return Scenario{
		Users: users, RoomSize: 4, EditEvery: 10 * time.Second, PresenceEvery: 5 * time.Second, Duration: 10 * time.Second,
		PostsAtOnce: 16, Quotas: DefaultQuotas(), Latencies: DefaultLatencies(), Seed: 1,
	}
}

func TestSameSeedSameOutcome(t *testing.T) {
	require.Equal(t, Run(reference(2000)), Run(reference(2000)))
	s := reference(2000)
	s.Seed = 2
	require.NotEqual(t, Run(reference(2000)), Run(s))
}

// Below the quotas nothing is refused, every message is posted to all others,
// and as many are made as the rates say.
func TestBelowTheQuotas(t *testing.T) {
	s := reference(4000)
	o := Run(s)
	require.Zero(t, o.MessagesThrottled+o.PostsThrottled+o.ConcurrencyRefused+o.ConnectsRefused+o.PostsLost)
	require.InEpsilon(t, 4000*0.3*10, o.Messages, 0.05)
	require.InEpsilon(t, 3*o.Messages, o.Posts, 0.02, "but for those under way at the end")
	require.InEpsilon(t, 4800, o.Wanted, 0.001)
	require.Less(t, o.DeliveryP99, 250*time.Millisecond)
	// Little's law: concurrency is arrivals times how long each takes.
	require.InEpsilon(t, 4000*0.3*o.HandlerP50.Seconds(), float64(o.PeakConcurrency), 1)
}

// The arithmetic: 10,000 requests a second are 8,333 users at 1.2 each; the
// burst lets a short run have a few more.
func TestCapacityIsTheArithmetic(t *testing.T) {
	s := reference(0)
	s.Quotas.RequestRate, s.Quotas.RequestBurst = 1000, 100
	s.Duration = 30 * time.Second
	require.InEpsilon(t, 1000/1.2, float64(Capacity(s)), 0.12)
}

func TestOverTheRequestQuota(t *testing.T) {
	o := Run(reference(20_000))
	require.Equal(t, "requests", o.FirstQuota())
	require.Greater(t, o.ThrottledShare(), 0.2)
}

// Connecting faster than 500 a second is refused and spread by the backoff.
func TestConnectStorm(t *testing.T) {
	s := reference(5000)
	s.ConnectOver, s.Duration = time.Second, 60*time.Second
	s.EditEvery, s.PresenceEvery = 0, 0
	o := Run(s)
	require.Equal(t, 5000, o.Connects)
	require.Positive(t, o.ConnectsRefused)
	require.Equal(t, "connects", o.FirstQuota())
	require.GreaterOrEqual(t, o.AllConnected, 9*time.Second, "500 a second after a burst of 500")
}

// Environments are added 1,000 at a time.
func TestConcurrencyRamp(t *testing.T) {
	p := pool{q: Quotas{Concurrency: 5000, RampStep: 1000, RampEvery: 10 * time.Second}}
	started := 0
	try := func(now float64) {
		for {
			if _, ok := p.start(now); !ok {
				return
			}
			started++
		}
	}
	try(0)
	require.Equal(t, 1000, started)
	try(9.9)
	require.Equal(t, 1000, started)
	for now := 10.0; now < 100; now += 10 {
		try(now)
	}
	require.Equal(t, 5000, started)
	p.end()
	cold, ok := p.start(100)
	require.True(t, ok)
	require.False(t, cold, "one that is free is used again")
}

func TestBucket(t *testing.T) {
	b := bucket{rate: 10, burst: 5, tokens: 5}
	n := 0
	for range 100 {
		if b.take(0) {
			n++
		}
	}
	require.Equal(t, 5, n)
	require.False(t, b.take(0.05))
	require.True(t, b.take(0.16))
}

// In a room of 1,000 one function's posts take their time; slices share it out.
func TestFanOut(t *testing.T) {
	s := Scenario{
		Users: 1000, RoomSize: 1000, EditEvery: 200 * time.Second, Duration: 20 * time.Second, PostsAtOnce: 16,
		Quotas: DefaultQuotas(), Latencies: DefaultLatencies(), Seed: 3,
	}
	one := Run(s)
	s.Slice = 100
	many := Run(s)
	require.Positive(t, one.Posts)
	require.Greater(t, one.DeliveryP99, 2*many.DeliveryP99)
}

// The latency draw has the median and tail it was asked for.
func TestLatency(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var all []float64
	for range 50_000 {
		all = append(all, Latency{10 * time.Millisecond, 4}.draw(r))
	}
	slices.Sort(all)
	require.InEpsilon(t, 0.010, all[len(all)/2], 0.03)
	require.InEpsilon(t, 0.040, all[len(all)*99/100], 0.06)
}
