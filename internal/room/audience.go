package room

import (
	"context"
	"math/bits"

	"github.com/symphony-rt/symphony/internal/protocol"
)

// listMembers returns the members of a room.
func (s *Service) listMembers(ctx context.Context, room ID) ([]Member, error) {
	return s.Members.List(ctx, room)
}

// without returns list less one connection.
func without(list []Member, conn ConnectionID) []Member {
	return filter(list, func(m *Member) bool { return m.Connection != conn })
}

// symphonyOnly returns the members that said hello.
func symphonyOnly(list []Member) []Member {
	return filter(list, func(m *Member) bool { return m.Symphony })
}

// plainOnly returns the members that did not (yet) say hello.
func plainOnly(list []Member) []Member {
	return filter(list, func(m *Member) bool { return !m.Symphony })
}

// allowed returns the members whose access is not revoked: one whose
// connection could not be closed gets nothing more either way.
func (v *visit) allowed(list []Member) []Member {
	return filter(list, func(m *Member) bool { return !v.Meta.Denied[m.User.ID] })
}

// near returns those of others with whom conn shares presence: all of them up to
// protocol.LargeRoom, and in a larger room about that many, picked by a hash of
// each pair. So presence costs a bounded number of posts however large the room
// is; who sees whom is mutual, the same in every function, and changes little
// as members come and go.
func near(conn ConnectionID, others []Member) []Member {
	if len(others) <= protocol.LargeRoom {
		return others
	}
	// pairHash < 2^64 * LargeRoom / len(others)
	below, _ := bits.Div64(protocol.LargeRoom, 0, uint64(len(others)))
	own := hash(conn)
	return filter(others, func(m *Member) bool { return mix(own^hash(m.Connection)) < below })
}

// hash is FNV-1a: functions that share no memory must agree on it.
func hash(conn ConnectionID) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(conn) {
		h = (h ^ uint64(conn[i])) * 1099511628211
	}
	return mix(h)
}

// mix spreads the bits of h evenly (the finalizer of MurmurHash3).
func mix(h uint64) uint64 {
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}

// filter returns the members that keep wants, which is list itself when it wants
// all of them: the usual case, and a member is a large value.
func filter(list []Member, keep func(*Member) bool) []Member {
	n := 0
	for n < len(list) && keep(&list[n]) {
		n++
	}
	if n == len(list) {
		return list[:n:n]
	}
	var kept []Member
	for i := n + 1; i < len(list); i++ {
		if !keep(&list[i]) {
			continue
		}
		if kept == nil {
			kept = append(make([]Member, 0, n+len(list)-i), list[:n]...)
		}
		kept = append(kept, list[i])
	}
	if kept == nil {
		return list[:n:n]
	}
	return kept
}
