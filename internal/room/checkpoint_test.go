package room_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/faultstore"
	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/room/roomtest"
)

// edit stores n more inserts of text as from.
func (w *world) edit(from room.Origin, text *roomtest.Author, n int) {
	w.t.Helper()
	for range n {
		_, err := w.send(from, &protocol.SyncUpdate{Update: text.Insert("x")})
		require.NoError(w.t, err)
	}
}

func (w *world) checkpoint() {
	w.t.Helper()
	require.NoError(w.t, w.service.Checkpoint(w.t.Context(), lobby))
}

// overGrace lets just more than one grace pass.
func (w *world) overGrace() { w.clock.Advance(room.DefaultGrace + time.Millisecond) }

// untilClean checkpoints until the room is clean.
func (w *world) untilClean() {
	w.t.Helper()
	for range 8 {
		w.checkpoint()
		if w.meta().State == room.Clean {
			return
		}
		w.overGrace()
	}
	require.FailNow(w.t, "the room does not become clean", "%+v", w.meta())
}

// The life of a room's storage, step by step (G6, N3).
func TestCheckpoint_G6_N3(t *testing.T) {
	w := newWorld(t)
	w.checkpoint() // a room nobody has heard of
	require.Zero(t, w.writes())

	ann, text := w.join("a", "ann"), &roomtest.Author{Client: 1}
	w.edit(ann, text, 3)
	require.Equal(t, room.Dirty, w.meta().State)
	whole := w.document()

	w.checkpoint()
	first := w.meta()
	require.EqualValues(t, 3, first.Snapshot.Seq)
	require.Equal(t, w.clock.Now(), first.LastCheckpoint)
	require.Equal(t, []room.Superseded{{By: 3, At: w.clock.Now()}}, first.Superseded)
	require.Len(t, w.entries(0), 3, "covered entries stay for the grace")
	wantSame(t, whole, w.document())

	w.edit(ann, text, 2)
	_, err := w.send(ann, &protocol.SyncUpdate{Update: text.Remove(2)})
	require.NoError(t, err)
	whole = w.document()
	w.clock.Advance(time.Minute)
	w.checkpoint()
	second := w.meta()
	require.EqualValues(t, 6, second.Snapshot.Seq)
	require.Len(t, second.Superseded, 2)
	require.Len(t, w.objects(), 2, "a slow reader may still be reading the first")
	require.Len(t, w.entries(0), 6)
	wantSame(t, whole, w.document())

	// Exactly one grace after the first checkpoint is not over the grace.
	w.clock.Advance(room.DefaultGrace - time.Minute)
	w.checkpoint()
	require.Len(t, w.entries(0), 6)
	require.Equal(t, room.Cleaning, w.meta().State, "nothing new")
	w.clock.Advance(time.Millisecond)
	w.checkpoint()
	require.Len(t, w.entries(3), 3, "1 to 3 are trimmed")
	require.ErrorIs(t, w.store.Log().Read(t.Context(), lobby, 0, func(room.Update) error { return nil }), room.ErrTrimmed)
	require.EqualValues(t, 3, w.meta().Trimmed)
	require.Len(t, w.objects(), 2, "the first snapshot was replaced a minute later")
	w.clock.Advance(time.Minute)
	w.checkpoint()
	require.Empty(t, w.entries(0))
	require.Equal(t, []string{second.Snapshot.Key}, w.objects())
	require.EqualValues(t, 6, w.meta().Trimmed)
	require.Empty(t, w.meta().Superseded)
	wantSame(t, whole, w.document())
	require.Len(t, w.history(), 6)

	w.untilClean()
	calls := w.faults.Calls()
	report, err := w.service.Sweep(t.Context())
	require.NoError(t, err)
	require.Equal(t, room.SweepReport{}, report)
	require.Equal(t, calls+1, w.faults.Calls(), "a clean room is not visited")

	// The next edit goes on where the trimmed log ended.
	w.edit(ann, text, 1)
	require.EqualValues(t, 7, w.entries(6)[0].Seq)
	require.Equal(t, room.Dirty, w.meta().State)
	w.untilClean()
	require.Len(t, w.history(), 7)
}

// A writer that read Dirty just before the room went Cleaning and appends late
// is checkpointed all the same.
func TestAnAppendThatRacesWithCleaningIsCheckpointed_G6(t *testing.T) {
	w := newWorld(t)
	ann, text := w.join("a", "ann"), &roomtest.Author{Client: 1}
	w.edit(ann, text, 1)
	w.checkpoint() // Dirty still: it found something
	w.overGrace()
	// The writer is admitted while the room is Dirty. Before it appends a pass
	// turns the room to Cleaning, and more of them find nothing either.
	w.faults.SetGate(func(c faultstore.Call) func() {
		if c.Name == "Log.Append" {
			w.faults.SetGate(nil)
			_, other := w.process(2)
			for range 5 {
				require.NoError(t, other.Checkpoint(t.Context(), lobby))
				require.Equal(t, room.Cleaning, w.meta().State)
				w.clock.Advance(room.DefaultGrace / 5)
			}
		}
		return func() {}
	})
	w.edit(ann, text, 1)
	require.Equal(t, room.Cleaning, w.meta().State, "the writer saw no reason to mark it")
	w.clock.Advance(time.Minute)
	w.checkpoint()
	require.EqualValues(t, 2, w.meta().Snapshot.Seq, "the next pass takes the entry")
	require.Equal(t, room.Dirty, w.meta().State)

	// And one that comes later still, in the last moment of the grace.
	w.overGrace()
	w.checkpoint()
	require.Equal(t, room.Cleaning, w.meta().State)
	w.edit(ann, text, 1)
	require.Equal(t, room.Dirty, w.meta().State, "a writer that sees Cleaning marks it")

	// A writer between a pass's reading of the log and its marking the room clean.
	w.checkpoint()
	w.overGrace()
	w.checkpoint()
	w.overGrace()
	require.Equal(t, room.Cleaning, w.meta().State)
	w.faults.SetGate(func(c faultstore.Call) func() {
		if c.Name == "Metas.Swap" {
			w.faults.SetGate(nil)
			_, other := w.process(3)
			_, err := other.Receive(t.Context(), ann, protocol.EncodeFrameString(&protocol.SyncUpdate{Update: text.Insert("late")}))
			require.NoError(t, err)
		}
		return func() {}
	})
	w.checkpoint()
	require.Equal(t, room.Dirty, w.meta().State, "the pass lost against the writer")
	w.untilClean()
	require.EqualValues(t, 4, w.meta().Snapshot.Seq)
	require.Len(t, w.history(), 4)
}

// Two checkpoints at once, the second in full between any two calls of the
// first: one wins, nothing is lost, no object is left over.
func TestTwoCheckpointsAtOnce_G6_P28(t *testing.T) {
	for between := 1; ; between++ {
		w := newWorld(t)
		ann, text := w.join("a", "ann"), &roomtest.Author{Client: 1}
		w.edit(ann, text, 2)
		w.checkpoint()
		w.edit(ann, text, 2)
		w.overGrace()
		whole := w.document()
		start, ran := w.faults.Calls(), false
		w.faults.SetGate(func(c faultstore.Call) func() {
			if c.N == start+between {
				ran = true
				_, other := w.process(2)
				require.NoError(t, other.Checkpoint(t.Context(), lobby))
			}
			return func() {}
		})
		w.checkpoint()
		w.faults.SetGate(nil)
		if !ran {
			require.Greater(t, between, 10)
			break
		}
		require.EqualValues(t, 4, w.meta().Snapshot.Seq)
		wantSame(t, whole, w.document(), "between", between)
		w.untilClean()
		require.Len(t, w.objects(), 1, "between %d", between)
		wantSame(t, whole, w.document())
		require.Len(t, w.history(), 4)
	}
}

// A crash at every call of every pass, before and after its effect: nothing is
// lost, and later passes clean up (G6, N3).
func TestACrashAtEveryCallOfACheckpoint_G6_N3(t *testing.T) {
	for _, after := range []bool{false, true} {
		for n := 1; ; n++ {
			w := newWorld(t)
			ann, text := w.join("a", "ann"), &roomtest.Author{Client: 1}
			w.edit(ann, text, 3)
			w.checkpoint()
			w.edit(ann, text, 2)
			_, err := w.send(ann, &protocol.SyncUpdate{Update: text.Remove(3)})
			require.NoError(t, err)
			whole := w.document()

			dying, victim := w.process(2)
			dying.Inject(faultstore.At(n, faultstore.Fault{Die: true, After: after}))
			// Passes through compaction, retiring and cleaning.
			for range 6 {
				if err := victim.Checkpoint(t.Context(), lobby); err != nil {
					require.ErrorIs(t, err, room.ErrUnavailable)
					break
				}
				wantSame(t, whole, w.document())
				w.overGrace()
			}
			where := fmt.Sprintf("call %d, after its effect: %v", n, after)
			wantSame(t, whole, w.document(), where)
			if !dying.Dead() {
				require.Equal(t, room.Clean, w.meta().State)
				require.Greater(t, n, 25)
				break
			}
			// Someone edits meanwhile, or nobody does.
			want := 6
			if n%2 == 0 {
				w.edit(ann, text, 1)
				whole = w.document()
				want++
			}
			w.overGrace()
			w.untilClean()
			wantSame(t, whole, w.document(), where)
			require.Equal(t, []string{w.meta().Snapshot.Key}, w.objects(), "no orphans: %s", where)
			require.Empty(t, w.entries(0), where)
			require.Len(t, w.history(), want, where)
		}
	}
}

// N3: a snapshot that is not what was written is never pointed to.
func TestASnapshotThatDoesNotReadBackIsRefused_N3(t *testing.T) {
	for name, spoil := range map[string]func([]byte) []byte{
		"another document": func([]byte) []byte { return (&roomtest.Author{Client: 66}).Insert("forged") },
		"an empty one":     func([]byte) []byte { return emptyUpdate },
		"a cut one":        func(b []byte) []byte { return b[:len(b)-1] },
		"a flipped bit": func(b []byte) []byte {
			b = append([]byte(nil), b...)
			b[len(b)-2] ^= 1 // inside the text
			return b
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t)
			ann, text := w.join("a", "ann"), &roomtest.Author{Client: 1}
			w.edit(ann, text, 3)
			p := w.ports()
			p.Snapshots = spoiler{p.Snapshots, spoil}
			service, err := room.NewService(p, room.Options{})
			require.NoError(t, err)
			whole := w.document()
			require.ErrorIs(t, service.Checkpoint(t.Context(), lobby), room.ErrCorrupt)
			require.Zero(t, w.meta().Snapshot)
			require.Empty(t, w.objects(), "its own object is gone again")
			require.Len(t, w.entries(0), 3)
			wantSame(t, whole, w.document())
			w.checkpoint()
			require.EqualValues(t, 3, w.meta().Snapshot.Seq, "an honest pass succeeds")
		})
	}
}

// spoiler returns other bytes than were stored, with a checksum that fits them.
type spoiler struct {
	room.Snapshots
	spoil func([]byte) []byte
}

func (s spoiler) Get(ctx context.Context, ref room.SnapshotRef) ([]byte, error) {
	b, err := s.Snapshots.Get(ctx, ref)
	if err == nil {
		b = s.spoil(b)
	}
	return b, err
}

// N3: the log goes only if the snapshot that covers it is still whole.
func TestTheLogStaysIfTheSnapshotIsDamaged_N3(t *testing.T) {
	w := newWorld(t)
	ann, text := w.join("a", "ann"), &roomtest.Author{Client: 1}
	w.edit(ann, text, 3)
	w.checkpoint()
	require.NoError(t, w.store.Snapshots().Delete(t.Context(), w.meta().Snapshot))
	w.overGrace()
	require.ErrorIs(t, w.service.Checkpoint(t.Context(), lobby), room.ErrCorrupt)
	require.Len(t, w.entries(0), 3, "from which it can be rebuilt")
}

// Writers mark rooms, Deny writes the record: a checkpoint that loses its swap
// to them tries again, and one that loses every time leaves nothing behind.
func TestAStormOfConflicts_G6(t *testing.T) {
	for _, storm := range []int{1, 3, 9, 1000} {
		w := newWorld(t)
		ann, text := w.join("a", "ann"), &roomtest.Author{Client: 1}
		w.edit(ann, text, 3)
		deny, left := false, storm
		w.faults.SetGate(func(c faultstore.Call) func() {
			if c.Name == "Metas.Swap" && left > 0 {
				left--
				deny = !deny
				_, other := w.process(uint64(left + 5))
				require.NoError(t, other.Deny(t.Context(), lobby, "mallory", deny))
			}
			return func() {}
		})
		err := w.service.Checkpoint(t.Context(), lobby)
		if storm < 10 {
			require.NoError(t, err)
			require.EqualValues(t, 3, w.meta().Snapshot.Seq)
			require.Equal(t, storm%2 == 1, w.meta().Denied["mallory"], "their changes are kept")
			continue
		}
		require.ErrorIs(t, err, room.ErrUnavailable)
		require.Zero(t, w.meta().Snapshot)
		require.Empty(t, w.objects())
		w.faults.SetGate(nil)
		w.checkpoint()
		require.EqualValues(t, 3, w.meta().Snapshot.Seq)
	}
}

func TestTooManyWaitingSnapshotsStopTheNextNotTheLog(t *testing.T) {
	w := newWorld(t)
	ann, text := w.join("a", "ann"), &roomtest.Author{Client: 1}
	for range room.MaxSuperseded {
		w.edit(ann, text, 1)
		w.checkpoint()
	}
	w.edit(ann, text, 1)
	require.ErrorIs(t, w.service.Checkpoint(t.Context(), lobby), room.ErrUnavailable)
	require.Len(t, w.objects(), room.MaxSuperseded)
	w.overGrace()
	w.untilClean()
	require.Len(t, w.objects(), 1)
	require.Len(t, w.history(), room.MaxSuperseded+1)
}

// A room that is never quiet is searched for orphans now and then.
func TestABusyRoomsOrphansGoToo_G6(t *testing.T) {
	w := newWorld(t)
	ann, text := w.join("a", "ann"), &roomtest.Author{Client: 1}
	w.edit(ann, text, 1)
	dying, victim := w.process(2)
	dying.Inject(faultstore.Named("Metas.Swap", 1, faultstore.Fault{Die: true}))
	require.Error(t, victim.Checkpoint(t.Context(), lobby))
	require.Len(t, w.objects(), 1)
	lists := 0
	for range 150 { // 75 minutes
		w.edit(ann, text, 1)
		w.checkpoint()
		w.clock.Advance(30 * time.Second)
		lists = w.faults.Counts()["Snapshots.List"]
	}
	require.NotZero(t, lists)
	// One search for each hour begun, of a listing for snapshots and one for large updates.
	require.LessOrEqual(t, lists, 2*2, "not with every pass")
	names := 0
	for _, key := range w.objects() {
		if w.meta().Snapshot.Key == key {
			names++
		}
		for _, s := range w.meta().Superseded {
			if s.Ref.Key == key {
				names++
			}
		}
	}
	require.Len(t, w.objects(), names)
}

func TestNewServiceWantsItsPortsAndALongEnoughGrace(t *testing.T) {
	p := newWorld(t).ports()
	_, err := room.NewService(p, room.Options{Grace: room.MinGrace - 1})
	require.Error(t, err)
	_, err = room.NewService(p, room.Options{Grace: room.MinGrace})
	require.NoError(t, err)
	p.Log = nil
	_, err = room.NewService(p, room.Options{})
	require.Error(t, err)
	require.False(t, errors.Is(err, room.ErrUnavailable))
}
