package dashboard

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/directory"
	"github.com/symphony-rt/symphony/internal/room"
)

// P31: totals, order, search and pages equal those of a list that is counted,
// sorted and cut by hand, whatever was put and removed before.
func TestTableEqualsTheDirectory(t *testing.T) {
	const seed = 11
	t.Logf("seed %d", seed)
	dice := rand.New(rand.NewPCG(seed, seed))
	c := NewCatalog()
	truth := map[room.ID]directory.Entry{}
	now, grown := noon, int64(0)
	for round := range 40 {
		now = now.Add(2 * time.Second)
		for range 60 {
			id := roomName(dice.IntN(300))
			if dice.IntN(8) == 0 {
				c.Remove(id)
				delete(truth, id)
				continue
			}
			e := truth[id]
			n := uint64(dice.IntN(5))
			e = entry(id, dice.IntN(3), e.Updates+n, now.Add(-time.Duration(dice.IntN(5000))*time.Second))
			grown += int64(n)
			c.Put(e, now)
			truth[id] = e
		}
		total := Totals{Rooms: len(truth)}
		var all []directory.Entry
		for _, e := range truth {
			all = append(all, e)
			total.Connections += e.Connections(now)
			total.Updates += e.Updates
			if e.Active(now) {
				total.Active++
			}
		}
		require.Equal(t, total, c.Totals(now))
		require.Equal(t, grown, c.Growth().Edits, "it only grows")

		column := slices.Sorted(func(yield func(string) bool) {
			for k := range compare {
				if !yield(k) {
					return
				}
			}
		})[dice.IntN(len(compare))]
		q := Query{Sort: column, Descending: dice.IntN(2) == 0, Size: 1 + dice.IntN(40), ActiveOnly: dice.IntN(3) == 0}
		if dice.IntN(2) == 0 {
			q.Text = fmt.Sprint("OM-0000", dice.IntN(30))
		}
		slices.SortFunc(all, func(a, b directory.Entry) int {
			n := compare[column](&a, &b, a.Connections(now), b.Connections(now))
			if q.Descending {
				n = -n
			}
			return cmp.Or(n, cmp.Compare(a.Room, b.Room))
		})
		var want []room.ID
		for _, e := range all {
			if strings.Contains(string(e.Room), strings.ToLower(q.Text)) && (!q.ActiveOnly || e.Active(now)) {
				want = append(want, e.Room)
			}
		}
		var got []room.ID
		for page := 0; ; page++ {
			q.Page = page
			p, err := c.Rooms(q, now)
			require.NoError(t, err)
			require.Equal(t, len(want), p.Matched)
			require.Equal(t, len(truth), p.Total)
			for _, r := range p.Rows {
				got = append(got, r.Room)
			}
			if len(got) >= len(want) {
				break
			}
		}
		require.Equal(t, want, got, "round %d: %+v", round, q)
	}
}

// A member whose end was never reported stops counting by itself, without any
// change of its room.
func TestConnectionsExpireByThemselves(t *testing.T) {
	c := NewCatalog()
	c.Put(entry("plan", 2, 1, noon), noon)
	require.Equal(t, Totals{Rooms: 1, Active: 1, Connections: 2, Updates: 1}, c.Totals(noon))
	require.Equal(t, Totals{Rooms: 1, Updates: 1}, c.Totals(noon.Add(room.MemberTTL+2*directory.Step)))
}

// A deleted room keeps an entry, so that it does not come back; it is no room
// any more until somebody uses it again.
func TestDeletedRoomsAreNoRooms(t *testing.T) {
	c := NewCatalog()
	e := entry("plan", 0, 5, noon)
	c.Put(e, noon)
	e.Erased = 6
	e.Updates = 6
	c.Put(e, noon)
	require.Zero(t, c.Totals(noon).Rooms)
	e.Updates = 7
	c.Put(e, noon)
	require.Equal(t, 1, c.Totals(noon).Rooms)
}

func TestHistoryIsBounded(t *testing.T) {
	c := NewCatalog()
	for i := range 10_000 {
		c.Put(entry("plan", 0, uint64(i), noon), noon.Add(time.Duration(i)*2*time.Second))
	}
	points := c.History("plan")
	require.LessOrEqual(t, len(points), maxPoints)
	require.Zero(t, points[0].Versions, "it reaches back to the beginning")
	require.EqualValues(t, 9999, points[len(points)-1].Versions)
	for i := range maxHistories + 10 {
		c.Put(entry(roomName(i), 0, 1, noon), noon)
	}
	require.LessOrEqual(t, len(c.history.rooms), maxHistories)
}

// listed is a directory in a table.
type listed struct {
	mu      sync.Mutex
	entries map[room.ID]directory.Entry
	reads   map[bool]int
}

func (l *listed) List(_ context.Context, active bool, fn func(directory.Entry) error) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.reads[active]++
	for _, e := range l.entries {
		if e.Active(noon) == active {
			if err := fn(e); err != nil {
				return err
			}
		}
	}
	return nil
}

func (l *listed) put(e directory.Entry) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.entries[e.Room] = e
}

// The catalog follows a directory in a table: what changes, what becomes idle,
// what goes; the idle ones are read seldom, and nothing while nobody looks.
func TestFollow(t *testing.T) {
	l := &listed{entries: map[room.ID]directory.Entry{}, reads: map[bool]int{}}
	l.put(entry("a", 1, 5, noon))
	l.put(entry("b", 0, 7, noon))
	c, clock := NewCatalog(), &fixedClock{now: noon}
	var mu sync.Mutex
	looking, asked := true, 0
	wanted := func() bool {
		mu.Lock()
		defer mu.Unlock()
		asked++
		return looking
	}
	require.NoError(t, Follow(t.Context(), c, l, Pace{Active: time.Millisecond, All: time.Hour}, clock, wanted, slog.New(slog.DiscardHandler)))
	require.Equal(t, Totals{Rooms: 2, Active: 1, Connections: 1, Updates: 12}, c.Totals(noon))
	require.Zero(t, c.Growth().Edits, "what was there before is no growth")

	becomes := func(want Totals) {
		t.Helper()
		require.Eventually(t, func() bool { return c.Totals(noon) == want }, time.Minute, time.Millisecond)
	}
	l.put(entry("a", 2, 6, noon))
	becomes(Totals{Rooms: 2, Active: 1, Connections: 2, Updates: 13})
	l.mu.Lock()
	require.Equal(t, 1, l.reads[false], "idle rooms are not read again for that")
	l.mu.Unlock()
	l.put(entry("a", 0, 6, noon))
	becomes(Totals{Rooms: 2, Updates: 13})
	l.mu.Lock()
	delete(l.entries, "b")
	l.mu.Unlock()
	clock.step(time.Hour)
	becomes(Totals{Rooms: 1, Updates: 6})

	askedAgain := func() {
		mu.Lock()
		looking, asked = false, 0
		mu.Unlock()
		require.Eventually(t, func() bool { mu.Lock(); defer mu.Unlock(); return asked > 3 }, time.Minute, time.Millisecond)
	}
	askedAgain() // a reading that had begun is over
	l.mu.Lock()
	before := l.reads[true]
	l.mu.Unlock()
	askedAgain()
	l.mu.Lock()
	defer l.mu.Unlock()
	require.Equal(t, before, l.reads[true])
}

// BenchmarkHundredThousandRooms is one refresh of the table while rooms change.
func BenchmarkHundredThousandRooms(b *testing.B) {
	c := NewCatalog()
	dice := rand.New(rand.NewPCG(1, 1))
	for i := range 100_000 {
		c.Put(entry(roomName(i), i%20/19, uint64(dice.IntN(1e6)), noon.Add(-time.Duration(dice.IntN(1e9)))), noon)
	}
	for _, column := range []string{ColumnLastActive, ColumnName, ColumnUsers} {
		b.Run(column, func(b *testing.B) {
			now := noon
			for i := 0; b.Loop(); i++ {
				now = now.Add(2 * time.Second)
				c.Put(entry(roomName(i%100_000), 1, uint64(i), now), now)
				_, err := c.Rooms(Query{Sort: column, Descending: true, Text: "99", Page: 3}, now)
				require.NoError(b, err)
			}
		})
	}
}
