package dashboard

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"sync"
	"time"
)

const (
	// maxStreams bounds the open pages: more than anybody has.
	maxStreams = 64
	// writeTime is how long a browser may take for an event.
	writeTime = 10 * time.Second
	// retryMS is after how long a browser asks again when the stream broke.
	retryMS = 1000
)

// snapshotBody is one event of the live stream, and /api/now.
type snapshotBody struct {
	At      time.Time `json:"at"`
	Figures Figures   `json:"figures"`
	// Rooms changes when any room does, Log when there are new lines.
	Rooms uint64 `json:"rooms"`
	// Problem says why there are no figures.
	Problem string `json:"problem,omitempty"`
}

// live sends a snapshot to every open page, at a steady pace, as server-sent
// events (https://html.spec.whatwg.org/multipage/server-sent-events.html). It
// takes one for all of them, and none while nobody looks.
type live struct {
	take  func(ctx context.Context) (snapshotBody, error)
	every time.Duration

	mu      sync.Mutex
	streams map[chan []byte]struct{}
	stop    context.CancelFunc
}

func newLive(take func(ctx context.Context) (snapshotBody, error), every time.Duration) *live {
	return &live{take: take, every: every, streams: map[chan []byte]struct{}{}}
}

// ServeHTTP implements http.Handler.
func (l *live) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	events, ok := l.join(r.Context())
	if !ok {
		writeProblem(w, http.StatusServiceUnavailable, "Too many dashboards are open.")
		return
	}
	defer l.leave(events)
	h := w.Header()
	h.Set("Content-Type", "text/event-stream")
	h.Set("Cache-Control", "no-store")
	control := http.NewResponseController(w)
	send := func(b []byte) error {
		if err := control.SetWriteDeadline(time.Now().Add(writeTime)); err != nil {
			return err
		}
		if _, err := w.Write(b); err != nil {
			return err
		}
		return control.Flush()
	}
	err := send(fmt.Appendf(nil, "retry: %d\n\n", retryMS))
	if first := l.event(r.Context()); err == nil {
		err = send(first)
	}
	for err == nil {
		select {
		case <-r.Context().Done():
			return
		case b := <-events:
			err = send(b)
		}
	}
}

// event takes a snapshot and writes it as an event. A failure is told, too.
func (l *live) event(ctx context.Context) []byte {
	ctx, cancel := context.WithTimeout(ctx, answerTime)
	defer cancel()
	snapshot, err := l.take(ctx)
	if err != nil {
		snapshot.Problem = err.Error()
	}
	b, err := json.Marshal(snapshot)
	if err != nil {
		return nil
	}
	return fmt.Appendf(nil, "event: now\ndata: %s\n\n", b)
}

func (l *live) join(ctx context.Context) (chan []byte, bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.streams) >= maxStreams {
		return nil, false
	}
	// One event waits for a slow page; it gets the latest, not all.
	events := make(chan []byte, 1)
	l.streams[events] = struct{}{}
	if l.stop == nil {
		ctx, l.stop = context.WithCancel(context.WithoutCancel(ctx))
		go l.run(ctx)
	}
	return events, true
}

func (l *live) leave(events chan []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.streams, events)
	if len(l.streams) == 0 {
		l.stop()
		l.stop = nil
	}
}

func (l *live) run(ctx context.Context) {
	ticker := time.NewTicker(l.every)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		b := l.event(ctx)
		l.mu.Lock()
		for events := range l.streams {
			select {
			case <-events: // an older one that was not taken
			default:
			}
			select {
			case events <- b:
			default:
			}
		}
		l.mu.Unlock()
	}
}
