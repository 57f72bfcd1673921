package cost

import "fmt"

// Profile is a load: so many people at once, for so long.
type Profile struct {
	Name string
	// Users are connected at the same time, Room of them in each room.
	Users, Room float64
	// Hours of that in a month.
	Hours float64
	// Edits and Presences are messages a second, of each user.
	Edits, Presences float64
}

// Twenty is the load that Symphony is built for: 20,000 people, four in a room,
// an edit each ten seconds and a presence update each five.
var Twenty = Profile{Name: "20,000 people", Users: 20_000, Room: 4, Hours: 1, Edits: 0.1, Presences: 0.2}

// sessionHours is how long a connection lasts: API Gateway ends it after two.
const sessionHours = 2

// Part is a share of a profile's usage, by what it is for.
type Part struct {
	Name  string
	Usage Usage
}

// Parts are what the profile uses, by what it is for.
func (a Assumptions) Parts(p Profile) []Part {
	seconds := p.Hours * 3600
	rooms := p.Users / p.Room
	editing := 0.0
	if p.Edits > 0 {
		editing = 1
	}
	each := 30 * p.Edits * p.Room // edits between two checkpoints of a room
	return []Part{
		{"being connected", Usage{ConnectionMinute: p.Users * p.Hours * 60}},
		{"joining and leaving", a.Session(p.Room).Times(p.Users * p.Hours / sessionHours)},
		{"edits", a.Edit(p.Room).Times(p.Users * p.Edits * seconds)},
		{"presence", a.Presence(p.Room).Times(p.Users * p.Presences * seconds)},
		{"checkpoints", a.Checkpoint(each).Times(rooms * seconds / 30 * editing).Plus(ScheduleMinute().Times(p.Hours * 60 * editing))},
	}
}

// Use is all of the profile's usage.
func (a Assumptions) Use(p Profile) Usage {
	all := Usage{}
	for _, part := range a.Parts(p) {
		all = all.Plus(part.Usage)
	}
	return all
}

// Rates are what a profile asks of AWS's quotas, per second.
type Rates struct {
	// Requests are messages in and posts out: every call that counts towards the
	// account's throttle.
	Requests float64
	// Connections is how many are new, when all renew within two hours.
	Connections float64
	// Concurrency is how many invocations run at the same time.
	Concurrency float64
	// Writes and Reads are DynamoDB's request units.
	Writes, Reads float64
}

// Rates returns the steady rates of p.
func (a Assumptions) Rates(p Profile) Rates {
	in := p.Users * (p.Edits + p.Presences)
	p.Hours = 1
	use := a.Use(p)
	return Rates{
		Requests:    in * p.Room, // itself and a post to each of the others
		Connections: p.Users / (sessionHours * 3600),
		Concurrency: p.Users * (p.Edits*a.EditMs + p.Presences*a.PresenceMs) / 1000,
		Writes:      use[WriteUnit] / 3600,
		Reads:       use[ReadUnit] / 3600,
	}
}

// Validate refuses what is no load.
func (p Profile) Validate() error {
	if p.Users < 1 || p.Room < 1 || p.Users < p.Room || p.Hours < 0 || p.Hours > 744 || p.Edits < 0 || p.Presences < 0 {
		return fmt.Errorf("cost: %+v is no load: at least one person, rooms no larger than everybody, up to 744 hours a month", p)
	}
	return nil
}
