package loadtest

import (
	"fmt"
	"math"
)

// What AWS asks in us-east-1 (aws.amazon.com/api-gateway/pricing, lambda/pricing
// and dynamodb/pricing/on-demand, 2025).
const (
	dollarsPerMessage    = 1.00 / 1e6
	dollarsPerMinute     = 0.25 / 1e6
	dollarsPerInvocation = 0.20 / 1e6
	dollarsPerWrite      = 0.625 / 1e6
	dollarsPerRead       = 0.125 / 1e6
	// messageUnit: every 32 KB of a message are billed as one.
	messageUnit = 32 << 10
)

// billed is what a run costs on a deployment, before it runs.
type billed struct {
	messages, invocations, writes, reads, minutes float64
}

func billOf(p *Profile) (b billed) {
	users, rooms := float64(p.Users), float64(p.Rooms())
	others := float64(p.RoomSize - 1)
	seconds := p.Duration.Seconds()
	edits, presences := 0.0, 0.0
	if p.EditEvery > 0 {
		rate := seconds / p.EditEvery.Seconds()
		if p.Step > 0 { // the highest rates are most of it
			steps := math.Floor(seconds / p.Step.Seconds())
			rate = p.Step.Seconds() / p.EditEvery.Seconds() * (math.Pow(p.Growth, steps) - 1) / (p.Growth - 1)
		}
		edits = users * rate
	}
	if p.PresenceEvery > 0 {
		presences = users * seconds / p.PresenceEvery.Seconds()
	}
	fills := math.Ceil(float64(p.DocumentBytes)/maxText) * rooms
	joins := users*(1+p.Churn*seconds/60) + math.Min(float64(p.Sample), rooms)
	units := math.Ceil(float64(p.EditBytes+100) * 4 / 3 / messageUnit)
	b.messages = edits*(2+others)*units + fills*(2+others) + presences*(1+others) + joins*(2+2*others)
	b.invocations = edits + fills + presences + joins*4
	b.writes = edits + fills + joins*4
	b.reads = (edits+fills+presences)*3 + joins*10
	b.minutes = users * (p.Ramp.Seconds()/2 + p.Settle.Seconds() + seconds + p.Drain.Seconds()) / 60
	return b
}

// billing says it.
func billing(p *Profile) string {
	b := billOf(p)
	dollars := b.messages*dollarsPerMessage + b.minutes*dollarsPerMinute + b.invocations*dollarsPerInvocation +
		b.writes*dollarsPerWrite + b.reads*dollarsPerRead
	return fmt.Sprintf("on AWS this is about %.0f billed messages, %.0f connection minutes, %.0f invocations, %.0f writes, %.0f reads: about $%.2f and the functions' time\n",
		b.messages, b.minutes, b.invocations, b.writes, b.reads, dollars)
}
