package directory_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/directory"
	"github.com/symphony-rt/symphony/internal/room"
)

// seed of the random histories and deliveries.
const seed = 7

// truth is a room as it really is, and the changes that made it so.
type truth struct {
	id      room.ID
	now     time.Time
	meta    room.Meta
	members map[room.ConnectionID]room.Member
	log     []room.UpdateImage
	bytes   int64
	seq     room.Seq
	last    time.Time
	changes []directory.Record
}

func (r *truth) change(c room.Change) {
	c.Room, c.At = r.id, r.now
	r.changes = append(r.changes, directory.Record{At: directory.Position(fmt.Sprintf("%040d", len(r.changes)+1)), Change: c})
}

// step makes one random change.
func (r *truth) step(dice *rand.Rand) {
	r.now = r.now.Add(time.Duration(dice.IntN(int(4 * time.Minute))))
	if r.meta.Version == 0 {
		r.swap(func(m *room.Meta) { m.Created = r.now })
		return
	}
	conn := room.ConnectionID(fmt.Sprint("c", dice.IntN(8)))
	m, here := r.members[conn]
	switch k := dice.IntN(10); {
	case k < 4:
		r.seq++
		u := room.UpdateImage{Seq: r.seq, Size: dice.IntN(1000), At: r.now}
		r.log = append(r.log, u)
		r.bytes += int64(u.Size)
		r.last = r.now
		r.change(room.Change{Update: room.Images[room.UpdateImage]{New: &u}})
	case k < 6 && !here:
		m = room.Member{Connection: conn, ConnectedAt: r.now}
		r.members[conn] = m
		r.last = r.now
		r.change(room.Change{Member: room.Images[room.Member]{New: &m}})
	case k < 6 && m.ConnectedAt.Add(room.MemberTTL).Before(r.now) || k == 6 && here:
		// Left, or, long after it expired, dropped by the table.
		if r.now.Before(m.ConnectedAt.Add(room.MemberTTL)) {
			r.last = r.now
		}
		delete(r.members, conn)
		r.change(room.Change{Member: room.Images[room.Member]{Old: &m}})
	case k == 7 && here:
		hello := m
		hello.Symphony = true
		r.members[conn] = hello
		r.change(room.Change{Member: room.Images[room.Member]{Old: &m, New: &hello}})
	case k == 8:
		r.swap(func(m *room.Meta) {
			m.Snapshot = room.SnapshotRef{Key: fmt.Sprint(r.seq), Seq: r.seq, Size: int64(dice.IntN(5000))}
		})
	case k == 9 && len(r.log) > 0:
		for range 1 + dice.IntN(len(r.log)) {
			old := r.log[0]
			r.log = r.log[1:]
			r.change(room.Change{Update: room.Images[room.UpdateImage]{Old: &old}})
		}
	}
}

func (r *truth) swap(change func(m *room.Meta)) {
	old := r.meta
	change(&r.meta)
	r.meta.Version++
	next := r.meta
	images := room.Images[room.Meta]{New: &next}
	if old.Version > 0 {
		images.Old = &old
	}
	r.change(room.Change{Meta: images})
}

func (r *truth) check(t *testing.T, e directory.Entry) {
	t.Helper()
	logBytes := int64(0)
	for _, u := range r.log {
		logBytes += int64(u.Size)
	}
	require.Equal(t, r.id, e.Room)
	require.True(t, r.meta.Created.Equal(e.Created))
	require.True(t, r.last.Equal(e.LastActive), "%v, not %v", e.LastActive, r.last)
	require.EqualValues(t, r.seq, e.Updates)
	require.Equal(t, r.bytes, e.Bytes)
	require.EqualValues(t, len(r.log), e.LogEntries)
	require.Equal(t, logBytes+r.meta.Snapshot.Size, e.Size())
	for _, after := range []time.Duration{0, time.Hour, room.MemberTTL, 2 * room.MemberTTL} {
		now := r.now.Add(after)
		// A connection's end is known within a Step.
		least, most := 0, 0
		for _, m := range r.members {
			if m.ConnectedAt.Add(room.MemberTTL).After(now) {
				least++
			}
			if m.ConnectedAt.Add(room.MemberTTL + directory.Step).After(now) {
				most++
			}
		}
		require.GreaterOrEqual(t, e.Connections(now), least)
		require.LessOrEqual(t, e.Connections(now), most)
		require.Equal(t, e.Connections(now) > 0, e.Active(now))
	}
}

// flaky is a directory.Store whose writes fail, before or after their effect.
type flaky struct {
	mu      sync.Mutex
	dice    *rand.Rand
	entries map[room.ID]directory.Entry
	at      map[room.ID]directory.Position
}

func (f *flaky) Load(_ context.Context, id room.ID) (directory.Entry, directory.Position, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.dice.IntN(10) == 0 {
		return directory.Entry{}, "", room.ErrUnavailable
	}
	return f.entries[id], f.at[id], nil
}

func (f *flaky) Save(_ context.Context, e directory.Entry, from, to directory.Position) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	k := f.dice.IntN(10)
	if k == 0 {
		return room.ErrUnavailable
	}
	if f.at[e.Room] != from {
		return directory.ErrMoved
	}
	f.entries[e.Room], f.at[e.Room] = e, to
	if k == 1 {
		return room.ErrUnavailable
	}
	return nil
}

// TestCountersEqualTheTruth (P26): duplicates, retries from any point, batches
// given up that still run, rooms in any order among each other.
func TestCountersEqualTheTruth(t *testing.T) {
	t.Logf("seed %d", seed)
	for round := range uint64(20) {
		dice := rand.New(rand.NewPCG(seed, round))
		store := &flaky{dice: rand.New(rand.NewPCG(round, seed)), entries: map[room.ID]directory.Entry{}, at: map[room.ID]directory.Position{}}
		keeper := directory.NewKeeper(store)
		var rooms []*truth
		for i := range 5 {
			r := &truth{id: room.ID(fmt.Sprint("room ", i)), now: time.UnixMilli(1700000000000), members: map[room.ConnectionID]room.Member{}}
			for range 200 {
				r.step(dice)
			}
			rooms = append(rooms, r)
		}
		var wg sync.WaitGroup
		var applied sync.Map
		for _, i := range dice.Perm(len(rooms)) {
			r := rooms[i]
			for zombie := range 2 { // two functions that read the same shard
				dice := rand.New(rand.NewPCG(round, uint64(10*i+zombie)))
				wg.Go(func() {
					for next := 0; next < len(r.changes); {
						n := min(len(r.changes)-next, 1+dice.IntN(20))
						done, err := keeper.Apply(context.Background(), r.id, r.changes[next:next+n])
						for _, d := range done.Records {
							_, twice := applied.LoadOrStore(string(r.id)+string(d.At), true)
							if twice {
								t.Errorf("%s: %s reported as applied twice", r.id, d.At)
							}
						}
						switch {
						case err == nil:
							next += n
						case !errors.Is(err, room.ErrUnavailable):
							t.Errorf("apply: %v", err)
						}
						if next < len(r.changes) && dice.IntN(4) == 0 {
							next = dice.IntN(next + 1) // delivered again, from any point on
						}
					}
				})
			}
		}
		wg.Wait()
		for _, r := range rooms {
			r.check(t, store.entries[r.id])
		}
	}
}

func TestMemory(t *testing.T) {
	dice := rand.New(rand.NewPCG(seed, seed))
	m := directory.NewMemory()
	r := &truth{id: "r", now: time.UnixMilli(1700000000000), members: map[room.ConnectionID]room.Member{}}
	for range 300 {
		r.step(dice)
	}
	for _, c := range r.changes {
		m.Apply(c.Change)
	}
	e, ok := m.Get("r")
	require.True(t, ok)
	r.check(t, e)
	require.Len(t, m.List(), 1)
	_, ok = m.Get("other")
	require.False(t, ok)
}

// TestOneWriteForABatch: a room's changes that come together cost one write,
// however many they are.
func TestOneWriteForABatch(t *testing.T) {
	dice := rand.New(rand.NewPCG(seed, 1))
	store := &counting{}
	r := &truth{id: "r", now: time.UnixMilli(1700000000000), members: map[room.ConnectionID]room.Member{}}
	for range 200 {
		r.step(dice)
	}
	applied, err := directory.NewKeeper(store).Apply(t.Context(), r.id, r.changes)
	require.NoError(t, err)
	require.Len(t, applied.Records, len(r.changes))
	require.Equal(t, 1, store.saves)
	r.check(t, store.entry)
}

// P26: the changes that the lines of a stage are made of add up to the levels as
// of a room's last change, whatever came together and what was delivered twice.
func TestChangesOfLevelsAddUp(t *testing.T) {
	for round := range uint64(50) {
		dice := rand.New(rand.NewPCG(seed, round))
		store := &counting{}
		keeper := directory.NewKeeper(store)
		r := &truth{id: "r", now: time.UnixMilli(1700000000000), members: map[room.ConnectionID]room.Member{}}
		var rooms, active int64
		for range 200 {
			r.step(dice)
			from := max(0, len(r.changes)-1-dice.IntN(3))
			applied, err := keeper.Apply(t.Context(), r.id, r.changes[from:])
			require.NoError(t, err)
			rooms, active = rooms+applied.Rooms, active+applied.Active
			require.Equal(t, len(store.entry.Joined) > 0, active == 1, "seed %d, round %d", seed, round)
			require.Contains(t, []int64{0, 1}, active)
			if last := r.changes[len(r.changes)-1]; len(store.entry.Joined) == 0 || store.entry.Active(last.Change.At) {
				require.Equal(t, store.entry.There(last.Change.At), rooms == 1)
			}
		}
	}
}

type counting struct {
	entry directory.Entry
	at    directory.Position
	saves int
}

func (c *counting) Load(context.Context, room.ID) (directory.Entry, directory.Position, error) {
	return c.entry, c.at, nil
}

func (c *counting) Save(_ context.Context, e directory.Entry, _, to directory.Position) error {
	c.entry, c.at = e, to
	c.saves++
	return nil
}

// TestAnErasedRoomIsGoneUntilSomebodyEdits (P26): lists leave it out meanwhile.
func TestAnErasedRoomIsGoneUntilSomebodyEdits(t *testing.T) {
	m := directory.NewMemory()
	gone := func() bool {
		e, ok := m.Get("r")
		require.True(t, ok)
		return e.Gone()
	}
	edit := func(seq room.Seq) {
		m.Apply(room.Change{Room: "r", Update: room.Images[room.UpdateImage]{New: &room.UpdateImage{Seq: seq, Size: 1}}})
	}
	edit(1)
	edit(2) // this one deletes everything
	require.False(t, gone())
	m.Apply(room.Change{Room: "r", Meta: room.Images[room.Meta]{New: &room.Meta{Version: 2, Erased: 2}}})
	require.True(t, gone())
	edit(3)
	require.False(t, gone())
}
