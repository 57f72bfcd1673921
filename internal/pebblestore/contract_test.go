package pebblestore_test

import (
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/cockroachdb/pebble/v2/vfs"
	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/pebblestore"
	"github.com/symphony-rt/symphony/internal/room/roomtest"
)

// backend is a folder in a file system that can lose what was not synced.
type backend struct {
	clock *roomtest.Clock
	fs    *vfs.MemFS
	rng   *rand.Rand
}

func newRand(t testing.TB) *rand.Rand {
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	return rand.New(rand.NewPCG(seed, 0))
}

// crashed returns what a power cut leaves: everything synced, and any part of
// the rest.
func crashed(fs *vfs.MemFS, rng *rand.Rand) *vfs.MemFS {
	percent := []int{0, 0, 10, 50, 90, 100}[rng.IntN(6)]
	return fs.CrashClone(vfs.CrashCloneCfg{UnsyncedDataPercent: percent, RNG: rng})
}

func (b *backend) Open(t testing.TB) roomtest.Ports {
	s, err := pebblestore.Open("/data", pebblestore.Options{FS: b.fs, Clock: b.clock})
	require.NoError(t, err)
	var uploads *pebblestore.Uploads
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.StripPrefix("/uploads", uploads).ServeHTTP(w, r)
	}))
	uploads, err = s.Uploads(server.URL + "/uploads")
	require.NoError(t, err)
	end := func() error {
		server.Close()
		return s.Close()
	}
	return roomtest.Ports{
		Log: s.Log(), Metas: s.Metas(), Members: s.Members(), Snapshots: s.Snapshots(), Uploads: uploads, Links: uploads,
		Close: end,
		Crash: func() {
			b.fs = crashed(b.fs, b.rng)
			require.NoError(t, end()) // on the file system that is gone
		},
	}
}

func TestContract(t *testing.T) {
	rng := newRand(t)
	roomtest.Run(t, roomtest.Harness{New: func(_ testing.TB, clock *roomtest.Clock) roomtest.Backend {
		return &backend{clock: clock, fs: vfs.NewCrashableMem(), rng: rng}
	}})
}
