package room

import "context"

// listMembers returns the members of a room.
func (s *Service) listMembers(ctx context.Context, room ID) ([]Member, error) {
	return s.Members.List(ctx, room)
}

// without returns list less one connection.
func without(list []Member, conn ConnectionID) []Member {
	return filter(list, func(m Member) bool { return m.Connection != conn })
}

// symphonyOnly returns the members that said hello.
func symphonyOnly(list []Member) []Member {
	return filter(list, func(m Member) bool { return m.Symphony })
}

// plainOnly returns the members that did not (yet) say hello.
func plainOnly(list []Member) []Member {
	return filter(list, func(m Member) bool { return !m.Symphony })
}

// allowed returns the members whose access is not revoked: one whose
// connection could not be closed gets nothing more either way.
func (v *visit) allowed(list []Member) []Member {
	return filter(list, func(m Member) bool { return !v.Meta.Denied[m.User.ID] })
}

func filter(list []Member, keep func(Member) bool) []Member {
	var kept []Member
	for _, m := range list {
		if keep(m) {
			kept = append(kept, m)
		}
	}
	return kept
}
