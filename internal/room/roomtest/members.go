package roomtest

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/room"
)

// RunMembers runs the contract of room.Members, for a handle that also has
// room.Metas: an admission carries both.
func RunMembers(t *testing.T, h Harness) {
	for _, c := range []struct {
		name string
		run  func(t *testing.T, s *store)
	}{
		{"added, listed, updated, removed", membersLife},
		{"every field comes back, reopened and crashed", membersFields},
		{"an unknown connection", membersUnknown},
		{"the room looked up by connection", membersLookUp},
		{"adding a connection again replaces it", membersReplaced},
		{"an admission has the room's record", membersAdmit},
		{"a list is strongly consistent (G2)", membersConsistent},
		{"members expire (no $disconnect ever came)", membersExpire},
		{"a room with many members", membersMany},
		{"of two removals one wins", membersRemoveRace},
		{"a context that has ended", membersContext},
		{"rooms do not leak into each other", membersIsolation},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t, h)) })
	}
}

func (s *store) member(conn room.ConnectionID) room.Member {
	return room.Member{
		Connection: conn, User: room.User{ID: "user of " + string(conn), Name: "Näme"},
		Access: room.AccessWrite, ConnectedAt: s.clock.Now(),
	}
}

// listMembers returns the room's members in the order of their connections.
func listMembers(t testing.TB, p Ports, id room.ID) []room.Member {
	t.Helper()
	list, err := p.Members.List(t.Context(), id)
	require.NoError(t, err)
	for i := range list {
		list[i].ConnectedAt = list[i].ConnectedAt.UTC()
	}
	slices.SortFunc(list, func(a, b room.Member) int { return cmp.Compare(a.Connection, b.Connection) })
	return list
}

func wantMembers(t testing.TB, p Ports, id room.ID, want ...room.Member) {
	t.Helper()
	require.Equal(t, append([]room.Member{}, want...), append([]room.Member{}, listMembers(t, p, id)...))
}

func wantMember(t testing.TB, want, got room.Member) {
	t.Helper()
	got.ConnectedAt = got.ConnectedAt.UTC()
	require.Equal(t, want, got)
}

func membersLife(t *testing.T, s *store) {
	a, b := s.member("a"), s.member("L0SM9cOFvHcCIhw=")
	wantMembers(t, s.Ports, theRoom)
	require.NoError(t, s.Members.Add(t.Context(), theRoom, a))
	require.NoError(t, s.Members.Add(t.Context(), theRoom, b))
	wantMembers(t, s.Ports, theRoom, b, a)
	a.Symphony, a.Client = true, 4711
	require.NoError(t, s.Members.Update(t.Context(), theRoom, a))
	wantMembers(t, s.Ports, theRoom, b, a)
	adm, err := s.Members.Remove(t.Context(), theRoom, "a")
	require.NoError(t, err)
	require.Equal(t, theRoom, adm.Room)
	wantMember(t, a, adm.Member)
	wantMembers(t, s.Ports, theRoom, b)
	_, err = s.Members.Remove(t.Context(), theRoom, "a")
	require.ErrorIs(t, err, room.ErrUnknownConnection, "removed twice")
	_, err = s.Members.Remove(t.Context(), theRoom, b.Connection)
	require.NoError(t, err)
	wantMembers(t, s.Ports, theRoom)
}

func membersFields(t *testing.T, s *store) {
	full := room.Member{
		Connection: "c=", User: room.User{ID: "id#1/ü", Name: "N\x00\"😀"}, Access: room.AccessRead,
		Client: 1<<53 - 1, Tabs: []uint64{7, 1<<53 - 1, 0}, Symphony: true, ConnectedAt: s.clock.Now().Add(-time.Hour - 7*time.Millisecond),
	}
	bare := room.Member{Connection: "bare", ConnectedAt: s.clock.Now()}
	require.NoError(t, s.Members.Add(t.Context(), theRoom, full))
	require.NoError(t, s.Members.Add(t.Context(), theRoom, bare))
	s.reopen()
	wantMembers(t, s.Ports, theRoom, bare, full)
	s.crash()
	wantMembers(t, s.Ports, theRoom, bare, full)
	adm, err := s.Members.Admit(t.Context(), theRoom, "c=")
	require.NoError(t, err)
	wantMember(t, full, adm.Member)
}

func membersUnknown(t *testing.T, s *store) {
	require.NoError(t, s.Members.Add(t.Context(), theRoom, s.member("here")))
	for _, id := range []room.ID{"", theRoom, "elsewhere"} {
		_, err := s.Members.Admit(t.Context(), id, "gone")
		require.ErrorIs(t, err, room.ErrUnknownConnection, "admit in %q", id)
		_, err = s.Members.Remove(t.Context(), id, "gone")
		require.ErrorIs(t, err, room.ErrUnknownConnection, "remove from %q", id)
	}
	require.ErrorIs(t, s.Members.Update(t.Context(), theRoom, s.member("gone")), room.ErrUnknownConnection)
	wantMembers(t, s.Ports, theRoom, s.member("here"))
	_, err := s.Members.Admit(t.Context(), "elsewhere", "here")
	require.ErrorIs(t, err, room.ErrUnknownConnection, "a member of another room")
	require.ErrorIs(t, s.Members.Update(t.Context(), "elsewhere", s.member("here")), room.ErrUnknownConnection)
	_, err = s.Members.Remove(t.Context(), "elsewhere", "here")
	require.ErrorIs(t, err, room.ErrUnknownConnection)
	wantMembers(t, s.Ports, theRoom, s.member("here"))
	wantMembers(t, s.Ports, "elsewhere")
}

func membersLookUp(t *testing.T, s *store) {
	a, b := s.member("a"), s.member("b")
	require.NoError(t, s.Members.Add(t.Context(), "one", a))
	require.NoError(t, s.Members.Add(t.Context(), "two#b", b))
	s.reopen()
	adm, err := s.Members.Admit(t.Context(), "", "b")
	require.NoError(t, err)
	require.EqualValues(t, "two#b", adm.Room)
	wantMember(t, b, adm.Member)
	adm, err = s.Members.Remove(t.Context(), "", "a")
	require.NoError(t, err)
	require.EqualValues(t, "one", adm.Room)
	wantMember(t, a, adm.Member)
	wantMembers(t, s.Ports, "one")
	_, err = s.Members.Admit(t.Context(), "", "a")
	require.ErrorIs(t, err, room.ErrUnknownConnection)
	_, err = s.Members.Remove(t.Context(), "", "a")
	require.ErrorIs(t, err, room.ErrUnknownConnection)
	wantMembers(t, s.Ports, "two#b", b)
}

func membersReplaced(t *testing.T, s *store) {
	a := s.member("a")
	a.Symphony, a.Client = true, 9
	require.NoError(t, s.Members.Add(t.Context(), theRoom, a))
	again := s.member("a")
	again.User = room.User{ID: "other"}
	again.Access = room.AccessRead
	require.NoError(t, s.Members.Add(t.Context(), theRoom, again))
	wantMembers(t, s.Ports, theRoom, again)
	_, err := s.Members.Remove(t.Context(), theRoom, "a")
	require.NoError(t, err)
	wantMembers(t, s.Ports, theRoom)
}

func membersAdmit(t *testing.T, s *store) {
	a := s.member("a")
	require.NoError(t, s.Members.Add(t.Context(), theRoom, a))
	adm, err := s.Members.Admit(t.Context(), theRoom, "a")
	require.NoError(t, err)
	require.Equal(t, theRoom, adm.Room)
	wantMember(t, a, adm.Member)
	wantMeta(t, room.Meta{}, adm.Meta)

	other := s.another()
	m := fullMeta(s.clock.Now())
	require.NoError(t, other.Metas.Swap(t.Context(), theRoom, m))
	m.Version = 1
	for _, id := range []room.ID{theRoom, ""} {
		adm, err = s.Members.Admit(t.Context(), id, "a")
		require.NoError(t, err)
		wantMeta(t, m, adm.Meta)
		wantMember(t, a, adm.Member)
	}
	adm.Meta.Denied["mallory"] = true
	adm.Meta.Superseded[0].By = 4711
	wantMeta(t, m, getMeta(t, s.Ports, theRoom))
}

func membersConsistent(t *testing.T, s *store) {
	other := s.another()
	require.NoError(t, inParallel(6, func(i int) error {
		m := s.member(room.ConnectionID(fmt.Sprint("c", i)))
		for round := range 8 {
			writer, reader := s.Ports, other
			if round%2 == 0 {
				writer, reader = other, s.Ports
			}
			if err := writer.Members.Add(t.Context(), theRoom, m); err != nil {
				return err
			}
			has := func() (bool, error) {
				list, err := reader.Members.List(t.Context(), theRoom)
				return slices.ContainsFunc(list, func(o room.Member) bool { return o.Connection == m.Connection }), err
			}
			if in, err := has(); err != nil || !in {
				return fmt.Errorf("not listed after Add: %w", err)
			}
			if _, err := writer.Members.Remove(t.Context(), theRoom, m.Connection); err != nil {
				return err
			}
			if in, err := has(); err != nil || in {
				return fmt.Errorf("listed after Remove: %w", err)
			}
		}
		return nil
	}))
}

func membersExpire(t *testing.T, s *store) {
	early := s.member("early")
	require.NoError(t, s.Members.Add(t.Context(), theRoom, early))
	s.clock.Advance(time.Hour)
	late := s.member("late")
	require.NoError(t, s.Members.Add(t.Context(), theRoom, late))
	s.clock.Advance(room.MemberTTL - time.Hour - time.Minute)
	wantMembers(t, s.Ports, theRoom, early, late)
	s.clock.Advance(2 * time.Minute)
	wantMembers(t, s.Ports, theRoom, late)
	// Saying hello does not make a connection live longer.
	late.Symphony = true
	require.NoError(t, s.Members.Update(t.Context(), theRoom, late))
	s.clock.Advance(time.Hour)
	wantMembers(t, s.Ports, theRoom)
}

func membersMany(t *testing.T, s *store) {
	const n = 150
	require.NoError(t, inParallel(8, func(w int) error {
		for i := w; i < n; i += 8 {
			m := s.member(room.ConnectionID(fmt.Sprintf("c%03d", i)))
			m.User.Name = fmt.Sprintf("%08000d", i) // more than one page of any store
			if err := s.Members.Add(t.Context(), theRoom, m); err != nil {
				return err
			}
		}
		return nil
	}))
	list := listMembers(t, s.Ports, theRoom)
	require.Len(t, list, n)
	for i, m := range list {
		require.EqualValues(t, fmt.Sprintf("c%03d", i), m.Connection)
	}
}

func membersRemoveRace(t *testing.T, s *store) {
	handles := []Ports{s.Ports, s.another()}
	require.NoError(t, s.Members.Add(t.Context(), theRoom, s.member("a")))
	removed := make([]int, 6)
	require.NoError(t, inParallel(len(removed), func(i int) error {
		_, err := handles[i%2].Members.Remove(t.Context(), "", "a")
		if errors.Is(err, room.ErrUnknownConnection) {
			return nil
		}
		removed[i] = 1
		return err
	}))
	total := 0
	for _, n := range removed {
		total += n
	}
	require.Equal(t, 1, total, "who removes it is told what it was, nobody else")
}

func membersContext(t *testing.T, s *store) {
	a := s.member("a")
	require.NoError(t, s.Members.Add(t.Context(), theRoom, a))
	ctx := canceled()
	err := s.Members.Add(ctx, theRoom, s.member("b"))
	require.True(t, isUnavailable(err), "add: %v", err)
	err = s.Members.Update(ctx, theRoom, s.member("a"))
	require.True(t, isUnavailable(err), "update: %v", err)
	_, err = s.Members.Remove(ctx, theRoom, "a")
	require.True(t, isUnavailable(err), "remove: %v", err)
	_, err = s.Members.List(ctx, theRoom)
	require.True(t, isUnavailable(err), "list: %v", err)
	_, err = s.Members.Admit(ctx, theRoom, "a")
	require.True(t, isUnavailable(err), "admit: %v", err)
	wantMembers(t, s.Ports, theRoom, a)
}

func membersIsolation(t *testing.T, s *store) {
	ids := s.trickyRooms()
	for i, id := range ids {
		require.NoError(t, s.Members.Add(t.Context(), id, s.member(room.ConnectionID(fmt.Sprint("c", i)))))
	}
	s.reopen()
	for i, id := range ids {
		conn := room.ConnectionID(fmt.Sprint("c", i))
		wantMembers(t, s.Ports, id, s.member(conn))
		adm, err := s.Members.Admit(t.Context(), "", conn)
		require.NoError(t, err)
		require.Equal(t, id, adm.Room)
	}
	for i := 0; i < len(ids); i += 2 {
		_, err := s.Members.Remove(t.Context(), ids[i], room.ConnectionID(fmt.Sprint("c", i)))
		require.NoError(t, err)
	}
	for i, id := range ids {
		require.Len(t, listMembers(t, s.Ports, id), i%2)
	}
}
