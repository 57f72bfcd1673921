package simulate

import (
	"math"
	"math/rand/v2"
	"time"
)

// Quotas are the account's, in one Region.
type Quotas struct {
	// RequestRate and RequestBurst: "Amazon API Gateway quotas", throttle quota
	// per account; a connect, a message and a post are one each.
	RequestRate, RequestBurst float64
	// ConnectRate: "Quotas for configuring and running a WebSocket API".
	ConnectRate float64
	// Concurrency is the account's concurrent executions; RampStep more
	// environments may be added every RampEvery ("Lambda function scaling":
	// 1,000 every 10 seconds for each function).
	Concurrency, RampStep int
	RampEvery             time.Duration
}

// DefaultQuotas are a new account's after it asked for nothing but Lambda's
// usual 1,000 concurrent executions.
func DefaultQuotas() Quotas {
	return Quotas{RequestRate: 10_000, RequestBurst: 5_000, ConnectRate: 500, Concurrency: 1_000, RampStep: 1_000, RampEvery: 10 * time.Second}
}

// Latency is a log-normal distribution: its median, and how many times the
// median its 99th percentile is.
type Latency struct {
	Median time.Duration
	Tail   float64
}

// z99 is the 99th percentile of the standard normal distribution.
const z99 = 2.3263

func (l Latency) draw(r *rand.Rand) float64 {
	return l.Median.Seconds() * math.Exp(r.NormFloat64()*math.Log(l.Tail)/z99)
}

// Latencies of one request of each kind. The numbers are assumptions in the
// range that AWS and others publish; the tables do not hang on them, the quotas
// do.
type Latencies struct {
	Gateway, Admit, Append, List, Post, Cold Latency
}

// DefaultLatencies are those of the tables.
func DefaultLatencies() Latencies {
	return Latencies{
		Gateway: Latency{8 * time.Millisecond, 4},
		Admit:   Latency{4 * time.Millisecond, 4},
		Append:  Latency{5 * time.Millisecond, 4},
		List:    Latency{4 * time.Millisecond, 4},
		Post:    Latency{9 * time.Millisecond, 4},
		Cold:    Latency{120 * time.Millisecond, 3},
	}
}
