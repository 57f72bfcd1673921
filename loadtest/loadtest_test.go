package loadtest

import (
	"bytes"
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/yjs"
)

// What is crafted here is what Yjs means by it, and scan reads it, merged or not.
func TestEditsAreYjs(t *testing.T) {
	var all [][]byte
	clocks := map[uint64]uint64{}
	for n := range 200 {
		client := uint64(firstClient + n%3)
		text := marker(client, n, 5+n)
		u := edit(client, clocks[client], text)
		require.NoError(t, yjs.Validate(u))
		s, err := scan(u)
		require.NoError(t, err)
		require.Equal(t, []stretch{{client, clocks[client], clocks[client] + uint64(len(text))}}, s)
		clocks[client] += uint64(len(text))
		all = append(all, u)
	}
	d := yjs.NewDoc()
	for _, u := range all {
		require.NoError(t, d.Apply(u))
	}
	text, err := d.JSON(root)
	require.NoError(t, err)
	total := uint64(0)
	for _, c := range clocks {
		total += c
	}
	require.EqualValues(t, total, len(text.(string)), "everything is in the document")

	rand.New(rand.NewPCG(1, 2)).Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	merged, err := yjs.Merge(all...)
	require.NoError(t, err)
	s, err := scan(merged)
	require.NoError(t, err)
	require.Len(t, s, 3)
	merged, err = yjs.Merge(append(all[:50:50], all[120:]...)...) // with gaps
	require.NoError(t, err)
	s, err = scan(merged)
	require.NoError(t, err)
	have := uint64(0)
	for _, x := range s {
		have += x.to - x.from
	}
	stats, err := yjs.Stats(merged)
	require.NoError(t, err)
	require.Equal(t, stats.Clocks, have)
}

func TestScanRefusesJunk(t *testing.T) {
	good := edit(firstClient, 0, "hello")
	for n := range len(good) - 1 {
		_, err := scan(good[:n])
		require.Error(t, err, n)
	}
	_, err := scan([]byte{1, 1, 1, 0, 31, 0})
	require.Error(t, err)
	_, err = scan(bytes.Repeat([]byte{0xff}, 30))
	require.Error(t, err)
}

func FuzzScan(f *testing.F) {
	f.Add(edit(firstClient, 0, "hello"))
	f.Add([]byte{1, 1, 1, 0, 8, 1, 1, 'a', 1, 118, 1, 1, 'x', 117, 1, 126, 0})
	f.Fuzz(func(_ *testing.T, b []byte) { _, _ = scan(b) })
}

func TestPresenceIsAwareness(t *testing.T) {
	states, err := yjs.DecodeAwareness(presence(firstClient+3, 9, 10, 20))
	require.NoError(t, err)
	require.Len(t, states, 1)
	require.EqualValues(t, firstClient+3, states[0].Client)
	require.EqualValues(t, 9, states[0].Clock)
}

// The recording, played by two users, is a document with all their edits.
func TestRecordingReplays(t *testing.T) {
	tape, err := loadRecording()
	require.NoError(t, err)
	require.Greater(t, len(tape.Edits), 300)
	d := yjs.NewDoc()
	for n := range tape.Edits {
		for client := uint64(firstClient); client < firstClient+2; client++ {
			u := tape.by(client, n)
			require.NoError(t, yjs.Validate(u))
			s, err := scan(u)
			require.NoError(t, err)
			require.Equal(t, client, s[0].client)
			require.NoError(t, d.Apply(u))
		}
	}
	clocks, err := yjs.DecodeStateVector(d.StateVector())
	require.NoError(t, err)
	require.Len(t, clocks, 2)
	require.Zero(t, d.Pending())
	text, err := d.JSON(root)
	require.NoError(t, err)
	require.Contains(t, text.(string), "Notes of the weekly meeting")
}

func TestLedger(t *testing.T) {
	c := newCounters()
	l := newLedger(2, c)
	l.connected(1, 0)
	var updates [][]byte
	for n := range 4 {
		clock := l.write(0, 3, time.Duration(n)*time.Second)
		updates = append(updates, edit(firstClient, clock, "abc"))
	}
	require.Equal(t, 4, l.missing(1))
	l.came(1, 0, updates[0], time.Second)
	l.came(1, 0, updates[2], 4*time.Second)
	require.Equal(t, map[uint64]uint64{firstClient: 3}, l.vector(1), "only without a gap")
	l.came(1, 0, updates[1], 5*time.Second)
	require.EqualValues(t, 1, c.reordered.Load())
	l.came(1, 0, updates[2], 5*time.Second)
	require.EqualValues(t, 1, c.duplicates.Load())
	numbered := edit(firstClient, l.write(0, 1, 5*time.Second), "x")
	l.came(1, 7, numbered, 6*time.Second)
	l.came(1, 7, numbered, 6*time.Second)
	require.EqualValues(t, 2, c.duplicates.Load(), "one number twice")
	l.came(1, 8, numbered, 6*time.Second)
	require.EqualValues(t, 1, c.storedTwice.Load(), "one edit under two numbers")
	require.EqualValues(t, 2, c.duplicates.Load())
	merged0, err := yjs.Merge(numbered)
	require.NoError(t, err)
	updates = append(updates, merged0)
	merged, err := yjs.Merge(updates...)
	require.NoError(t, err)
	l.came(1, 0, merged, 6*time.Second)
	require.EqualValues(t, 4, c.repeats.Load())
	require.Zero(t, l.missing(1))
	require.EqualValues(t, 5, c.delivered.Load())
	require.EqualValues(t, 5, c.latency.TotalCount())
	require.InEpsilon(t, 4_000_000, c.latency.Max(), 0.001, "edit 1, due at 1 s, came at 5 s")
	missing, err := l.late(updates[:3])
	require.NoError(t, err)
	require.Equal(t, 2, missing)
	missing, err = l.late([][]byte{merged})
	require.NoError(t, err)
	require.Zero(t, missing)
	l.came(0, 0, updates[0], 0)
	require.EqualValues(t, 5, c.delivered.Load(), "one's own edits are not deliveries")
	l.forget(1)
	require.Equal(t, 5, l.missing(1))
}

// Merging results loses nothing: the quantiles are those of all values.
func TestMergeIsExact(t *testing.T) {
	whole := newHistogram(runDigits)
	var parts []*Result
	r := rand.New(rand.NewPCG(7, 7))
	for range 3 {
		part := newHistogram(runDigits)
		for range 5000 {
			d := time.Duration(r.ExpFloat64() * float64(20*time.Millisecond))
			record(part, d)
			record(whole, d)
		}
		parts = append(parts, &Result{Profile: Profile{Run: "x"}, Latency: encode(part), Edits: 10, Errors: map[string]int64{"e": 1}})
	}
	sum, err := mergeResults(parts)
	require.NoError(t, err)
	want := encode(whole)
	want.Data, sum.Latency.Data = nil, nil
	require.Equal(t, want, sum.Latency)
	require.EqualValues(t, 30, sum.Edits)
	require.EqualValues(t, 3, sum.Errors["e"])

	dir := t.TempDir()
	var names []string
	for i, p := range parts {
		names = append(names, filepath.Join(dir, string(rune('a'+i))+".json"))
		p.Profile.Run = "x"
		require.NoError(t, p.write(names[i]))
	}
	out := filepath.Join(dir, "sum.json")
	var stdout, stderr bytes.Buffer
	require.Equal(t, exitOK, Main(context.Background(), append([]string{"--merge", "--json", out}, names...), nil, &stdout, &stderr), stderr.String())
	b, err := os.ReadFile(out)
	require.NoError(t, err)
	require.Contains(t, string(b), `"Edits": 30`)
	parts[1].Profile.Run = "y"
	_, err = mergeResults(parts)
	require.Error(t, err)
}

// A load test never reaches another machine by a slip.
func TestOnlyLocalWithoutYes(t *testing.T) {
	for url, local := range map[string]bool{
		"ws://127.0.0.1:1/dev": true, "ws://localhost/dev": true, "ws://[::1]:8/dev": true, "ws://127.8.8.8/x": true,
		"wss://abc.execute-api.eu-west-1.amazonaws.com/prod": false, "ws://10.0.0.1/": false, "ws://localhost.example.org/": false,
		"ws://127.0.0.1.example.org/": false, "ws://0.0.0.0/": false,
	} {
		err := checkURL(url, false)
		if local {
			require.NoError(t, err, url)
		} else {
			require.ErrorIs(t, err, errRemote, url)
			require.NoError(t, checkURL(url, true))
		}
	}
	var out bytes.Buffer
	code := Main(context.Background(), []string{"--url", "wss://symphony.example/prod"}, nil, &out, &out)
	require.Equal(t, exitUsage, code)
	require.Contains(t, out.String(), "--yes")
}

func TestCommandLine(t *testing.T) {
	for _, args := range [][]string{
		{"extra"}, {"--target", "x"}, {"--arrival", "x"}, {"--users", "0"}, {"--room-size", "0"}, {"--room-size", "500", "--users", "400"},
		{"--edit-bytes", "0"}, {"--document", "-1"}, {"--duration", "0"}, {"--churn", "-1"}, {"--workers", "0"}, {"--index", "1"},
		{"--of", "2"}, {"--of", "2", "--run", "r"}, {"--saturate", "1s", "--growth", "1"}, {"--url", "http://x"}, {"--merge"}, {"--nonsense"},
	} {
		var out bytes.Buffer
		require.Equal(t, exitUsage, Main(context.Background(), args, nil, &out, &out), args)
		require.NotEmpty(t, out.String())
	}
	var out bytes.Buffer
	require.Equal(t, exitOK, Main(context.Background(), []string{"--help"}, nil, &out, &out))
	require.Contains(t, out.String(), "--merge")
}

// The reference profile's bill, by hand.
func TestBilling(t *testing.T) {
	b := billOf(&Profile{Users: 20_000, RoomSize: 4, EditEvery: 10 * time.Second, PresenceEvery: 5 * time.Second, Duration: time.Minute, EditBytes: 24})
	// 120,000 edits: 1 in, 1 acknowledgement, 3 posts; 240,000 presences: 1 in,
	// 3 posts; 20,000 joins: 1 in, 1 out, 3 told, 3 asked or answering.
	require.InDelta(t, 120_000*5+240_000*4+20_000*8, b.messages, 1)
	require.InDelta(t, 120_000+240_000+20_000*4, b.invocations, 1)
}

func TestRateGrows(t *testing.T) {
	p := Profile{Step: 5 * time.Second, Growth: 2}
	require.InDelta(t, 1, p.rate(4*time.Second), 0)
	require.InDelta(t, 2, p.rate(5*time.Second), 0)
	require.InDelta(t, 8, p.rate(16*time.Second), 0)
	p.Step = 0
	require.InDelta(t, 1, p.rate(time.Hour), 0)
}

// Each room is one worker's, and its members are all there.
func TestRoomsAreDivided(t *testing.T) {
	users, names := 0, map[string]int{}
	for i := range 3 {
		g, err := newGenerator(Profile{Users: 50, RoomSize: 4, Index: i, Of: 3, URLs: []string{"a", "b"}, Run: "r"})
		require.NoError(t, err)
		for _, u := range g.users {
			users++
			names[u.name]++
		}
	}
	require.Equal(t, 50, users)
	require.Len(t, names, 13)
	require.Equal(t, 2, names["load-r-12"])
}
