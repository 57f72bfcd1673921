package roomtest

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/memstore"
	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/room"
)

// memory opens a store in memory.
func memory(_ testing.TB, clock *Clock) Ports {
	s := memstore.New(clock)
	return Ports{Log: s.Log(), Metas: s.Metas(), Members: s.Members(), Snapshots: s.Snapshots(), Uploads: s.Uploads()}
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
			stage := newStage(t, memory, mutate)
			probe := &recordingT{TB: t}
			func() {
				defer func() { _ = recover() }()
				stage.t = probe
				s := newSession(stage)
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
