package operate_test

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/operate"
	"github.com/symphony-rt/symphony/internal/room"
	"github.com/symphony-rt/symphony/internal/yjs"
)

// N2: a room restored to any of its sequence numbers says what a replay to it
// says, whatever kinds of content it has, and can be restored forward again.
func TestRestoreEqualsReplay(t *testing.T) {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	rng := rand.New(rand.NewPCG(seed, 0))
	w := newWorld(t)
	doc := yjs.NewDoc()
	edit := func(fn func(tx *yjs.Tx) error) {
		u, err := doc.Transact(uint64(1+rng.IntN(3)), fn)
		require.NoError(t, err)
		if u == nil {
			return
		}
		_, err = w.rooms.Import(t.Context(), "a", u, true)
		require.NoError(t, err)
	}
	for i := range 60 {
		edit(func(tx *yjs.Tx) error { return randomEdit(rng, tx, i) })
		if i == 20 || i == 40 {
			w.settle("a")
		}
	}
	show := func(p operate.Point) string {
		got, err := w.rooms.Document(t.Context(), "a", p)
		require.NoError(t, err)
		return string(got)
	}
	d, err := w.rooms.Show(t.Context(), "a")
	require.NoError(t, err)
	last := d.Seq
	for range 12 {
		at := operate.Point{Seq: 1 + room.Seq(rng.IntN(int(last)))}
		want := show(at)
		wr, err := w.rooms.Restore(t.Context(), "a", at)
		require.NoError(t, err)
		require.JSONEq(t, withoutEmpty(t, want), withoutEmpty(t, show(operate.Point{})), "update %d, seed %d", at.Seq, seed)
		again, err := w.rooms.Restore(t.Context(), "a", at)
		require.NoError(t, err)
		require.Zero(t, again.Seq, "there is nothing to restore any more, after %+v", wr)
	}
	require.Empty(t, verify(t, w.rooms, "a").Problems)
}

// withoutEmpty leaves out roots that hold nothing: one that was begun since stays,
// empty.
func withoutEmpty(t *testing.T, doc string) string {
	var roots map[string]json.RawMessage
	require.NoError(t, json.Unmarshal([]byte(doc), &roots))
	for name, v := range roots {
		if s := string(v); s == "{}" || s == "[]" || s == `""` {
			delete(roots, name)
		}
	}
	out, err := json.Marshal(roots)
	require.NoError(t, err)
	return string(out)
}

func randomEdit(rng *rand.Rand, tx *yjs.Tx, i int) error {
	text, list, object, rich, xml := tx.Text("text"), tx.Array("list"), tx.Map("map"), tx.Text("rich"), tx.XML("xml")
	switch rng.IntN(9) {
	case 0:
		return text.Insert(rng.IntN(text.Len()+1), fmt.Sprintf("w%d ", i))
	case 1:
		if n := text.Len(); n > 2 {
			at := rng.IntN(n - 1)
			return text.Delete(at, 1+rng.IntN(n-at-1))
		}
		return text.Insert(0, "begin")
	case 2:
		return list.Insert(rng.IntN(list.Len()+1), i, yjs.MapOf{"n": i, "t": yjs.TextOf("x")}, nil)
	case 3:
		if n := list.Len(); n > 0 {
			return list.Delete(rng.IntN(n), 1)
		}
	case 4:
		return object.Set(fmt.Sprint("k", rng.IntN(4)), []any{i, "v", true, nil, 1.5}[rng.IntN(5)])
	case 5:
		key := fmt.Sprint("n", rng.IntN(2))
		if nested, ok := object.Get(key); ok {
			return nested.(*yjs.Map).Set(fmt.Sprint("d", rng.IntN(3)), yjs.ArrayOf{i})
		}
		return object.Set(key, yjs.MapOf{"d": i})
	case 6:
		return rich.InsertFormatted(rng.IntN(rich.Len()+1), fmt.Sprintf("r%d", i), map[string]any{"bold": rng.IntN(2) == 0})
	case 7:
		if n := rich.Len(); n > 1 {
			return rich.Format(0, 1+rng.IntN(n-1), map[string]any{"italic": true})
		}
	case 8:
		return xml.Push(yjs.ElementOf{Name: "p", Attributes: map[string]any{"i": fmt.Sprint(i)}, Children: []any{yjs.RichXMLTextOf{{Insert: "t"}}}})
	}
	return object.Delete(fmt.Sprint("k", rng.IntN(4)))
}

// What is deleted can be imported again: byte for byte when nobody is there.
func TestImportAfterDelete(t *testing.T) {
	both(t, func(t *testing.T, w *world, rooms operate.Rooms) {
		updates, _ := edits(t, 5)
		for _, u := range updates {
			_, err := rooms.Import(t.Context(), "a", u, true)
			require.NoError(t, err)
		}
		before, err := rooms.Export(t.Context(), "a", operate.Point{})
		require.NoError(t, err)
		for range 2 {
			require.NoError(t, rooms.Delete(t.Context(), "a"))
			_, err = rooms.Document(t.Context(), "a", operate.Point{})
			require.ErrorIs(t, err, operate.ErrNoRoom)
			require.ErrorIs(t, rooms.Delete(t.Context(), "a"), operate.ErrNoRoom)
			_, err = rooms.Import(t.Context(), "a", before.Update, false)
			require.NoError(t, err)
			after, err := rooms.Export(t.Context(), "a", operate.Point{})
			require.NoError(t, err)
			require.Equal(t, before.Update, after.Update)
			require.Empty(t, verify(t, rooms, "a").Problems)
			w.settle("a")
			require.Empty(t, verify(t, rooms, "a").Problems)
		}
	})
}
