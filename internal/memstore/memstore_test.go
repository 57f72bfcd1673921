package memstore_test

import (
	"testing"

	"github.com/symphony-rt/symphony/internal/memstore"
	"github.com/symphony-rt/symphony/internal/room/roomtest"
)

// backend hands out the same store again and again: memory has no other way
// to outlive a handle.
type backend struct{ store *memstore.Store }

func (b backend) Open(testing.TB) roomtest.Ports {
	return roomtest.Ports{
		Log: b.store.Log(), Metas: b.store.Metas(), Members: b.store.Members(),
		Snapshots: b.store.Snapshots(), Uploads: b.store.Uploads(), Links: b.store.Uploads(),
	}
}

func TestContract(t *testing.T) {
	roomtest.Run(t, roomtest.Harness{
		New:     func(_ testing.TB, clock *roomtest.Clock) roomtest.Backend { return backend{memstore.New(clock)} },
		Several: true, Schedules: schedules,
	})
}
