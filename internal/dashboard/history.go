package dashboard

import (
	"time"

	"github.com/symphony-rt/symphony/internal/directory"
	"github.com/symphony-rt/symphony/internal/room"
)

const (
	// maxPoints bounds a room's history; a full one is thinned to half, so that
	// it reaches back as far as ever, only coarser.
	maxPoints = 128
	// maxHistories bounds how many rooms have one: about 6 MB.
	maxHistories = 2000
	// pointGap is how close two points may be.
	pointGap = time.Second
)

// Point is a room's size at one time.
type Point struct {
	At       time.Time `json:"at"`
	Size     int64     `json:"size"`
	Versions uint64    `json:"versions"`
}

// history remembers how rooms grew while the dashboard ran. No store keeps a
// room's former sizes, so this is all there is.
type history struct{ rooms map[room.ID][]Point }

func newHistory() *history { return &history{rooms: map[room.ID][]Point{}} }

func (h *history) note(e directory.Entry, now time.Time) {
	points, known := h.rooms[e.Room]
	next := Point{At: now, Size: e.Size(), Versions: e.Updates}
	if n := len(points); n > 0 {
		last := &points[n-1]
		if last.Size == next.Size && last.Versions == next.Versions {
			return
		}
		if now.Sub(last.At) < pointGap && n > 1 {
			last.Size, last.Versions = next.Size, next.Versions
			return
		}
	}
	if !known && len(h.rooms) >= maxHistories {
		for id := range h.rooms { // any: a map begins anywhere
			delete(h.rooms, id)
			break
		}
	}
	if len(points) >= maxPoints {
		points = thin(points)
	}
	h.rooms[e.Room] = append(points, next)
}

// thin keeps every second point, and the last.
func thin(points []Point) []Point {
	kept := points[:0]
	for i, p := range points {
		if i%2 == 0 || i == len(points)-1 {
			kept = append(kept, p)
		}
	}
	return kept
}

func (h *history) forget(id room.ID) { delete(h.rooms, id) }

// History returns how the room grew since the dashboard runs.
func (c *Catalog) History(id room.ID) []Point {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return append([]Point{}, c.history.rooms[id]...)
}
