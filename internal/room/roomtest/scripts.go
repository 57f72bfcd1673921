package roomtest

import (
	"strings"
	"time"
)

// script is a session.
type script struct {
	name string
	run  func(s *session)
}

// scripts are sessions that together come by everything the Service does.
func scripts(short bool) []script {
	if short {
		return []script{{"editing", editingShortly}, {"pasting", pasting}}
	}
	return []script{{"editing", editing}, {"pasting", pasting}}
}

// step runs one thing a client does and lets the others see it.
func (s *session) step(do func()) {
	do()
	s.restart()
	s.pump()
}

func (s *session) edits(c client, update []byte) { s.step(func() { c.edit(update) }) }

func (s *session) tryCheckpoint() {
	s.step(func() { _ = s.service.Checkpoint(s.t.Context(), s.room) })
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

// editingShortly comes by as much as editing, but once, and with fewer clients.
func editingShortly(s *session) {
	sam, pat := s.symphony("sam", 101), s.plain("pat", 201)
	s.step(sam.connect)
	s.step(pat.connect)
	s.edits(sam, sam.text.Insert("s1"))
	s.edits(pat, pat.text.Insert("p1"))
	s.tryCheckpoint()
	pat.drop()
	s.clock.Advance(time.Minute)
	s.edits(sam, sam.text.Insert("s2")) // finds it gone
	s.step(func() { _ = s.service.Leave(s.t.Context(), "", sam.connection()) })
	sam.drop()
	s.overGrace()
	s.tryCheckpoint()
	s.step(sam.connect) // past a trimmed log
	s.step(pat.connect)
	s.edits(pat, pat.text.Remove(1))
	s.step(func() { _, _ = s.service.Sweep(s.t.Context()) })
	for range 2 {
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
