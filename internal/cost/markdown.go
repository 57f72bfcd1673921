package cost

import (
	"fmt"
	"strings"
)

// Markdown writes docs/COST.md.
func Markdown(l PriceList, a Assumptions) string {
	w := &writer{list: l, assume: a}
	w.line("# What Symphony costs")
	w.line("")
	w.line("Written by `make cost` from `internal/cost` (a test fails when it is old). It is a model: the calls of each action are")
	w.line("those the code makes, the unit prices are AWS's for %s as published on %s, and sizes and durations are", l.Region, l.Date)
	w.line("assumptions (below), not measurements on AWS. Free tiers of new accounts, taxes and support are left out.")
	w.idle()
	w.hour()
	w.edits()
	w.twenty()
	w.presence()
	w.watching()
	w.assumptions()
	w.prices()
	return w.String()
}

type writer struct {
	strings.Builder
	list   PriceList
	assume Assumptions
}

func (w *writer) line(format string, args ...any) { fmt.Fprintf(&w.Builder, format+"\n", args...) }

func (w *writer) title(text string) { w.line("\n## %s\n", text) }

// money writes small amounts with the digits that matter.
func money(x float64) string {
	switch {
	case x == 0:
		return "$0"
	case x < 1:
		return fmt.Sprintf("$%.4f", x)
	case x < 100:
		return fmt.Sprintf("$%.2f", x)
	}
	return "$" + thousands(fmt.Sprintf("%.0f", x))
}

// thousands puts commas into a whole number.
func thousands(s string) string {
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

func amount(x float64) string {
	if x >= 1000 {
		return thousands(fmt.Sprintf("%.0f", x))
	}
	return fmt.Sprintf("%.3g", x)
}

func (w *writer) idle() {
	w.title("Idle")
	w.line("Nothing runs and nothing is reserved, so an idle deployment costs what it stores. The schedule of checkpoints is off while")
	w.line("no room is edited. The alarms watch ten metrics and there is one dashboard: an account has ten and three for nothing")
	w.line("(further stages: `-c alarms=false -c dashboard=false`, or $1.00 a month each for the alarms).\n")
	w.line("| rooms kept, of %s of document each | a month |\n|---|---|", amount(w.assume.SnapshotBytes/1000)+" kB")
	for _, rooms := range []float64{0, 1000, 100_000} {
		w.line("| %s | %s |", amount(rooms), money(w.list.Total(w.assume.Stored(rooms))))
	}
}

// one is a person in a room of so many, for an hour, at the rates of Twenty.
func one(room float64) Profile {
	p := Twenty
	p.Users, p.Room = room, room
	return p
}

func (w *writer) hour() {
	w.title("One person for one hour")
	w.line("An edit every ten seconds, a presence update every five; the schedule's own minute shared by the people of 100 rooms.\n")
	w.line("| room of | total | edits | presence | rest |\n|---|---|---|---|---|")
	for _, room := range []float64{1, 4, 10, 25, 100} {
		p := one(room)
		p.Users *= 100
		parts := w.assume.Parts(p)
		each := func(u Usage) float64 { return w.list.untiered().Total(u) / p.Users }
		total := each(w.assume.Use(p))
		edits, presence := each(parts[2].Usage), each(parts[3].Usage)
		w.line("| %.0f | %s | %s | %s | %s |", room, money(total), money(edits), money(presence), money(total-edits-presence))
	}
	w.line("\nA post to each of the others is what counts: the cost of a person grows with the room, that of a room with its square.")
	w.line("While any room is edited the schedule itself costs %s an hour for the whole deployment, mostly for the wait", money(w.list.Total(ScheduleMinute().Times(60))))
	w.line("between the two sweeps of a minute.")
}

func (w *writer) edits() {
	w.title("A thousand edits")
	w.line("| in a room of | 1,000 edits | 1,000 presence updates |\n|---|---|---|")
	for _, room := range []float64{1, 2, 4, 10, 25, 100} {
		w.line("| %.0f | %s | %s |", room, money(w.list.Total(w.assume.Edit(room).Times(1000))), money(w.list.Total(w.assume.Presence(room).Times(1000))))
	}
	w.line("\nIt does not depend on the size of the document: an edit reads and writes only itself, the room's record and its members.")
	w.line("The room directory, which an edit does not wait for, is part of it: a write of the room's entry and one of its copy in the")
	w.line("index, %s for a thousand. It is counted for every edit, which is the most: all edits of a room within a batch, a second or", money(w.list.Total(Usage{WriteUnit: 2 * 1000})))
	w.line("500 changes, share one.")
}

func (w *writer) twenty() {
	w.title("20,000 people at once")
	w.line("Rooms of four, an edit every ten seconds and a presence update every five from each.\n")
	w.line("| for | an hour | share |\n|---|---|---|")
	total := w.list.Total(w.assume.Use(Twenty))
	for _, part := range w.assume.Parts(Twenty) {
		x := w.list.Total(part.Usage)
		w.line("| %s | %s | %.0f %% |", part.Name, money(x), 100*x/total)
	}
	w.line("| **all** | **%s** | |\n", money(total))
	w.line("| of which | used in an hour | an hour |\n|---|---|---|")
	for _, line := range w.list.Bill(w.assume.Use(Twenty)) {
		w.line("| %s | %s | %s |", w.list.Prices[line.Unit].Unit, amount(line.Used), money(line.Amount))
	}
	month := Twenty
	month.Hours = 8 * 22
	w.line("\nEight hours on each of 22 days are %s a month, %s for each of the 20,000 (from a thousand million messages on they",
		money(w.list.Total(w.assume.Use(month))), money(w.list.Total(w.assume.Use(month))/month.Users))
	w.line("are cheaper). What it asks of AWS's quotas is in [DEPLOY.md](DEPLOY.md#quotas).")
}

func (w *writer) presence() {
	w.title("What merging and throttling of presence save")
	w.line("A pointer that moves makes some 60 events a second. The client merges what changes within 100 ms into one update, and")
	w.line("sends more slowly in large rooms. One person whose pointer moves for ten seconds of each minute, for an hour:\n")
	w.line("| presence updates while the pointer moves | messages in | room of 4 | room of 25 |\n|---|---|---|---|")
	for _, c := range []struct {
		name string
		rate float64
	}{
		{"60 a second: every event", 60}, {"10 a second: merged for 100 ms (default)", 10}, {"4 a second: throttled to 250 ms", 4},
		{"1 a second: throttled to 1 s", 1}, {"none", 0},
	} {
		n := c.rate * 600
		w.line("| %s | %s | %s | %s |", c.name, amount(n), money(w.list.Total(w.assume.Presence(4).Times(n))), money(w.list.Total(w.assume.Presence(25).Times(n))))
	}
	w.line("\nMerging for 100 ms saves five sixths; a second saves nine tenths of the rest. Edits are merged too (50 ms), which matters")
	w.line("less: people draw strokes and type words, but point all the time.")
}

func (w *writer) watching() {
	w.title("What watching costs")
	hour := w.assume.Use(Twenty)
	logs, traces := w.list.Prices[Log].Of(hour[Log]), w.list.Prices[Trace].Of(hour[Trace])
	w.line("Each message writes a line of the access log, and X-Ray samples one invocation in twenty. For 20,000 people that is %s an", money(logs))
	w.line("hour for lines and %s for traces, of %s. A large deployment can do without: `-c accessLogs=false`, `-c tracing=false`.", money(traces), money(w.list.Total(hour)))
	w.line("(Metrics by route and those of the stream function are some twenty-three custom metrics, up to $7 a month, by the hour in which")
	w.line("something happens; the model leaves them out.)")
}

func (w *writer) assumptions() {
	a := w.assume
	w.title("Assumptions")
	w.line("| what | value |\n|---|---|")
	for _, row := range []struct {
		what, value string
	}{
		{"an edit on the wire; presence; an acknowledgement", fmt.Sprintf("%.0f; %.0f; %.0f bytes", a.EditBytes, a.PresenceBytes, a.AckBytes)},
		{"a log entry, a member in the table", fmt.Sprintf("%.0f, %.0f bytes", a.EntryBytes, a.MemberBytes)},
		{"a document", fmt.Sprintf("%.0f kB", a.SnapshotBytes/1000)},
		{"the message function for an edit, for presence", fmt.Sprintf("%.0f, %.0f ms at %.0f MB", a.EditMs, a.PresenceMs, MessageGB*1024)},
		{"authorize, connect, disconnect, stream", fmt.Sprintf("%.0f, %.0f, %.0f, %.0f ms at %.0f MB", a.AuthorizeMs, a.ConnectMs, a.DisconnectMs, a.StreamMs, SmallGB*1024)},
		{"a checkpoint's work on a room, eight at a time", fmt.Sprintf("%.0f ms at %.0f MB", a.CheckpointMs, CheckpointGB*1024)},
		{"rooms in one batch of the stream function", fmt.Sprintf("%.0f", a.SharedBatch)},
		{"a connection", fmt.Sprintf("%d hours, then the next", sessionHours)},
		{"a line of the access log", fmt.Sprintf("%.0f bytes", a.AccessLogBytes)},
	} {
		w.line("| %s | %s |", row.what, row.value)
	}
}

func (w *writer) prices() {
	w.title("Prices")
	w.line("%s, %s, from `internal/cost/prices.json`.\n", w.list.Region, w.list.Date)
	w.line("| unit | price | source |\n|---|---|---|")
	for _, u := range Units {
		p := w.list.Prices[u]
		per := ""
		if p.Per != 1 {
			per = " per " + thousands(fmt.Sprintf("%.0f", p.Per))
		}
		more := ""
		if p.Above > 0 {
			more = fmt.Sprintf(" ($%g above %s a month)", p.Then, thousands(fmt.Sprintf("%.0f", p.Above)))
		}
		w.line("| %s | $%.10g%s%s | %s |", p.Unit, p.Price, per, more, p.Source)
	}
}
