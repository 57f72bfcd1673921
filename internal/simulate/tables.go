package simulate

import (
	"fmt"
	"strings"
	"time"
)

// Tables runs the scenarios of docs/SCALING.md and returns them as Markdown.
// A run is seeded, so the same program gives the same text.
func Tables() string {
	var b strings.Builder
	b.WriteString("### Which quota is reached first\n\n")
	b.WriteString("| scenario | wanted requests/s | refusals per 100 | first quota | peak concurrency | delivery p50 | p99 |\n|---|--:|--:|---|--:|--:|--:|\n")
	for _, s := range scenarios() {
		o := Run(s)
		first := o.FirstQuota()
		if first == "" {
			first = "none"
		}
		fmt.Fprintf(&b, "| %s | %.0f | %.1f | %s | %d | %s | %s |\n", s.Name, o.Wanted, o.ThrottledShare()*100, first, o.PeakConcurrency, o.DeliveryP50, o.DeliveryP99)
	}
	b.WriteString("\n### How many users an account with the default quotas serves\n\n")
	b.WriteString("| each user sends | requests/s for each | users |\n|---|--:|--:|\n")
	for _, c := range capacities() {
		per := c.wantedPerUser()
		fmt.Fprintf(&b, "| %s | %.2f | %d |\n", c.Name, per, Capacity(c))
	}
	b.WriteString("\n### Everybody connects again\n\n")
	b.WriteString("| users | all within | all back after | refused attempts |\n|---|--:|--:|--:|\n")
	for _, users := range []int{5_000, 20_000, 100_000} {
		s := base("", users)
		s.EditEvery, s.PresenceEvery = 0, 0
		s.ConnectOver, s.Duration = 5*time.Second, 20*time.Minute
		o := Run(s)
		fmt.Fprintf(&b, "| %d | 5 s | %s | %d |\n", users, o.AllConnected.Round(time.Second), o.ConnectsRefused)
	}
	b.WriteString("\n### One edit in a large room\n\n")
	b.WriteString("| members | posts by | delivery p50 | p99 | last |\n|---|---|--:|--:|--:|\n")
	for _, members := range []int{100, 1_000, 10_000} {
		for _, slice := range []int{0, 250} {
			if slice >= members {
				continue
			}
			s := base("", members)
			s.RoomSize, s.PresenceEvery, s.Slice = members, 0, slice
			s.EditEvery, s.Duration = time.Duration(members)*5*time.Second, 30*time.Second // one edit every 5 s in the room
			s.Quotas.RequestRate, s.Quotas.RequestBurst = 100_000, 50_000
			o := Run(s)
			who := "the message's function alone"
			if slice > 0 {
				who = fmt.Sprintf("functions, %d members each (as built)", slice)
			}
			fmt.Fprintf(&b, "| %d | %s | %s | %s | %s |\n", members, who, o.DeliveryP50, o.DeliveryP99, o.DeliveryMax)
		}
	}
	b.WriteString("\n### A large room in which everybody has a cursor\n\n")
	b.WriteString("| members | presence | posted to | wanted requests/s | refusals per 100 |\n|---|---|---|--:|--:|\n")
	for _, members := range []int{100, 300, 1_000} {
		for _, p := range []struct {
			name     string
			every    time.Duration
			audience int
		}{{"one per 100 ms", 100 * time.Millisecond, 0}, {"one per n² / 2,000 s, 10 s at most", pace(members), 0}, {"the same (as built)", pace(members), 100}} {
			s := base("", members)
			s.RoomSize, s.EditEvery, s.PresenceEvery, s.Audience, s.Duration = members, 0, p.every, p.audience, 5*time.Second
			to := "all others"
			if p.audience > 0 {
				to = "about 100"
			}
			o := Run(s)
			fmt.Fprintf(&b, "| %d | %s | %s | %.0f | %.1f |\n", members, p.name, to, o.Wanted, o.ThrottledShare()*100)
		}
	}
	return b.String()
}

// pace is docs/PROTOCOL.md's: how often a client sends its presence at most.
func pace(members int) time.Duration {
	return min(10*time.Second, time.Duration(members*members)*time.Second/2_000)
}

// base is the reference profile under the default quotas.
func base(name string, users int) Scenario {
	return Scenario{
		Name: name, Users: users, RoomSize: 4, EditEvery: 10 * time.Second, PresenceEvery: 5 * time.Second, Duration: 20 * time.Second,
		PostsAtOnce: 32, Quotas: DefaultQuotas(), Latencies: DefaultLatencies(), Seed: 2024,
	}
}

func scenarios() []Scenario {
	var all []Scenario
	add := func(s Scenario, change func(*Scenario)) {
		if change != nil {
			change(&s)
		}
		all = append(all, s)
	}
	add(base("8,000 users, default quotas", 8_000), nil)
	add(base("20,000 users, default quotas", 20_000), nil)
	add(base("20,000 users, presence per 20 s", 20_000), func(s *Scenario) { s.PresenceEvery = 20 * time.Second })
	add(base("20,000 users, edits merged to one per 20 s, presence per 20 s", 20_000), func(s *Scenario) {
		s.EditEvery, s.PresenceEvery = 20*time.Second, 20*time.Second
	})
	add(base("20,000 users, 30,000 requests/s granted", 20_000), func(s *Scenario) { raise(s, 30_000, 1_000) })
	add(base("100,000 users, 150,000 requests/s granted", 100_000), func(s *Scenario) { raise(s, 150_000, 1_000) })
	add(base("100,000 users, 150,000 requests/s, concurrency 5,000", 100_000), func(s *Scenario) { raise(s, 150_000, 5_000) })
	add(base("1,000,000 users, one account: 1,500,000 requests/s, concurrency 50,000 (a tenth simulated)", 100_000), func(s *Scenario) {
		raise(s, 150_000, 5_000) // a tenth of everything
	})
	add(base("20,000 users typing (an edit per 0.5 s, merged at 50 ms), no presence", 20_000), func(s *Scenario) {
		s.EditEvery, s.PresenceEvery, s.Duration = 500*time.Millisecond, 0, 5*time.Second
	})
	return all
}

func raise(s *Scenario, requests float64, concurrency int) {
	s.Quotas.RequestRate, s.Quotas.RequestBurst, s.Quotas.Concurrency = requests, requests/2, concurrency
}

func capacities() []Scenario {
	list := []Scenario{
		base("an edit per 10 s, a presence per 5 s, rooms of 4", 0),
		base("an edit per 10 s, a presence per 20 s, rooms of 4", 0),
		base("an edit per 10 s, no presence, rooms of 4", 0),
		base("the first, rooms of 2", 0),
		base("the first, rooms of 8", 0),
		base("typing: merged at 50 ms, 5 updates a second, rooms of 4", 0),
		base("typing: merged at 500 ms, 2 updates a second, rooms of 4", 0),
	}
	list[1].PresenceEvery = 20 * time.Second
	list[2].PresenceEvery = 0
	list[3].RoomSize, list[4].RoomSize = 2, 8
	list[5].EditEvery, list[5].PresenceEvery = 200*time.Millisecond, 0
	list[6].EditEvery, list[6].PresenceEvery = 500*time.Millisecond, 0
	return list
}

func (s *Scenario) wantedPerUser() float64 {
	one := *s
	one.Users = 1
	w := world{s: one}
	return w.wanted()
}
