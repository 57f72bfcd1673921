package roomtest

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/room"
)

// RunMetas runs the contract of room.Metas.
func RunMetas(t *testing.T, h Harness) {
	for _, c := range []struct {
		name string
		run  func(t *testing.T, s *store)
	}{
		{"a room without a record", metasNone},
		{"every field comes back, reopened and crashed", metasFields},
		{"a stale version loses", metasStale},
		{"of two swappers one wins", metasRace},
		{"counting by compare-and-swap", metasCount},
		{"Unclean lists what is not clean", metasUnclean},
		{"memory is not shared", metasAliasing},
		{"a context that has ended", metasContext},
		{"rooms do not leak into each other", metasIsolation},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t, h)) })
	}
}

func getMeta(t testing.TB, p Ports, id room.ID) room.Meta {
	t.Helper()
	m, err := p.Metas.Get(t.Context(), id)
	require.NoError(t, err)
	return m
}

// wantMeta compares two records as the domain does: times by instant, nil and
// empty alike.
func wantMeta(t testing.TB, want, got room.Meta) {
	t.Helper()
	require.Equal(t, plainMeta(want), plainMeta(got))
}

func plainMeta(m room.Meta) room.Meta {
	utc := func(v *time.Time) {
		if v.IsZero() {
			*v = time.Time{}
			return
		}
		*v = v.UTC()
	}
	utc(&m.Created)
	utc(&m.LastCheckpoint)
	utc(&m.StateAt)
	m.Superseded = append([]room.Superseded{}, m.Superseded...)
	for i := range m.Superseded {
		utc(&m.Superseded[i].At)
	}
	denied := map[string]bool{}
	for user, is := range m.Denied {
		if is {
			denied[user] = true
		}
	}
	m.Denied = denied
	return m
}

func fullMeta(now time.Time) room.Meta {
	m := room.Meta{
		Epoch: "0123456789abcdef", Created: now,
		Snapshot:       room.SnapshotRef{Key: "rooms/x/snapshots/7-n", Seq: 1<<53 - 1, Size: 123456789, SHA256: [32]byte{1, 2, 31: 255}},
		LastCheckpoint: now.Add(time.Second),
		Trimmed:        1<<40 + 1,
		Erased:         1<<41 + 1,
		State:          room.Cleaning,
		StateAt:        now.Add(3 * time.Millisecond),
		Denied:         map[string]bool{"user#1": true, "ü/\x00'\"": true, "a": true},
	}
	for i := range room.MaxSuperseded {
		m.Superseded = append(m.Superseded, room.Superseded{
			Ref: room.SnapshotRef{Key: fmt.Sprint("key", i), Seq: room.Seq(i), Size: int64(i), SHA256: [32]byte{byte(i)}},
			By:  room.Seq(i + 1), At: now.Add(time.Duration(i) * time.Minute),
		})
	}
	return m
}

func metasNone(t *testing.T, s *store) {
	wantMeta(t, room.Meta{}, getMeta(t, s.Ports, theRoom))
	err := s.Metas.Swap(t.Context(), theRoom, room.Meta{Version: 1})
	require.ErrorIs(t, err, room.ErrConflict, "there is no version 1 to replace")
	require.Zero(t, getMeta(t, s.Ports, theRoom).Version)
}

func metasFields(t *testing.T, s *store) {
	want := fullMeta(s.clock.Now())
	require.NoError(t, s.Metas.Swap(t.Context(), theRoom, want))
	want.Version = 1
	wantMeta(t, want, getMeta(t, s.Ports, theRoom))
	s.reopen()
	wantMeta(t, want, getMeta(t, s.Ports, theRoom))

	// Every field can also be emptied again.
	require.NoError(t, s.Metas.Swap(t.Context(), theRoom, room.Meta{Version: 1, Epoch: "e"}))
	s.crash()
	wantMeta(t, room.Meta{Version: 2, Epoch: "e"}, getMeta(t, s.Ports, theRoom))
}

func metasStale(t *testing.T, s *store) {
	other := s.another()
	require.NoError(t, s.Metas.Swap(t.Context(), theRoom, room.Meta{Epoch: "1"}))
	require.ErrorIs(t, other.Metas.Swap(t.Context(), theRoom, room.Meta{Epoch: "x"}), room.ErrConflict, "created twice")
	require.NoError(t, other.Metas.Swap(t.Context(), theRoom, room.Meta{Version: 1, Epoch: "2"}))
	require.ErrorIs(t, s.Metas.Swap(t.Context(), theRoom, room.Meta{Version: 1, Epoch: "x"}), room.ErrConflict)
	require.ErrorIs(t, s.Metas.Swap(t.Context(), theRoom, room.Meta{Version: 3, Epoch: "x"}), room.ErrConflict)
	wantMeta(t, room.Meta{Version: 2, Epoch: "2"}, getMeta(t, s.Ports, theRoom))
}

func metasRace(t *testing.T, s *store) {
	handles := []Ports{s.Ports, s.another()}
	for version := range uint64(10) {
		won := make([]bool, 6)
		require.NoError(t, inParallel(len(won), func(i int) error {
			err := handles[i%2].Metas.Swap(t.Context(), theRoom, room.Meta{Version: version, Epoch: fmt.Sprint(i)})
			won[i] = err == nil
			if errors.Is(err, room.ErrConflict) {
				return nil
			}
			return err
		}))
		winner := slices.Index(won, true)
		require.GreaterOrEqual(t, winner, 0, "one wins")
		require.NotContains(t, won[winner+1:], true, "only one wins")
		wantMeta(t, room.Meta{Version: version + 1, Epoch: fmt.Sprint(winner)}, getMeta(t, s.Ports, theRoom))
	}
}

func metasCount(t *testing.T, s *store) {
	handles := []Ports{s.Ports, s.another(), s.another()}
	const each = 6
	require.NoError(t, inParallel(len(handles), func(i int) error {
		for done := 0; done < each; {
			m, err := handles[i].Metas.Get(t.Context(), theRoom)
			if err != nil {
				return err
			}
			m.Trimmed++
			switch err := handles[i].Metas.Swap(t.Context(), theRoom, m); {
			case err == nil:
				done++
			case !errors.Is(err, room.ErrConflict):
				return err
			}
		}
		return nil
	}))
	m := getMeta(t, s.Ports, theRoom)
	require.EqualValues(t, each*len(handles), m.Trimmed, "no increment is lost")
	require.EqualValues(t, each*len(handles), m.Version)
}

func unclean(t testing.TB, p Ports) map[room.ID]bool {
	t.Helper()
	found := map[room.ID]bool{}
	require.NoError(t, p.Metas.Unclean(t.Context(), func(id room.ID) error {
		found[id] = true
		return nil
	}))
	return found
}

// wantUnclean waits for Unclean to say want: it may be eventually consistent.
func wantUnclean(t testing.TB, p Ports, want ...room.ID) {
	t.Helper()
	set := map[room.ID]bool{}
	for _, id := range want {
		set[id] = true
	}
	var got map[room.ID]bool
	for range 200 {
		if got = unclean(t, p); maps.Equal(set, got) {
			return
		}
		time.Sleep(50 * time.Millisecond)
	}
	require.Equal(t, set, got)
}

func metasUnclean(t *testing.T, s *store) {
	wantUnclean(t, s.Ports)
	swap := func(id room.ID, version uint64, state room.DirtyState) {
		t.Helper()
		require.NoError(t, s.Metas.Swap(t.Context(), id, room.Meta{Version: version, State: state}))
	}
	swap("clean", 0, room.Clean)
	swap("dirty", 0, room.Dirty)
	swap("cleaning", 0, room.Cleaning)
	wantUnclean(t, s.Ports, "dirty", "cleaning")
	swap("dirty", 1, room.Cleaning)
	swap("cleaning", 1, room.Clean)
	swap("clean", 1, room.Dirty)
	wantUnclean(t, s.Ports, "dirty", "clean")
	s.crash()
	wantUnclean(t, s.Ports, "dirty", "clean")

	stop := errors.New("stop")
	require.ErrorIs(t, s.Metas.Unclean(t.Context(), func(room.ID) error { return stop }), stop)

	var many []room.ID
	for i := range 60 {
		id := room.ID(fmt.Sprintf("room/%d", i))
		many = append(many, id)
		swap(id, 0, room.Dirty)
	}
	wantUnclean(t, s.Ports, append(many, "dirty", "clean")...)
}

func metasAliasing(t *testing.T, s *store) {
	m := fullMeta(s.clock.Now())
	require.NoError(t, s.Metas.Swap(t.Context(), theRoom, m))
	spoil := func(m room.Meta) {
		m.Denied["mallory"] = true
		m.Superseded[0].By = 4711
	}
	spoil(m)
	spoil(getMeta(t, s.Ports, theRoom))
	want := fullMeta(s.clock.Now())
	want.Version = 1
	wantMeta(t, want, getMeta(t, s.Ports, theRoom))
}

func metasContext(t *testing.T, s *store) {
	ctx := canceled()
	_, err := s.Metas.Get(ctx, theRoom)
	require.True(t, isUnavailable(err), "get: %v", err)
	err = s.Metas.Swap(ctx, theRoom, room.Meta{})
	require.True(t, isUnavailable(err), "swap: %v", err)
	err = s.Metas.Unclean(ctx, func(room.ID) error { return nil })
	require.True(t, isUnavailable(err), "unclean: %v", err)
	require.Zero(t, getMeta(t, s.Ports, theRoom).Version)
}

func metasIsolation(t *testing.T, s *store) {
	ids := s.trickyRooms()
	for i, id := range ids {
		require.NoError(t, s.Metas.Swap(context.Background(), id, room.Meta{Epoch: fmt.Sprint(i), State: room.Dirty}))
	}
	s.reopen()
	for i, id := range ids {
		wantMeta(t, room.Meta{Version: 1, Epoch: fmt.Sprint(i), State: room.Dirty}, getMeta(t, s.Ports, id))
	}
	wantUnclean(t, s.Ports, ids...)
}
