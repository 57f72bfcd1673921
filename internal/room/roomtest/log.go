package roomtest

import (
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/room"
)

// RunLog runs the contract of room.Log.
func RunLog(t *testing.T, h Harness) {
	for _, c := range []struct {
		name string
		run  func(t *testing.T, s *store)
	}{
		{"an empty log", logEmpty},
		{"what is appended is read back, in order", logOrder},
		{"concurrent appends get distinct, gapless, increasing numbers (G3)", logConcurrent},
		{"an append is read by whoever reads after it (G2)", logReadYourAppend},
		{"the floor", logFloor},
		{"a stale tail collides instead of slipping into a trimmed number", logStaleTail},
		{"a stale tail against everything trimmed", logStaleTailAllTrimmed},
		{"trimming", logTrim},
		{"a hole is damage, never skipped", logHole},
		{"a reader that stops", logStop},
		{"reopening keeps everything", logReopen},
		{"a crash keeps what was acknowledged (G1)", logCrash},
		{"updates of megabytes", logLarge},
		{"a long log", logLong},
		{"an update over the limit", logTooLarge},
		{"memory is not shared", logAliasing},
		{"a context that has ended", logContext},
		{"rooms do not leak into each other", logIsolation},
	} {
		t.Run(c.name, func(t *testing.T) { c.run(t, open(t, h)) })
	}
}

const theRoom room.ID = "room"

// appendData appends through p and returns the number.
func appendData(t testing.TB, p Ports, id room.ID, floor room.Seq, data []byte) room.Seq {
	t.Helper()
	seq, err := p.Log.Append(t.Context(), id, floor, room.Update{Data: data})
	require.NoError(t, err)
	return seq
}

// readAll returns the entries after `after`. It keeps their bytes as they are given,
// which a store must allow.
func readAll(t testing.TB, p Ports, id room.ID, after room.Seq) ([]room.Update, error) {
	t.Helper()
	var list []room.Update
	err := p.Log.Read(t.Context(), id, after, func(u room.Update) error {
		list = append(list, u)
		return nil
	})
	return list, err
}

// wantLog demands that the entries after `after` are those of want, by data.
func wantLog(t testing.TB, p Ports, id room.ID, after room.Seq, want ...string) {
	t.Helper()
	list, err := readAll(t, p, id, after)
	require.NoError(t, err)
	var got []string
	for i, u := range list {
		require.Equal(t, after+room.Seq(i)+1, u.Seq)
		got = append(got, string(u.Data))
	}
	require.Equal(t, want, got)
}

func wantTail(t testing.TB, p Ports, id room.ID, floor, want room.Seq) {
	t.Helper()
	got, err := p.Log.Tail(t.Context(), id, floor)
	require.NoError(t, err)
	require.Equal(t, want, got)
}

func logEmpty(t *testing.T, s *store) {
	wantLog(t, s.Ports, theRoom, 0)
	wantLog(t, s.Ports, theRoom, 7)
	wantTail(t, s.Ports, theRoom, 0, 0)
	wantTail(t, s.Ports, theRoom, 7, 7)
	require.NoError(t, s.Log.Trim(t.Context(), theRoom, 5))
	require.EqualValues(t, 1, appendData(t, s.Ports, theRoom, 0, []byte("a")))
}

func logOrder(t *testing.T, s *store) {
	var want []room.Update
	for i := range 12 { // past 9: numbers sort as numbers, not as text
		u := room.Update{
			Seq: 999, Data: pattern(i, i*7), Author: fmt.Sprintf("user#%d/ü", i),
			Connection: room.ConnectionID(fmt.Sprintf("c%d=", i)), At: s.clock.Now(),
		}
		seq, err := s.Log.Append(t.Context(), theRoom, 0, u)
		require.NoError(t, err)
		require.EqualValues(t, i+1, seq, "u.Seq is ignored")
		u.Seq = seq
		want = append(want, u)
		s.clock.Advance(1234 * time.Millisecond)
	}
	for after := range room.Seq(13) {
		got, err := readAll(t, s.Ports, theRoom, after)
		require.NoError(t, err)
		require.Len(t, got, len(want)-int(after))
		for i, u := range got {
			w := want[int(after)+i]
			require.True(t, w.At.Equal(u.At), "%v, not %v", u.At, w.At)
			u.At = w.At
			if len(w.Data) == 0 {
				require.Empty(t, u.Data)
				u.Data = w.Data
			}
			require.Equal(t, w, u)
		}
	}
	wantTail(t, s.Ports, theRoom, 0, 12)
}

func logConcurrent(t *testing.T, s *store) {
	const writers, each = 12, 15
	handles := []Ports{s.Ports, s.another(), s.another()}
	seqs := make([][]room.Seq, writers)
	require.NoError(t, inParallel(writers, func(w int) error {
		p := handles[w%len(handles)]
		for i := range each {
			seq, err := p.Log.Append(t.Context(), theRoom, 0, room.Update{Data: fmt.Appendf(nil, "%d/%d", w, i)})
			if err != nil {
				return err
			}
			seqs[w] = append(seqs[w], seq)
		}
		return nil
	}))
	list, err := readAll(t, s.Ports, theRoom, 0)
	require.NoError(t, err, "gapless")
	require.Len(t, list, writers*each)
	for w := range writers {
		require.True(t, slices.IsSorted(seqs[w]), "increasing for one writer")
		for i, seq := range seqs[w] {
			require.Equal(t, fmt.Sprintf("%d/%d", w, i), string(list[seq-1].Data), "the number returned is the entry's")
		}
	}
}

func logReadYourAppend(t *testing.T, s *store) {
	other := s.another()
	require.NoError(t, inParallel(6, func(w int) error {
		for i := range 8 {
			writer, reader := s.Ports, other
			if (w+i)%2 == 0 {
				writer, reader = other, s.Ports
			}
			seq, err := writer.Log.Append(t.Context(), theRoom, 0, room.Update{Data: []byte{byte(w), byte(i)}})
			if err != nil {
				return err
			}
			if tail, err := reader.Log.Tail(t.Context(), theRoom, 0); err != nil || tail < seq {
				return fmt.Errorf("tail %d after append of %d: %w", tail, seq, err)
			}
			found := false
			err = reader.Log.Read(t.Context(), theRoom, seq-1, func(u room.Update) error {
				found = found || u.Seq == seq && u.Data[0] == byte(w) && u.Data[1] == byte(i)
				return nil
			})
			if err != nil || !found {
				return fmt.Errorf("entry %d not read after its append: %w", seq, err)
			}
		}
		return nil
	}))
}

func logFloor(t *testing.T, s *store) {
	require.EqualValues(t, 11, appendData(t, s.Ports, theRoom, 10, []byte("a")), "an empty log goes on after the floor")
	require.EqualValues(t, 12, appendData(t, s.Ports, theRoom, 10, []byte("b")))
	require.EqualValues(t, 13, appendData(t, s.Ports, theRoom, 3, []byte("c")), "a low floor changes nothing")
	require.EqualValues(t, 14, appendData(t, s.Ports, theRoom, 13, []byte("d")))
	wantLog(t, s.Ports, theRoom, 10, "a", "b", "c", "d")
	wantTail(t, s.Ports, theRoom, 10, 14)
	wantTail(t, s.Ports, theRoom, 20, 20)
}

func logStaleTail(t *testing.T, s *store) {
	stale, other := s.Ports, s.another()
	for i := range 5 {
		require.EqualValues(t, i+1, appendData(t, stale, theRoom, 0, []byte("x")))
	}
	for i := range 5 {
		require.EqualValues(t, i+6, appendData(t, other, theRoom, 0, []byte("x")))
	}
	require.NoError(t, other.Log.Trim(t.Context(), theRoom, 8))
	// The first handle may remember 5 as the tail. 6 is free again; it must
	// not be taken. What keeps a writer from it is the floor: nothing is
	// trimmed that the room's snapshot does not cover. 9 is still there, so
	// the writer collides with it and finds the end.
	require.EqualValues(t, 11, appendData(t, stale, theRoom, 8, []byte("y")))
	wantLog(t, other, theRoom, 8, "x", "x", "y")
}

func logStaleTailAllTrimmed(t *testing.T, s *store) {
	stale, other := s.Ports, s.another()
	for range 5 {
		appendData(t, stale, theRoom, 0, []byte("x"))
	}
	for range 5 {
		appendData(t, other, theRoom, 0, []byte("x"))
	}
	require.NoError(t, other.Log.Trim(t.Context(), theRoom, 10))
	// Nothing is left to collide with; the floor, the snapshot's number, is
	// what keeps a stale writer above it.
	require.EqualValues(t, 11, appendData(t, stale, theRoom, 10, []byte("y")))
	require.EqualValues(t, 12, appendData(t, other, theRoom, 10, []byte("z")))
	require.NoError(t, other.Log.Trim(t.Context(), theRoom, 12))
	s.reopen()
	require.EqualValues(t, 13, appendData(t, s.Ports, theRoom, 12, []byte("w")), "after reopening")
	wantLog(t, s.Ports, theRoom, 12, "w")
}

func logTrim(t *testing.T, s *store) {
	for i := range 12 {
		appendData(t, s.Ports, theRoom, 0, fmt.Appendf(nil, "%d", i+1))
	}
	for range 2 { // idempotent
		require.NoError(t, s.Log.Trim(t.Context(), theRoom, 9))
	}
	require.NoError(t, s.Log.Trim(t.Context(), theRoom, 4), "less than before changes nothing")
	wantLog(t, s.Ports, theRoom, 9, "10", "11", "12")
	wantLog(t, s.Ports, theRoom, 11, "12")
	for _, after := range []room.Seq{0, 1, 8} {
		_, err := readAll(t, s.Ports, theRoom, after)
		require.ErrorIs(t, err, room.ErrTrimmed, "after %d", after)
	}
	s.reopen()
	wantLog(t, s.Ports, theRoom, 9, "10", "11", "12")
	require.NoError(t, s.Log.Trim(t.Context(), theRoom, 100))
	wantLog(t, s.Ports, theRoom, 3)
	wantTail(t, s.Ports, theRoom, 12, 12)
}

func logHole(t *testing.T, s *store) {
	appendData(t, s.Ports, theRoom, 0, []byte("1"))
	appendData(t, s.Ports, theRoom, 0, []byte("2"))
	appendData(t, s.Ports, theRoom, 9, []byte("10")) // as if 3 to 9 had been lost
	appendData(t, s.Ports, theRoom, 9, []byte("11"))
	list, err := readAll(t, s.Ports, theRoom, 0)
	require.ErrorIs(t, err, room.ErrCorrupt)
	require.LessOrEqual(t, len(list), 2, "nothing behind the hole is handed out")
	_, err = readAll(t, s.Ports, theRoom, 5)
	require.ErrorIs(t, err, room.ErrTrimmed)
	wantLog(t, s.Ports, theRoom, 9, "10", "11")
}

func logStop(t *testing.T, s *store) {
	for range 5 {
		appendData(t, s.Ports, theRoom, 0, []byte("x"))
	}
	stop := errors.New("stop")
	var seen []room.Seq
	err := s.Log.Read(t.Context(), theRoom, 1, func(u room.Update) error {
		seen = append(seen, u.Seq)
		if u.Seq == 3 {
			return stop
		}
		return nil
	})
	require.ErrorIs(t, err, stop)
	require.Equal(t, []room.Seq{2, 3}, seen)
}

func logReopen(t *testing.T, s *store) {
	appendData(t, s.Ports, theRoom, 0, []byte("1"))
	s.reopen()
	appendData(t, s.Ports, theRoom, 0, []byte("2"))
	s.reopen()
	wantLog(t, s.Ports, theRoom, 0, "1", "2")
	wantTail(t, s.Ports, theRoom, 0, 2)
}

func logCrash(t *testing.T, s *store) {
	var want []string
	for round := range 4 {
		require.NoError(t, inParallel(5, func(i int) error {
			_, err := s.Log.Append(t.Context(), theRoom, 0, room.Update{Data: []byte{byte(round)}})
			return err
		}))
		for range 5 {
			want = append(want, string([]byte{byte(round)}))
		}
		s.crash()
		wantLog(t, s.Ports, theRoom, 0, want...)
	}
	require.NoError(t, s.Log.Trim(t.Context(), theRoom, 3))
	s.crash()
	list, err := readAll(t, s.Ports, theRoom, 3)
	require.NoError(t, err)
	require.Len(t, list, 17)
}

func logLarge(t *testing.T, s *store) {
	sizes := []int{500_000, 10, 2 << 20, 400_000, 1 << 20, 0, 350_000}
	for i, n := range sizes {
		require.EqualValues(t, i+1, appendData(t, s.Ports, theRoom, 0, pattern(i, n)))
	}
	s.reopen()
	list, err := readAll(t, s.Ports, theRoom, 0)
	require.NoError(t, err)
	require.Len(t, list, len(sizes))
	for i, n := range sizes {
		require.Equal(t, string(pattern(i, n)), string(list[i].Data), "entry of %d bytes", n)
	}
	require.NoError(t, s.Log.Trim(t.Context(), theRoom, 5))
	list, err = readAll(t, s.Ports, theRoom, 5)
	require.NoError(t, err)
	require.Len(t, list, 2)
}

func logLong(t *testing.T, s *store) {
	const entries = 160 // of 16 KiB: 2.5 MB, more than one page of any store
	for i := range entries {
		appendData(t, s.Ports, theRoom, 0, pattern(i, 16<<10))
	}
	list, err := readAll(t, s.Ports, theRoom, 0)
	require.NoError(t, err)
	require.Len(t, list, entries)
	for i, u := range list {
		require.Equal(t, string(pattern(i, 16<<10)), string(u.Data))
	}
	require.NoError(t, s.Log.Trim(t.Context(), theRoom, entries-1))
	list, err = readAll(t, s.Ports, theRoom, entries-1)
	require.NoError(t, err)
	require.Len(t, list, 1)
}

func logTooLarge(t *testing.T, s *store) {
	_, err := s.Log.Append(t.Context(), theRoom, 0, room.Update{Data: make([]byte, room.MaxUpdateBytes+1)})
	require.ErrorIs(t, err, room.ErrTooLarge)
	wantTail(t, s.Ports, theRoom, 0, 0)
}

func logAliasing(t *testing.T, s *store) {
	data := []byte("abc")
	appendData(t, s.Ports, theRoom, 0, data)
	data[0] = 'X'
	for range 2 {
		require.NoError(t, s.Log.Read(t.Context(), theRoom, 0, func(u room.Update) error {
			require.Equal(t, "abc", string(u.Data))
			u.Data[1] = 'Y'
			return nil
		}))
	}
}

func logContext(t *testing.T, s *store) {
	appendData(t, s.Ports, theRoom, 0, []byte("a"))
	ctx := canceled()
	_, err := s.Log.Append(ctx, theRoom, 0, room.Update{Data: []byte("b")})
	require.True(t, isUnavailable(err), "append: %v", err)
	_, err = s.Log.Tail(ctx, theRoom, 0)
	require.True(t, isUnavailable(err), "tail: %v", err)
	err = s.Log.Read(ctx, theRoom, 0, func(room.Update) error { return nil })
	require.True(t, isUnavailable(err), "read: %v", err)
	err = s.Log.Trim(ctx, theRoom, 1)
	require.True(t, isUnavailable(err), "trim: %v", err)
	wantLog(t, s.Ports, theRoom, 0, "a")
}

func logIsolation(t *testing.T, s *store) {
	ids := s.trickyRooms()
	for i, id := range ids {
		require.NoError(t, id.Validate())
		require.EqualValues(t, 1, appendData(t, s.Ports, id, 0, fmt.Appendf(nil, "first of %d", i)))
	}
	for i, id := range ids {
		require.EqualValues(t, 2, appendData(t, s.Ports, id, 0, fmt.Appendf(nil, "second of %d", i)))
	}
	s.reopen()
	for i, id := range ids {
		wantLog(t, s.Ports, id, 0, fmt.Sprintf("first of %d", i), fmt.Sprintf("second of %d", i))
	}
	// Trim every other room; its neighbours keep theirs.
	for i := 0; i < len(ids); i += 2 {
		require.NoError(t, s.Log.Trim(t.Context(), ids[i], 2))
	}
	for i, id := range ids {
		if i%2 == 0 {
			wantLog(t, s.Ports, id, 0)
		} else {
			wantLog(t, s.Ports, id, 0, fmt.Sprintf("first of %d", i), fmt.Sprintf("second of %d", i))
		}
	}
}
