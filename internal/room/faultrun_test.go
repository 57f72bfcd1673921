package room_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/faultstore"
	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/yjs"
)

// scripts are sessions that together come by everything the Service does.
var scripts = []struct {
	name string
	run  func(s *session)
}{{"editing", editing}, {"pasting", pasting}}

// step runs one thing a client does and lets the others see it.
func (s *session) step(do func()) {
	do()
	s.restart()
	s.pump()
}

func (s *session) edits(c client, update []byte) { s.step(func() { c.edit(update) }) }

func (s *session) tryCheckpoint() {
	s.step(func() { _ = s.service.Checkpoint(s.t.Context(), lobby) })
}

// editing: clients of both kinds join an empty and a full room, edit, lose
// their connection, edit offline, come back, resume past a trimmed log, leave;
// and checkpoints in between, which compact, archive, trim and clean.
func editing(s *session) {
	sam, sue := s.symphony("sam", 101), s.symphony("sue", 102)
	pat, pia := s.plain("pat", 201), s.plain("pia", 202)
	s.step(sam.connect)
	s.step(pat.connect)
	s.edits(sam, sam.text.Insert("s1"))
	s.edits(pat, pat.text.Insert("p1"))
	s.step(sue.connect)
	s.edits(sue, sue.text.Insert("u1"))
	s.tryCheckpoint()
	s.step(pia.connect)
	s.edits(pia, pia.text.Insert("i1"))

	// Two lose their connection, and edit all the same.
	pat.drop()
	sue.drop()
	s.edits(pat, pat.text.Insert("p2"))
	s.edits(sue, sue.text.Insert("u2"))
	s.clock.Advance(time.Minute)
	s.edits(sam, sam.text.Insert("s2")) // finds them gone
	s.step(pat.connect)
	s.step(sue.connect)
	s.edits(pat, pat.text.Remove(1))

	s.step(func() { _ = s.service.Leave(s.t.Context(), "", sue.connection()) })
	sue.drop()
	for range 3 {
		s.tryCheckpoint()
		s.overGrace()
		s.tryCheckpoint()
		s.edits(pia, pia.text.Insert("i"))
	}
	s.step(sue.connect) // past a trimmed log
	s.edits(sue, sue.text.Insert("u3"))
	s.step(func() { _, _ = s.service.Sweep(s.t.Context()) })
	for range 3 {
		s.overGrace()
		s.tryCheckpoint()
	}
}

// pasting: an update larger than a post, to members of both kinds, to one who
// resumes behind it and to one who joins after it.
func pasting(s *session) {
	sam, sue := s.symphony("sam", 101), s.symphony("sue", 102)
	pat, pia := s.plain("pat", 201), s.plain("pia", 202)
	s.step(sam.connect)
	s.step(sue.connect)
	s.step(pat.connect)
	s.edits(sam, sam.text.Insert("s1"))
	sue.drop()
	s.edits(sam, sam.text.Insert(strings.Repeat("paste ", 17_000)))
	s.step(sue.connect)
	s.step(pia.connect)
	s.edits(pia, pia.text.Insert("i1"))
	s.tryCheckpoint()
}

// finish lets the clients settle once faults are over. plainReturn lets plain
// clients come back once more, as they do after two hours at the latest.
func (s *session) finish(plainReturn bool) {
	s.faults.Inject(nil)
	s.faults.Restart()
	for range 3 {
		s.pump()
		for _, c := range s.clients {
			if !c.online() {
				c.connect()
			}
			s.pump()
			c.quiet()
			s.pump()
		}
	}
	if !plainReturn {
		return
	}
	for _, c := range s.clients {
		if p, ok := c.(*plainClient); ok {
			p.drop()
			p.connect()
			s.pump()
		}
	}
	for _, c := range s.clients {
		c.quiet()
		s.pump()
	}
}

// check is the consistency checker: acknowledged is a subset of recovered, all
// documents converge, and what is stored is whole.
func (s *session) check() {
	t := s.t
	recovered := s.world.document()
	for i, u := range s.acknowledged {
		has, err := yjs.Contains(recovered, u)
		require.NoError(t, err)
		require.True(t, has, "acknowledged update %d is lost", i)
	}
	for _, c := range s.clients {
		wantSame(t, recovered, c.document(), c.name())
		if c, ok := c.(*symphonyClient); ok {
			require.Empty(t, c.pending, "%s was told of everything", c.user)
		}
	}
	history := [][]byte{}
	for _, u := range s.history() {
		history = append(history, u.Data)
	}
	wantSame(t, merged(t, history...), recovered, "replay of archives and log")

	s.overGrace()
	s.untilClean()
	wantSame(t, recovered, s.world.document(), "after the last checkpoint")
	require.Equal(t, []string{s.meta().Snapshot.Key}, s.objects(), "no orphans")
	require.Empty(t, s.entries(0))
	newcomer := s.symphony("newcomer", 999)
	newcomer.connect()
	wantSame(t, recovered, newcomer.document(), "a newcomer")
}

// The fault run: every store and sender call of the session fails in turn,
// with and without its effect, fails together with the four that follow, or is
// the last of its process (N1).
func TestFaultRun_N1_P21_P23(t *testing.T) {
	total := map[string]int{}
	for _, script := range scripts {
		w := newWorld(t)
		s := newSession(w)
		script.run(s)
		calls := w.faults.Calls()
		for name, n := range w.faults.Counts() {
			total[name] += n
		}
		s.finish(false)
		s.check()
		for _, mode := range faultModes {
			t.Run(script.name+", a call "+mode.name, func(t *testing.T) {
				t.Parallel()
				for n := 1; n <= calls; n += stride {
					if !t.Run(fmt.Sprint("call ", n), func(t *testing.T) { faultRun(t, script.run, mode.rule(n), mode.plainReturn) }) {
						t.Fatal("stopped at the first failure")
					}
				}
			})
		}
	}
	t.Logf("calls of the sessions: %v", total)
	for _, name := range append(writes, "Log.Read", "Metas.Get", "Metas.Unclean", "Members.List", "Members.Admit", "Snapshots.Get",
		"Snapshots.List", "Uploads.Fetch", "Uploads.Link", "Sender.Post") {
		if name != "Uploads.Discard" { // only of refused uploads
			require.NotZero(t, total[name], "the sessions come by %s", name)
		}
	}
}

// faultModes are the ways in which call n goes wrong.
var faultModes = []struct {
	name string
	rule func(n int) faultstore.Rule
	// plainReturn: plain clients, which have no numbers, may have missed
	// something that only their next connection brings.
	plainReturn bool
}{
	{"fails", func(n int) faultstore.Rule { return faultstore.At(n, faultstore.Fault{Before: true}) }, false},
	{"fails after its effect", func(n int) faultstore.Rule { return faultstore.At(n, faultstore.Fault{After: true}) }, false},
	{"begins an outage", func(n int) faultstore.Rule { return faultstore.Between(n, n+4, faultstore.Fault{Before: true}) }, true},
	{"dies before its effect", func(n int) faultstore.Rule { return faultstore.At(n, faultstore.Fault{Die: true}) }, true},
	{"dies after its effect", func(n int) faultstore.Rule { return faultstore.At(n, faultstore.Fault{Die: true, After: true}) }, true},
}

func faultRun(t *testing.T, script func(*session), rule faultstore.Rule, plainReturn bool) {
	w := newWorld(t)
	s := newSession(w)
	w.faults.Inject(rule)
	script(s)
	s.finish(plainReturn)
	s.check()
	require.NotEmpty(t, s.acknowledged)
}

// The checker sees what it is for: each of these is found.
func TestTheFaultRunsCheckerCatchesMutants_N4(t *testing.T) {
	for name, mutate := range map[string]func(p room.Ports) room.Ports{
		"an append that is acknowledged and not stored": func(p room.Ports) room.Ports {
			p.Log = &forgetful{Log: p.Log}
			return p
		},
		"a post that is lost and not reported": func(p room.Ports) room.Ports {
			p.Sender = &silent{Sender: p.Sender}
			return p
		},
		"a failed read that is an empty log": func(p room.Ports) room.Ports {
			p.Log = &emptyOnce{Log: p.Log}
			return p
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			service, err := room.NewService(w.faults.Ports(mutate(w.ports())), room.Options{})
			require.NoError(t, err)
			w.service = service
			probe := &recordingT{TB: t}
			func() {
				defer func() { _ = recover() }()
				w.t = probe
				s := newSession(w)
				editing(s)
				s.finish(false)
				s.check()
			}()
			require.True(t, probe.failed, "the checker did not notice")
		})
	}
}

// recordingT notes a failure instead of failing.
type recordingT struct {
	testing.TB
	failed bool
}

func (r *recordingT) Errorf(string, ...any) { r.failed = true }
func (r *recordingT) FailNow()              { panic("failed") }
func (r *recordingT) Helper()               {}

// forgetful acknowledges its fifth append without storing it.
type forgetful struct {
	room.Log
	n int
}

func (f *forgetful) Append(ctx context.Context, id room.ID, floor room.Seq, u room.Update) (room.Seq, error) {
	if f.n++; f.n == 5 {
		tail, err := f.Log.Tail(ctx, id, floor)
		return tail + 1, err
	}
	return f.Log.Append(ctx, id, floor, u)
}

// silent loses its posts of updates to plain members from the eighth on.
type silent struct {
	room.Sender
	n int
}

func (s *silent) Post(ctx context.Context, to []room.ConnectionID, frame []byte) []room.Failure {
	m, _ := protocol.DecodeServerFrame(frame)
	if _, update := m.(*protocol.SyncUpdate); update {
		if s.n++; s.n >= 8 {
			return nil
		}
	}
	return s.Sender.Post(ctx, to, frame)
}

// emptyOnce takes one failed read of the log for an empty one.
type emptyOnce struct {
	room.Log
	n int
}

func (e *emptyOnce) Read(ctx context.Context, id room.ID, after room.Seq, fn func(room.Update) error) error {
	if e.n++; e.n == 3 {
		return nil
	}
	return e.Log.Read(ctx, id, after, fn)
}
