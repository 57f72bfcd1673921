package roomtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/protocol"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/yjs"
)

// secret is in everything written before a room is erased.
const secret = "confidential"

// erased: nothing of a room's content is left in the stores, nobody who still
// has it brings it back, and the room goes on.
func erased(t *testing.T, s *store) {
	ctx, r := t.Context(), newRig(s)
	service := r.process(s.Ports, nil)
	_, err := service.Erase(ctx, r.room, room.User{ID: "operator"})
	require.ErrorIs(t, err, room.ErrNotFound, "no such room")

	ann, bob := r.origin("ann"), r.origin("bob")
	text, more := &Author{Client: 7}, &Author{Client: 8}
	require.NoError(t, r.enter(ctx, service, ann))
	require.NoError(t, r.enter(ctx, service, bob))
	old := [][]byte{text.Insert(secret), more.Insert(secret)}
	for _, u := range old {
		_, err := submit(ctx, service, ann, u)
		require.NoError(t, err)
	}
	settle(t, r, service) // into snapshot and archive
	old = append(old, more.Insert(secret), text.Insert(strings.Repeat(secret, 40_000)))
	_, err = submit(ctx, service, ann, old[2])
	require.NoError(t, err)
	// Too large for a message: as an upload's commit appends it.
	_, err = s.Log.Append(ctx, r.room, 2, room.Update{Data: old[3]})
	require.NoError(t, err)
	holder, err := yjs.Merge(old...)
	require.NoError(t, err)
	require.NotEmpty(t, leaks(t, s.Ports, r.room), "the search finds what is there")

	r.gateway.Take(bob.Connection)
	seq, err := service.Erase(ctx, r.room, room.User{ID: "operator"})
	require.NoError(t, err)
	require.EqualValues(t, len(old)+1, seq)
	again, err := service.Erase(ctx, r.room, room.User{ID: "operator"})
	require.NoError(t, err)
	require.Equal(t, seq, again, "once is enough")
	got, _ := inboxOf(r.gateway.Take(bob.Connection))
	members, err := yjs.Merge(append(got, holder)...)
	require.NoError(t, err)
	wantContentless(t, members, "a member")
	wantErased(t, r, s.Ports)

	// Somebody goes on, beside what was deleted.
	late := text.Insert("new")
	_, err = submit(ctx, service, ann, late)
	require.NoError(t, err)
	settle(t, r, service)
	s.crash()
	require.Empty(t, leaks(t, s.Ports, r.room))
	require.Equal(t, seq, getMeta(t, s.Ports, r.room).Erased)

	// Who was away all the time has nothing the server would ask for.
	service = r.process(s.Ports, nil)
	cat := r.origin("cat")
	require.NoError(t, r.enter(ctx, service, cat))
	vector, err := yjs.StateVector(holder)
	require.NoError(t, err)
	welcome, err := ask[*protocol.Welcome](ctx, service, cat, &protocol.Hello{Version: protocol.Version, Client: 9, StateVector: vector})
	require.NoError(t, err)
	back, err := yjs.Diff(holder, welcome.StateVector)
	require.NoError(t, err)
	plain, err := yjs.Merge(welcome.Update, back)
	require.NoError(t, err)
	wantNo(t, plain, secret)

	// The history that is left stands for itself.
	doc, _, err := r.document(ctx, s.Ports)
	require.NoError(t, err)
	require.NoError(t, holds(doc, late))
	replay, first := history(t, s.Ports, r.room)
	require.Equal(t, seq, first)
	same, err := yjs.Equal(compacted(t, replay), compacted(t, doc))
	require.NoError(t, err)
	require.True(t, same, "the replay is the document")
}

// erasedDamaged: what cannot be read can be erased all the same.
func erasedDamaged(t *testing.T, s *store) {
	ctx, r := t.Context(), newRig(s)
	service := r.process(s.Ports, nil)
	ann, text := r.origin("ann"), &Author{Client: 7}
	require.NoError(t, r.enter(ctx, service, ann))
	_, err := submit(ctx, service, ann, text.Insert(secret))
	require.NoError(t, err)
	settle(t, r, service)
	was := getMeta(t, s.Ports, r.room)
	require.NoError(t, s.Snapshots.Delete(ctx, was.Snapshot))
	seq, err := service.Erase(ctx, r.room, room.User{ID: "operator"})
	require.NoError(t, err)
	is := getMeta(t, s.Ports, r.room)
	require.NotEqual(t, was.Epoch, is.Epoch)
	require.Equal(t, seq, is.Erased)
	_, err = submit(ctx, service, ann, (&Author{Client: 8}).Insert("new"))
	require.NoError(t, err)
	settle(t, r, service)
	require.Empty(t, leaks(t, s.Ports, r.room))
	doc, _, err := r.document(ctx, s.Ports)
	require.NoError(t, err)
	require.Contains(t, string(doc), "new")
}

// wantErased demands that a newcomer finds no content.
func wantErased(t *testing.T, r *rig, p Ports) {
	t.Helper()
	doc, _, err := r.document(t.Context(), p)
	require.NoError(t, err)
	wantContentless(t, doc, "a newcomer")
	wantNo(t, doc, secret)
}

func wantNo(t *testing.T, data []byte, text string) {
	t.Helper()
	require.False(t, bytes.Contains(data, []byte(text)), "%q is in there", text)
}

// wantContentless demands that everything in doc is deleted.
func wantContentless(t *testing.T, doc []byte, who string) {
	t.Helper()
	all, err := yjs.DeleteAll(doc)
	require.NoError(t, err)
	contained, err := yjs.Contains(doc, all)
	require.NoError(t, err)
	require.True(t, contained, "%s has content left", who)
}

// logAfter returns the entries after `after`.
func logAfter(t testing.TB, p Ports, id room.ID, after room.Seq) (entries []room.Update) {
	t.Helper()
	require.NoError(t, p.Log.Read(t.Context(), id, after, func(u room.Update) error {
		entries = append(entries, u)
		return nil
	}))
	return entries
}

// settle checkpoints the room until it is clean.
func settle(t testing.TB, r *rig, service *room.Service) {
	t.Helper()
	for passes := 0; getMeta(t, r.store.Ports, r.room).State != room.Clean; passes++ {
		require.Less(t, passes, 10, "becomes clean")
		require.NoError(t, service.Checkpoint(t.Context(), r.room))
		r.clock.Advance(room.DefaultGrace + time.Millisecond)
	}
}

// leaks returns where the store still has the secret.
func leaks(t testing.TB, p Ports, id room.ID) (where []string) {
	t.Helper()
	for _, kind := range room.ObjectKinds() {
		for key := range listKind(t, p, id, kind) {
			data, err := p.Snapshots.Open(t.Context(), key)
			require.NoError(t, err)
			if bytes.Contains(data, []byte(secret)) {
				where = append(where, key)
			}
		}
	}
	after := getMeta(t, p, id).Snapshot.Seq
	for _, from := range []room.Seq{0, after} {
		err := p.Log.Read(t.Context(), id, from, func(u room.Update) error {
			if bytes.Contains(u.Data, []byte(secret)) {
				where = append(where, fmt.Sprint("entry ", u.Seq))
			}
			return nil
		})
		if !errors.Is(err, room.ErrTrimmed) {
			require.NoError(t, err)
		}
	}
	return where
}

// history returns the merged updates of archives and log, which must be
// contiguous, and the number of the first.
func history(t testing.TB, p Ports, id room.ID) (doc []byte, first room.Seq) {
	t.Helper()
	var parts [][]byte
	next := room.Seq(0)
	add := func(u room.Update) error {
		if first == 0 {
			first, next = u.Seq, u.Seq
		}
		require.Equal(t, next, u.Seq, "the history has no gap")
		parts = append(parts, u.Data)
		next++
		return nil
	}
	require.NoError(t, p.Snapshots.List(t.Context(), id, room.ObjectArchive, func(o room.Object) error {
		data, err := p.Snapshots.Open(t.Context(), o.Key)
		require.NoError(t, err)
		entries, err := room.DecodeArchive(data)
		require.NoError(t, err)
		for _, u := range entries {
			require.NoError(t, add(u))
		}
		return nil
	}))
	// What is archived may not be trimmed yet, when a pass died in between.
	trimmed := getMeta(t, p, id).Trimmed
	require.True(t, next > trimmed || trimmed == 0, "what was trimmed is archived")
	require.NoError(t, p.Log.Read(context.Background(), id, max(next, 1)-1, add))
	doc, err := yjs.Merge(parts...)
	require.NoError(t, err)
	return doc, first
}

func compacted(t testing.TB, update []byte) []byte {
	t.Helper()
	small, err := yjs.Compact(update)
	require.NoError(t, err)
	return small
}
