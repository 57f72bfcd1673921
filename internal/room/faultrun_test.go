package room_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/symphony-rt/symphony/internal/memstore"
	"github.com/symphony-rt/symphony/internal/room/roomtest"
)

// On the store in memory every call there is; test/awsfaults does the same on
// the engines.
func TestFaultRun_N1_P21_P23(t *testing.T) {
	total := roomtest.RunFaults(t, roomtest.FaultRun{
		Stride: stride,
		Open: func(_ testing.TB, clock *roomtest.Clock) roomtest.Ports {
			s := memstore.New(clock)
			return roomtest.Ports{Log: s.Log(), Metas: s.Metas(), Members: s.Members(), Snapshots: s.Snapshots(), Uploads: s.Uploads()}
		},
	})
	for _, name := range append(writes, "Log.Read", "Metas.Get", "Metas.Unclean", "Members.List", "Members.Admit", "Snapshots.Get",
		"Snapshots.List", "Uploads.Fetch", "Uploads.Link", "Sender.Post") {
		if name != "Uploads.Discard" { // only of refused uploads
			require.NotZero(t, total[name], "the sessions come by %s", name)
		}
	}
}
