//go:build !race

package memstore_test

import "github.com/symphony-rt/symphony/internal/room/roomtest"

const schedules = roomtest.AllSchedules
