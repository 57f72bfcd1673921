//go:build race

package memstore_test

import "github.com/symphony-rt/symphony/internal/room/roomtest"

// The race detector makes the exploration ten times slower and has nothing to
// find in it: the scheduler lets one actor run at a time.
const schedules = roomtest.DefaultSchedules
