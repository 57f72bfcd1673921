package gateway

import (
	"sync"
	"time"
)

// bucket is a token bucket: it holds at most burst tokens and gains rate a
// second. Source: "Protect your WebSocket APIs in API Gateway"
// (websocket-api-protect.html).
type bucket struct {
	clock       Clock
	rate, burst float64

	mu     sync.Mutex
	tokens float64
	last   time.Time
}

func newBucket(clock Clock, rate, burst float64) *bucket {
	return &bucket{clock: clock, rate: rate, burst: burst, tokens: burst, last: clock.Now()}
}

// take takes one token and reports whether there was one.
func (b *bucket) take() bool {
	now := b.clock.Now()
	b.mu.Lock()
	defer b.mu.Unlock()
	if elapsed := now.Sub(b.last); elapsed > 0 {
		b.tokens = min(b.burst, b.tokens+elapsed.Seconds()*b.rate)
		b.last = now
	}
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
