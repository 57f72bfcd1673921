package gateway

import (
	"math/rand/v2"
	"sync"
	"time"
)

// chaos makes the random choices of Config.Chaos.
type chaos struct {
	config Chaos

	mu  sync.Mutex
	rng *rand.Rand
}

// chaosStream separates this use of the seed from others'.
const chaosStream = 0x6761746577617921

func newChaos(config Chaos) *chaos {
	return &chaos{config: config, rng: rand.New(rand.NewPCG(config.Seed, chaosStream))}
}

// delay is how long to hold a message back; 0 for not at all.
func (c *chaos) delay() time.Duration {
	if c.config.Shuffle <= 0 {
		return 0
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return 1 + time.Duration(c.rng.Int64N(int64(c.config.Shuffle)))
}

func (c *chaos) dropDisconnect() bool {
	return c.chance(c.config.DropDisconnect)
}

// kill says whether a function dies before it has answered, and how long after
// it began: up to killWithin, which a message rarely takes longer than.
func (c *chaos) kill() (after time.Duration, dies bool) {
	if !c.chance(c.config.KillMessage) {
		return 0, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return time.Duration(c.rng.Int64N(int64(killWithin))), true
}

const killWithin = 3 * time.Millisecond

func (c *chaos) chance(share float64) bool {
	if share <= 0 {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.rng.Float64() < share
}
