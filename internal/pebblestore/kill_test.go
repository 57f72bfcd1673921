package pebblestore_test

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/pebblestore"
	"github.com/symphony-rt/symphony/internal/room"
)

// roleAppend appends from several goroutines until it is killed and writes a
// line "room seq data" for each acknowledged entry.
func roleAppend(dir string) int {
	s, err := pebblestore.Open(dir, pebblestore.Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for w := range 8 {
		wg.Go(func() {
			id := room.ID(fmt.Sprint("room", w%2))
			for i := 0; ; i++ {
				data := fmt.Sprintf("%d.%d.%d", os.Getpid(), w, i)
				seq, err := s.Log().Append(context.Background(), id, 0, room.Update{Data: []byte(data)})
				if err != nil {
					fmt.Fprintln(os.Stderr, err)
					return
				}
				mu.Lock()
				fmt.Printf("%s %d %s\n", id, seq, data)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return 1
}

// TestN1Kill kills a process that appends, with SIGKILL, again and again, and
// demands every line it got out.
func TestN1Kill(t *testing.T) {
	rng := newRand(t)
	dir := filepath.Join(t.TempDir(), "data")
	l := newLedger()
	total := 0
	for range 8 {
		cmd := role(t, "append", dir)
		out, err := cmd.StdoutPipe()
		require.NoError(t, err)
		require.NoError(t, cmd.Start())
		lines := bufio.NewScanner(out)
		enough := 1 + rng.IntN(400)
		for n := 0; lines.Scan(); n++ {
			var id, data string
			var seq room.Seq
			if k, _ := fmt.Sscanf(lines.Text(), "%s %d %s", &id, &seq, &data); k == 3 {
				l.appended(room.ID(id), seq, data)
				total++
			}
			if n == enough {
				time.Sleep(time.Duration(rng.IntN(3000)) * time.Microsecond)
				require.NoError(t, cmd.Process.Kill())
			}
		}
		require.Error(t, cmd.Wait(), "it was killed")
	}
	s, err := pebblestore.Open(dir, pebblestore.Options{})
	require.NoError(t, err)
	defer func() { require.NoError(t, s.Close()) }()
	l.check(t, s)
	t.Logf("%d acknowledged entries in 8 lives", total)
}
