package dashboard

import (
	"net/http"
	"time"
)

// maxBars bounds the bars of the chart of a room's edits.
const maxBars = 120

// widths are what a bar may span, so that the axis has round times.
var widths = []time.Duration{
	time.Second, 5 * time.Second, 15 * time.Second, time.Minute, 5 * time.Minute, 15 * time.Minute, time.Hour, 6 * time.Hour, 24 * time.Hour, 7 * 24 * time.Hour,
}

// editsBody is how many edits, and of how many bytes, were made when. It covers
// what could be read, which Oldest and Whole tell.
type editsBody struct {
	From   int64      `json:"from"`
	Step   int64      `json:"step"`
	Edits  []int      `json:"edits"`
	Bytes  []int64    `json:"bytes"`
	Oldest *time.Time `json:"oldest"`
	Count  int        `json:"count"`
	Whole  bool       `json:"whole"`
	// Sizes are the snapshots'.
	Sizes []SnapshotSize `json:"sizes"`
}

func (s *Server) edits(r *http.Request) (any, error) {
	id, err := roomID(r.URL.Query().Get("room"))
	if err != nil {
		return nil, err
	}
	if s.Rooms == nil {
		return nil, ErrNotHere
	}
	past, err := s.Rooms.Past(r.Context(), id)
	if err != nil {
		return nil, err
	}
	body := bars(past.Edits, s.Clock.Now())
	body.Whole, body.Sizes = past.Whole, append([]SnapshotSize{}, past.Sizes...)
	return body, nil
}

func bars(all []Edit, now time.Time) editsBody {
	body := editsBody{Edits: []int{}, Bytes: []int64{}, Count: len(all)}
	if len(all) == 0 {
		return body
	}
	oldest := all[0].At
	for _, e := range all {
		if e.At.Before(oldest) {
			oldest = e.At
		}
		if e.At.After(now) {
			now = e.At
		}
	}
	width := widths[len(widths)-1]
	for _, w := range widths {
		if now.Sub(oldest) < maxBars*w {
			width = w
			break
		}
	}
	from := oldest.UnixNano() / int64(width)
	n := min(now.UnixNano()/int64(width)-from+1, 100*maxBars)
	body.Oldest, body.From, body.Step = &oldest, time.Unix(0, from*int64(width)).UnixMilli(), width.Milliseconds()
	body.Edits, body.Bytes = make([]int, n), make([]int64, n)
	for _, e := range all {
		if i := e.At.UnixNano()/int64(width) - from; i < n {
			body.Edits[i]++
			body.Bytes[i] += int64(e.Bytes)
		}
	}
	return body
}
