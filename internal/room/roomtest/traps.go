package roomtest

import (
	"bytes"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/faultstore"
	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/yjs"
)

// RunTraps runs a test for each mistake that others made who built the same:
// what would go wrong with it is tried, on this store. Two more traps are in
// test/awslocal, because they lie in the gateway: browser code that sends one
// 40 KB frame, and a local emulator that accepts what the real gateway refuses.
func RunTraps(t *testing.T, h Harness) {
	for _, trap := range []struct {
		name string
		run  func(s *session)
	}{
		{"BroadcastBeforePersist (G1, N1)", trapBroadcastBeforePersist},
		{"RebuildingTheDocumentForEveryMessage (P27)", trapRebuilding},
		{"TheWholeLogInOneItem (P23)", trapOneItem},
		{"SyncStep2AppliedButNotStored (P20, P23)", trapStep2NotStored},
		{"DeleteThenPutCompaction (G6, P28)", trapDeleteThenPut},
		{"Step1ToEveryone (P27)", trapStep1ToEveryone},
		{"PostingFromInsideConnect (N11)", trapPostInConnect},
		{"DeletingAMemberWhoseConnectHasNotReturned (P22)", trapGoneWhileConnecting},
		{"TrustingDisconnectToArrive (P3, P26)", trapNoDisconnect},
	} {
		t.Run(trap.name, func(t *testing.T) {
			trap.run(newSession(newStage(t, func(t testing.TB, clock *Clock) Ports {
				p := h.New(t, clock).Open(t)
				if p.Close != nil {
					t.Cleanup(func() { require.NoError(t, p.Close()) })
				}
				p.Uploads = nil // not every store has them
				return p
			}, nil)))
		})
	}
}

// has demands that a document has an update.
func (s *session) has(doc, update []byte, what string) {
	s.t.Helper()
	ok, err := yjs.Contains(doc, update)
	require.NoError(s.t, err)
	require.True(s.t, ok, what)
}

// during returns how many calls of each name do makes.
func (s *session) during(do func()) map[string]int {
	before := s.faults.Counts()
	do()
	after := s.faults.Counts()
	for name := range after {
		if after[name] -= before[name]; after[name] == 0 {
			delete(after, name)
		}
	}
	return after
}

// Broadcast before persist: one 410 then loses the update. Whoever is posted
// to, the log has the update already; a peer that is gone changes nothing.
func trapBroadcastBeforePersist(s *session) {
	ann, bob, cat := s.symphony("ann", 1), s.plain("bob", 2), s.symphony("cat", 3)
	for _, c := range s.clients {
		c.connect()
	}
	bob.drop()
	posts := 0
	update := ann.text.Insert("x")
	s.faults.SetGate(func(c faultstore.Call) func() {
		if c.Name == "Sender.Post" {
			posts++
			s.has(s.document(), update, "posted before it is stored")
		}
		return func() {}
	})
	ann.edit(update)
	s.faults.SetGate(nil)
	require.NotZero(s.t, posts)
	require.Equal(s.t, [][]byte{update}, s.acknowledged)
	s.drain(cat)
	s.has(cat.document(), update, "the others get it, though one was gone")

	// When it cannot be stored, nobody is told.
	s.faults.Inject(faultstore.Named("Log.Append", 0, faultstore.Fault{Before: true}))
	require.NotContains(s.t, s.during(func() { ann.edit(ann.text.Insert("y")) }), "Sender.Post")
	require.Len(s.t, s.acknowledged, 1)
}

// Rebuilding the document for every message: what an edit and a presence update
// read does not depend on the document.
func trapRebuilding(s *session) {
	ann, bob := s.symphony("ann", 1), s.plain("bob", 2)
	ann.connect()
	bob.connect()
	var costs []map[string]int
	for range 2 { // in an almost empty room, and in a large one
		ann.edit(ann.text.Insert("x")) // marks the room
		for _, do := range []func(){
			func() { ann.edit(ann.text.Insert("y")) },
			func() { bob.edit(bob.text.Insert("z")) },
			func() { _, _ = ann.receive(&protocol.Awareness{Update: Presence(1, uint64(len(costs)+2), `{}`)}) },
		} {
			cost := s.during(do)
			for _, name := range []string{"Log.Read", "Snapshots.Get", "Snapshots.Open", "Snapshots.List"} {
				require.NotContains(s.t, cost, name)
			}
			costs = append(costs, cost)
		}
		for range 20 {
			ann.edit(ann.text.Insert(string(make([]byte, 20_000))))
		}
		require.NoError(s.t, s.service.Checkpoint(s.t.Context(), s.room))
		s.pump()
	}
	require.Equal(s.t, costs[:3], costs[3:])
}

// The whole log in one item: DynamoDB's has 400 KB at most.
func trapOneItem(s *session) {
	ann := s.symphony("ann", 1)
	ann.connect()
	for range 25 {
		ann.edit(ann.text.Insert(string(make([]byte, 20_000))))
	}
	large := ann.text.Insert(string(make([]byte, 450_000))) // one update is over the limit alone
	_, err := s.ports.Log.Append(s.t.Context(), s.room, 0, room.Update{Data: large})
	require.NoError(s.t, err)
	require.Len(s.t, s.acknowledged, 25)
	entries := logAfter(s.t, s.ports, s.room, 0)
	require.Len(s.t, entries, 26)
	require.True(s.t, bytes.Equal(large, entries[25].Data))
	cat := s.plain("cat", 3)
	cat.connect()
	for i, u := range append(s.acknowledged, large) {
		s.has(cat.document(), u, fmt.Sprint("a joiner lacks update ", i))
	}
}

// Applying sync step 2 without storing it: edits made offline are then gone
// with the last who was there.
func trapStep2NotStored(s *session) {
	bob := s.plain("bob", 2)
	offline := bob.text.Insert("offline")
	bob.edit(offline)
	bob.connect()
	s.pump() // the server's step 1, and bob's step 2
	bob.drop()
	require.NoError(s.t, s.service.Leave(s.t.Context(), s.room, bob.connection()))
	s.has(s.document(), offline, "what step 2 brought is not stored")
	cat := s.symphony("cat", 3)
	cat.connect()
	s.has(cat.document(), offline, "a later joiner lacks it")
}

// Delete-then-put compaction: before each call a checkpoint makes, and were it
// the last one, the room can be read and has everything.
func trapDeleteThenPut(s *session) {
	ann := s.symphony("ann", 1)
	ann.connect()
	var seen []string
	s.faults.SetGate(func(c faultstore.Call) func() {
		seen = append(seen, c.Name)
		doc := s.document()
		for _, u := range s.acknowledged {
			s.has(doc, u, "the document is not whole before "+c.Name)
		}
		return func() {}
	})
	for range 3 {
		ann.edit(ann.text.Insert("x"))
		for range 2 {
			require.NoError(s.t, s.service.Checkpoint(s.t.Context(), s.room))
			s.overGrace()
		}
	}
	for _, name := range []string{"Snapshots.Put", "Metas.Swap", "Snapshots.Archive", "Log.Trim", "Snapshots.Delete"} {
		require.Contains(s.t, seen, name)
	}
	require.Less(s.t, slices.Index(seen, "Snapshots.Put"), slices.Index(seen, "Snapshots.Delete"))
}

// Sending step 1 to everyone: each then answers with its whole state. Only who
// asks to sync is asked back, with one message.
func trapStep1ToEveryone(s *session) {
	ann, bob, dan := s.plain("ann", 1), s.symphony("bob", 2), s.plain("dan", 4)
	for _, c := range []client{ann, bob, dan} {
		c.connect()
	}
	s.pump()
	step1 := func(c client) (n int) {
		for _, m := range s.gateway.Take(c.connection()) {
			if _, ok := m.(*protocol.SyncStep1); ok {
				n++
			}
		}
		return n
	}
	cat := s.plain("cat", 3)
	cat.open()
	_, err := cat.receive(&protocol.SyncStep1{StateVector: VectorOf(s.t, EmptyUpdate)})
	require.NoError(s.t, err)
	require.Equal(s.t, 1, step1(cat))
	bob.edit(bob.text.Insert("x"))
	for _, c := range []client{ann, bob, dan} {
		require.Zero(s.t, step1(c), c.name())
	}
}

// Posting from inside $connect: the gateway answers 410, because the connection
// is not there before $connect has returned.
func trapPostInConnect(s *session) {
	ann := s.symphony("ann", 1)
	ann.connect()
	ann.edit(ann.text.Insert("x"))
	calls := s.during(func() {
		from := room.Origin{Connection: "new" + room.ConnectionID(s.room), Room: s.room, Access: room.AccessWrite, ConnectedAt: s.clock.Now()}
		require.NoError(s.t, s.service.Join(s.t.Context(), s.room, memberOf(from)))
	})
	require.NotContains(s.t, calls, "Sender.Post")
	require.NotContains(s.t, calls, "Sender.Disconnect")
	require.Empty(s.t, s.gateway.Take(ann.connection()), "nor are others told before it is there")
}

// Deleting a member on a 410 that came only because its $connect had not
// returned yet: it would never hear of anything.
func trapGoneWhileConnecting(s *session) {
	ann := s.symphony("ann", 1)
	ann.connect()
	from := room.Origin{
		Connection: "new" + room.ConnectionID(s.room), Room: s.room, User: room.User{ID: "new"}, Access: room.AccessWrite, ConnectedAt: s.clock.Now(),
	}
	require.NoError(s.t, s.service.Join(s.t.Context(), s.room, memberOf(from)))
	early := ann.text.Insert("early")
	ann.edit(early) // 410: the gateway does not know "new" yet
	s.clock.Advance(room.ConnectGrace / 2)
	ann.edit(ann.text.Insert("still early"))
	s.gateway.Open(from.Connection)
	late := ann.text.Insert("late")
	ann.edit(late)
	got, _ := inboxOf(s.gateway.Take(from.Connection))
	require.Equal(s.t, [][]byte{late}, got, "it is still a member")
	answer, err := s.send(from, &protocol.SyncStep1{StateVector: VectorOf(s.t, EmptyUpdate)})
	require.NoError(s.t, err)
	s.has(answer.(*protocol.SyncStep2).Update, early, "what it missed meanwhile comes with its sync")

	// A connection that is gone after that is gone.
	s.gateway.Close(from.Connection)
	s.clock.Advance(room.ConnectGrace + time.Second)
	ann.edit(ann.text.Insert("x"))
	list, err := s.ports.Members.List(s.t.Context(), s.room)
	require.NoError(s.t, err)
	require.Len(s.t, list, 1)
}

// Trusting $disconnect to arrive: members whose never comes go by themselves.
func trapNoDisconnect(s *session) {
	ann, bob, cat := s.symphony("ann", 1), s.symphony("bob", 2), s.plain("cat", 3)
	for _, c := range s.clients {
		c.connect()
	}
	s.pump()
	left := bob.connection()
	bob.drop()
	s.clock.Advance(room.ConnectGrace + time.Second)
	ann.edit(ann.text.Insert("x"))
	members := func() (conns []room.ConnectionID) {
		list, err := s.ports.Members.List(s.t.Context(), s.room)
		require.NoError(s.t, err)
		for _, m := range list {
			conns = append(conns, m.Connection)
		}
		return conns
	}
	require.ElementsMatch(s.t, []room.ConnectionID{ann.connection(), cat.connection()}, members())
	told := false
	for _, m := range s.gateway.Take(ann.connection()) {
		if m, ok := m.(*protocol.PeerLeft); ok && m.Connection == string(left) {
			told = true
		}
	}
	require.True(s.t, told, "its peers are told, as by a $disconnect")

	// Nobody posts to them: after the longest a connection can last they are gone.
	s.clock.Advance(room.MemberTTL + time.Minute)
	require.Empty(s.t, members())
	_, err := s.service.Receive(s.t.Context(), cat.from, protocol.EncodeFrameString(&protocol.SyncStep1{StateVector: []byte{0}}))
	require.ErrorIs(s.t, err, room.ErrUnknownConnection)
}
